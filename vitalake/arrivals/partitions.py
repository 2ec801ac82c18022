"""Partitions: which one a bundle belongs to, and how one is cut into parts.

Belongs here: pure functions from bundles to partitions and parts. Does not belong here: listing (`listing.py`),
which partitions need a run (`planning.py`), writing parts (`vitalake/lake/reconcile.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vitalake.arrivals.bundles import Bundle, completed_at, size_bytes
from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.arrivals.keys import dated
from vitalake.arrivals.objects import ObjectInfo


@dataclass(frozen=True)
class PartLimits:
    """How a partition is cut into parts, and what an object, or objects that are read together, may weigh.

    An object above `whole_bytes` that stands alone is read as a stream.
    """

    part_objects: int = 1000
    part_bytes: int = 128 * 2**20
    object_bytes: int = 64 * 2**20
    whole_bytes: int = 64 * 2**20


def partition_of(bundle: Bundle, calendar: Calendar) -> Partition:
    """The partition a bundle belongs to: the one its keys name, else that in which its last object came.

    Being a function of the bundle alone, the answer never changes. A time that has not come yet is a partition
    that waits, visibly; a date before the first day (a device whose clock was reset) counts as none.
    """
    return dated(bundle[0].key, calendar) or calendar.at(completed_at(bundle))


def by_partition(arrived: Iterable[Bundle], calendar: Calendar) -> dict[Partition, list[Bundle]]:
    """Bundles grouped by partition, each group in the order given."""
    groups: defaultdict[Partition, list[Bundle]] = defaultdict(list)
    for bundle in arrived:
        groups[partition_of(bundle, calendar)].append(bundle)
    return dict(sorted(groups.items()))


def cut(arrived: Sequence[Bundle], limits: PartLimits) -> list[list[ObjectInfo]]:
    """A partition's bundles, in upload order, cut into parts of bounded count and bytes.

    What is over the size limit is never read, so it weighs nothing.
    """
    parts: list[list[ObjectInfo]] = []
    weight = 0
    for bundle in arrived:
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
