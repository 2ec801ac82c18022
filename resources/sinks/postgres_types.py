"""What a column of a view is in PostgreSQL.

Belongs here: types, and the SQL on both sides that carries values over. Does not belong here: statements
(`resources/sinks/postgres_table.py`).

Numbers beyond 64 bits and decimals travel as text: the driver once wrote other digits than it was given
(apache/arrow-adbc issues 3485 and 4507).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resources.sinks.view_rows import as_json, finite, name, sink_value

# DuckDB's type -> PostgreSQL's, and the DuckDB type by which it travels.
_SAME = {
    "boolean": ("boolean", "BOOLEAN"),
    "tinyint": ("smallint", "SMALLINT"),
    "utinyint": ("smallint", "SMALLINT"),
    "smallint": ("smallint", "SMALLINT"),
    "usmallint": ("integer", "INTEGER"),
    "integer": ("integer", "INTEGER"),
    "uinteger": ("bigint", "BIGINT"),
    "bigint": ("bigint", "BIGINT"),
    "float": ("real", "FLOAT"),
    "double": ("double precision", "DOUBLE"),
    "date": ("date", "DATE"),
    "timestamp": ("timestamp without time zone", "TIMESTAMP"),
    "timestamp with time zone": ("timestamp with time zone", "TIMESTAMPTZ"),
    "blob": ("bytea", "BLOB"),
}
_NUMERIC = {"decimal", "hugeint", "uhugeint", "ubigint"}


# Beyond these PostgreSQL has no days, and its driver no infinite ones.
_EARLIEST = "4713-01-01 (BC)"
_LATEST = {
    "date": "5874897-12-31",
    "timestamp": "294246-12-31 23:59:59.999999",
    "timestamp with time zone": "294246-12-31 23:59:59.999999+00",
}
KEY_BYTES = 2688
"""What a key may have: an entry of an index has 2,704 bytes at most, 12 of them around a single text."""
_AROUND_BYTES = 8  # of each further column: its length, and what aligns it
_FIXED = {"boolean", "smallint", "integer", "bigint", "real", "double precision", "date", *list(_LATEST)}


@dataclass(frozen=True)
class PgColumn:
    """A column of the target.

    Args:
        type: its type, as PostgreSQL names it.
        staged: the type in which it travels.
        select: DuckDB's SQL of the value that travels, null where PostgreSQL cannot hold it.
        lost: DuckDB's SQL of how many values in it cannot be held; None: never any.
    """

    name: str
    type: str
    staged: str
    select: str
    lost: str | None

    @property
    def cast(self) -> str:
        """PostgreSQL's SQL from what travelled to the target's type."""
        quoted = name(self.name)
        return quoted if self.staged == self.type else f"{quoted}::{self.type} AS {quoted}"


def columns_of(types: Mapping[str, Any]) -> list[PgColumn]:
    """The target's columns, from DuckDB's types.

    Lists of plain values are arrays; what PostgreSQL has no like of (structs, lists of lists) is JSON as text.
    """
    return [_column(column, type_) for column, type_ in types.items()]


def holds(key: Iterable[PgColumn]) -> str:
    """DuckDB's SQL: whether PostgreSQL can hold all of a key."""
    return " AND ".join(f"{column.lost} = 0" for column in key if column.lost) or "true"


def indexes(key: Sequence[PgColumn]) -> str:
    """DuckDB's SQL: whether a key is short enough for an index, also where it cannot be pressed into less."""
    texts = [_size(column) for column in key if column.type not in _FIXED]
    around = _AROUND_BYTES * (2 * len(key) - len(texts) - 1)
    return f"{' + '.join(texts)} + {around} <= {KEY_BYTES}" if texts else "true"


def _size(column: PgColumn) -> str:
    """DuckDB's SQL of the most bytes that a value takes in an index, without those around it."""
    text = f"strlen(CAST({column.select} AS VARCHAR))"
    return f"{text} + {_AROUND_BYTES} * (len({column.select}) + 3)" if column.type.endswith("[]") else text


def _column(column: str, type_: Any) -> PgColumn:
    kind = str(type_.id)
    element = str(type_.children[0][1].id) if kind == "list" else None
    suffix, scalar = ("[]", element) if element else ("", kind)
    if scalar in _SAME:
        target, travels = _SAME[scalar]
        sql, lost = sink_value(name(column), type_, _keeps, lambda value, _: value)
        return PgColumn(column, target + suffix, target + suffix, f"CAST({sql} AS {travels}{suffix})", lost)
    if scalar in ("list", "struct"):
        sql, lost = sink_value(
            name(column), type_, lambda value, kind: finite(value, kind) or _keeps(value, kind), as_json
        )
        return PgColumn(column, "text", "text", f"to_json({sql})::VARCHAR", lost)
    sql, lost = sink_value(name(column), type_, _keeps, as_json)
    target = "numeric" if scalar in _NUMERIC else "text"
    return PgColumn(column, target + suffix, "text" + suffix, f"CAST({sql} AS VARCHAR{suffix})", lost)


def _keeps(value: str, kind: str) -> str | None:
    """Text has no NUL character; days and times have an end."""
    if kind == "varchar":
        return f"NOT contains({value}, chr(0))"
    return f"{value} BETWEEN '{_EARLIEST}' AND '{_LATEST[kind]}'" if kind in _LATEST else None
