"""One pass over everything below a prefix, a page at a time, that can stop anywhere and go on.

Belongs here: the fingerprint of every partition from one walk over the keys, in whatever layout. Does not belong
here: when a pass starts or ends (`sensors/sweep.py`), what a fingerprint is (`fingerprints.py`).

Kept are one number a partition, and the objects of the folders that the walk is in as far as only the company they
are in can tell their partition. So memory is that of the largest such folder, whatever the bucket holds: keys that
name their day need none, nor do datasets whose objects stand alone. A folder that holds everything has no limit,
600 bytes an object: names come in no order that every store keeps, so any may belong to one that is still to come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vitalake.arrivals.bundles import Bundle, GroupObjects, in_one_folder
from vitalake.arrivals.calendar import Calendar
from vitalake.arrivals.fingerprints import as_digest, as_number
from vitalake.arrivals.folder_markers import uploads
from vitalake.arrivals.keys import dated
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.partitions import partition_of


class Pages(Protocol):
    """What a pass needs of a bucket."""

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        """All objects below a prefix, a folder's without a break; only those listed after the key `after`."""

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        """The folders and the objects directly below a prefix."""


@dataclass(frozen=True)
class Position:
    """How far a pass got, for another process to go on from.

    Args:
        after: the last key that was seen; None: at the start.
        partitions: partition → how many objects it has so far, and their digest.
        open: folders the walk is in, whose objects without a day are in no sum yet. Whoever goes on lists these
            again, which does not show objects with content whose keys end in a slash: their partition then differs,
            until it is listed by itself.
    """

    after: str | None = None
    partitions: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    open: Sequence[str] = ()


class Sweep:
    """A pass. What it finds is that of the moment at which each page was listed."""

    def __init__(
        self, bucket: Pages, prefix: str, calendar: Calendar, group_objects: GroupObjects | None, start: Position
    ) -> None:
        self._bucket, self._prefix, self._calendar, self._group_objects = bucket, prefix, calendar, group_objects
        self._counts = defaultdict(int, {key: count for key, (count, _) in start.partitions.items()})
        self._sums = defaultdict(int, {key: int(total, 16) for key, (_, total) in start.partitions.items()})
        self._after, self._ended = start.after, False
        self._unlisted = list(start.open)
        self._folder = ""
        self._open: dict[str, dict[str, ObjectInfo]] = {}

    def go_on(self, enough: Callable[[], bool]) -> bool:
        """List until the end (True) or until it is enough; at least one page.

        When the bucket raises, every page before counts, and the next call goes on after it.
        """
        while self._unlisted:
            folder = self._unlisted[-1]
            _, items = self._bucket.folders(f"{folder}/")
            theirs = (each for each in uploads(items) if _folder(each) == folder and not self._stands_alone(each))
            self._open[folder] = {_name(item): item for item in theirs}
            self._unlisted.pop()
        left: list[ObjectInfo] = []
        for page in () if self._ended else self._bucket.pages(self._prefix, self._after):
            # S3 lists a folder's own object once more after its name, which is here without the slash.
            seen = left + [item for item in uploads(page) if item.key != self._after]
            safe = _where_to_stop(seen)
            for item in seen[:safe]:
                self._take(item)
            left = seen[safe:]
            if safe and enough():
                return False
        for item in left:
            self._take(item)
        self._ended = True
        self._leave("")
        return True

    @property
    def position(self) -> Position:
        """Where another process can go on."""
        return Position(self._after, self.partitions(), sorted({*self._open, *self._unlisted}))

    def partitions(self) -> dict[str, tuple[int, str]]:
        """Partition → how many objects it has, and its fingerprint; complete at the end of the pass."""
        return {key: (self._counts[key], as_digest(total)) for key, total in self._sums.items()}

    def _take(self, item: ObjectInfo) -> None:
        self._after = item.key
        folder = _folder(item)
        if self._open and folder != self._folder:
            self._leave(f"{folder}/")
        self._folder = folder
        if self._stands_alone(item):
            self._count((item,))
        else:
            self._open.setdefault(folder, {})[_name(item)] = item

    def _stands_alone(self, item: ObjectInfo) -> bool:
        return self._group_objects is None or dated(item.key, self._calendar) is not None

    def _leave(self, where: str) -> None:
        """Count what lies in folders that do not contain the folder `where`: the walk does not come back."""
        for folder in [folder for folder in self._open if not where.startswith(f"{folder}/")]:
            names = self._open.pop(folder)
            for bundle in in_one_folder(names, self._group_objects) if self._group_objects else ():
                self._count(bundle)

    def _count(self, bundle: Bundle) -> None:
        partition = str(partition_of(bundle, self._calendar))
        self._counts[partition] += len(bundle)
        self._sums[partition] += sum(map(as_number, bundle))


def _folder(item: ObjectInfo) -> str:
    return item.key.rpartition("/")[0]


def _name(item: ObjectInfo) -> str:
    return item.key.rpartition("/")[2]


def _where_to_stop(seen: Sequence[ObjectInfo]) -> int:
    """How many of these objects to take, as the listing goes on from there.

    Not all: after a folder's own object, which has the folder's name, SeaweedFS would go on behind the folder.
    """
    end = max(len(seen) - 1, 0)
    while end and seen[end].key.startswith(f"{seen[end - 1].key}/"):
        end -= 1
    return end
