"""Looking at some partitions of the raw bucket, for as long as a tick may list.

Belongs here: what those hold, the limit, and what is said where it was reached. Does not belong here: which
ones (`sensors/drops.py`, `sensors/queue.py`, `sensors/sweep.py`), a pass over everything
(`vitalake/arrivals/sweep.py`).
"""

from __future__ import annotations

import time
from collections.abc import Collection

from dagster import DagsterInstance

from resources.object_store import ObjectStore, SlowListingError
from sensors.run_state import built_partitions
from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.partitions import by_partition
from vitalake.lake.dataset import Dataset

# Dated keys of a day take a second. Where every object ever uploaded has to be listed, the sweep is the better one:
# it lists over several ticks and keeps little of what it saw.
LISTING_SECONDS = 10.0


class BoundedBucket:
    """The bucket; SlowListingError from `LISTING_SECONDS` after this object was made."""

    def __init__(self, raw: ObjectStore) -> None:
        self._raw = raw
        self._until = time.monotonic() + LISTING_SECONDS

    def objects(self, prefix: str) -> list[ObjectInfo]:
        """As the bucket, if there is time."""
        found: list[ObjectInfo] = []
        for page in self._raw.pages(prefix):
            found += page
            self._left(prefix)
        return found

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        """As the bucket, if there is time."""
        return self._raw.folders(prefix, self._left(prefix))

    def _left(self, prefix: str) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise SlowListingError(prefix)
        return left


def list_partitions(
    instance: DagsterInstance,
    raw: ObjectStore,
    dataset: Dataset,
    calendar: Calendar,
    partitions: Collection[Partition],
    built: Collection[str] | None = None,
) -> dict[str, tuple[int, str]]:
    """Partition → how many objects it has now, and their fingerprint; 0 where it was built and has none any more.

    Args:
        instance: knows which partitions were ever built.
        raw: the bucket.
        dataset: whose partitions these are.
        calendar: that of the dataset.
        partitions: which to list.
        built: partitions that were ever built; by default those that Dagster knows.

    Raises:
        SlowListingError: it takes too long.
    """
    found = arrived(BoundedBucket(raw), dataset.prefix, calendar, set(partitions), dataset.group_objects)
    groups = by_partition(found, calendar)
    listed = {str(key): (sum(map(len, group)), listed_fingerprint(group)) for key, group in groups.items()}
    gone = {str(key) for key in partitions} - listed.keys()
    if gone:
        gone &= built_partitions(instance, dataset) if built is None else set(built)
    return listed | dict.fromkeys(gone, (0, listed_fingerprint([])))


def too_slow_to_list(dataset: Dataset) -> str:
    """What a sensor says when there was too much to list."""
    return (
        f"listing takes more than {LISTING_SECONDS:.0f} s: left to {dataset.name}_sweep, which takes "
        "longer. Keys that name their day are found within seconds (docs/operations.md)"
    )
