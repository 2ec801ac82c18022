"""The raw bucket for as long as a tick may list.

Belongs here: the limit, and what is said where it was reached. Does not belong here: who lists
(`sensors/drops.py`, `sensors/queue.py`); the sweep needs no limit, it stops and goes on.
"""

from __future__ import annotations

import time

from resources.object_store import ObjectStore, SlowListingError
from vitalake.arrivals import ObjectInfo
from vitalake.dataset import Dataset

# Dated keys of a day take a second. Where every object ever uploaded has to be listed, the sweep is the better one:
# it lists over several ticks and keeps little of what it saw.
LISTING_SECONDS = 10.0


class InTime:
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


def left_to_the_sweep(dataset: Dataset) -> str:
    """What a sensor says when there was too much to list."""
    return (
        f"there is more than can be listed in {LISTING_SECONDS:.0f} s: left to {dataset.name}_sweep, which takes "
        "longer. Keys that name their day are found within seconds (docs/operations.md)"
    )
