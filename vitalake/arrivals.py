"""Objects that arrived: which partition each belongs to, how a partition is cut, which partitions need a run.

Belongs here: which folders to list, and pure functions from a listing to partitions, parts, fingerprints and run
requests. Does not belong here: S3 itself (`resources/object_store.py`), writing (`vitalake/reconcile.py`), Dagster.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from vitalake.dataset import Limits

# date=2026-11-20/ as Hive writes it, 2026/11/20/ as Firehose does; only whole path segments count.
_DATE_IN_KEY = re.compile(r"(?:^|/)(?:date=(\d{4})-(\d{2})-(\d{2})|(\d{4})/(\d{2})/(\d{2}))/")

_YEAR_OR_MONTH = re.compile(r"/\d{4}/(?:\d{2}/)?$")
_LAST_DAY = date(2099, 12, 31)

_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_RETRY = timedelta(hours=1)


@dataclass(frozen=True)
class ObjectInfo:
    """One object as a listing shows it.

    `version` is the ETag: it changes with the content, every S3 server lists it, and a get can insist on it.
    """

    key: str
    version: str
    size_bytes: int
    uploaded_at: datetime

    def line(self) -> str:
        """All four fields in one unambiguous line, for digests."""
        return repr((self.key, self.version, self.size_bytes, self.uploaded_at.isoformat()))


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


def partition_of(item: ObjectInfo, first_day: date) -> date:
    """The day an object belongs to: the one its key names, else the UTC day of its upload.

    Being a function of the object alone, the answer never changes. A day that has not come yet is a partition
    that waits, visibly; a date before `first_day` (a device whose clock was reset) counts as none.
    """
    return dated(item.key, first_day) or max(item.uploaded_at.date(), first_day)


def arrived(raw: Bucket, prefix: str, first_day: date, days: Collection[date] | None = None) -> list[ObjectInfo]:
    """The objects below `prefix` that belong to `days` (None: all of them).

    Folders that name another day are not listed, so a dated layout costs what is in those days; everything
    else is listed and sorted out by upload time, so no layout hides an object.
    """
    if days is None:
        return raw.objects(prefix)
    folders, found = raw.folders(prefix)
    for folder in folders:
        named = dated(folder, first_day)
        if named is not None:
            found += raw.objects(folder) if named in days else []
        elif _YEAR_OR_MONTH.search(folder):
            found += arrived(raw, folder, first_day, days)
        else:
            found += raw.objects(folder)
    return [item for item in found if partition_of(item, first_day) in days]


def by_partition(items: Iterable[ObjectInfo], first_day: date) -> dict[date, list[ObjectInfo]]:
    """Objects grouped by day, each group in upload order."""
    groups: defaultdict[date, list[ObjectInfo]] = defaultdict(list)
    for item in items:
        groups[partition_of(item, first_day)].append(item)
    return {day: in_upload_order(group) for day, group in sorted(groups.items())}


def in_upload_order(items: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """Sorted by (last modified, key): new objects come last, so an append-only day keeps its early parts."""
    return sorted(items, key=lambda item: (item.uploaded_at, item.key))


def cut(items: Sequence[ObjectInfo], limits: Limits) -> list[list[ObjectInfo]]:
    """A partition's objects, in upload order, cut into parts of bounded count and bytes.

    Objects over the size limit are never read, so they weigh nothing.
    """
    parts: list[list[ObjectInfo]] = []
    weight = 0
    for item in items:
        size = item.size_bytes if item.size_bytes <= limits.object_bytes else 0
        full = parts and (len(parts[-1]) >= limits.part_objects or weight + size > limits.part_bytes)
        if not parts or full:
            parts.append([])
            weight = 0
        parts[-1].append(item)
        weight += size
    return parts


def digest(*lines: str) -> str:
    """SHA-256 over lines, as 32 hex digits."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def objects_digest(items: Iterable[ObjectInfo]) -> str:
    """What the objects of one part are: keys, versions, sizes and times, in order."""
    return digest(*(item.line() for item in items))


def fingerprint(part_digests: Iterable[str]) -> str:
    """What a partition's raw objects are: the digest of its parts' digests, in order."""
    return digest(*part_digests)


def listed_fingerprint(items: Iterable[ObjectInfo], limits: Limits) -> str:
    """The fingerprint that a partition should have, from a listing in any order."""
    return fingerprint(objects_digest(part) for part in cut(in_upload_order(items), limits))


@dataclass(frozen=True)
class PartitionState:
    """What the orchestrator knows of a partition and the fingerprint now listed for it.

    Args:
        recorded: every table of the partition was last built from this very fingerprint.
        active: a run of the partition is queued or under way.
        attempts: runs for this fingerprint that have ended.
        last_ended_at: when the last of them ended.
    """

    recorded: bool
    active: bool = False
    attempts: int = 0
    last_ended_at: datetime | None = None


@dataclass(frozen=True)
class RunPlan:
    """One run to request."""

    dataset: str
    partition: str
    fingerprint: str
    attempt: int

    @property
    def run_key(self) -> str:
        """Unique per dataset, partition, content and attempt: the same request twice is one run."""
        return f"{self.dataset}:{self.partition}:{self.fingerprint}:{self.attempt}"


def plan(
    dataset: str, listed: Mapping[str, str], states: Mapping[str, PartitionState], now: datetime
) -> list[RunPlan]:
    """The runs to request now, newest partition first.

    Args:
        dataset: name of the dataset.
        listed: partition → fingerprint of its raw objects, as just listed.
        states: what is known of each of these partitions.
        now: the present, for the pause between attempts (30 s, doubled each time, at most an hour).
    """
    plans = []
    for partition in sorted(listed, reverse=True):
        state = states[partition]
        if state.recorded or state.active:
            continue
        if state.attempts and state.last_ended_at is not None:
            pause = min(_FIRST_RETRY * 2 ** min(state.attempts - 1, 20), _LONGEST_RETRY)
            if now < state.last_ended_at + pause:
                continue
        plans.append(RunPlan(dataset, partition, listed[partition], state.attempts))
    return plans
