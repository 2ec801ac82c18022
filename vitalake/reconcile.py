"""The law of the lake: a partition is a pure function of its inputs, so make the parts say so.

Belongs here: the one loop that brings parts of tables in line with what they are computed from, and what it needs
of a store. Does not belong here: what a table holds (`vitalake/datasets/`), S3 (`resources/object_store.py`).

Every part carries, in its footer, the digest of everything it was computed from. A run looks at the parts first,
then at the inputs, and replaces just the parts whose digest differs, each by one atomic put that insists on the
version it saw. Looking in this order makes lost races harmless: whoever writes last has listed last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from vitalake import parquet
from vitalake.arrivals import ObjectInfo, digest, fingerprint
from vitalake.errors import TransientError
from vitalake.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

INCOMPLETE = "incomplete"
_ROUNDS = 5
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
        objects: digest of the part's raw objects (`vitalake.arrivals.objects_digest`).
        code: digest of the declaration and code of each step so far.
        vanished: digest of the keys that changed between listing and reading, else empty. Such a part matches
            nothing that is ever wanted, so the next run redoes it.
    """

    objects: str
    code: str
    vanished: str = ""

    def then(self, code: str) -> Inputs:
        """The inputs of what is computed from this by `code`."""
        return Inputs(self.objects, digest(self.code, code), self.vanished)

    def without(self, keys: Sequence[str]) -> Inputs:
        """The same, had it not been for these keys."""
        return Inputs(self.objects, self.code, digest(*keys)) if keys else self

    def __str__(self) -> str:
        return ".".join((self.objects, self.code, self.vanished))

    @staticmethod
    def parse(text: str) -> Inputs:
        """The reverse of str(); ValueError for anything else."""
        objects, code, vanished = text.split(".")
        return Inputs(objects, code, vanished)


@dataclass(frozen=True)
class Part:
    """One part of a table as it lies in the store; `inputs` is None for a file that is not a whole part of ours."""

    index: int
    key: str
    version: str
    inputs: Inputs | None
    rows: int


@dataclass(frozen=True)
class Output:
    """What was computed for one part: of each table its bytes, and the keys of objects that changed meanwhile."""

    parts: Mapping[str, parquet.Encoded]
    vanished: tuple[str, ...] = ()


# From the parts to compute, by index, to their outputs in this order. Each part is written before the next output
# is asked for, so whoever spreads the work over processes may be ahead, and nothing piles up.
Compute = Callable[[Mapping[int, Inputs]], Iterable[Output]]


class Sheets:
    """One part of several tables while it is computed, slice by slice."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._sheets = {table.name: parquet.Sheet(table) for table in tables}

    def append(self, rows: Mapping[str, pa.Table]) -> None:
        """Add a slice of some tables, by their names."""
        for name, more in rows.items():
            self._sheets[name].append(more)

    def close(self, inputs: Inputs, vanished: Sequence[str] = ()) -> Output:
        """The part; without the keys in `vanished` it was computed from other inputs than it should be."""
        text = str(inputs.without(vanished))
        return Output({name: sheet.close(text) for name, sheet in self._sheets.items()}, tuple(vanished))


@dataclass
class Report:
    """What reconciling one partition did.

    Args:
        written, deleted: keys of parts.
        unchanged: parts that were already as they should be.
        vanished: keys of objects that changed between listing and reading.
        rows: table → rows of the partition.
        fingerprint: of the raw objects that the partition is now built from, as `fingerprint_of` would read it.
    """

    written: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    vanished: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    fingerprint: str = INCOMPLETE

    @property
    def changed(self) -> bool:
        """Whether anything was written or deleted."""
        return bool(self.written or self.deleted)


def parts_of(lake: Store, table: str, partition: str) -> dict[int, Part]:
    """The parts of one table's partition, by index, from a listing and the footers."""
    return parts_of_each(lake, [table], partition)[table]


