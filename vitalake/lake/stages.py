"""The stages around reading: list the objects of a partition, derive from what was read, combine all days.

Belongs here: what each stage takes and gives, in terms of `reconcile`. Does not belong here: the loop itself
(`vitalake/lake/reconcile.py`), the stage that reads (`vitalake/lake/reading.py`), formats and rules
(`vitalake/datasets/`), scheduling (`pipeline_assets/`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Protocol

from vitalake.arrivals.calendar import Partition
from vitalake.arrivals.fingerprints import digest, objects_digest
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.objects import Bucket, ObjectInfo
from vitalake.arrivals.partitions import cut
from vitalake.lake import parquet
from vitalake.lake.contents import object_columns
from vitalake.lake.dataset import Combined, Dataset, Derived
from vitalake.lake.parts import (
    Inputs,
    Part,
    Store,
    fingerprint_of,
    listed_parts,
    load_part,
    part_content,
    parts_of,
    side_by_side,
)
from vitalake.lake.reconcile import Output, PartWriter, Progress, Report, following, reconcile
from vitalake.lake.tables import Table
from vitalake.lake.versions.changed_declaration import require_readable
from vitalake.lake.versions.code_version import code_digest
from vitalake.lake.workers import spread

if TYPE_CHECKING:
    import pyarrow as pa


def list_objects(
    dataset: Dataset, raw: Bucket, lake: Store, partition: str, first_day: date, progress: Progress
) -> Report:
    """Write the manifest ``raw_<dataset>``: which objects the partition has and in which part each is."""
    parts: dict[int, list[ObjectInfo]] = {}

    def inputs() -> dict[int, Inputs]:
        calendar, wanted = dataset.calendar(first_day), {Partition.parse(partition)}
        bundles = arrived(raw, dataset.prefix, calendar, wanted, dataset.group_objects)
        parts.clear()
        parts.update(enumerate(cut(bundles, dataset.limits)))
        return {index: Inputs(objects_digest(part), code_digest(dataset)) for index, part in parts.items()}

    table = dataset.raw_table

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        if stale:  # this stage is the first that writes where anything is declared otherwise
            require_readable(lake, dataset.all_tables, dataset.partition)
        for index, needed in stale.items():
            sheets = PartWriter([table])
            sheets.append({table.name: table.from_rows([object_columns(item) for item in parts[index]])})
            yield sheets.close(needed)

    return reconcile(lake, partition, [table], inputs, compute, progress)


def derive(
    dataset: Dataset, derived: Derived, lake: Store, partition: str, progress: Progress, processes: int | None = 1
) -> Report:
    """Compute derived tables part by part from the table they follow; those that `derived` names, of all it can."""
    source: dict[int, Part] = {}
    table = next(table for table in dataset.tables if table.name == derived.source)
    work = partial(_derive_part, derived, table, lake)

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        if stale:
            require_readable(lake, derived.tables, dataset.partition)
        return spread(work, ((source[index], stale[index]) for index in stale), processes)

    inputs = following(lake, table, partition, source, code_digest(dataset))
    return reconcile(lake, partition, derived.tables, inputs, compute, progress)


def combine(dataset: Dataset, combined: Combined, lake: Store, progress: Progress) -> Report:
    """Compute tables over all days anew, if any part of a day that they read has changed."""
    sources: dict[str, list[ObjectInfo]] = {}

    def inputs() -> dict[int, Inputs]:
        sources.update(parts_to_combine(combined, lake))
        return {0: Inputs(combined_digest(sources), code_digest(dataset))}

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        for needed in stale.values():
            wanted = combined.sources.items()
            tables = {
                name: _load_all(lake, dataset.table(name), sources[name], columns) for name, columns in wanted
            }
            rows = combined.compute(tables)
            sheets = PartWriter(combined.tables)
            sheets.append({table.name: rows[table.name] for table in combined.tables})
            yield sheets.close(needed)

    return reconcile(lake, parquet.WHOLE, combined.tables, inputs, compute, progress)


class OverAllDays(Protocol):
    """Tables over all days, and the tables that they are computed from."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """What is computed."""

    @property
    def sources(self) -> Collection[str]:
        """The names of what is read."""


def parts_to_combine(combined: OverAllDays, lake: Store) -> dict[str, list[ObjectInfo]]:
    """Source table → its parts of all days, by key."""
    parts = {}
    for name in combined.sources:
        seed = parquet.partition_prefix(name, parquet.SEED_PARTITION)  # of no day; also of its hours
        items = (item for item in lake.objects(f"{name}/") if parquet.part_index(item.key) is not None)
        parts[name] = sorted((item for item in items if not item.key.startswith(seed)), key=lambda item: item.key)
    return parts


def combined_digest(sources: Mapping[str, Sequence[ObjectInfo]]) -> str:
    """What these parts hold, in short. Not their times: the same days built elsewhere are the same."""
    return digest(*(f"{item.version} {item.key}" for parts in sources.values() for item in parts))


def is_combined(combined: OverAllDays, lake: Store) -> bool:
    """Whether tables over all days are computed from the parts that there are now; of no parts, have no rows."""
    sources = parts_to_combine(combined, lake)
    built = [parts_of(lake, table.name, parquet.WHOLE).get(0) for table in combined.tables]
    if not any(sources.values()) and not any(part.rows for part in built if part):
        return True
    wanted = combined_digest(sources)
    return all(part is not None and part.inputs is not None and part.inputs.objects == wanted for part in built)


def _load_all(lake: Store, table: Table, parts: Sequence[ObjectInfo], columns: list[str] | None = None) -> pa.Table:
    import pyarrow as pa

    empty = pa.Table.from_batches([], table.arrow_schema()).select(columns or table.names)
    with side_by_side(len(parts)) as each:
        return pa.concat_tables([empty, *each(lambda part: load_part(lake, table, part, columns), parts)])


def _derive_part(derived: Derived, table: Table, lake: Store, task: tuple[Part, Inputs]) -> Output:
    source, needed = task
    rows = derived.compute(load_part(lake, table, source, derived.columns))
    sheets = PartWriter(derived.tables)
    sheets.append({table.name: rows[table.name] for table in derived.tables})
    return sheets.close(needed)


def load_columns(
    dataset: Dataset, lake: Store, partition: str, wanted: Iterable[Mapping[str, list[str]]]
) -> dict[str, pa.Table]:
    """All the columns that are wanted of tables of a partition, by table; each part is fetched once."""
    columns: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for names in wanted:
        for table, of_table in names.items():
            columns[table] |= dict.fromkeys(of_table)
    return {
        name: load_table(lake, dataset.table(name), partition, list(of_table)) for name, of_table in columns.items()
    }


def load_table(lake: Store, table: Table, partition: str, columns: list[str] | None = None) -> pa.Table:
    """A partition of a table, all parts together, in order."""
    return _load_all(lake, table, list(listed_parts(lake, table.name, partition).values()), columns)


def is_built(lake: Store, tables: Iterable[Table], partition: str, fingerprint: str) -> bool:
    """Whether these tables of a partition were built from the raw objects with this fingerprint."""
    return all(fingerprint_of(parts_of(lake, table.name, partition)) == fingerprint for table in tables)


def newest_part(lake: Store, table: Table, partition: str) -> parquet.Rows | None:
    """The last part of a partition: where the latest uploads are. None when there is no part."""
    parts = listed_parts(lake, table.name, partition)
    return parquet.Rows(part_content(lake, parts[max(parts)])) if parts else None
