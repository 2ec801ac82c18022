"""What a dataset declares: the whole difference between one dataset and another.

Belongs here: the shape of a declaration. Does not belong here: any particular dataset (`vitalake/datasets/`) or
the mechanism that carries declarations out (`vitalake/lake/reconcile.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from vitalake.arrivals.calendar import Calendar, Granularity
from vitalake.arrivals.partitions import PartLimits
from vitalake.lake.contents import Parsed, RawObject, Tabulated
from vitalake.lake.tables import HOUR, Column, Table, check_name, repeated

if TYPE_CHECKING:
    import pyarrow as pa

    from vitalake.lake.computed.resolved import ComputedFrom
    from vitalake.lake.parquet import Rows
    from vitalake.lake.sinks import Sink
    from vitalake.pseudonyms import Pseudonyms


_LIMITS = PartLimits()
_OWN_RULES = "DEMQS"  # of readers, entities, the ECG model, its quality, and structure


def check_owner(what: str, owner: str) -> None:
    """Hold an owner to what Dagster takes; `what` it is of, for the message. Raises ValueError."""
    if not re.fullmatch(r"team:.+|[\w.+-]+@[\w-]+\.[\w.-]+", owner, re.ASCII):
        raise ValueError(f"{what}: {owner!r} is no owner; give a team ('team:data') or an e-mail address")


@dataclass(frozen=True)
class Threshold:
    """A share (0..1) in a partition above which a check warns, and above which it blocks the downstream."""

    warn: float
    block: float = 1.0


@dataclass(frozen=True)
class Count:
    """How many of how many are bad, and what there is to say about them."""

    bad: int
    total: int
    details: dict[str, int | float | str] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Bad over total, 0..1; 0 where there is nothing."""
        return self.bad / self.total if self.total else 0.0


@dataclass(frozen=True)
class Statement:
    """What a check says of a partition, and which share of exceptions is too much."""

    name: str
    doc: str
    threshold: Threshold


@dataclass(frozen=True)
class Check(Statement):
    """A statement that counts its exceptions in the partition's own tables.

    Args:
        columns: table name → the columns that `count` reads.
        count: from these tables, all parts of the partition together, to a count.
    """

    columns: dict[str, list[str]]
    count: Callable[[Mapping[str, pa.Table]], Count]


@dataclass(frozen=True)
class Rule:
    """What must hold of every record, as a condition in DuckDB's SQL over the columns and `uploaded_at`.

    A condition that is null, because a value is missing, holds. `message` says what is wrong where it does not,
    without any value. A rule that only `warns` lets the record through and leaves its id in the column `warnings`.

    Raises:
        ValueError: the id is none, or of those that are for every dataset.
    """

    id: str
    holds: str
    message: str
    warns: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z][0-9]{2}", self.id) or self.id[0] in _OWN_RULES:
            raise ValueError(
                f"rule {self.id!r}: an id is a capital letter and two digits, e.g. 'W01'; those with "
                f"{', '.join(_OWN_RULES)} are the program's own"
            )


@dataclass(frozen=True)
class Derived:
    """Tables computed together, part by part, from columns of another table of the same dataset."""

    tables: tuple[Table, ...]
    source: str
    columns: list[str]
    compute: Callable[[pa.Table], dict[str, pa.Table]]


@dataclass(frozen=True)
class Combined:
    """Tables over all days, computed together from columns of daily tables of the same dataset.

    Args:
        tables: each declared as `whole`.
        sources: table → the columns that `compute` reads.
        compute: from these tables, every day together, to the rows.
    """

    tables: tuple[Table, ...]
    sources: dict[str, list[str]]
    compute: Callable[[Mapping[str, pa.Table]], dict[str, pa.Table]]


@dataclass(frozen=True)
class Picture:
    """A PNG of what is in a partition, drawn from the newest part of one table."""

    name: str
    table: str
    draw: Callable[[Rows], bytes]


@dataclass(frozen=True)
class Trend:
    """A PNG over the last days, drawn from the rows of one SQL query over the views, which takes the first day."""

    name: str
    query: str
    draw: Callable[[list[tuple[Any, ...]]], bytes]


@dataclass(frozen=True)
class SqlView:
    """A view: its SELECT, in a file of its own or generated, its meaning and that of its columns."""

    name: str
    sql: str | Path
    doc: str
    columns: dict[str, str]

    def __post_init__(self) -> None:
        check_name("view", self.name)

    @property
    def select(self) -> str:
        """The SELECT statement."""
        return self.sql.read_text() if isinstance(self.sql, Path) else self.sql


