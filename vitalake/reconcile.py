"""The law of the lake: a partition is a pure function of its inputs, so make the parts say so.

Belongs here: the one loop that brings parts of tables in line with what they are computed from, and what it needs
of a store. Does not belong here: what a table holds (`vitalake/datasets/`), S3 (`resources/object_store.py`).

Every part carries, in its footer, the digest of everything it was computed from. A run looks at the parts first,
then at the inputs, and replaces just the parts whose digest differs, each by one atomic put that insists on the
version it saw. Looking in this order makes lost races harmless: whoever writes last has listed last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from vitalake import parquet
from vitalake.arrivals import ObjectInfo, digest, fingerprint
from vitalake.errors import TransientError
from vitalake.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

_ROUNDS = 5


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
    """What was computed for one part of each table, and the keys of objects that changed under our hands."""

    sheets: dict[str, parquet.Sheet]
    vanished: tuple[str, ...] = ()

    @staticmethod
    def of(tables: Sequence[Table], rows: Mapping[str, pa.Table]) -> Output:
        """The rows of each table, by its name, all at once."""
        output = Output({table.name: parquet.Sheet(table) for table in tables})
        output.append(rows)
        return output

    def append(self, rows: Mapping[str, pa.Table]) -> None:
        """Add a slice of some tables, by their names."""
        for name, more in rows.items():
            self.sheets[name].append(more)


@dataclass
class Report:
    """What reconciling one partition did."""

    written: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    vanished: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything was written or deleted."""
        return bool(self.written or self.deleted)


def parts_of(lake: Store, table: str, partition: str) -> dict[int, Part]:
    """The parts of one table's partition, by index, from a listing and the footers."""
    parts = {}
    for item in lake.objects(parquet.partition_prefix(table, partition)):
        index = parquet.part_index(item.key)
        if index is None:
            continue
        try:
            # S3 answers a request for the end of an empty object with an error.
            tail = parquet.whole_tail(partial(lake.tail, item.key)) if item.size_bytes else b""
            text, rows = parquet.footer(tail)
            inputs: Inputs | None = Inputs.parse(text)
        except FileNotFoundError:
            continue  # another run deleted it since the listing
        except ValueError:
            inputs, rows = None, 0
        parts[index] = Part(index, item.key, item.version, inputs, rows)
    return parts


def fingerprint_of(parts: Mapping[int, Part]) -> str:
    """The fingerprint of the raw objects that these parts were built from; "incomplete" if any has to be redone.

    Equal to `vitalake.arrivals.listed_fingerprint` exactly when the parts hold what is listed.
    """
    ordered = [parts[index].inputs for index in sorted(parts)]
    if sorted(parts) != list(range(len(parts))) or any(item is None or item.vanished for item in ordered):
        return "incomplete"
    return fingerprint(item.objects for item in ordered if item is not None)


def reconcile(
    lake: Store,
    partition: str,
    outputs: Sequence[Table],
    inputs: Callable[[], Mapping[int, Inputs]],
    compute: Callable[[int], Output],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Bring the parts of `outputs` in line with `inputs`; write only what differs.

    Args:
        lake: where parts are kept.
        partition: the day, as ``YYYY-MM-DD``.
        outputs: tables computed together, part by part.
        inputs: called after the parts were looked at; which parts should be there, by index, and from what.
        compute: the rows of the part with this index.
        progress: called with (parts done, parts to do).

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
    compute: Callable[[int], Output],
    progress: Callable[[int, int], None],
    report: Report,
) -> None:
    present = {table.name: parts_of(lake, table.name, partition) for table in outputs}
    wanted = inputs()
    report.unchanged, report.vanished, report.rows = 0, [], dict.fromkeys(present, 0)
    for done, (index, needed) in enumerate(wanted.items()):
        progress(done, len(wanted))
        stale = []
        for table in outputs:
            part = present[table.name].get(index)
            if part is not None and part.inputs == needed:
                report.unchanged += 1
                report.rows[table.name] += part.rows
            else:
                stale.append((table, part))
        if not stale:
            continue
        output = compute(index)
        inputs_used = str(needed.without(output.vanished))
        report.vanished += output.vanished
        for table, part in stale:
            key = parquet.part_key(table.name, partition, index)
            sheet = output.sheets[table.name]
            lake.put(key, sheet.close(inputs_used), expected=part.version if part else None)
            report.written.append(key)
            report.rows[table.name] += sheet.rows
    progress(len(wanted), len(wanted))
    # Surplus parts go last to first, so that a crash leaves no gap in the numbering.
    for part in _surplus(present, wanted):
        lake.delete(part.key, expected=part.version)
        report.deleted.append(part.key)


def _surplus(present: dict[str, dict[int, Part]], wanted: Mapping[int, Inputs]) -> Iterator[Part]:
    for parts in present.values():
        for index in sorted(parts, reverse=True):
            if index not in wanted:
                yield parts[index]
