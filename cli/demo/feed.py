"""First data for a fresh system, and waiting until it can be asked.

Belongs here: the demo's files or a folder of yours into the bucket, progress until every day is built. Does not
belong here: what the demo's files are (`cli/demo_*.py`) or how files are sent (`cli/upload/files.py`).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from resources.settings import Settings
from vitalake.errors import TransientError
from vitalake.escaping import printable

if TYPE_CHECKING:
    from rich.console import Console

    from cli.demo.recordings import DemoFile
    from resources.build import Resources
    from vitalake.lake.dataset import Dataset

_DEMO_DAYS = 4
_PATIENCE_S = 180.0
_HELD_BACK_S = 20.0


def feed(settings: Settings, console: Console, data: Path | None, dataset: Dataset) -> None:
    """Upload the files below `data` to the dataset, or the demo's to theirs; what is there already stays."""
    from rich.text import Text

    from cli.upload.files import UploadSource, files_below, upload_all

    if data is not None:
        waves = [files_below([data], f"{dataset.prefix}date={_day_of(data, dataset, settings)}/")]
        console.print(f"Uploading {len(waves[0])} files of {printable(str(data))}")
    else:
        demo = demo_waves(_first_demo_day(settings))
        waves = [[UploadSource(file.key, file.data) for file in wave] for wave in demo]
        console.print(f"Uploading {sum(map(len, waves))} generated files of six kinds, some broken on purpose")
    for wave in waves:
        sent = upload_all(settings, wave, console, limit_bytes=dataset.limits.object_bytes)
        for name, reason in sent.failed:
            console.print(Text.assemble(("not uploaded:", "red"), f" {printable(name)}: {printable(reason)}"))


def demo_waves(first_day: date) -> list[list[DemoFile]]:
    """Everything of the demo, and what replaces some of it: of two price lists the one that came last counts."""
    from cli.demo.entities import entity_files, metric_files, relationship_files
    from cli.demo.prices import newer_price_files, price_files
    from cli.demo.recordings import demo_files
    from cli.demo.retina import retina_files

    first = [
        *demo_files(first_day, _DEMO_DAYS),
        *retina_files(first_day),
        *price_files(first_day),
        *entity_files(first_day),
        *relationship_files(first_day),
        *metric_files(first_day),
    ]
    return [first, list(newer_price_files(first_day))]


def _first_demo_day(settings: Settings) -> date:
    """The demo's own days: the same after a restart, so that the demo is uploaded once."""
    today = datetime.now(timezone.utc).date()
    return _remembered_day(settings.home / "demo-first-day", today - timedelta(days=_DEMO_DAYS - 1))


def _day_of(data: Path, dataset: Dataset, settings: Settings) -> date:
    """The day that a folder was first uploaded on: the same keys on another day, so nothing is there twice."""
    name = hashlib.sha256(f"{dataset.name}\n{data.resolve()}".encode()).hexdigest()[:16]
    return _remembered_day(settings.home / "folders" / name, datetime.now(timezone.utc).date())


def _remembered_day(file: Path, day: date) -> date:
    """The day that the file remembers; `day`, from now on, where it remembers none."""
    with suppress(OSError, ValueError):  # missing, or cut off by a full disk
        return date.fromisoformat(file.read_text().strip())
    file.parent.mkdir(exist_ok=True)
    file.write_text(day.isoformat())
    return day


def wait_until_built(settings: Settings, console: Console, pause: Callable[[float], object] = time.sleep) -> None:
    """Until every day in the bucket is in the lake and no run goes on, showing how far it is.

    A run that has written the tables of its day still has checks before it, and tables over all days follow by a
    run of their own.

    `pause` waits for so many seconds; what it raises ends the waiting. Raises TransientError when nothing goes on
    for minutes.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from resources.build import build_resources

    resources = build_resources(settings)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    last_progress = time.monotonic()
    before: tuple[_DayCounts, int] | None = None
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("The sensors find them, runs check them: days built", total=None)
        while True:
            days = count_days(settings, resources)
            going_on = _going_on(settings) + _behind(resources) if days.built == days.all else 0
            progress.update(task, completed=days.built, total=days.all)
            if (days, going_on) != before:
                if not console.is_terminal and (before is None or days.built != before[0].built):
                    console.print(f"{days.built} of {days.all} days are built")
                last_progress, before = time.monotonic(), (days, going_on)
            idle_s = time.monotonic() - last_progress
            if (days.built == days.all and not going_on) or (days.read == days.all and idle_s > _HELD_BACK_S):
                break
            if idle_s > _PATIENCE_S:
                missing = f"{days.all - days.read} of {days.all} days are not read"
                if days.built == days.all:
                    missing = "runs go on, or tables over all days have not followed"
                left = f"no progress for {_PATIENCE_S:.0f} s, {missing}"
                raise TransientError(
                    f"{left}; look at {settings.webserver_url}/runs and the logs in {settings.home}/logs"
                )
            pause(1)
    if console.is_terminal:
        console.print(f"{days.built} of {days.all} days are built")
    if days.built < days.all:
        console.print(f"Checks hold back what follows on the others: {settings.webserver_url}/runs", style="yellow")


def _going_on(settings: Settings) -> int:
    """Runs that have not ended; 1 while the web server does not say."""
    from cli.runs import runs_under_way

    try:
        return runs_under_way(settings.webserver_url or "")
    except TransientError:
        return 1


def _behind(resources: Resources) -> int:
    """Tables over all days that have not followed yet, together with those that they are computed with."""
    from vitalake.datasets.declared import DATASETS
    from vitalake.lake.stages import is_combined

    return sum(not is_combined(item, resources.lake) for dataset in DATASETS for item in dataset.combined)


class _DayCounts(NamedTuple):
    """Days with objects: all of them, those whose objects were read, those whose every table is up to date."""

    all: int
    read: int
    built: int


def count_days(settings: Settings, resources: Resources) -> _DayCounts:
    """How far the lake is, from the buckets alone."""
    from vitalake.arrivals.fingerprints import listed_fingerprint
    from vitalake.arrivals.listing import arrived
    from vitalake.arrivals.partitions import by_partition
    from vitalake.datasets.declared import DATASETS
    from vitalake.lake.stages import is_built

    total = read = built = 0
    for dataset in DATASETS:
        calendar = dataset.calendar(settings.first_day)
        items = arrived(resources.raw, dataset.prefix, calendar, group_objects=dataset.group_objects)
        newest = calendar.newest(datetime.now(timezone.utc))
        for partition, group in by_partition(items, calendar).items():
            if partition > newest:
                continue  # it waits for its time
            wanted = listed_fingerprint(group)
            is_read = is_built(resources.lake, [dataset.quarantine_table], str(partition), wanted)
            total += 1
            read += is_read
            built += is_read and is_built(resources.lake, dataset.all_tables, str(partition), wanted)
    return _DayCounts(total, read, built)
