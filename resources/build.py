"""The plain objects that assets, sensors and commands work with, made from the settings.

Belongs here: which there are, by name. Does not belong here: what they do.
"""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from resources.alerting.outbox import Outbox
from resources.lake_store import LakeStore
from resources.object_store import ObjectStore
from resources.queue import NotificationQueue
from resources.settings import Settings
from vitalake.datasets.declared import DATASETS
from vitalake.pseudonyms import Pseudonyms


def lake_store(settings: Settings) -> LakeStore:
    """Both buckets of the lake as one."""
    tables = (table for dataset in DATASETS for table in dataset.every_table)
    return LakeStore(settings, {table.name for table in tables if table.restricted})


def pseudonyms(settings: Settings) -> Pseudonyms:
    """With the key of the settings. Raises PermanentError: there is none, or too short a one."""
    return Pseudonyms((settings.pseudonym_key or SecretStr("")).get_secret_value().encode())


def build_resources(settings: Settings) -> dict[str, Any]:
    """Buckets, settings, the outbox for alerts, pseudonyms, and the queue where one is set.

    Raises:
        PermanentError: there is no key for pseudonyms, or too short a one.
    """
    lake = lake_store(settings)
    resources: dict[str, Any] = {
        "settings": settings,
        "raw": ObjectStore(settings, settings.raw_bucket),
        "lake": lake,
        "outbox": Outbox(lake),
        "pseudonyms": pseudonyms(settings),
    }
    if settings.queue_url:
        resources["queue"] = NotificationQueue(settings, settings.queue_url)
    return resources
