"""What a dataset declares: the whole difference between one dataset and another.

Belongs here: the shape of a declaration. Does not belong here: any particular dataset (`vitalake/datasets/`) or
the mechanism that carries declarations out (`vitalake/reconcile.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vitalake.tables import Column, Table

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class RawObject:
    """One object of the bucket with its bytes."""

    key: str
    version: str
    size_bytes: int
    uploaded_at: datetime
    data: bytes


@dataclass(frozen=True)
class Limits:
    """How a partition is cut into parts, and what an object may weigh."""

    part_objects: int = 1000
    part_bytes: int = 128 * 2**20
    object_bytes: int = 64 * 2**20


@dataclass(frozen=True)
class Threshold:
    """A share (0..1) in a partition above which a check warns, and above which it blocks the downstream."""

    warn: float
    block: float = 1.0


@dataclass(frozen=True)
class Derived:
    """A table computed part by part from another table of the same dataset."""

    table: Table
    source: str
    compute: Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class SqlView:
    """A view over the dataset's tables, for those who ask in SQL."""

    name: str
    select: str
    doc: str
    columns: dict[str, str]


@dataclass(frozen=True)
class Dataset:
    """A dataset: where its objects are, how one is read, which tables come out and how good they must be.

    `parse` turns one object into whatever `tabulate` understands, or raises `UnusableDataError`.
    `tabulate` turns the parsed objects of one part, in order, into one Arrow table per declared table.
    """

    name: str
    doc: str
    owner: str
    parse: Callable[[RawObject], Any]
    tabulate: Callable[[Sequence[Any]], dict[str, pa.Table]]
    tables: tuple[Table, ...]
    derived: tuple[Derived, ...] = ()
    views: tuple[SqlView, ...] = ()
    limits: Limits = Limits()
    thresholds: dict[str, Threshold] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """Where the dataset's objects are in the raw bucket."""
        return f"{self.name}/"

    @property
    def raw_table(self) -> Table:
        """The manifest: one row per object of the partition."""
        return Table(f"raw_{self.name}", f"Every object of `{self.name}` in the raw bucket.", OBJECT_COLUMNS)

    @property
    def quarantine_table(self) -> Table:
        """The objects and records that could not be used, with the reason."""
        return Table(
            f"{self.name}_quarantine",
            f"What of `{self.name}` could not be used, and why.",
            QUARANTINE_COLUMNS,
        )


OBJECT_COLUMNS = (
    Column("source_key", "string", "Key of the object in the raw bucket.", nullable=False),
    Column("source_version", "string", "ETag of the object's content, as the store lists it.", nullable=False),
    Column("size_bytes", "int64", "Size of the object.", nullable=False),
    Column("uploaded_at", "timestamp", "When the store last saw the object written (UTC).", nullable=False),
)

QUARANTINE_COLUMNS = (
    Column("dataset", "string", "Dataset that the object belongs to.", nullable=False),
    *OBJECT_COLUMNS,
    Column("record_number", "int64", "Record or line inside the object, from 1; null: the object as a whole."),
    Column("rule", "string", "Id of the check that refused it (docs/rules.md).", nullable=False),
    Column("message", "string", "What was found and what was expected.", nullable=False),
    Column("excerpt_hex", "string", "First four bytes of the object: its magic number, too short for a name."),
)
