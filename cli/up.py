"""`vitalake up`: the whole system on this machine, with demo recordings or a folder of yours if wanted.

Belongs here: the command, the first SQL answer, and what to try next. Does not belong here: how services are kept
(`cli/local.py`), what is uploaded and how long that takes (`cli/feed.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.feed import feed, wait_until_built
from cli.local import LocalSystem, local_system
from cli.options import DEFAULT_HOME, Home, stdout
from resources.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="Upload generated recordings and show what becomes of them.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(help="Upload this folder of recordings instead.", exists=True, file_okay=False),
    ] = None,
    leave: Annotated[bool, typer.Option("--exit", help="Stop everything when the uploads can be queried.")] = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """Start everything on this machine: S3, Dagster with its web interface, and the sensors. Ctrl-C stops it.

    All state is below the state folder and survives a restart. Only this machine can reach what is started.

    Example: `vitalake up --demo`
    """
    console = stdout()
    console.print(f"[bold]Vitalake[/] starts, with its state in {home}")
    with local_system(home, lambda line: console.print(f"  {line}", highlight=False)) as system:
        settings = load_settings(home.resolve())
        publish_empty(settings)
        if demo or data:
            feed(settings, console, data)
            wait_until_built(settings, console)
            _show_answer(settings, console)
        _say_what_next(system, settings, console, leave=leave)
        if not leave:
            system.supervisor.wait()


def publish_empty(settings: Settings) -> None:
    """Let DuckDB answer from the first moment on, if only with empty tables."""
    from resources.build import build_resources
    from resources.lake import publish
    from vitalake.datasets.declared import DATASETS

    publish(settings, build_resources(settings)["lake"], DATASETS)


ANSWERS = (
    (
        "Every object is a recording, belongs to one, or is in quarantine",
        "SELECT (SELECT count(*) FROM raw_ecg) AS objects, (SELECT count(*) FROM ecg_recordings) AS recordings,\n"
        "  (SELECT coalesce(sum(len(companion_keys)), 0) FROM ecg_recordings) AS companions,\n"
        "  (SELECT count(*) FROM quarantine) AS quarantined, (SELECT count(*) FROM ecg_duplicates) AS duplicates",
    ),
    (
        "Recordings by day and verdict",
        "SELECT date, verdict, count(DISTINCT recording_id) AS recordings,\n"
        "  round(avg(heart_rate_bpm)) AS mean_heart_rate_bpm\n"
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
            rows = result.fetchall()
            table = Table(*names, title=title if rows else f"{title}: nothing", title_justify="left")
            for row in rows:
                table.add_row(*("" if value is None else str(value) for value in row))
            console.print()
            console.print(Syntax(query, "sql", background_color="default"))
            console.print(table)


def _say_what_next(system: LocalSystem, settings: Settings, console: Console, *, leave: bool) -> None:
    if leave:
        console.print(
            "\nThe demo is over; everything stops now. Its state stays: `.venv/bin/vitalake up` goes on from here."
        )
        return
    show: Callable[[str], None] = lambda line: console.print(line, highlight=False)  # noqa: E731
    show(f"\n[bold green]Vitalake is running:[/] {system.webserver_url}")
    show(f"  S3        {system.endpoint}, buckets {settings.raw_bucket} and {settings.lake_bucket}")
    show(f"  Keys      . {settings.home / 'env'}   (then aws, boto3, .venv/bin/dagster and .venv/bin/dg work)")
    show(f"  SQL       duckdb -readonly -init {settings.home / 'init.sql'} {settings.catalog_path}")
    show("\nTry, in another terminal:")
    show('  .venv/bin/vitalake sql "SELECT verdict, count(*) FROM ecg_recordings GROUP BY ALL"')
    show("  .venv/bin/vitalake upload FOLDER --dataset ecg --device my-device")
    show("  .venv/bin/vitalake quarantine list")
    show("  .venv/bin/vitalake status")
    show("Ctrl-C stops everything.")
