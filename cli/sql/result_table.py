"""A query's result as a table to read in a terminal.

Belongs here: how values, columns and rows look. Does not belong here: results to go on with (`cli/sql/results.py`).
DuckDB's own tables would not do: they let characters pass that steer a terminal, and leave out the columns and the
rows in the middle.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cli.sql.result_rows import batches, rows_of
from vitalake.escaping import printable

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

    Raises:
        duckdb.Error: the query broke while its rows came, or a value cannot be shown.
    """
    rows: list[list[str]] = []
    total = 0
    for batch in batches(reader):
        if len(rows) < limit:
            shown = batch.slice(0, limit - len(rows))
            rows += [[_cell(value, shorten=shorten) for value in row] for row in rows_of(shown)]
        total += batch.num_rows
    names = [printable(name) for name in reader.schema.names]  # PIVOT makes names of values
    widths = [max([len(name), *(len(row[at]) for row in rows)]) for at, name in enumerate(names)]
    if sum(widths) + 3 * len(widths) > console.width and len(names) > 4:
        _show_records(console, names, rows)
    else:
        _show_grid(console, names, rows, reader.schema)
    more = f"; {total - len(rows):,} more (--limit)" if total > len(rows) else ""
    if count or more:
        console.print(f"{total:,} row{'s' * (total != 1)}{more}", style="dim")
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
        text = value.isoformat(" ", "milliseconds" if value.microsecond else "seconds")
        return re.sub(r"\+00:00$", " UTC", text)
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