@dataclass(frozen=True)
class Dataset:
    """A dataset: where its objects are, how one is read, which tables come out and how good they must be.

    Args:
        parse: turns objects that belong together into whatever `tabulate` understands, piece by piece, with
            identifiers of people replaced by pseudonyms, or raises `UnusableDataError`. Every record
            must be heard of again: in a value or in a refusal.
        tabulate: turns a slice of a part's parsed values, in order, into one Arrow table per declared table.
        rules: what must hold of a record, beyond its types.
        sinks: views that are kept in line with tables elsewhere.
        group_objects: which files of a folder belong together, by their names; None: each object stands alone.
        partition: what is built at once, a day or an hour of it. It stays as it is once there are tables: parts of
            the one are not found by the other.
        computed: tables of one's own that are shown with this dataset (`vitalake/datasets/tables/`).
        feeds: those that read tables of this dataset too, and are shown with another one.

    Raises:
        ValueError: the name or the owner is none, two things of the dataset have the same name, or a column of a
            table by the hour is called as its partition.
    """

    name: str
    doc: str
    owner: str
    parse: Callable[[Sequence[RawObject], Pseudonyms], Iterable[Parsed]]
    tabulate: Callable[[Sequence[Any]], Tabulated]
    tables: tuple[Table, ...]
    group_objects: Callable[[Collection[str]], Mapping[str, str]] | None = None
    derived: tuple[Derived, ...] = ()
    combined: tuple[Combined, ...] = ()
    views: tuple[SqlView, ...] = ()
    limits: PartLimits = _LIMITS
    checks: tuple[Check, ...] = ()
    rules: tuple[Rule, ...] = ()
    sinks: tuple[Sink, ...] = ()
    pictures: tuple[Picture, ...] = ()
    trends: tuple[Trend, ...] = ()
    processed_within: timedelta = timedelta(minutes=10)
    partition: Granularity = "day"
    computed: tuple[ComputedFrom, ...] = ()
    feeds: tuple[ComputedFrom, ...] = ()

    def __post_init__(self) -> None:
        check_name("dataset", self.name)
        check_owner(f"dataset {self.name!r}", self.owner)
        if self.partition not in get_args(Granularity):
            raise ValueError(f"dataset {self.name!r}: partition is 'day' or 'hour', not {self.partition!r}")
        taken = [table.name for table in self.all_tables if HOUR.name in table.names]
        if taken and self.partition == "hour":
            raise ValueError(
                f"dataset {self.name!r}: it is built by the hour, so {', '.join(taken)} has a column {HOUR.name!r} "
                f"already ({HOUR.doc}) Give the declared one another name, e.g. 'measured_hour'"
            )
        if again := repeated(self.own_names):
            names = ", ".join(again)
            raise ValueError(
                f"dataset {self.name!r}: {names} names two things; each table, view, sink and rule needs a name of "
                "its own"
            )

    @property
    def own_names(self) -> tuple[str, ...]:
        """What nothing of another dataset may be called: tables, views and sinks, and the ids of rules."""
        tables = [table.name for table in self.every_table]
        copies = [view.name for view in self.views] + [sink.name for sink in self.sinks]
        return (*tables, *copies, *(rule.id for rule in self.rules))

    @property
    def names_people(self) -> bool:
        """Whether any of its tables is restricted: then nothing that a file says in its own words is told of it."""
        combined = (table for item in self.combined for table in item.tables)
        return any(table.restricted for table in (*self.all_tables, *combined))

    def calendar(self, first_day: date) -> Calendar:
        """The partitions that it may have."""
        return Calendar(first_day, self.partition)

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
        doc = f"What of `{self.name}` could not be used, and why."
        return Table(f"{self.name}_quarantine", doc, QUARANTINE_COLUMNS)

    @property
    def all_tables(self) -> tuple[Table, ...]:
        """Every table that is stored by day or hour: manifest, tables, quarantine, derived tables."""
        derived = (table for item in self.derived for table in item.tables)
        return (self.raw_table, *self.tables, self.quarantine_table, *derived)

    @property
    def final_tables(self) -> tuple[Table, ...]:
        """The last tables of a day, and those over all days."""
        derived = tuple(table for item in self.derived for table in item.tables)
        combined = tuple(table for item in self.combined for table in item.tables)
        return (derived or self.tables) + combined

    @property
    def every_table(self) -> tuple[Table, ...]:
        """Every table that is stored, those over all days included."""
        combined = (table for item in self.combined for table in item.tables)
        return (*self.all_tables, *combined, *(item.table for item in self.computed))

    @property
    def computed_by_day(self) -> tuple[ComputedFrom, ...]:
        """The computed tables that each of its days' runs builds."""
        return tuple(item for item in (*self.computed, *self.feeds) if not item.table.whole)

    @property
    def computed_over_all_days(self) -> tuple[ComputedFrom, ...]:
        """The computed tables that follow all of its days together."""
        return tuple(item for item in (*self.computed, *self.feeds) if item.table.whole)

    def table(self, name: str) -> Table:
        """One of the stored tables; KeyError when the dataset has none of that name."""
        return {table.name: table for table in self.all_tables}[name]


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
    Column(
        "record_count",
        "int64",
        "For how many records it stands, so sum it: lines that ran together, a whole export, the last of many.",
    ),
    Column(
        "record_text",
        "string",
        "The record, cut at 500 characters; of CSV its declared columns. Null: none, or of a dataset about people.",
    ),
    Column(
        "excerpt_hex",
        "string",
        "Signature of a well-known kind of file with which the object begins, e.g. 25504446 of a PDF. Null: none, "
        "as any other bytes may be text, or it was read piece by piece.",
    ),
)
