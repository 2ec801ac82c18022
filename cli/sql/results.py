r"""A query's result as csv, json or parquet to go on with, or as a table in a file.

Belongs here: writing rows. Does not belong here: asking for them (`cli/sql/session.py`), a table in a terminal
(`cli/sql/result_table.py`).

json holds every value exactly, wherever it goes: what is invisible is a ``\u`` escape, which JSON reads as the
same. In csv a text that a spreadsheet would take for a formula gets an apostrophe, which is said, unless it is to
be `exact`; on a terminal, control characters are shown as escapes on top of that.
"""

from __future__ import annotations

import csv
import json
import math
import secrets
import sys
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cli.options import stderr
from cli.sql.result_rows import batches, rows_of
from cli.sql.result_table import show_table
from vitalake.escaping import json_text, printable, spreadsheet_cell

if TYPE_CHECKING:
    import pyarrow as pa


def write_text(reader: pa.RecordBatchReader, form: str, file: IO[str] | None = None, *, exact: bool = False) -> int:
    """Write all rows as csv or json; how many."""
    target = file or sys.stdout
    names = unique(reader.schema.names)
    return _write_csv(reader, names, target, exact) if form == "csv" else _write_json(reader, names, target)


def write_file(reader: pa.RecordBatchReader, form: str, path: Path, limit: int, *, exact: bool = False) -> int:
    """Write a result to a file, which is there as a whole or not at all; how many rows.

    Raises:
        duckdb.Error: the query broke while its rows came, or the form has no such value.
        OSError: the file cannot be written.
    """
    # A name that nobody can foresee, and never a file that is there: others may write into this folder.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        if form == "parquet":
            with draft.open("xb") as data:
                rows = _write_parquet(reader, data)
        else:
            with draft.open("x", newline="", encoding="utf-8") as file:
                if form == "table":
                    from cli.console import PlainConsole

                    rows = show_table(reader, PlainConsole(file=file, width=10_000), limit)
                else:
                    rows = write_text(reader, form, file, exact=exact)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return rows


def unique(names: Sequence[str]) -> list[str]:
    """Column names, a repeated one with a number: ``a, a`` becomes ``a, a_1``."""
    taken: list[str] = []
    for name in names:
        number, candidate = 0, name
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.append(candidate)
    return taken


def plain(value: Any) -> Any:  # noqa: PLR0911 (one line a type)
    """A value as JSON holds it: times as ISO 8601, numbers that are none as null, bytes as hex digits."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value)


def _write_csv(reader: pa.RecordBatchReader, names: list[str], file: IO[str], exact: bool) -> int:
    # With CR LF between rows the writer puts quotes around cells with either; readers end a row at both.
    writer = csv.writer(_EndedByLineFeed(file), lineterminator="\r\n")
    guarded, on_terminal = 0, file.isatty()

    def cell(value: Any) -> Any:
        nonlocal guarded
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, list | dict):
            value = json.dumps(value, ensure_ascii=False)
        if not isinstance(value, str):
            return value
        text = value if exact else spreadsheet_cell(value)
        guarded += text is not value and text != value
        return printable(text) if on_terminal else text

    writer.writerow(map(cell, names))
    total = 0
    for batch in batches(reader):
        writer.writerows([cell(plain(value)) for value in row] for row in rows_of(batch))
        total += batch.num_rows
    if guarded:
        stderr().print(
            f"{guarded:,} text{'s' * (guarded != 1)} that a spreadsheet takes for a formula got an apostrophe; "
            "`vitalake sql --format csv --exact` leaves them as they are"
        )
    return total


class _EndedByLineFeed:
    """A file for `csv.writer`, which writes a row at a time: the row's own CR LF becomes LF."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, row: str) -> None:
        self._file.write(row.removesuffix("\r\n") + "\n")


def _write_json(reader: pa.RecordBatchReader, names: list[str], file: IO[str]) -> int:
    """One array, one row a line."""
    total = 0
    file.write("[")
    for batch in batches(reader):
        for row in rows_of(batch):
            record = dict(zip(names, map(plain, row), strict=True))
            file.write(
                (",\n " if total else "\n ") + json_text(json.dumps(record, ensure_ascii=False, allow_nan=False))
            )
            total += 1
    file.write("\n]\n")
    return total


def _write_parquet(reader: pa.RecordBatchReader, file: IO[bytes]) -> int:
    import duckdb
    import pyarrow as pa
    from pyarrow import parquet

    fields = zip(unique(reader.schema.names), reader.schema, strict=True)
    schema = pa.schema([field.with_name(name) for name, field in fields])
    for field in schema:
        try:
            parquet.ParquetWriter(BytesIO(), pa.schema([field])).close()
        except pa.ArrowNotImplementedError as error:
            raise duckdb.DataError(
                f"column {field.name!r} is of a type that parquet does not have ({field.type}): "
                "cast it to text (::VARCHAR), or write csv or json"
            ) from error
    total = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches(reader):
            writer.write_batch(pa.record_batch(batch.columns, schema=schema))
            total += batch.num_rows
    return total
