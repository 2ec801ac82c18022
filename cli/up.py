"""`vitalake up`: the whole system on this machine, with demo recordings or a folder of yours if wanted.

Belongs here: starting, feeding, waiting and telling. Does not belong here: how services are kept (`cli/local.py`) or
what the demo recordings are (`cli/demo_data.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.local import LocalSystem, local_system
from resources.settings import Settings, load_settings
from vitalake.errors import TransientError

if TYPE_CHECKING:
    from rich.console import Console

_DEMO_DAYS = 4
_PATIENCE_S = 180.0
_HELD_BACK_S = 20.0


def up(home: Path, console: Console, *, demo: bool, data: Path | None, leave: bool) -> None:
    """Start everything, feed it, show an answer; then keep running, or leave with nothing running.

    Args:
        home: the state folder.
        console: where progress and answers go.
        demo: upload generated recordings of several devices and days.
        data: upload this folder of recordings.
        leave: stop when what was uploaded can be queried.

    Raises:
        PermanentError: a service cannot be started or kept running.
        TransientError: what was uploaded was not processed within minutes of the last progress.
    """
    console.print(f"[bold]Vitalake[/] starts, with its state in {home}")
    with local_system(home, lambda line: console.print(f"  {line}", highlight=False)) as system:
        settings = load_settings(home.resolve())
        publish_empty(settings)
        if demo or data:
            _feed(settings, console, data)
            _wait_until_built(settings, console)
            _show_answer(settings, console)
        _say_what_next(system, settings, console, leave=leave)
        if not leave:
            system.supervisor.wait()


def publish_empty(settings: Settings) -> None:
    """Let DuckDB answer from the first moment on, if only with empty tables."""
    from pipeline_assets.build import DATASETS, build_resources
    from pipeline_assets.catalog_asset import publish_catalog

    publish_catalog(settings, build_resources(settings)["lake"], DATASETS)


def _feed(settings: Settings, console: Console, data: Path | None) -> None:
    from cli.demo_data import demo_files
    from cli.upload import Source, files_below, upload_all

    if data is not None:
        sources = files_below([data], f"ecg/date={datetime.now(timezone.utc).date()}/")
        console.print(f"Uploading {len(sources)} files of {data}")
    else:
        first_day = _first_demo_day(settings)
        sources = [Source(file.key, file.data) for file in demo_files(first_day, _DEMO_DAYS)]
        console.print(f"Uploading {len(sources)} generated recordings of four devices, some of them broken on purpose")
    upload_all(settings, sources, console)


def _first_demo_day(settings: Settings) -> date:
    """The demo's own days: the same after a restart, so that the demo is uploaded once."""
    remembered = settings.home / "demo-first-day"
    if not remembered.exists():
        first = datetime.now(timezone.utc).date() - timedelta(days=_DEMO_DAYS - 1)
        remembered.write_text(first.isoformat())
    return date.fromisoformat(remembered.read_text().strip())


def _wait_until_built(settings: Settings, console: Console) -> None:
    """Until every day in the bucket is in the lake, showing how far it is."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from pipeline_assets.build import build_resources

    resources = build_resources(settings)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    last_progress, before = time.monotonic(), None
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("The sensor finds them, runs check them: days built", total=None)
        while True:
            days = count_days(settings, resources)
            progress.update(task, completed=days.built, total=days.all)
            if days != before:
                last_progress, before = time.monotonic(), days
            idle_s = time.monotonic() - last_progress
            if days.built == days.all or (days.read == days.all and idle_s > _HELD_BACK_S):
                break
            if idle_s > _PATIENCE_S:
                raise TransientError(
                    f"{days.all - days.read} of {days.all} days are not read after {_PATIENCE_S:.0f} s without "
                    f"progress; look at the runs in {settings.webserver_url}/runs and the logs in {settings.home}/logs"
                )
            time.sleep(1)
    console.print(f"{days.built} of {days.all} days are built")
    if days.built < days.all:
        console.print(f"[yellow]Checks hold back what follows on the others: {settings.webserver_url}/runs[/]")


class _Days(NamedTuple):
    """Days with objects: all of them, those whose objects were read, those whose every table is up to date."""

    all: int
    read: int
    built: int


def count_days(settings: Settings, resources: Mapping[str, Any]) -> _Days:
    from pipeline_assets.build import DATASETS
    from vitalake.arrivals import arrived, by_partition, listed_fingerprint
    from vitalake.stages import is_built

    total = read = built = 0
    for dataset in DATASETS:
        items = arrived(resources["raw"], dataset.prefix, settings.first_day)
        for day, group in by_partition(items, settings.first_day).items():
            wanted = listed_fingerprint(group, dataset.limits)
            is_read = is_built(resources["lake"], [dataset.quarantine_table], day.isoformat(), wanted)
            total += 1
            read += is_read
            built += is_read and is_built(resources["lake"], dataset.all_tables, day.isoformat(), wanted)
    return _Days(total, read, built)


ANSWERS = (
    (
        "Recordings by day and verdict",
        "SELECT date, verdict, count(*) AS recordings, round(avg(heart_rate_bpm)) AS mean_heart_rate_bpm\n"
        "FROM ecg_recordings JOIN ecg_features USING (recording_id, date) GROUP BY ALL ORDER BY ALL",
    ),
    (
        "What could not be used, and why",
        "SELECT date, rule, message, count(*) AS objects FROM quarantine GROUP BY ALL ORDER BY ALL",
    ),
)


def _show_answer(settings: Settings, console: Console) -> None:
    from rich.syntax import Syntax
    from rich.table import Table

    from resources.lake import connect

    with connect(settings) as connection:
        for title, query in ANSWERS:
            result = connection.execute(query)
            names = [column[0] for column in result.description or []]
            table = Table(*names, title=title, title_justify="left")
            for row in result.fetchall():
                table.add_row(*("" if value is None else str(value) for value in row))
            console.print()
            console.print(Syntax(query, "sql", background_color="default"))
            console.print(table)


def _say_what_next(system: LocalSystem, settings: Settings, console: Console, *, leave: bool) -> None:
    if leave:
        console.print("\nThe demo is over; everything stops now. Its state stays: `make run` goes on from here.")
        return
    show: Callable[[str], None] = lambda line: console.print(line, highlight=False)  # noqa: E731
    show(f"\n[bold green]Vitalake is running:[/] {system.webserver_url}")
    show(f"  S3        {system.endpoint}, buckets {settings.raw_bucket} and {settings.lake_bucket}")
    show(f"  Keys      . {settings.home / 'env'}   (then aws, boto3, dagster and dg work in that shell)")
    show(f"  SQL       duckdb -init {settings.home / 'init.sql'} {settings.catalog_path}")
    show("\nTry, in another terminal:")
    show("  .venv/bin/vitalake sql \"SELECT verdict, count(*) FROM ecg_recordings GROUP BY ALL\"")
    show("  .venv/bin/vitalake upload FOLDER --dataset ecg --device my-device")
    show("  .venv/bin/vitalake quarantine list")
    show("  .venv/bin/vitalake status")
    show("Ctrl-C stops everything.")
