"""`vitalake sql`: ask the lake, in one command or at a prompt.

Belongs here: the command. Does not belong here: how a result is shown (`cli/sql/results.py`), what an input means
(`cli/sql/session.py`), the connection (`resources/catalog.py`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from cli.options import DEFAULT_HOME, Home, settings_of, stderr


class ResultFormat(str, Enum):
    """How a result is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sql")(sql)


def sql(
    query: Annotated[
        str | None, typer.Argument(help="SQL, or .tables, .schema T; default: standard input.")
    ] = None,
    form: Annotated[ResultFormat, typer.Option("--format", help="How the result is written.")] = ResultFormat.TABLE,
    output: Annotated[Path | None, typer.Option(help="Write to this file; needed for parquet.")] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="csv: leave texts as they are that a spreadsheet takes for formulas.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows that a table shows.")] = 50,
    home: Home = DEFAULT_HOME,
) -> None:
    """Ask the lake in SQL (DuckDB's), read-only; without a query at a prompt.

    Queries read the lake and files of this machine. What writes, attaches, installs or reconfigures is refused,
    but for temporary tables and views. To keep a result, use --output.

    Tables are for reading: long lists and texts are shortened, and rows beyond --limit are counted only. csv, json
    and parquet hold everything. With several statements they hold the result of the last one.

    In csv a text that begins with =, +, - or @ gets an apostrophe, so that no spreadsheet takes it for a formula;
    numbers stay numbers, and --exact leaves texts as they are. On a terminal, characters that steer it or that
    nobody can see are shown by their number; pipes and files get them as they are.

    Example: `vitalake sql "SELECT verdict, count(*) FROM ecg_recordings GROUP BY ALL"`

    Example: `vitalake sql "FROM ecg_features" --format parquet --output features.parquet`

    Example: `vitalake sql .tables`
    """
    if form is ResultFormat.PARQUET and output is None:
        raise typer.BadParameter("parquet needs a file: add --output FILE")
    if exact and form is not ResultFormat.CSV:
        raise typer.BadParameter(
            "--exact is about --format csv; json and parquet are exact, and a table is to read"
        )
    if output is not None and not output.absolute().parent.is_dir():
        raise typer.BadParameter(f"{output.absolute().parent} is not a folder")
    from cli.sql.prompt import prompt
    from cli.sql.readonly import close_off
    from cli.sql.session import Session
    from resources.catalog import connect

    settings = settings_of(home)
    with connect(settings) as connection, _room(settings.catalog_path.parent) as room:
        close_off(connection, settings.buckets, room)
        session = Session(connection, settings, form.value, output, limit, exact)
        if query is None and sys.stdin.isatty():
            if form is not ResultFormat.TABLE or output is not None:
                raise typer.BadParameter("--format and --output need a query")
            prompt(session, settings.home / "sql_history")
            return
        try:
            text = sys.stdin.read() if query is None else query
        except UnicodeDecodeError:
            raise typer.BadParameter("standard input is not UTF-8 text") from None
        if not text.strip():
            raise typer.BadParameter("there is no query")
        if (error := session.run(text)) is not None:
            stderr().print(error)
            raise typer.Exit(1)


@contextmanager
def _room(folder: Path) -> Iterator[Path]:
    """A folder of this process alone, for what a large query does not keep in memory; gone afterwards."""
    place = folder if os.access(folder, os.W_OK) else None  # else where temporary files go
    with TemporaryDirectory(prefix=".sql-", dir=place) as room:
        yield Path(room)
