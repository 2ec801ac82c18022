"""Whether a bucket can be read: listing goes on where contents are gone, since other parts of a store keep them.

Belongs here: reading a few objects. Does not belong here: what follows from it (`cli/health.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitalake.errors import VitalakeError

if TYPE_CHECKING:
    from resources.object_store import ObjectStore
    from vitalake.arrivals import ObjectInfo

_FOLDERS = 50  # that are looked into, a request each
_OBJECTS = 3
_BYTES = 1024


def unreadable(bucket: ObjectStore) -> str | None:
    """Why one of three objects cannot be read, the oldest, the newest and one between; None if they can.

    Raises:
        VitalakeError: the bucket cannot be listed.
    """
    for item in _few(bucket):
        try:
            bucket.tail(item.key, _BYTES)
        except FileNotFoundError:  # deleted since it was listed
            continue
        except VitalakeError as error:
            return f"objects are listed and cannot be read: {error}"
    return None


def _few(bucket: ObjectStore) -> list[ObjectInfo]:
    folders, items = bucket.folders("")
    for folder in folders[:_FOLDERS]:
        items += next(bucket.pages(folder), [])
    items = sorted((item for item in items if item.size_bytes), key=lambda item: (item.uploaded_at, item.key))
    if len(items) <= _OBJECTS:
        return items
    return [items[0], items[len(items) // 2], items[-1]]
