"""What assets, sensors and commands work with, made from the settings: the one place where they are put together.

Belongs here: which resources there are. Does not belong here: what they do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from resources.alerting.channel import AlertChannel
from resources.alerting.outbox import Outbox
from resources.lake_store import LakeStore
from resources.object_store import ObjectStore
from resources.queue import NotificationQueue
from resources.settings import Settings
from vitalake.datasets.declared import DATASETS
from vitalake.pseudonyms import Pseudonyms


@dataclass(frozen=True)
class Resources:
    """The resources of assets, checks and sensors, by the names of their parameters.

    Args:
        settings: where things are.
        raw: the bucket that objects are uploaded to.
        lake: both buckets of the lake as one.
        outbox: alerts that wait for their channel.
        pseudonyms: in place of identifiers.
        alert_channel: makes the channel for alerts, whose library is imported when there is something to post.
        queue: of S3's notifications; None: there is none.
    """

    settings: Settings
    raw: ObjectStore
    lake: ObjectStore
    outbox: Outbox
    pseudonyms: Pseudonyms
    alert_channel: Callable[[], AlertChannel]
    queue: NotificationQueue | None = None


def lake_store(settings: Settings) -> LakeStore:
    """Both buckets of the lake as one."""
    tables = (table for dataset in DATASETS for table in dataset.every_table)
    return LakeStore(settings, {table.name for table in tables if table.restricted})


def pseudonyms(settings: Settings) -> Pseudonyms:
    """With the key of the settings. Raises PermanentError: there is none, or too short a one."""
    return Pseudonyms((settings.pseudonym_key or SecretStr("")).get_secret_value().encode())


def build_resources(settings: Settings) -> Resources:
    """Everything that the settings name.

    Raises:
        PermanentError: there is no key for pseudonyms, or too short a one.
    """
    lake = lake_store(settings)

    def alert_channel() -> AlertChannel:
        from resources.alerting.slack import SlackAlerts

        token = settings.slack_token.get_secret_value() if settings.slack_token else None
        return SlackAlerts(token=token, channel=settings.slack_channel, base_url=settings.slack_base_url)

    return Resources(
        settings=settings,
        raw=ObjectStore(settings, settings.raw_bucket),
        lake=lake,
        outbox=Outbox(lake),
        pseudonyms=pseudonyms(settings),
        alert_channel=alert_channel,
        queue=NotificationQueue(settings, settings.queue_url) if settings.queue_url else None,
    )
