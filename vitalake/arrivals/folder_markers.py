"""Folder markers: empty objects that stand for a folder and are nobody's upload.

Belongs here: which objects are no uploads. Does not belong here: telling a key that ends in a slash from one that
does not (`resources/raw_objects/exact_keys.py`).

A console that makes a folder puts an empty object under the folder's name with its slash; Hadoop and EMR put an
empty `name_$folder$`. An empty object under any other key is an upload that broke off, and one of these with
content is an upload like any other.
"""

from __future__ import annotations

from collections.abc import Iterable

from vitalake.arrivals.objects import ObjectInfo

_HADOOP = "_$folder$"


def is_folder_marker(item: ObjectInfo) -> bool:
    """Whether an object as it was listed stands for a folder."""
    return item.size_bytes == 0 and item.key.endswith(("/", _HADOOP))


def uploads(items: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """The objects that are no folder markers, in the order given."""
    return [item for item in items if not is_folder_marker(item)]
