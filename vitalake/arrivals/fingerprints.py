"""Fingerprints: what a set of objects is, in short.

Belongs here: digests. Does not belong here: what they are compared with (`planning.py`,
`vitalake/lake/reconcile.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from vitalake.arrivals.bundles import Bundle
from vitalake.arrivals.objects import ObjectInfo


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


def listed_fingerprint(arrived: Iterable[Bundle]) -> str:
    """The fingerprint that a partition should have, from its bundles in any order."""
    return objects_digest(item for bundle in arrived for item in bundle)


def as_number(item: ObjectInfo) -> int:
    """What one object adds to a digest."""
    return int.from_bytes(hashlib.sha256(item.line().encode()).digest(), "big")


def as_digest(total: int) -> str:
    """A sum of objects as a digest."""
    return f"{total % 2**256:064x}"
