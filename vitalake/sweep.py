"""One pass over everything below a prefix, a page at a time, that can stop anywhere and go on.

Belongs here: the fingerprint of every day from one walk over the keys, in whatever layout. Does not belong here:
when a pass starts or ends (`sensors/drops.py`), what a fingerprint is (`vitalake/arrivals.py`).

Kept are one number a day, and the objects of the folders that the walk is in as far as only the company they are in
can tell their day. So memory is that of the largest such folder, whatever the bucket holds: keys that name their
day need none, nor do datasets whose objects stand alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from vitalake.arrivals import (
    Bundle,
    ObjectInfo,
    Together,
    as_digest,
    as_number,
    dated,
    in_one_folder,
    partition_of,
)


class Pages(Protocol):
    """What a pass needs of a bucket."""

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        """All objects below a prefix, a folder's without a break; only those listed after the key `after`."""


@dataclass(frozen=True)
class Position:
    """How far a pass got, for another process to go on from: everything up to `after` is in the sums.

    Args:
        after: the last key that counts; None: at the start.
        days: day → how many objects it has so far, and their digest.
    """

    after: str | None = None
    days: Mapping[str, tuple[int, str]] = field(default_factory=dict)


class Sweep:
    """A pass. What it finds is that of the moment at which each page was listed."""

    def __init__(
        self, bucket: Pages, prefix: str, first_day: date, together: Together | None, start: Position
    ) -> None:
        self._first_day, self._together = first_day, together
        self._counts = defaultdict(int, {day: count for day, (count, _) in start.days.items()})
        self._sums = defaultdict(int, {day: int(total, 16) for day, (_, total) in start.days.items()})
        self._closed = (start.after, dict(self._counts), dict(self._sums))
        self._pages = bucket.pages(prefix, start.after)
        self._folder = ""
        self._open: dict[str, dict[str, ObjectInfo]] = {}

    def go_on(self, enough: Callable[[], bool]) -> bool:
        """List until the end (True) or until it is enough; at least one page."""
        for page in self._pages:
            for item in page:
                self._take(item)
            if page and not self._open:
                self._closed = (page[-1].key, dict(self._counts), dict(self._sums))
            if enough():
                return False
        self._leave("")
        return True

    @property
    def position(self) -> Position:
        """Where another process can go on: the last page at whose end no folder was open."""
        after, counts, sums = self._closed
        return Position(after, {day: (counts[day], as_digest(total)) for day, total in sums.items()})

    def days(self) -> dict[str, tuple[int, str]]:
        """Day → how many objects it has, and its fingerprint; complete at the end of the pass."""
        return {day: (self._counts[day], as_digest(total)) for day, total in self._sums.items()}

    def _take(self, item: ObjectInfo) -> None:
        folder, _, name = item.key.rpartition("/")
        if self._open and folder != self._folder:
            self._leave(f"{folder}/")
        self._folder = folder
        if self._together is None or dated(item.key, self._first_day):
            self._count((item,))
        else:
            self._open.setdefault(folder, {})[name] = item

    def _leave(self, where: str) -> None:
        """Count what lies in folders that do not contain the folder `where`: the walk does not come back."""
        for folder in [folder for folder in self._open if not where.startswith(f"{folder}/")]:
            names = self._open.pop(folder)
            for bundle in in_one_folder(names, self._together) if self._together else ():
                self._count(bundle)

    def _count(self, bundle: Bundle) -> None:
        day = partition_of(bundle, self._first_day).isoformat()
        self._counts[day] += len(bundle)
        self._sums[day] += sum(map(as_number, bundle))
