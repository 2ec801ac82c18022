"""Whether the lake is up to date with the bucket.

Belongs here: the checks `fresh` and what counts against them. Does not belong here: when it is asked
(`pipeline_assets/standing_checks.py`), what is done about it (the sensors).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from vitalake.arrivals.calendar import Partition
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.objects import Bucket, ObjectInfo
from vitalake.arrivals.partitions import by_partition
from vitalake.arrivals.sweep import Pages, Position, Sweep
from vitalake.lake.dataset import Count, Dataset, Statement, Threshold
from vitalake.lake.parquet import WHOLE
from vitalake.lake.parts import Store, fingerprint_of, parts_of, side_by_side
from vitalake.lake.stages import OverAllDays, is_built, is_combined, load_table, parts_to_combine
from vitalake.lake.tables import Table

_SHOWN = 20


class Raw(Bucket, Pages, Protocol):
    """What the check needs of the raw bucket."""


@dataclass(frozen=True)
class Overdue:
    """What was uploaded long ago and is in no table: how much of what was looked at, and of which partitions."""

    count: Count
    partitions: dict[Partition, int]


def freshness(patience: timedelta) -> Statement:
    """The table is up to date with the bucket; what counts against it is `overdue`."""
    minutes = f"{patience.total_seconds() / 60:g}"
    return Statement("fresh", f"Nothing uploaded more than {minutes} minutes ago is missing.", Threshold(0.0))


def following(patience: timedelta) -> Statement:
    """A table over all days is up to date with the tables of days; what counts against it is `behind`."""
    minutes = f"{patience.total_seconds() / 60:g}"
    return Statement("fresh", f"No day that was built more than {minutes} minutes ago is missing.", Threshold(0.0))


def overdue(
    dataset: Dataset,
    raw: Raw,
    lake: Store,
    first_day: date,
    partitions: Collection[Partition] | None,
    now: datetime,
) -> Overdue:
    """Objects of `partitions` (None: of all that have come) that were uploaded long ago and are in no table.

    A partition counts as read where its tables were built from its manifest, an object where the manifest has it
    with this version. Of all partitions, only those that differ from their objects are looked into.
    """
    calendar = dataset.calendar(first_day)
    total = None
    if partitions is None:
        sweep = Sweep(raw, dataset.prefix, calendar, dataset.group_objects, Position())
        sweep.go_on(lambda: False)
        newest = str(calendar.newest(now))
        found = {key: known for key, known in sweep.partitions().items() if key <= newest}
        total = sum(count for count, _ in found.values())
        with side_by_side(len(found)) as each:
            built = each(lambda key: is_built(lake, _read(dataset), key, found[key][1]), found)
            partitions = {Partition.parse(key) for key, is_so in zip(found, built, strict=True) if not is_so}
    listed = arrived(raw, dataset.prefix, calendar, partitions, dataset.group_objects) if partitions else []
    late: dict[Partition, list[ObjectInfo]] = {}
    for partition, group in by_partition(listed, calendar).items():
        known = _known(dataset, lake, str(partition))
        late[partition] = [
            item
            for bundle in group
            for item in bundle
            if (item.key, item.version) not in known and now - item.uploaded_at > dataset.processed_within
        ]
    items = [item for theirs in late.values() for item in theirs]
    details: dict[str, int | float | str] = {item.key: item.uploaded_at.isoformat() for item in items[:_SHOWN]}
    count = Count(len(items), sum(map(len, listed)) if total is None else total, details)
    return Overdue(count, {partition: len(theirs) for partition, theirs in late.items() if theirs})


def behind(combined: OverAllDays, lake: Store, patience: timedelta, now: datetime) -> Count:
    """Parts of days that were put longer ago and are not in the tables over all days, of all of them."""
    sources = [part for parts in parts_to_combine(combined, lake).values() for part in parts]
    if is_combined(combined, lake):
        return Count(0, len(sources))
    written = [item.uploaded_at for table in combined.tables for item in lake.objects(f"{table.name}/{WHOLE}/")]
    since = min(written, default=None)
    # A store tells times in seconds: what came in the same one may have been missed.
    missed = [part.uploaded_at for part in sources if since is None or part.uploaded_at >= since]
    late = [at for at in missed if now - at > patience]
    # A part that was deleted has no time; nothing newer, and yet not the same.
    deleted = not missed and since is not None and now - since > patience
    return Count(len(late) or int(deleted), len(sources), {"computed_at": since.isoformat()} if since else {})


def _read(dataset: Dataset) -> list[Table]:
    """The tables that every object of a partition ends in, and the manifest."""
    return [dataset.raw_table, *dataset.tables, dataset.quarantine_table]


def _known(dataset: Dataset, lake: Store, partition: str) -> set[tuple[str, str]]:
    """Key and version of the objects that were read; none, where the tables are not those of the manifest."""
    manifest, *tables = _read(dataset)
    if not is_built(lake, tables, partition, fingerprint_of(parts_of(lake, manifest.name, partition))):
        return set()
    rows = load_table(lake, manifest, partition, ["source_key", "source_version"]).to_pylist()
    return {(row["source_key"], row["source_version"]) for row in rows}
