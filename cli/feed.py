"""First data for a fresh system, and waiting until it can be asked.

Belongs here: demo recordings or a folder of yours into the bucket, progress until every day is built. Does not
belong here: what the demo recordings are (`cli/demo_data.py`) or how files are sent (`cli/upload.py`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from resources.settings import Settings
from vitalake.errors import TransientError

if TYPE_CHECKING:
    from rich.console import Console

_DEMO_DAYS = 4
_PATIENCE_S = 180.0
_HELD_BACK_S = 20.0


def feed(settings: Settings, console: Console, data: Path | None) -> None:
    """Upload the files below `data`, or the demo recordings; what is there already stays."""
    from cli.demo_data import demo_files
    from cli.upload import Source, files_below, upload_all

    if data is not None:
        sources = files_below([data], f"ecg/date={datetime.now(timezone.utc).date()}/")
        console.print(f"Uploading {len(sources)} files of {data}")
    else:
        first_day = _first_demo_day(settings)
        sources = [Source(file.key, file.data) for file in demo_files(first_day, _DEMO_DAYS)]
        console.print(
            f"Uploading {len(sources)} generated files of five devices, some broken or incomplete on purpose"
        )
    sent = upload_all(settings, sources, console)
    for name, reason in sent.failed:
        console.print(f"[red]not uploaded:[/] {name}: {reason}")


def _first_demo_day(settings: Settings) -> date:
    """The demo's own days: the same after a restart, so that the demo is uploaded once."""
    remembered = settings.home / "demo-first-day"
    if not remembered.exists():
        first = datetime.now(timezone.utc).date() - timedelta(days=_DEMO_DAYS - 1)
        remembered.write_text(first.isoformat())
    return date.fromisoformat(remembered.read_text().strip())


def wait_until_built(settings: Settings, console: Console) -> None:
    """Until every day in the bucket is in the lake, showing how far it is."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from resources.build import build_resources

    resources = build_resources(settings)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    last_progress = time.monotonic()
    before: _Days | None = None
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("The sensor finds them, runs check them: days built", total=None)
        while True:
            days = count_days(settings, resources)
            progress.update(task, completed=days.built, total=days.all)
            if days != before:
                if not console.is_terminal and (before is None or days.built != before.built):
                    console.print(f"{days.built} of {days.all} days are built")
                last_progress, before = time.monotonic(), days
            idle_s = time.monotonic() - last_progress
            if days.built == days.all or (days.read == days.all and idle_s > _HELD_BACK_S):
                break
            if idle_s > _PATIENCE_S:
                left = (
                    f"no progress for {_PATIENCE_S:.0f} s, {days.all - days.read} of {days.all} days are not read"
                )
                raise TransientError(
                    f"{left}; look at {settings.webserver_url}/runs and the logs in {settings.home}/logs"
                )
            time.sleep(1)
    if console.is_terminal:
        console.print(f"{days.built} of {days.all} days are built")
    if days.built < days.all:
        console.print(f"[yellow]Checks hold back what follows on the others: {settings.webserver_url}/runs[/]")


class _Days(NamedTuple):
    """Days with objects: all of them, those whose objects were read, those whose every table is up to date."""

    all: int
    read: int
    built: int


def count_days(settings: Settings, resources: Mapping[str, Any]) -> _Days:
    """How far the lake is, from the buckets alone."""
    from vitalake.arrivals import arrived, by_partition, listed_fingerprint
    from vitalake.datasets.declared import DATASETS
    from vitalake.stages import is_built

    total = read = built = 0
    for dataset in DATASETS:
        items = arrived(resources["raw"], dataset.prefix, settings.first_day, together=dataset.together)
        tomorrow = datetime.now(timezone.utc).date() + timedelta(days=1)
        for day, group in by_partition(items, settings.first_day).items():
            if day > tomorrow:
                continue  # it waits for its day
            wanted = listed_fingerprint(group)
            is_read = is_built(resources["lake"], [dataset.quarantine_table], day.isoformat(), wanted)
            total += 1
            read += is_read
            built += is_read and is_built(resources["lake"], dataset.all_tables, day.isoformat(), wanted)
    return _Days(total, read, built)
