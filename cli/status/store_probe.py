"""Whether a bucket can be read: listing goes on where contents are gone, since other parts of a store keep them.

Belongs here: reading a few objects. Does not belong here: what follows from it (`cli/status/health.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.object_store import SlowListingError
from vitalake.errors import PermanentError, VitalakeError

if TYPE_CHECKING:
    from resources.object_store import ObjectStore
    from vitalake.arrivals.objects import ObjectInfo

_DEPTH = 8  # of folders in folders that are looked into
_OBJECTS = 6
_LISTING_S = 2.0
_BYTES = 1024


def unreadable(bucket: ObjectStore) -> str | None:
    """Why objects cannot be read: a few old and new ones of some folders are tried; None if they can.

    One that is denied by itself, as one in an archive is, says nothing of the bucket.

    Raises:
        VitalakeError: the bucket cannot be listed.
    """
    denied, read = "", 0
    for item in _few(bucket):
        try:
            bucket.tail(item.key, _BYTES)
            read += 1
        except FileNotFoundError:  # deleted since it was listed
            continue
        except PermanentError as error:
            denied = f"objects are listed and cannot be read: {error}"
        except VitalakeError as error:
            return f"objects are listed and cannot be read: {error}"
    return denied if denied and not read else None


def _few(bucket: ObjectStore) -> list[ObjectInfo]:
    try:
        folders, items = bucket.folders("", _LISTING_S)
    except SlowListingError:  # very many objects in no folder
        return []
    folders.sort()
    for folder in {folders[0], folders[len(folders) // 2], folders[-1]} if folders else ():
        old, new = next(bucket.pages(folder), []), _newest(bucket, folder)
        items += [*old[:1], *new[-1:]]
    return [item for item in items[-_OBJECTS:] if item.size_bytes]


def _newest(bucket: ObjectStore, folder: str) -> list[ObjectInfo]:
    """The objects of the last of its folders, where folders are called after days; none if that takes long."""
    for _ in range(_DEPTH):
        try:
            below, items = bucket.folders(folder, _LISTING_S)
        except SlowListingError:
            return []
        if not below:
            return items
        folder = max(below)
    return []
