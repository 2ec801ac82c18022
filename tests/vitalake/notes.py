"""A dataset of short texts, so small that the mechanism around it is all there is to test.

Belongs here: the dataset, and building and looking at its lake. Does not belong here: assertions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from resources.object_store import ObjectStore
from vitalake.arrivals.calendar import Calendar, Granularity, Partition
from vitalake.arrivals.objects import Bucket
from vitalake.arrivals.partitions import PartLimits
from vitalake.errors import UnusableDataError
from vitalake.lake.checks import WAITING
from vitalake.lake.contents import Parsed, RawObject, Tabulated
from vitalake.lake.dataset import OBJECT_COLUMNS, Dataset, Derived
from vitalake.lake.parts import Store
from vitalake.lake.reading import RawBucket, read_objects
from vitalake.lake.reconcile import Report
from vitalake.lake.stages import derive, list_objects, load_table
from vitalake.lake.tables import Column, Table
from vitalake.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_DAY = date(2015, 1, 1)
DAYS = Calendar(FIRST_DAY)
DAY = "2026-11-20"
PSEUDONYMS = Pseudonyms(b"a key for tests, long enough")

Put = Callable[[str, bytes], None]
Delete = Callable[[str], None]

_NUMBERS = itertools.count()


def notes_dataset(partition: Granularity = "day") -> Dataset:
    """A dataset with a name of its own: parts of 3 objects, objects of 20 bytes at most."""
    name = f"notes{next(_NUMBERS)}"
    texts = Table(f"{name}_texts", "Texts.", (*OBJECT_COLUMNS, Column("text", "string", "The text.")))
    lengths = Table(f"{name}_lengths", "Lengths.", (OBJECT_COLUMNS[0], Column("length", "int32", "Characters.")))

    def tabulate(parsed: Sequence[Any]) -> Tabulated:
        return Tabulated({texts.name: texts.from_rows(parsed)})

    def measure(rows: pa.Table) -> dict[str, pa.Table]:
        pairs = [(row["source_key"], len(row["text"])) for row in rows.to_pylist()]
        return {lengths.name: lengths.from_rows([{"source_key": key, "length": length} for key, length in pairs])}

    return Dataset(
        name=name,
        doc="Short texts.",
        owner="team:data",
        parse=_parse,
        tabulate=tabulate,
        tables=(texts,),
        group_objects=_together,
        derived=(Derived((lengths,), texts.name, ["source_key", "text"], measure),),
        limits=PartLimits(part_objects=3, object_bytes=20),
        partition=partition,
    )


def _together(names: Collection[str]) -> dict[str, str]:
    """`x.head` and `x.tail` are one note."""
    return {name: name[:-5] for name in names if name.endswith((".head", ".tail"))}


def _parse(objects: Sequence[RawObject], _pseudonyms: Pseudonyms) -> Iterator[Parsed]:
    """`bad…` is refused; what is no UTF-8 surprises the parser, as real files do; half a note waits."""
    if objects[0].key.endswith((".head", ".tail")) and len(objects) < 2:
        raise UnusableDataError(WAITING, f"waits since {objects[0].uploaded_at:%H:%M:%S} for its other half")
    if any(item.data.startswith(b"bad") for item in objects):
        raise UnusableDataError("S03", "the text says itself that it is bad")
    yield Parsed(tuple(_columns(item) | {"text": item.data.decode()} for item in objects))


def _columns(item: RawObject) -> dict[str, Any]:
    return {column.name: getattr(item, column.name.replace("source_", "")) for column in OBJECT_COLUMNS}


def upload(raw: ObjectStore, key: str, data: bytes) -> None:
    """Put an object, whether or not there is one, as a device does."""
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=data)


def remove(raw: ObjectStore, key: str) -> None:
    """Delete an object, if there is one."""
    raw._client.delete_object(Bucket=raw.bucket, Key=key)


class ListedBucket(Bucket, RawBucket, Protocol):
    """A bucket as a run needs it: to list and to read."""


def build(dataset: Dataset, raw: ListedBucket, lake: Store, day: Partition | str) -> list[Report]:
    """One run: the three stages of a partition."""

    def quiet(*_: object) -> None:
        pass

    return [
        list_objects(dataset, raw, lake, str(day), FIRST_DAY, quiet),
        read_objects(dataset, raw, lake, str(day), PSEUDONYMS, quiet, quiet),
        *(derive(dataset, derived, lake, str(day), quiet) for derived in dataset.derived),
    ]


def contents(lake: ObjectStore, tables: Iterable[Table]) -> dict[str, bytes]:
    """Every object of these tables, whatever it is, with its bytes."""
    return {item.key: lake.get(item.key) for table in tables for item in lake.objects(f"{table.name}/")}


def rows(store: ObjectStore, notes: Dataset, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of one table of `DAY`, keys without their folders."""
    loaded = load_table(store, notes.table(f"{notes.name}_{table}"), DAY)
    return [
        tuple(row[column].rpartition("/")[2] if column == "source_key" else row[column] for column in columns)
        for row in loaded.to_pylist()
    ]
