"""The law of the lake: a partition is a pure function of its inputs, so make the parts say so.

Belongs here: the one loop that brings parts of tables in line with what they are computed from, and the inputs of
those that follow the parts of another table. Does not belong here: looking at parts (`vitalake/lake/parts.py`),
what a table holds (`vitalake/datasets/`).

Every part carries, in its footer, the digest of everything it was computed from. A run looks at the parts first,
then at the inputs, and replaces just the parts whose digest differs, each by one atomic put that insists on the
version it saw. Looking in this order makes lost races harmless: whoever writes last has listed last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vitalake.arrivals.fingerprints import fingerprint
from vitalake.lake import parquet
from vitalake.lake.parts import INCOMPLETE, ConflictError, Inputs, Part, Store, parts_of, parts_of_each
from vitalake.lake.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[int, int], None]  # called with (parts written, parts to write)
_ROUNDS = 5


@dataclass(frozen=True)
class Output:
    """What was computed for one part: of each table its bytes, and the keys of objects that changed meanwhile.

    `inputs` are those that it was computed from in the end, where these may not be the ones that were wanted.
    """

    parts: Mapping[str, parquet.Encoded]
    vanished: tuple[str, ...] = ()
    inputs: Inputs | None = None


# From the parts to compute, by index, to their outputs in this order. Each part is written before the next output
# is asked for, so whoever spreads the work over processes may be ahead, and nothing piles up.
Compute = Callable[[Mapping[int, Inputs]], Iterable[Output]]


class PartWriter:
    """One part of several tables while it is computed, slice by slice."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._sheets = {table.name: parquet.TableWriter(table) for table in tables}

    def append(self, rows: Mapping[str, pa.Table]) -> None:
        """Add a slice of some tables, by their names."""
        for name, more in rows.items():
            self._sheets[name].append(more)

    def close(self, inputs: Inputs, vanished: Sequence[str] = (), withheld: Sequence[str] = ()) -> Output:
        """The part; without the keys in `vanished` it was computed from other inputs than it should be.

        `withheld` is what the store said of objects that it did not give out.
        """
        used = inputs.without(vanished, withheld)
        parts = {name: sheet.close(str(used)) for name, sheet in self._sheets.items()}
        return Output(parts, tuple(vanished), used)


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


def reconcile(
    lake: Store,
    partition: str,
    outputs: Sequence[Table],
    inputs: Callable[[], Mapping[int, Inputs]],
    compute: Compute,
    progress: Progress = lambda _done, _total: None,
) -> Report:
    """Bring the parts of `outputs` in line with `inputs`; write only what differs.

    Args:
        lake: where parts are kept.
        partition: the day or hour, as ``YYYY-MM-DD`` or ``YYYY-MM-DDTHH``.
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
    progress: Progress,
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
            if (
                part is not None and part.inputs == output.inputs
            ):  # the same once more: the store withholds as before
                report.unchanged += 1
                report.rows[name] += part.rows
                continue
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


def following(
    lake: Store, table: Table, partition: str, parts: dict[int, Part], code: str
) -> Callable[[], dict[int, Inputs]]:
    """Inputs that are the parts of another table and `code`; the parts are remembered in `parts` for computing."""

    def inputs() -> dict[int, Inputs]:
        parts.clear()
        parts.update(parts_of(lake, table.name, partition))
        if any(part.inputs is None for part in parts.values()):
            raise ConflictError(
                f"{table.name} {partition} holds a file that is no part of ours; materialize it first"
            )
        return {index: part.inputs.then(code) for index, part in sorted(parts.items()) if part.inputs is not None}

    return inputs
