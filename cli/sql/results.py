r"""A query's result as csv, json or parquet to go on with; DuckDB spells the values.

Belongs here: how values are spelled, and what makes text harmless where it goes. Does not belong here: asking
(`cli/sql/session.py`), a table to read (`cli/sql/result_table.py`).

json holds every value exactly, wherever it goes: what is invisible is a ``\u`` escape, which JSON reads as the
same. In csv, lists and structures are json, and a text that a spreadsheet would take for a formula gets an
apostrophe, which is said, unless it is to be `exact`; on a terminal, control characters are shown as escapes on top
of that. What parquet has no type for is text.
"""

from __future__ import annotations

import csv
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cli.options import stderr
from cli.sql.result_rows import rows
from vitalake.escaping import json_text, printable, spreadsheet_cell
from vitalake.serving.catalog import quote

if TYPE_CHECKING:
    import duckdb
    from duckdb.sqltypes import DuckDBPyType

# Type → a value of it, where DuckDB's own way is no standard or loses something.
_TIMES = ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone")
_ISO_8601 = r"regexp_replace(regexp_replace({}::VARCHAR, '^(\S+) (\S+)$', '\1T\2'), '[+-]\d\d$', '\0:00')"
_TEXT = dict.fromkeys(_TIMES, _ISO_8601) | {"blob": "lower(hex({}))"}
_SPELLED = {
    "csv": _TEXT,
    "json": _TEXT | dict.fromkeys(("float", "double"), "CASE WHEN isfinite({0}) THEN {0} END"),
    # As itself DuckDB keeps the first two as doubles, milliseconds, another hour, and nobody knows which.
    "parquet": dict.fromkeys(("hugeint", "uhugeint"), "{}::DECIMAL(38, 0)")
    | dict.fromkeys(("interval", "time with time zone", "union"), "{}::VARCHAR"),
}
_NUMBER = re.compile(r"\w*int(eger)?|float|double|decimal|bignum|boolean")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A new file beside this one, which takes its place when all went well, and else goes. Raises OSError."""
    # A name that nobody can foresee, and never a file that is there: others may write into this folder.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        draft.open("x").close()
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_parquet(result: duckdb.DuckDBPyRelation, path: Path) -> int:
    """Write all rows to a file; how many. Raises duckdb.Error: the query broke, or a number has above 38 digits."""
    from pyarrow import parquet

    path.unlink(missing_ok=True)  # else DuckDB writes to a file beside it, which stays where the query is stopped
    _spelled(result, "parquet").write_parquet(str(path), compression="zstd")
    total: int = parquet.read_metadata(path).num_rows
    return total


def write_text(
    result: duckdb.DuckDBPyRelation, form: str, file: IO[str] | None = None, *, exact: bool = False
) -> int:
    """Write all rows as csv or json; how many. Raises duckdb.Error: the query broke, perhaps after some rows."""
    target = file or sys.stdout
    return _write_csv(result, target, exact) if form == "csv" else _write_json(result, target)


def _write_csv(result: duckdb.DuckDBPyRelation, file: IO[str], exact: bool) -> int:
    # With CR LF between rows the writer puts quotes around cells with either; readers end a row at both.
    writer = csv.writer(_EndedByLineFeed(file), lineterminator="\r\n")
    shown = _spelled(result, "csv")
    total, guarded, on_terminal = 0, 0, file.isatty()

    def cell(value: str | None, is_text: bool = True) -> str | None:
        nonlocal guarded
        if value is None or not is_text:
            return value
        text = value if exact else spreadsheet_cell(value)
        guarded += text != value
        return printable(text) if on_terminal else text

    texts = [not _NUMBER.fullmatch(kind.id) for kind in result.types]
    writer.writerow(map(cell, shown.columns))
    for row in rows(shown):
        writer.writerow(map(cell, row, texts))
        total += 1
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


def _write_json(result: duckdb.DuckDBPyRelation, file: IO[str]) -> int:
    """One array, one row a line."""
    alias = "r" * (1 + max(map(len, result.columns)))  # no column has this name
    records = _spelled(result, "json").set_alias(alias).project(f"to_json({alias})")
    total = 0
    file.write("[")
    for (record,) in rows(records):
        file.write((",\n " if total else "\n ") + json_text(record))
        total += 1
    file.write("\n]\n")
    return total


def _spelled(result: duckdb.DuckDBPyRelation, form: str) -> duckdb.DuckDBPyRelation:
    """The same columns, their values as `form` has them; of repeated names the second has a number: ``a, a_1``."""
    columns = []
    for place, (name, kind) in enumerate(zip(result.columns, result.types, strict=True), 1):
        value, alias = _value(f"#{place}", kind, form), name.replace('"', '""')
        columns.append(f'{value}{"::VARCHAR" if form == "csv" else ""} AS "{alias}"')
    return result.project(", ".join(columns)).project("*")


def _value(value: str, kind: DuckDBPyType, form: str) -> str:
    """An expression for a value, and for those within it, as `form` has them; itself where they are so."""
    if kind.id not in {"list", "array", "map", "struct"}:
        return _SPELLED[form].get(kind.id, "{}").format(value)
    if form == "csv":
        return f"to_json({_value(value, kind, 'json')})"
    parts = [(name, part) for name, part in kind.children if isinstance(part, type(kind))]  # not an array's size
    if kind.id == "struct":
        return _struct(value, parts, form)
    item = _value("x", parts[-1][1], form)
    if item == "x":
        return value
    if kind.id == "map":
        return f"map(map_keys({value}), list_transform(map_values({value}), lambda x: {item}))"
    return f"list_transform({value}, lambda x: {item})"


def _struct(value: str, parts: list[tuple[str, DuckDBPyType]], form: str) -> str:
    named = all(name for name, _ in parts)  # not those of row(): in json it is a list
    before = [f"{value}[{quote(name) if named else place}]" for place, (name, _) in enumerate(parts, 1)]
    after = [_value(part, kind, form) for part, (_, kind) in zip(before, parts, strict=True)]
    if before == after and (named or form != "json"):
        return value
    fields = ", ".join(
        f"{quote(name)}: {part}" if named else part for part, (name, _) in zip(after, parts, strict=True)
    )
    made = f"{{{fields}}}" if named else f"{'json_array' if form == 'json' else 'row'}({fields})"
    return f"CASE WHEN {value} IS NOT NULL THEN {made} END"