def parts_of_each(lake: Store, tables: Iterable[str], partition: str) -> dict[str, dict[int, Part]]:
    """The parts of several tables, by table and index; their footers are read side by side."""
    found: dict[str, dict[int, Part]] = {table: {} for table in tables}
    listed = [(table, *entry) for table in found for entry in listed_parts(lake, table, partition).items()]
    with side_by_side(len(listed)) as each:
        for (table, index, _), part in zip(listed, each(partial(_part, lake), listed), strict=True):
            if part is not None:
                found[table][index] = part
    return found


def listed_parts(lake: Store, table: str, partition: str) -> dict[int, ObjectInfo]:
    """The objects that are parts of one table's partition, by index in order, whatever is in them."""
    items = lake.objects(parquet.partition_prefix(table, partition))
    found = {index: item for item in items if (index := parquet.part_index(item.key)) is not None}
    return dict(sorted(found.items()))


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


def fingerprint_of(parts: Mapping[int, Part]) -> str:
    """The fingerprint of the raw objects that these parts were built from; `INCOMPLETE` if any has to be redone.

    Equal to `vitalake.arrivals.listed_fingerprint` exactly when the parts hold what is listed.
    """
    ordered = [parts[index].inputs for index in sorted(parts)]
    if sorted(parts) != list(range(len(parts))) or any(item is None or item.vanished for item in ordered):
        return INCOMPLETE
    return fingerprint(item.objects for item in ordered if item is not None)


def reconcile(
    lake: Store,
    partition: str,
    outputs: Sequence[Table],
    inputs: Callable[[], Mapping[int, Inputs]],
    compute: Compute,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Bring the parts of `outputs` in line with `inputs`; write only what differs.

    Args:
        lake: where parts are kept.
        partition: the day, as ``YYYY-MM-DD``.
        outputs: tables computed together, part by part.
        inputs: called after the parts were looked at; which parts should be there, by index, and from what.
        compute: from the parts to compute to what they hold.
        progress: called with (parts written, parts to write).

    Raises:
        ConflictError: another run kept winning; the partition is its problem now, retry later.
    """
    report = Report()
    for _ in range(_ROUNDS):
        try:
            _round(lake, partition, outputs, inputs, compute, progress, report)
        except ConflictError:
            continue  # somebody else wrote: look again, from the start
        return report
    raise ConflictError(f"{outputs[0].name} {partition}: another run kept writing the same parts; try again later")


def _round(
    lake: Store,
    partition: str,
    outputs: Sequence[Table],
    inputs: Callable[[], Mapping[int, Inputs]],
    compute: Compute,
    progress: Callable[[int, int], None],
    report: Report,
) -> None:
    present = parts_of_each(lake, [table.name for table in outputs], partition)
    wanted = inputs()
    report.unchanged, report.vanished, report.rows = 0, [], dict.fromkeys(present, 0)
    stale: defaultdict[int, list[str]] = defaultdict(list)
    for index, needed in wanted.items():
        for name, parts in present.items():
            part = parts.get(index)
            if part is not None and part.inputs == needed:
                report.unchanged += 1
                report.rows[name] += part.rows
            else:
                stale[index].append(name)
    computed = compute({index: wanted[index] for index in stale})
    for done, ((index, names), output) in enumerate(zip(stale.items(), computed, strict=True)):
        progress(done, len(stale))
        report.vanished += output.vanished
        for name in names:
            key, part = parquet.part_key(name, partition, index), present[name].get(index)
            lake.put(key, output.parts[name].data, expected=part.version if part else None)
            report.written.append(key)
            report.rows[name] += output.parts[name].rows
    progress(len(stale), len(stale))
    # Surplus parts go last to first, so that a crash leaves no gap in the numbering.
    for part in _surplus(present, wanted):
        lake.delete(part.key, expected=part.version)
        report.deleted.append(part.key)
    whole = not report.vanished and not any(needed.vanished for needed in wanted.values())
    report.fingerprint = fingerprint(needed.objects for needed in wanted.values()) if whole else INCOMPLETE


def _surplus(present: dict[str, dict[int, Part]], wanted: Mapping[int, Inputs]) -> Iterator[Part]:
    for parts in present.values():
        for index in sorted(parts, reverse=True):
            if index not in wanted:
                yield parts[index]
