"""The objects of some partitions, listed: folders that name another time are left out.

Belongs here: which folders to list. Does not belong here: S3 itself (`resources/object_store.py`), a pass over a
whole bucket (`sweep.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from vitalake.arrivals.bundles import Bundle, GroupObjects, bundles, in_upload_order
from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.arrivals.folder_markers import uploads
from vitalake.arrivals.keys import dated, names_hour
from vitalake.arrivals.objects import Bucket, ObjectInfo
from vitalake.arrivals.partitions import partition_of

_YEAR_OR_MONTH = re.compile(r"/(?:(?:19|20)\d\d/(?:\d\d/)?|year=\d{4}/(?:month=\d{1,2}/)?)$")


def arrived(
    raw: Bucket,
    prefix: str,
    calendar: Calendar,
    partitions: Collection[Partition] | None = None,
    group_objects: GroupObjects | None = None,
) -> list[Bundle]:
    """The bundles below `prefix` that belong to `partitions` (None: all of them), in upload order.

    Folders that name another day or hour are not listed, so a dated layout costs what is in those that are wanted;
    everything else is listed and sorted out by upload time, so no layout hides an object. Markers of folders are no
    uploads and in no bundle.
    """
    if partitions is None:
        return bundles(uploads(raw.objects(prefix)), group_objects)
    in_folders, loose = _listed(raw, prefix, calendar, set(partitions))
    sure, asked = bundles(uploads(in_folders), group_objects), bundles(uploads(loose), group_objects)
    theirs = [bundle for bundle in asked if partition_of(bundle, calendar) in partitions]
    return in_upload_order([*sure, *theirs]) if theirs else sure


def _listed(
    raw: Bucket, prefix: str, calendar: Calendar, wanted: set[Partition]
) -> tuple[list[ObjectInfo], list[ObjectInfo]]:
    """Objects in folders that name one of those wanted, and objects of which only the upload time can tell."""
    folders, loose = raw.folders(prefix)
    in_folders: list[ObjectInfo] = []
    for folder in folders:
        named = dated(folder, calendar)
        if named is not None:
            in_folders += _of_time(raw, folder, named, calendar, wanted)
        elif _YEAR_OR_MONTH.search(folder):
            theirs, others = _listed(raw, folder, calendar, wanted)
            in_folders += theirs
            loose += others
        else:
            loose += raw.objects(folder)
    return in_folders, loose


def _of_time(
    raw: Bucket, folder: str, named: Partition, calendar: Calendar, wanted: set[Partition]
) -> list[ObjectInfo]:
    """The objects that are wanted of a folder that names a day or an hour."""
    if calendar.unit == "day" or names_hour(folder):
        return raw.objects(folder) if named in wanted else []
    of_day = wanted.intersection(calendar.within(named.day))
    if len(of_day) in (0, len(calendar.within(named.day))):
        return raw.objects(folder) if of_day else []
    folders, items = raw.folders(folder)
    for each in folders:
        if not names_hour(each) or dated(each, calendar) in of_day:
            items += raw.objects(each)
    return [item for item in items if dated(item.key, calendar) in of_day]
