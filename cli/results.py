"""A query's result as csv, json or parquet to go on with, or as a table in a file.

Belongs here: writing rows. Does not belong here: asking for them (`cli/sql_session.py`), a table in a terminal
(`cli/result_table.py`).
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

from cli.result_rows import batches, rows_of
from cli.result_table import show_table

if TYPE_CHECKING:
    import pyarrow as pa


def write_text(reader: pa.RecordBatchReader, form: str, file: IO[str] | None = None) -> int:
    """Write all rows as csv or json; how many."""
    target = file or sys.stdout
    names = unique(reader.schema.names)
    return _write_csv(reader, names, target) if form == "csv" else _write_json(reader, names, target)


def write_file(reader: pa.RecordBatchReader, form: str, path: Path, limit: int) -> int:
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
                    from rich.console import Console

                    rows = show_table(reader, Console(file=file, width=10_000, highlight=False), limit)
                else:
                    rows = write_text(reader, form, file)
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


def _write_csv(reader: pa.RecordBatchReader, names: list[str], file: IO[str]) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    total = 0
    for batch in batches(reader):
        writer.writerows([_csv_value(plain(value)) for value in row] for row in rows_of(batch))
        total += batch.num_rows
    return total


def _csv_value(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _write_json(reader: pa.RecordBatchReader, names: list[str], file: IO[str]) -> int:
    """One array, one row a line."""
    total = 0
    file.write("[")
    for batch in batches(reader):
        for row in rows_of(batch):
            record = dict(zip(names, map(plain, row), strict=True))
            file.write((",\n " if total else "\n ") + json.dumps(record, ensure_ascii=False, allow_nan=False))
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
