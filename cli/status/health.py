"""How the system is: services, sensors, runs, disk, alerts, and what every dataset holds.

Belongs here: finding out, each part by itself, so that one that is down hides no other. Does not belong here:
counting (`vitalake/serving/dataset_counts.py`), how it is shown (`cli/status/command.py`).
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.reachable import ask
from cli.runs import last_runs
from cli.services.store_service import least_free_bytes
from cli.status.sensor_ticks import last_ticks
from cli.status.store_probe import unreadable
from cli.status.waiting_alerts import alerts_that_wait
from resources.reachable import answers
from vitalake.errors import VitalakeError
from vitalake.serving.dataset_counts import DatasetCounts, count

if TYPE_CHECKING:
    from resources.settings import Settings
    from vitalake.lake.dataset import Dataset

_HEARTBEATS = "{instance {daemonHealth {allDaemonStatuses {daemonType required lastHeartbeatTime}}}}"
_LATE_S = 120.0  # a daemon shows itself every 30 s
_RUNS = 8


@dataclass(frozen=True)
class ServiceHealth:
    """One part of the system: whether it works, and what there is to say."""

    works: bool
    detail: str


@dataclass
class Health:
    """Everything that `vitalake status` says.

    Args:
        home: the state folder.
        running: whether any service answers.
        services: name → service.
        slack_channel: where alerts go; None: to the log.
        home_bytes: disk space that the state folder takes.
        free_bytes: free space on its disk.
        runs: the last runs, newest first (`cli.runs.last_runs`).
        datasets: name → what there is of it; empty where the bucket cannot be listed.
    """

    home: str
    running: bool
    services: dict[str, ServiceHealth]
    slack_channel: str | None
    home_bytes: int
    free_bytes: int
    runs: list[dict[str, Any]] = field(default_factory=list)
    datasets: dict[str, DatasetCounts] = field(default_factory=dict)


def check_health(settings: Settings, datasets: Sequence[Dataset]) -> Health:
    """Find everything out; a part that is in trouble says so in its own place."""
    url = (settings.webserver_url or "").rstrip("/")
    store, web, unknown = _store(settings), _web(url), ServiceHealth(False, "unknown without the web server")
    health = Health(
        home=str(settings.home),
        running=store.works or web.works,
        services={"S3": store, "web server": web, "daemon": unknown, "sensors": unknown},
        slack_channel=settings.slack_channel if settings.slack_configured else None,
        home_bytes=_used_bytes(settings.home),
        free_bytes=shutil.disk_usage(settings.home if settings.home.exists() else Path.cwd()).free,
    )
    if (settings.home / "s3").exists():
        health.services["disk"] = disk(health.free_bytes, least_free_bytes(settings.home))
    if store.works:
        health.services["restricted"] = _restricted(settings)
    health.services["alerts"] = ServiceHealth(
        *alerts_that_wait(settings if store.works else None, health.slack_channel)
    )
    if web.works:
        try:
            health.services["daemon"] = _daemon(url)
            health.runs = last_runs(url, _RUNS)
        except VitalakeError as error:
            health.services["web server"] = ServiceHealth(False, str(error))
        health.services["sensors"] = _sensors(url)
    catalog = ServiceHealth(True, str(settings.catalog_path))
    if not settings.catalog_path.exists():
        catalog = ServiceHealth(False, f"{settings.catalog_path} is not there yet; it comes with the first run")
    if store.works:
        if catalog.works and (trouble := _count(settings, datasets, health, with_lake=True)):
            catalog = ServiceHealth(False, f"{settings.catalog_path} cannot be asked: {trouble}")
        if not catalog.works and (trouble := _count(settings, datasets, health, with_lake=False)):
            health.services["S3"] = ServiceHealth(False, trouble)
    health.services["catalog"] = catalog
    return health


def _count(settings: Settings, datasets: Sequence[Dataset], health: Health, *, with_lake: bool) -> str | None:
    """Fill in what there is of every dataset; the trouble, if that does not work."""
    import duckdb

    from resources.build import lake_store, pseudonyms
    from resources.catalog import connect
    from resources.object_store import ObjectStore

    raw, lake = ObjectStore(settings, settings.raw_bucket), lake_store(settings)
    key_id = pseudonyms(settings).key_id if settings.pseudonym_key else None
    try:
        with connect(settings) if with_lake else nullcontext() as connection:
            health.datasets = {
                dataset.name: count(dataset, raw, lake, settings.first_day, connection, key_id)
                for dataset in datasets
            }
    except duckdb.CatalogException as error:
        return (
            f"{str(error).splitlines()[0]} A dataset that is new needs a start: stop the system, and start it again"
        )
    except (duckdb.Error, VitalakeError) as error:
        return str(error).splitlines()[0]
    return None


def _store(settings: Settings) -> ServiceHealth:
    from resources.object_store import ObjectStore

    if settings.s3_endpoint is None and settings.webserver_url is None:
        return ServiceHealth(False, "no address is known")  # rather than asking AWS for buckets of somebody else
    if settings.s3_endpoint and not answers(settings.s3_endpoint):
        log = settings.home / "logs" / "object-store.log"
        again = f"; where `vitalake up` runs, it is started again within 30 s; log: {log}" if log.exists() else ""
        return ServiceHealth(False, f"does not answer at {settings.s3_endpoint}{again}")
    try:
        for bucket in (settings.raw_bucket, settings.lake_bucket):
            if trouble := unreadable(ObjectStore(settings, bucket)):
                return ServiceHealth(False, trouble)
    except VitalakeError as error:
        return ServiceHealth(False, str(error))
    place = settings.s3_endpoint or f"AWS, {settings.aws_region}"
    return ServiceHealth(True, f"{place}, buckets {settings.raw_bucket} and {settings.lake_bucket}")


def disk(free_bytes: int, least_bytes: int) -> ServiceHealth:
    """Whether the local S3 server takes anything more: it stops where less is free than `least_bytes`."""
    free = f"{free_bytes / 1e9:,.1f} GB free"
    if free_bytes < least_bytes:
        return ServiceHealth(
            False,
            f"{free}: below {least_bytes / 1e9:,.1f} GB the S3 server takes no more uploads or tables; free some",
        )
    return ServiceHealth(True, free)


def _restricted(settings: Settings) -> ServiceHealth:
    """The bucket of tables that name people, which not everybody may read."""
    from resources.object_store import ObjectStore

    try:
        if trouble := unreadable(ObjectStore(settings, settings.restricted_bucket)):
            return ServiceHealth(False, trouble)
    except VitalakeError as error:
        return ServiceHealth(False, str(error))
    return ServiceHealth(True, f"bucket {settings.restricted_bucket}, of tables that name people")


def _web(url: str) -> ServiceHealth:
    if not url:
        return ServiceHealth(False, "no address is known")
    try:
        if answers(url) and ask(url, "{version}"):
            return ServiceHealth(True, url)
    except VitalakeError as error:
        return ServiceHealth(False, str(error))
    return ServiceHealth(False, f"does not answer at {url}")


def _daemon(url: str) -> ServiceHealth:
    statuses = ask(url, _HEARTBEATS)["instance"]["daemonHealth"]["allDaemonStatuses"]
    ages_s = {
        str(status["daemonType"]).lower(): time.time() - (status["lastHeartbeatTime"] or 0)
        for status in statuses
        if status["required"]
    }
    late = sorted(name for name, age_s in ages_s.items() if age_s > _LATE_S)
    if late:
        return ServiceHealth(
            False, f"no heartbeat for {_LATE_S:.0f} s of {', '.join(late)}: no sensor looks, no run starts"
        )
    return ServiceHealth(True, f"last heartbeat {max(ages_s.values(), default=0):.0f} s ago")


def _sensors(url: str) -> ServiceHealth:
    try:
        ticks = last_ticks(url)
    except VitalakeError as error:
        return ServiceHealth(False, str(error))
    return ServiceHealth(ticks.works, ticks.detail)


def _used_bytes(folder: Path) -> int:
    total = 0
    for base, _, files in os.walk(folder):
        for name in files:
            try:
                total += Path(base, name).lstat().st_blocks * 512
            except OSError:  # gone since it was listed
                continue
    return total
