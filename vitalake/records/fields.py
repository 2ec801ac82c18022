"""What the declaration of a record-shaped dataset consists of: fields, and the tables they end in.

Belongs here: these shapes. Does not belong here: reading files (`vitalake/records/csv/reader.py`,
`vitalake/records/json/reader.py`), applying types and rules (`typed.py`, `judge.py`), putting a dataset together
(`declare.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vitalake.lake.dataset import OBJECT_COLUMNS
from vitalake.lake.tables import PARTITION, Column, Kind, Table, check_kind, check_name

# What a field may be, and what is said of a value that is not.
KINDS: Mapping[Kind, str] = {
    "string": "a text",
    "int32": "a whole number",
    "int64": "a whole number",
    "float64": "a number",
    "bool": "true or false",
    "date": "a date, YYYY-MM-DD",
    "timestamp": "a time, as in 2026-11-20T08:30:00Z",
}
UNDECLARED = "D06"
PROVENANCE = (
    OBJECT_COLUMNS[0],
    OBJECT_COLUMNS[1],
    Column("record_number", "int64", "Line (CSV) or record (JSON) inside the object, from 1.", nullable=False),
    OBJECT_COLUMNS[3],
)
WARNINGS = Column("warnings", "list<string>", "Ids of the rules that only warn (docs/rules.md).", nullable=False)
_TAKEN = {column.name: column.doc for column in (*PROVENANCE, WARNINGS, PARTITION)}


@dataclass(frozen=True)
class Field:
    """One field of a record, and the column that it becomes.

    Args:
        name: as the files spell it.
        column: as the tables have it.
        kind: what a value must be to pass.
        doc: what it means, with its unit.
        required: a record without it, or with a blank one, is refused.
        personal: it says who a person is, or how to reach one. It goes to a restricted table only, and nothing of
            the dataset's files is repeated in their own words: no text of what is refused, no unknown name.
        formerly: names that the column had (`vitalake.lake.tables.Column`).

    Raises:
        ValueError: the column's name is none, or taken for what every table has, or the kind is none.
    """

    name: str
    column: str
    kind: Kind
    doc: str
    required: bool = False
    personal: bool = False
    formerly: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_name("column", self.column)
        check_kind(self.column, self.kind, KINDS)
        if self.column in _TAKEN:
            raise ValueError(
                f"column {self.column!r}: every table has one of this name already ({_TAKEN[self.column]}) Give "
                f"this one another name, and leave the file's as it is, e.g. Field({self.name!r}, 'scanned_on', …)"
            )

    @property
    def as_column(self) -> Column:
        """The column of a table."""
        return Column(self.column, self.kind, self.doc, nullable=not self.required, formerly=self.formerly)


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
        if unknown := [name for name in self.columns if name not in known]:
            raise ValueError(f"table {self.name!r}: no field has the column {', '.join(unknown)}")
        chosen = tuple(known[name] for name in self.columns)
        return Table(self.name, self.doc, (*chosen, WARNINGS, *PROVENANCE), restricted=self.restricted)


def names_people(fields: Iterable[Field], tables: Iterable[RecordTable | Table]) -> bool:
    """Whether files of these fields are about people: nothing they say is repeated but the names declared here."""
    return any(field.personal for field in fields) or any(table.restricted for table in tables)
