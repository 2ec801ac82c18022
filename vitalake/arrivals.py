"""Objects that arrived: which partition each belongs to, how a partition is cut, and what it is in short.

Belongs here: which folders to list, and pure functions from a listing to partitions, parts and fingerprints. Does
not belong here: S3 itself (`resources/object_store.py`), a pass over a whole bucket (`vitalake/sweep.py`), which
partitions need a run (`vitalake/planning.py`), writing (`vitalake/reconcile.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from vitalake.dataset import Limits

# date=2026-11-20/ as Hive writes it, 2026/11/20/ as Firehose does; only whole path segments count. The last one
# does too: a console that makes a folder puts an empty object of its name, which obstore lists without the slash.
_DATE_IN_KEY = re.compile(r"(?:^|/)(?:date=(\d{4})-(\d{2})-(\d{2})|(\d{4})/(\d{2})/(\d{2}))(?:/|$)")

_YEAR_OR_MONTH = re.compile(r"/\d{4}/(?:\d{2}/)?$")
_LAST_DAY = date(2099, 12, 31)


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object as a listing shows it.

    `version` is the ETag: it changes with the content, every S3 server lists it, and a get can insist on it.
    """

    key: str
    version: str
    size_bytes: int
    uploaded_at: datetime

    def line(self) -> str:
        """All four fields in one unambiguous line, for digests: only the key may hold spaces, and it comes last."""
        return f"{self.uploaded_at.timestamp()} {self.size_bytes} {self.version} {self.key}"


# Objects that make one recording, in the order of their keys. Most recordings are one object; a header and the
# files it names are one bundle, which is never torn apart: it has one day, one part, and is read together.
Bundle = tuple[ObjectInfo, ...]

# File names of one folder -> name of the bundle each belongs to; a name that is left out stands alone.
Together = Callable[[Collection[str]], Mapping[str, str]]


class Bucket(Protocol):
    """What looking for objects needs of a bucket."""

    def objects(self, prefix: str) -> list[ObjectInfo]:
        """All objects below a prefix."""

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        """The folders (with their trailing slash) and the objects directly below a prefix."""


