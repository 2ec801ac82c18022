"""Whether the lake is up to date with the bucket.

Belongs here: the check `fresh` and what counts against it. Does not belong here: when it is asked
(`pipeline_assets/standing_checks.py`), what is done about it (the sensors).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Protocol

from vitalake.arrivals import Bucket, ObjectInfo, arrived, by_partition
from vitalake.dataset import Count, Dataset, Statement, Threshold
from vitalake.reconcile import Store, fingerprint_of, parts_of
from vitalake.stages import load_table
from vitalake.sweep import Pages, Position, Sweep

_SHOWN = 20


class Raw(Bucket, Pages, Protocol):
    """What the check needs of the raw bucket."""


def freshness(patience: timedelta) -> Statement:
    """The table is up to date with the bucket; what counts against it is `overdue`."""
    minutes = f"{patience.total_seconds() / 60:g}"
    return Statement("fresh", f"Nothing uploaded more than {minutes} minutes ago is missing.", Threshold(0.0))


def overdue(
    dataset: Dataset, raw: Raw, lake: Store, first_day: date, days: Collection[date] | None, now: datetime
) -> Count:
    """Objects of `days` (None: of all) that were uploaded long ago and are not in the manifest with this version.

    Of all days, only those that differ from their objects are looked into.
    """
    total = None
    if days is None:
        sweep = Sweep(raw, dataset.prefix, first_day, dataset.together, Position())
        sweep.go_on(lambda: False)
        found = sweep.days()
        total = sum(count for count, _ in found.values())
        name = dataset.raw_table.name
        days = {
            date.fromisoformat(day)
            for day, (_, digest) in found.items()
            if fingerprint_of(parts_of(lake, name, day)) != digest
        }
    listed = arrived(raw, dataset.prefix, first_day, days, dataset.together) if days else []
    late: list[ObjectInfo] = []
    for day, group in by_partition(listed, first_day).items():
        rows = load_table(lake, dataset.raw_table, day.isoformat(), ["source_key", "source_version"]).to_pylist()
        known = {(row["source_key"], row["source_version"]) for row in rows}
        objects = [item for bundle in group for item in bundle]
        late += [
            item
            for item in objects
            if (item.key, item.version) not in known and now - item.uploaded_at > dataset.processed_within
        ]
    details: dict[str, int | float | str] = {item.key: item.uploaded_at.isoformat() for item in late[:_SHOWN]}
    return Count(len(late), sum(map(len, listed)) if total is None else total, details)
