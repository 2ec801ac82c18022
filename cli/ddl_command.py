"""`vitalake ddl`: how another engine gets to know the lake.

Belongs here: the command. Does not belong here: the statements (`vitalake/serving/ddl.py`), or running them.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from cli.options import DEFAULT_HOME, Home, all_datasets, settings_of
from vitalake.escaping import printable_lines


class Engine(str, Enum):
    """Whose language the statements are in."""

    ATHENA = "athena"
    TRINO = "trino"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ddl")(ddl)


def ddl(
    engine: Annotated[Engine, typer.Argument(help="Who is to read the lake.")],
    bucket: Annotated[
        str | None,
        typer.Option(help="Where the lake is; default: the lake bucket. Tables that name people stay in theirs."),
    ] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Print the CREATE TABLE statements with which Athena or Trino reads the lake where it lies.

    Nothing is copied or changed. Trino's catalog needs `hive.timestamp-precision=MICROSECONDS`, and learns of new
    days and hours by `CALL system.sync_partition_metadata('SCHEMA', 'TABLE', 'FULL')`; Athena computes them.

    Example: `vitalake ddl athena --bucket my-lake > tables.sql`
    """
    from vitalake.serving.ddl import athena, renamed_view, trino

    settings = settings_of(home)
    for dataset in all_datasets():
        for table in dataset.every_table:
            place = settings.restricted_bucket if table.restricted else bucket or settings.lake_bucket
            statement = (
                athena(table, place, settings.first_day, dataset.partition)
                if engine is Engine.ATHENA
                else trino(table, place, dataset.partition)
            )
            typer.echo(printable_lines(f"{statement};\n"))
            if view := renamed_view(table, dataset.partition):
                typer.echo(printable_lines(f"{view};\n"))
