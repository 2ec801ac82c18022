"""The objects of some partitions, listed: folders that name another date are left out.

Belongs here: which folders to list. Does not belong here: S3 itself (`resources/object_store.py`), a pass over a
whole bucket (`sweep.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from vitalake.arrivals.bundles import Bundle, GroupObjects, bundles, in_upload_order
from vitalake.arrivals.keys import dated
from vitalake.arrivals.objects import Bucket, ObjectInfo
from vitalake.arrivals.partitions import partition_of

_YEAR_OR_MONTH = re.compile(r"/\d{4}/(?:\d{2}/)?$")


def arrived(
    raw: Bucket,
    prefix: str,
    first_day: date,
    days: Collection[date] | None = None,
    group_objects: GroupObjects | None = None,
) -> list[Bundle]:
    """The bundles below `prefix` that belong to `days` (None: all of them), in upload order.

    Folders that name another day are not listed, so a dated layout costs what is in those days; everything
    else is listed and sorted out by upload time, so no layout hides an object.
    """
    if days is None:
        return bundles(raw.objects(prefix), group_objects)
    found, loose = _listed(raw, prefix, first_day, days)
    sure, asked = bundles(found, group_objects), bundles(loose, group_objects)
    theirs = [bundle for bundle in asked if partition_of(bundle, first_day) in days]
    return in_upload_order([*sure, *theirs]) if theirs else sure


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