def date_in_key(key: str) -> date | None:
    """The first calendar date among the path segments of a key, if there is one."""
    match = _DATE_IN_KEY.search(key)
    if match is None:
        return None
    year, month, day = (int(group) for group in match.groups() if group is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def dated(key: str, first_day: date) -> date | None:
    """The date that a key names, if it is a day of the calendar: from `first_day` to 2099."""
    named = date_in_key(key)
    return named if named is not None and first_day <= named <= _LAST_DAY else None


def bundles(items: Iterable[ObjectInfo], together: Together | None) -> list[Bundle]:
    """Objects that belong together, in upload order; without `together` each stands alone.

    A function of the names in a folder alone, so that whoever lists sees the same bundles as whoever reads.
    """
    if together is None:
        return in_upload_order((item,) for item in items)
    folders: defaultdict[str, dict[str, ObjectInfo]] = defaultdict(dict)
    for item in items:
        folder, _, name = item.key.rpartition("/")
        folders[folder][name] = item
    return in_upload_order(bundle for names in folders.values() for bundle in in_one_folder(names, together))


def in_one_folder(names: Mapping[str, ObjectInfo], together: Together) -> Iterator[Bundle]:
    """The bundles of one folder, from all its objects by name."""
    group_of = together(names.keys())
    groups: defaultdict[str, list[ObjectInfo]] = defaultdict(list)
    for name, item in names.items():
        if name in group_of:
            groups[group_of[name]].append(item)
        else:
            yield (item,)
    for group in groups.values():
        yield tuple(sorted(group, key=lambda item: item.key))


def partition_of(bundle: Bundle, first_day: date) -> date:
    """The day a bundle belongs to: the one its keys name, else the UTC day on which its last object came.

    Being a function of the bundle alone, the answer never changes. A day that has not come yet is a partition
    that waits, visibly; a date before `first_day` (a device whose clock was reset) counts as none.
    """
    return dated(bundle[0].key, first_day) or max(_completed_at(bundle).date(), first_day)


def arrived(
    raw: Bucket,
    prefix: str,
    first_day: date,
    days: Collection[date] | None = None,
    together: Together | None = None,
) -> list[Bundle]:
    """The bundles below `prefix` that belong to `days` (None: all of them), in upload order.

    Folders that name another day are not listed, so a dated layout costs what is in those days; everything
    else is listed and sorted out by upload time, so no layout hides an object.
    """
    if days is None:
        return bundles(raw.objects(prefix), together)
    found, loose = _listed(raw, prefix, first_day, days)
    sure, asked = bundles(found, together), bundles(loose, together)
    theirs = [bundle for bundle in asked if partition_of(bundle, first_day) in days]
    return in_upload_order([*sure, *theirs]) if theirs else sure


def by_partition(found: Iterable[Bundle], first_day: date) -> dict[date, list[Bundle]]:
    """Bundles grouped by day, each group in the order given."""
    groups: defaultdict[date, list[Bundle]] = defaultdict(list)
    for bundle in found:
        groups[partition_of(bundle, first_day)].append(bundle)
    return dict(sorted(groups.items()))


def in_upload_order(found: Iterable[Bundle]) -> list[Bundle]:
    """Sorted by (last modified, key): new objects come last, so an append-only day keeps its early parts."""
    return sorted(found, key=lambda bundle: (_completed_at(bundle), bundle[0].key))


def cut(found: Sequence[Bundle], limits: Limits) -> list[list[ObjectInfo]]:
    """A partition's bundles, in upload order, cut into parts of bounded count and bytes.

    What is over the size limit is never read, so it weighs nothing.
    """
    parts: list[list[ObjectInfo]] = []
    weight = 0
    for bundle in found:
        size = size_bytes(bundle)
        if size > limits.object_bytes:
            size = 0
        full = parts and (len(parts[-1]) + len(bundle) > limits.part_objects or weight + size > limits.part_bytes)
        if not parts or full:
            parts.append([])
            weight = 0
        parts[-1] += bundle
        weight += size
    return parts


def size_bytes(bundle: Bundle) -> int:
    """What the objects of a bundle weigh together."""
    return sum(item.size_bytes for item in bundle)


def _completed_at(bundle: Bundle) -> datetime:
    return bundle[0].uploaded_at if len(bundle) == 1 else max(item.uploaded_at for item in bundle)


def _listed(
    raw: Bucket, prefix: str, first_day: date, days: Collection[date]
) -> tuple[list[ObjectInfo], list[ObjectInfo]]:
    """Objects in folders that name one of `days`, and objects of which only the upload time can tell."""
    folders, loose = raw.folders(prefix)
    found: list[ObjectInfo] = []
    for folder in folders:
        named = dated(folder, first_day)
        if named is not None:
            found += raw.objects(folder) if named in days else []
        elif _YEAR_OR_MONTH.search(folder):
            theirs, others = _listed(raw, folder, first_day, days)
            found += theirs
            loose += others
        else:
            loose += raw.objects(folder)
    return found, loose


def digest(*lines: str) -> str:
    """SHA-256 over lines, as 32 hex digits."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def objects_digest(items: Iterable[ObjectInfo]) -> str:
    """What a set of objects is: keys, versions, sizes and times.

    A sum of digests, so that it can be taken in any order and a page at a time: a pass over a bucket in which a
    day's objects lie anywhere needs one number a day. The order and the cut of a partition follow from the set.
    """
    return as_digest(sum(map(as_number, items)))


def fingerprint(digests: Iterable[str]) -> str:
    """What a partition's raw objects are: the digest of all its parts' objects together."""
    return as_digest(sum(int(each, 16) for each in digests))


def listed_fingerprint(found: Iterable[Bundle]) -> str:
    """The fingerprint that a partition should have, from its bundles in any order."""
    return objects_digest(item for bundle in found for item in bundle)


def as_number(item: ObjectInfo) -> int:
    """What one object adds to a digest."""
    return int.from_bytes(hashlib.sha256(item.line().encode()).digest(), "big")


def as_digest(total: int) -> str:
    """A sum of objects as a digest."""
    return f"{total % 2**256:064x}"
