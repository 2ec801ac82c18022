"""Columns declared once: name, type, unit and meaning of everything the lake holds.

Belongs here: `Column` and `Table` and what follows from them (schema, rows to Arrow). Does not
belong here: which tables exist — each dataset declares its own — or how Parquet is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vitalake.columns import array

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


@dataclass(frozen=True)
class Column:
    """One column. The unit is part of the name (``_s``, ``_hz``, ``_mv``, ``_bpm``), the meaning is `doc`."""

    name: str
    kind: Kind
    doc: str
    nullable: bool = True


@dataclass(frozen=True)
class Table:
    """A table of the lake, stored as ``<name>/date=YYYY-MM-DD/part-NNNNN.parquet``.

    A `restricted` one names people: it lies in a bucket of its own, which few may read. A `whole` one is over all
    days, and stored as ``<name>/all/part-NNNNN.parquet``.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    restricted: bool = False
    whole: bool = False

    @property
    def names(self) -> list[str]:
        """Column names in storage order."""
        return [column.name for column in self.columns]

    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema that every part of this table has, field documentation included."""
        import pyarrow as pa

        types = {
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
        return pa.schema(
            [pa.field(c.name, types[c.kind], nullable=c.nullable, metadata={"doc": c.doc}) for c in self.columns]
        )

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
