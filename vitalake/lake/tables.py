"""Columns declared once: name, type, unit and meaning of everything the lake holds.

Belongs here: `Column` and `Table`, what they may be called, and what follows from them (schema, rows to Arrow).
Does not belong here: which tables exist — each dataset declares its own — or how Parquet is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from vitalake.arrivals.calendar import Granularity
from vitalake.lake.columns import array

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal[
    "string",
    "int32",
    "int64",
    "float64",
    "bool",
    "date",
    "timestamp",
    "list<string>",
    "list<int32>",
    "list<float64>",
]


def check_name(what: str, name: str) -> None:
    """Hold a name to what folders, SQL and the UI take as it is; `what` it is of, for the message.

    Raises:
        ValueError: it is none; the message has one that is.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        better = re.sub("[^a-z0-9]+", "_", name.lower()).lstrip("0123456789_").rstrip("_") or "weight_kg"
        raise ValueError(
            f"{what} {name!r}: a name is a lower-case letter, then lower-case letters, digits and underscores, "
            f"e.g. {better!r}"
        )


def check_kind(column: str, kind: str, kinds: Iterable[str]) -> None:
    """Hold the kind of a column to those that there are.

    Raises:
        ValueError: it is none of them.
    """
    if kind not in kinds:
        raise ValueError(f"column {column!r}: there is no kind {kind!r}; there are {', '.join(kinds)}")


def repeated(names: Iterable[str]) -> list[str]:
    """Those that are there more than once, in order."""
    listed = list(names)
    return sorted({name for name in listed if listed.count(name) > 1})


@cache
def arrow_types() -> Mapping[Kind, pa.DataType]:
    """The Arrow type of each kind."""
    import pyarrow as pa

    return {
        "string": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "list<string>": pa.list_(pa.string()),
        "list<int32>": pa.list_(pa.int32()),
        "list<float64>": pa.list_(pa.float64()),
    }


@dataclass(frozen=True)
class Column:
    """One column. The unit is part of the name (``_s``, ``_hz``, ``_mv``, ``_bpm``), the meaning is `doc`.

    Args:
        formerly: names that it had, under which parts are read that were written then.

    Raises:
        ValueError: a name or the kind is none.
    """

    name: str
    kind: Kind
    doc: str
    nullable: bool = True
    formerly: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (self.name, *self.formerly):
            check_name("column", name)
        check_kind(self.name, self.kind, get_args(Kind))


PARTITION = Column("date", "date", "Partition: the day, in UTC.", nullable=False)
HOUR = Column("hour", "int32", "Partition: the hour of the day, in UTC.", nullable=False)


def partition_columns(unit: Granularity) -> tuple[Column, ...]:
    """The columns that a table has from the names of its folders, the outermost first."""
    return (PARTITION, HOUR) if unit == "hour" else (PARTITION,)


@dataclass(frozen=True)
class Table:
    """A table of the lake, stored as ``<name>/date=YYYY-MM-DD/part-NNNNN.parquet``.

    Where its dataset is built by the hour, as ``<name>/date=YYYY-MM-DD/hour=HH/part-NNNNN.parquet``.

    A `restricted` one names people: it lies in a bucket of its own, which few may read. A `whole` one is over all
    days, and stored as ``<name>/all/part-NNNNN.parquet``.

    Raises:
        ValueError: the name is none, or the columns are not: two are alike, or one is taken for the partition.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    restricted: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        check_name("table", self.name)
        if again := repeated(self.names):
            raise ValueError(f"table {self.name!r}: column {', '.join(again)} is declared twice; keep one of each")
        if again := repeated(column.name for column in self.stored_columns):
            raise ValueError(
                f"table {self.name!r}: {', '.join(again)} is a former name and a column's name, or the former name "
                "of two; older parts could not be told apart. Give the new column a name that no column ever had"
            )
        if PARTITION.name in self.names and not self.whole:
            raise ValueError(
                f"table {self.name!r}: every table has a column {PARTITION.name!r} already ({PARTITION.doc}) Give "
                "this one another name, e.g. 'scanned_on'"
            )

    @property
    def names(self) -> list[str]:
        """Column names in storage order."""
        return [column.name for column in self.columns]

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns, and behind them those that only older parts have, under a former name."""
        former = (
            Column(name, column.kind, f"Former name of `{column.name}`, in partitions that were not built since.")
            for column in self.columns
            for name in column.formerly
        )
        return (*self.columns, *former)

    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema that every part of this table has; without docs, as a better word is no other part."""
        import pyarrow as pa

        types = arrow_types()
        return pa.schema([pa.field(c.name, types[c.kind], nullable=c.nullable) for c in self.columns])

    def from_rows(self, rows: Sequence[dict[str, Any]]) -> pa.Table:
        """Rows as dictionaries, in order, to an Arrow table of exactly this schema.

        Raises:
            KeyError: a row lacks a declared column, or carries one that is not declared.
        """
        declared = set(self.names)
        for row in rows:
            if row.keys() != declared:
                raise KeyError(f"{self.name}: row and declaration differ in {sorted(row.keys() ^ declared)}")
        return self.from_columns({name: [row[name] for row in rows] for name in self.names})

    def from_columns(self, columns: Mapping[str, Any]) -> pa.Table:
        """Columns by name, each a sequence, a numpy array or an Arrow array, to a table of exactly this schema.

        Raises:
            KeyError: a declared column is missing, or one is there that is not declared.
        """
        import pyarrow as pa

        if columns.keys() != set(self.names):
            raise KeyError(f"{self.name}: columns and declaration differ in {columns.keys() ^ set(self.names)}")
        schema = self.arrow_schema()
        return pa.Table.from_arrays([array(columns[field.name], field.type) for field in schema], schema=schema)
