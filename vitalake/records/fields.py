"""What the declaration of a record-shaped dataset consists of: fields, rules, and the tables they end in.

Belongs here: these shapes. Does not belong here: reading files (`csv_reader.py`, `json_reader.py`), applying types
and rules (`typed.py`, `judge.py`), putting a dataset together (`declare.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from vitalake.dataset import OBJECT_COLUMNS
from vitalake.tables import Column, Kind, Table

UNDECLARED = "D06"
PROVENANCE = (
    OBJECT_COLUMNS[0],
    OBJECT_COLUMNS[1],
    Column("record_number", "int64", "Line (CSV) or record (JSON) inside the object, from 1.", nullable=False),
    OBJECT_COLUMNS[3],
)
WARNINGS = Column("warnings", "list<string>", "Ids of the rules that only warn (docs/rules.md).", nullable=False)


@dataclass(frozen=True)
class Field:
    """One field of a record, and the column that it becomes.

    Args:
        name: as the files spell it.
        column: as the tables have it.
        kind: what a value must be to pass.
        doc: what it means, with its unit.
        required: a record without it, or with a blank one, is refused.
        personal: it names a person. A dataset with such a field keeps no text of what it refuses.
    """

    name: str
    column: str
    kind: Kind
    doc: str
    required: bool = False
    personal: bool = False

    @property
    def as_column(self) -> Column:
        """The column of a table."""
        return Column(self.column, self.kind, self.doc, nullable=not self.required)


@dataclass(frozen=True)
class Rule:
    """What must hold of every record, as a condition in DuckDB's SQL over the columns and `uploaded_at`.

    A condition that is null, because a value is missing, holds. `message` says what is wrong where it does not,
    without any value. A rule that only `warns` lets the record through and leaves its id in the column `warnings`.
    """

    id: str
    holds: str
    message: str
    warns: bool = False


@dataclass(frozen=True)
class RecordTable:
    """A table of some of the columns, one row for each good record; `restricted` where it names people."""

    name: str
    doc: str
    columns: tuple[str, ...]
    restricted: bool = False

    def declared(self, fields: tuple[Field, ...]) -> Table:
        """With the columns that every such table has."""
        known = {field.column: field.as_column for field in fields}
        chosen = tuple(known[name] for name in self.columns)
        return Table(self.name, self.doc, (*chosen, WARNINGS, *PROVENANCE), restricted=self.restricted)
