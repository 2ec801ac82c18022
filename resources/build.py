"""The plain objects that assets, sensors and commands work with, made from the settings.

Belongs here: which there are, by name. Does not belong here: what they do.
"""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from resources.object_store import ObjectStore
from resources.outbox import Outbox
from resources.queue import NotificationQueue
from resources.settings import Settings
from vitalake.pseudonyms import Pseudonyms


def build_resources(settings: Settings) -> dict[str, Any]:
    """Buckets, settings, the outbox for alerts, pseudonyms, and the queue where one is set.

    Raises:
        PermanentError: there is no key for pseudonyms, or too short a one.
    """
    lake = ObjectStore(settings, settings.lake_bucket)
    resources: dict[str, Any] = {
        "settings": settings,
        "raw": ObjectStore(settings, settings.raw_bucket),
        "lake": lake,
        "outbox": Outbox(lake),
        "pseudonyms": Pseudonyms((settings.pseudonym_key or SecretStr("")).get_secret_value().encode()),
    }
    if settings.queue_url:
        resources["queue"] = NotificationQueue(settings, settings.queue_url)
    return resources
