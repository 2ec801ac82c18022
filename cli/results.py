"""A query's result as a table to read, or as csv, json or parquet to go on with.

Belongs here: writing rows. Does not belong here: asking for them (`cli/sql_session.py`).
"""

from __future__ import annotations

import csv
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cli.options import printable

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

_CELL_CHARS = 80
_LIST_ITEMS = 4
_LARGE, _HUGE = 1e5, 1e15


def show_table(
    reader: pa.RecordBatchReader, console: Console, limit: int, *, shorten: bool = True, count: bool = True
) -> int:
    """Show the first rows, and say how many more there are; how many rows the result has.

    A row that is too wide for the terminal is shown as a list of its columns.
    """
    rows: list[list[str]] = []
    total = 0
    for batch in reader:
        if len(rows) < limit:
            shown = batch.slice(0, limit - len(rows))
            rows += [[_cell(value, shorten=shorten) for value in row] for row in _rows(shown)]
        total += batch.num_rows
    names = list(reader.schema.names)
    widths = [max([len(name), *(len(row[at]) for row in rows)]) for at, name in enumerate(names)]
    if sum(widths) + 3 * len(widths) > console.width and len(names) > 4:
        _show_records(console, names, rows)
    else:
        _show_grid(console, names, rows, reader.schema)
    more = f"; {total - len(rows):,} more (--limit)" if total > len(rows) else ""
    if count or more:
        console.print(f"{total:,} row{'s' * (total != 1)}{more}", style="dim")
    return total


def write_text(reader: pa.RecordBatchReader, form: str, file: IO[str] | None = None) -> int:
    """Write all rows as csv or json; how many."""
    target = file or sys.stdout
    names = unique(reader.schema.names)
    return _write_csv(reader, names, target) if form == "csv" else _write_json(reader, names, target)


def write_file(reader: pa.RecordBatchReader, form: str, path: Path, limit: int) -> int:
    """Write a result to a file, which is there as a whole or not at all; how many rows."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if form == "parquet":
            rows = _write_parquet(reader, draft)
        else:
            with draft.open("w", newline="", encoding="utf-8") as file:
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


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _write_csv(reader: pa.RecordBatchReader, names: list[str], file: IO[str]) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    total = 0
    for batch in reader:
        writer.writerows([_csv_value(plain(value)) for value in row] for row in _rows(batch))
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
    for batch in reader:
        for row in _rows(batch):
            record = dict(zip(names, map(plain, row), strict=True))
            file.write((",\n " if total else "\n ") + json.dumps(record, ensure_ascii=False, allow_nan=False))
            total += 1
    file.write("\n]\n")
    return total


def _write_parquet(reader: pa.RecordBatchReader, path: Path) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    fields = zip(unique(reader.schema.names), reader.schema, strict=True)
    schema = pa.schema([field.with_name(name) for name, field in fields])
    total = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(pa.record_batch(batch.columns, schema=schema))
            total += batch.num_rows
    return total


def _cell(value: Any, *, shorten: bool) -> str:
    if value is None:
        return "—"
    if isinstance(value, list) and len(value) > _LIST_ITEMS and shorten:
        first = ", ".join(_cell(item, shorten=shorten) for item in value[:_LIST_ITEMS])
        return f"[{first}, … {len(value):,} values]"
    if isinstance(value, list):
        return f"[{', '.join(_cell(item, shorten=shorten) for item in value)}]"
    if isinstance(value, float):
        large = _LARGE <= abs(value) < _HUGE  # money, say: 6 digits would not do, nor would 1.2e+06
        return f"{value:.2f}".removesuffix(".00") if large else f"{value:.6g}"
    if isinstance(value, datetime):
        text = value.replace(tzinfo=None).isoformat(" ", "milliseconds" if value.microsecond else "seconds")
        return f"{text} UTC" if value.tzinfo else text
    text = printable(str(value))  # a control character in a key must not reach the terminal
    return text if len(text) <= _CELL_CHARS or not shorten else text[: _CELL_CHARS - 1] + "…"


def _show_grid(console: Console, names: list[str], rows: list[list[str]], schema: pa.Schema) -> None:
    import pyarrow as pa
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, kind in zip(names, schema.types, strict=True):
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        table.add_column(Text(name), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _show_records(console: Console, names: list[str], rows: list[list[str]]) -> None:
    from rich.text import Text

    width = max(map(len, names))
    for number, row in enumerate(rows, 1):
        console.print(f"row {number}", style="bold")
        for name, value in zip(names, row, strict=True):
            console.print(Text(f"  {name:<{width}}  {value}"))
