"""`vitalake up`: the whole system on this machine, with generated data or a folder of yours if wanted.

Belongs here: the command, the first SQL answer, and what to try next. Does not belong here: how services are kept
(`cli/services/local_system.py`), what is uploaded and how long that takes (`cli/demo/feed.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.demo.feed import feed, wait_until_built
from cli.options import DEFAULT_HOME, Home, dataset_named, settings_of, stdout
from cli.services.local_system import LocalSystem, local_system
from resources.settings import Settings
from vitalake.escaping import printable

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="Upload generated data of every dataset and show what becomes of it.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(help="Upload this folder of yours instead.", exists=True, file_okay=False),
    ] = None,
    dataset: Annotated[str, typer.Option(help="Dataset that the files of --data belong to.")] = "ecg",
    leave: Annotated[bool, typer.Option("--exit", help="Stop everything when the uploads can be queried.")] = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """Start everything on this machine: S3, Dagster with its web interface, and the sensors. Ctrl-C stops it.

    All state is below the state folder and survives a restart. Only this machine can reach what is started.

    Example: `vitalake up --demo`

    Example: `vitalake up --data prices/ --dataset pricing`
    """
    from rich.text import Text

    chosen, console = dataset_named(dataset), stdout()
    console.print(Text.assemble(("Vitalake", "bold"), f" starts, with its state in {printable(str(home))}"))
    with local_system(home, lambda line: console.print(f"  {line}")) as system:
        settings = settings_of(home.resolve())
        publish_empty(settings)
        if demo or data:
            feed(settings, console, data, chosen)
            wait_until_built(settings, console, system.supervisor.wait)
            _show_answers(settings, console, chosen.name if data else None)
        _say_what_next(system, settings, console, leave=leave)
        if not leave:
            system.supervisor.wait()


def publish_empty(settings: Settings) -> None:
    """Let DuckDB answer from the first moment on, if only with empty tables."""
    from resources.build import build_resources
    from resources.catalog import publish
    from vitalake.datasets.declared import DATASETS

    publish(settings, build_resources(settings).lake, DATASETS)


def _show_answers(settings: Settings, console: Console, only: str | None) -> None:
    """What the lake says of one dataset, or of each, and what quarantine holds."""
    from rich.syntax import Syntax

    from cli.sql.result_table import show_table
    from resources.catalog import connect
    from vitalake.serving.example_queries import ANSWERS, LEFT_OUT

    answers = [answer for name, answer in ANSWERS.items() if only in (None, name)]
    with connect(settings) as connection:
        for title, query in (*answers, LEFT_OUT):
            console.print(f"\n{title}", style="bold")
            console.print(Syntax(query, "sql", background_color="default"))
            show_table(connection.execute(query).to_arrow_reader(2048), console, 20, count=False)


def _say_what_next(system: LocalSystem, settings: Settings, console: Console, *, leave: bool) -> None:
    if leave:
        console.print(
            "\nThe demo is over; everything stops now. Its state stays: `.venv/bin/vitalake up` goes on from here."
        )
        return
    from rich.text import Text

    show = console.print
    show(Text.assemble(("\nVitalake is running:", "bold green"), f" {system.webserver_url}"))
    buckets = f"{settings.raw_bucket}, {settings.lake_bucket} and, for names, {settings.restricted_bucket}"
    show(f"  S3        {system.endpoint}, buckets {buckets}")
    show(f"  Keys      . {settings.home / 'env'}   (then aws, boto3, .venv/bin/dagster and .venv/bin/dg work)")
    show(f"  SQL       duckdb -readonly -init {settings.home / 'init.sql'} {settings.catalog_path}")
    show("            (with keys that may also write; vitalake sql only reads)")
    show("\nTry, in another terminal:")
    show('  .venv/bin/vitalake sql "FROM entities_history WHERE version > 1"     # or without a query, at a prompt')
    show("  .venv/bin/vitalake sql .tables                                       # everything that can be asked")
    show("  .venv/bin/vitalake quarantine list                                   # then: quarantine show KEY")
    show("  .venv/bin/vitalake upload FOLDER --dataset ecg --device my-device    # or retina, pricing, entities …")
    show("  .venv/bin/vitalake status                                            # what runs, what waits")
    show("Ctrl-C stops everything.")
