"""How the system is: services, sensors, runs, disk, alerts, and what every dataset holds.

Belongs here: finding out, each part by itself, so that one that is down hides no other. Does not belong here:
counting (`cli/holdings.py`), how it is shown (`cli/status.py`).
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

from cli.holdings import Holdings, count
from cli.running import answers, ask
from cli.runs import last_runs
from cli.store_probe import unreadable
from cli.store_service import least_free_bytes
from cli.ticks import last_ticks
from cli.waiting_alerts import alerts_that_wait
from vitalake.errors import VitalakeError

if TYPE_CHECKING:
    from resources.settings import Settings
    from vitalake.dataset import Dataset

_HEARTBEATS = "{instance {daemonHealth {allDaemonStatuses {daemonType required lastHeartbeatTime}}}}"
_LATE_S = 120.0  # a daemon shows itself every 30 s
_RUNS = 8


@dataclass(frozen=True)
class Service:
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
    services: dict[str, Service]
    slack_channel: str | None
    home_bytes: int
    free_bytes: int
    runs: list[dict[str, Any]] = field(default_factory=list)
    datasets: dict[str, Holdings] = field(default_factory=dict)


def look(settings: Settings, datasets: Sequence[Dataset]) -> Health:
    """Find everything out; a part that is in trouble says so in its own place."""
    url = (settings.webserver_url or "").rstrip("/")
    store, web, unknown = _store(settings), _web(url), Service(False, "unknown without the web server")
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
    health.services["alerts"] = Service(*alerts_that_wait(settings if store.works else None, health.slack_channel))
    if web.works:
        try:
            health.services["daemon"] = _daemon(url)
            health.runs = last_runs(url, _RUNS)
        except VitalakeError as error:
            health.services["web server"] = Service(False, str(error))
        health.services["sensors"] = _sensors(url)
    catalog = Service(True, str(settings.catalog_path))
    if not settings.catalog_path.exists():
        catalog = Service(False, f"{settings.catalog_path} is not there yet; it comes with the first run")
    if store.works:
        if catalog.works and (trouble := _count(settings, datasets, health, with_lake=True)):
            catalog = Service(False, f"{settings.catalog_path} cannot be asked: {trouble}")
        if not catalog.works and (trouble := _count(settings, datasets, health, with_lake=False)):
            health.services["S3"] = Service(False, trouble)
    health.services["catalog"] = catalog
    return health


def _count(settings: Settings, datasets: Sequence[Dataset], health: Health, *, with_lake: bool) -> str | None:
    """Fill in what there is of every dataset; the trouble, if that does not work."""
    import duckdb

    from resources.lake import connect

    try:
        with connect(settings) if with_lake else nullcontext() as connection:
            health.datasets = {dataset.name: count(settings, dataset, connection) for dataset in datasets}
    except duckdb.CatalogException as error:
        return (
            f"{str(error).splitlines()[0]} A dataset that is new needs a start: stop the system, and start it again"
        )
    except (duckdb.Error, VitalakeError) as error:
        return str(error).splitlines()[0]
    return None


def _store(settings: Settings) -> Service:
    from resources.object_store import ObjectStore

    if settings.s3_endpoint is None and settings.webserver_url is None:
        return Service(False, "no address is known")  # rather than asking AWS for buckets of somebody else
    if settings.s3_endpoint and not answers(settings.s3_endpoint):
        log = settings.home / "logs" / "object-store.log"
        again = f"; where `vitalake up` runs, it is started again within 30 s; log: {log}" if log.exists() else ""
        return Service(False, f"does not answer at {settings.s3_endpoint}{again}")
    try:
        for bucket in (settings.raw_bucket, settings.lake_bucket):
            if trouble := unreadable(ObjectStore(settings, bucket)):
                return Service(False, trouble)
    except VitalakeError as error:
        return Service(False, str(error))
    place = settings.s3_endpoint or f"AWS, {settings.aws_region}"
    return Service(True, f"{place}, buckets {settings.raw_bucket} and {settings.lake_bucket}")


def disk(free_bytes: int, least_bytes: int) -> Service:
    """Whether the local S3 server takes anything more: it stops where less is free than `least_bytes`."""
    free = f"{free_bytes / 1e9:,.1f} GB free"
    if free_bytes < least_bytes:
        return Service(
            False,
            f"{free}: below {least_bytes / 1e9:,.1f} GB the S3 server takes no more uploads or tables; free some",
        )
    return Service(True, free)


def _restricted(settings: Settings) -> Service:
    """The bucket of tables that name people, which not everybody may read."""
    from resources.object_store import ObjectStore

    try:
        if trouble := unreadable(ObjectStore(settings, settings.restricted_bucket)):
            return Service(False, trouble)
    except VitalakeError as error:
        return Service(False, str(error))
    return Service(True, f"bucket {settings.restricted_bucket}, of tables that name people")


def _web(url: str) -> Service:
    if not url:
        return Service(False, "no address is known")
    try:
        if answers(url) and ask(url, "{version}"):
            return Service(True, url)
    except VitalakeError as error:
        return Service(False, str(error))
    return Service(False, f"does not answer at {url}")


def _daemon(url: str) -> Service:
    statuses = ask(url, _HEARTBEATS)["instance"]["daemonHealth"]["allDaemonStatuses"]
    ages_s = {
        str(status["daemonType"]).lower(): time.time() - (status["lastHeartbeatTime"] or 0)
        for status in statuses
        if status["required"]
    }
    late = sorted(name for name, age_s in ages_s.items() if age_s > _LATE_S)
    if late:
        return Service(
            False, f"no heartbeat for {_LATE_S:.0f} s of {', '.join(late)}: no sensor looks, no run starts"
        )
    return Service(True, f"last heartbeat {max(ages_s.values(), default=0):.0f} s ago")


def _sensors(url: str) -> Service:
    try:
        ticks = last_ticks(url)
    except VitalakeError as error:
        return Service(False, str(error))
    return Service(ticks.works, ticks.detail)


def _used_bytes(folder: Path) -> int:
    total = 0
    for base, _, files in os.walk(folder):
        for name in files:
            try:
                total += Path(base, name).lstat().st_blocks * 512
            except OSError:  # gone since it was listed
                continue
    return total
