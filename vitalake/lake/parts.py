"""Parts of tables as they lie in a store, and what each says it was computed from.

Belongs here: what is needed of a store, and looking at parts: listings, footers, fingerprints, rows. Does not
belong here: bringing them in line with anything (`vitalake/lake/reconcile.py`), Parquet itself
(`vitalake/lake/parquet.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from vitalake.arrivals.fingerprints import digest, fingerprint
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import TransientError
from vitalake.lake import parquet
from vitalake.lake.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

INCOMPLETE = "incomplete"
_FEW = 4
_REQUESTS = 16


class ConflictError(TransientError):
    """Somebody else wrote this object since we looked at it."""


class Store(Protocol):
    """One bucket. Every write is conditional, so that two writers never undo each other."""

    def objects(self, prefix: str) -> list[ObjectInfo]:
        """All objects below a prefix; an error, never an empty list, when listing fails."""

    def get(self, key: str, version: str | None = None) -> bytes:
        """The content; FileNotFoundError when it is gone or is no longer `version`."""

    def tail(self, key: str, size_bytes: int) -> bytes:
        """The last bytes; FileNotFoundError when the object is gone."""

    def put(self, key: str, data: bytes, *, expected: str | None) -> str:
        """Create (None) or replace exactly that version; the new version. Raises ConflictError."""

    def delete(self, key: str, *, expected: str) -> None:
        """Delete exactly that version. Raises ConflictError."""


@dataclass(frozen=True)
class Inputs:
    """Everything that one part is computed from, as its footer says it.

    Args:
        objects: digest of the part's raw objects (`vitalake.arrivals.fingerprints.objects_digest`).
        code: digest of the declaration and code of each step so far.
        vanished: digest of the keys that changed between listing and reading, else empty. Such a part matches
            nothing that is ever wanted, so the next run redoes it.
        withheld: digest of what the store said of objects that it lists and did not give out, else empty. The part
            is what it should be, so that nobody asks for a run; a run that there is tries these objects again.
    """

    objects: str
    code: str
    vanished: str = ""
    withheld: str = ""

    def then(self, code: str) -> Inputs:
        """The inputs of what is computed from this by `code`."""
        return replace(self, code=digest(self.code, code))

    def without(self, keys: Sequence[str], withheld: Sequence[str] = ()) -> Inputs:
        """The same, had it not been for these keys, and for what the store said of those that it withheld."""
        return replace(
            self,
            vanished=digest(*keys) if keys else self.vanished,
            withheld=digest(*withheld) if withheld else self.withheld,
        )

    def __str__(self) -> str:
        return ".".join((self.objects, self.code, self.vanished, *filter(None, [self.withheld])))

    @staticmethod
    def parse(text: str) -> Inputs:
        """The reverse of str(); ValueError for anything else."""
        fields = text.split(".")
        if len(fields) not in (3, 4):
            raise ValueError("no inputs of a part")
        return Inputs(*fields)


@dataclass(frozen=True)
class Part:
    """One part of a table as it lies in the store; `inputs` is None for a file that is not a whole part of ours."""

    index: int
    key: str
    version: str
    inputs: Inputs | None
    rows: int


def parts_of(lake: Store, table: str, partition: str) -> dict[int, Part]:
    """The parts of one table's partition, by index, from a listing and the footers."""
    return parts_of_each(lake, [table], partition)[table]


def parts_of_each(lake: Store, tables: Iterable[str], partition: str) -> dict[str, dict[int, Part]]:
    """The parts of several tables, by table and index; their footers are read side by side."""
    parts: dict[str, dict[int, Part]] = {table: {} for table in tables}
    listed = [(table, *entry) for table in parts for entry in listed_parts(lake, table, partition).items()]
    with side_by_side(len(listed)) as each:
        for (table, index, _), part in zip(listed, each(partial(_part, lake), listed), strict=True):
            if part is not None:
                parts[table][index] = part
    return parts


def listed_parts(lake: Store, table: str, partition: str) -> dict[int, ObjectInfo]:
    """The objects that are parts of one table's partition, by index in order, whatever is in them."""
    prefix = parquet.partition_prefix(table, partition)
    # What lies deeper is of the hours of a day, where the table is or was built by the hour.
    items = (item for item in lake.objects(prefix) if "/" not in item.key.removeprefix(prefix))
    parts = {index: item for item in items if (index := parquet.part_index(item.key)) is not None}
    return dict(sorted(parts.items()))


@contextmanager
def side_by_side(count: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """A `map` over threads, for requests that mostly wait; the plain one where there are few."""
    if count < _FEW:
        yield map
        return
    with ThreadPoolExecutor(_REQUESTS) as pool:
        yield pool.map


def _part(lake: Store, listed: tuple[str, int, ObjectInfo]) -> Part | None:
    """A part by its footer; None where another run deleted it since the listing."""
    _, index, item = listed
    try:
        # S3 answers a request for the end of an empty object with an error.
        tail = parquet.whole_tail(partial(lake.tail, item.key)) if item.size_bytes else b""
        text, rows = parquet.footer(tail)
        return Part(index, item.key, item.version, Inputs.parse(text), rows)
    except FileNotFoundError:
        return None
    except ValueError:
        return Part(index, item.key, item.version, None, 0)


def part_inputs(lake: Store, item: ObjectInfo) -> Inputs | None:
    """What a listed part was computed from, by its footer; None where it is gone or no whole part of ours."""
    part = _part(lake, ("", 0, item))
    return part.inputs if part else None


def fingerprint_of(parts: Mapping[int, Part]) -> str:
    """The fingerprint of the raw objects that these parts were built from; `INCOMPLETE` if any has to be redone.

    Equal to `vitalake.arrivals.fingerprints.listed_fingerprint` exactly when the parts hold what is listed.
    """
    ordered = [parts[index].inputs for index in sorted(parts)]
    if sorted(parts) != list(range(len(parts))) or any(item is None or item.vanished for item in ordered):
        return INCOMPLETE
    return fingerprint(item.objects for item in ordered if item is not None)


def load_part(lake: Store, table: Table, part: Part | ObjectInfo, columns: list[str] | None = None) -> pa.Table:
    """One part as it was listed, with the columns that its table has now.

    Raises:
        ConflictError: it has been replaced since.
    """
    return parquet.decode_as(table, part_content(lake, part), columns)


def part_content(lake: Store, part: Part | ObjectInfo) -> bytes:
    """The bytes of a part as it was listed.

    Raises:
        ConflictError: it has been replaced since.
    """
    try:
        return lake.get(part.key, part.version)
    except FileNotFoundError:
        raise ConflictError(f"{part.key} was replaced while it was read") from None
