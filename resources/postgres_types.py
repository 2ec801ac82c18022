"""What a column of a view is in PostgreSQL.

Belongs here: types, and the SQL on both sides that carries values over. Does not belong here: statements
(`resources/postgres_table.py`).

Numbers beyond 64 bits and decimals travel as text: the driver once wrote other digits than it was given
(apache/arrow-adbc issues 3485 and 4507).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resources.view_rows import name

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


@dataclass(frozen=True)
class PgColumn:
    """A column of the target.

    Args:
        type: its type, as PostgreSQL names it.
        staged: the type in which it travels.
        select: DuckDB's SQL of the value that travels.
    """

    name: str
    type: str
    staged: str
    select: str

    @property
    def cast(self) -> str:
        """PostgreSQL's SQL from what travelled to the target's type."""
        quoted = name(self.name)
        return quoted if self.staged == self.type else f"{quoted}::{self.type} AS {quoted}"


def keeps(value: str, kind: str) -> str | None:
    """Text in PostgreSQL has no NUL character."""
    return f"NOT contains({value}, chr(0))" if kind == "varchar" else None


def columns_of(types: Mapping[str, Any], plain: Mapping[str, str]) -> list[PgColumn]:
    """The target's columns, from DuckDB's types and the SQL of the values that can be kept.

    Lists of plain values are arrays; what PostgreSQL has no like of (structs, lists of lists) is JSON as text.
    """
    return [_column(column, type_, plain[column]) for column, type_ in types.items()]


def _column(column: str, type_: Any, plain: str) -> PgColumn:
    kind = str(type_.id)
    element = str(type_.children[0][1].id) if kind == "list" else None
    suffix, scalar = ("[]", element) if element else ("", kind)
    if scalar in _SAME:
        target, travels = _SAME[scalar]
        return PgColumn(column, target + suffix, target + suffix, f"CAST({name(column)} AS {travels}{suffix})")
    if scalar in _NUMERIC:
        return PgColumn(column, "numeric" + suffix, "text" + suffix, f"CAST({plain} AS VARCHAR{suffix})")
    if scalar in ("list", "struct"):
        return PgColumn(column, "text", "text", f"to_json({plain})::VARCHAR")
    return PgColumn(column, "text" + suffix, "text" + suffix, f"CAST({plain} AS VARCHAR{suffix})")
