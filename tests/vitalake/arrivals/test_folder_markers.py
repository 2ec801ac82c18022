"""What stands for a folder is no upload: it is in no bundle and no partition, however the bucket is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from tests.vitalake.notes import DAYS
from vitalake.arrivals.calendar import Partition
from vitalake.arrivals.folder_markers import is_folder_marker, uploads
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.sweep import Position, Sweep

AT = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
MARKERS = [
    "ecg/",
    "ecg/date=2026-11-20/",
    "ecg/date=2026-11-20/device=a/",
    "ecg/date=2026-11-20_$folder$",
    "ecg/_$folder$",
    "ecg/clinic/",
    "ecg//",
]
UPLOADS = [
    ("ecg/date=2026-11-20/", 7),
    ("ecg/date=2026-11-20_$folder$", 7),
    ("ecg/date=2026-11-20/empty", 0),
    ("ecg/date=2026-11-20/$folder$", 0),
    ("ecg/date=2026-11-20/x_$folder$.csv", 0),
]


def item(key: str, size_bytes: int = 0) -> ObjectInfo:
    return ObjectInfo(key, '"d41d8cd98f00b204e9800998ecf8427e"', size_bytes, AT)


class Listed:
    """A bucket of these objects, an object a page."""

    def __init__(self, *items: ObjectInfo) -> None:
        self.items = list(items)

    def objects(self, prefix: str) -> list[ObjectInfo]:
        return [each for each in self.items if each.key.startswith(prefix)]

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        for each in self.objects(prefix):
            if after is None or each.key > after:
                yield [each]

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        found = [(each, each.key.removeprefix(prefix).partition("/")) for each in self.objects(prefix)]
        folders = {f"{prefix}{name}/" for _, (name, slash, _) in found if slash}
        return sorted(folders), [each for each, (_, slash, _) in found if not slash]


@pytest.mark.parametrize("key", MARKERS)
def test_an_empty_object_that_stands_for_a_folder_is_nobody_s_upload(key: str) -> None:
    assert is_folder_marker(item(key))
    bucket = Listed(item(key))
    assert arrived(bucket, "ecg/", DAYS) == []
    assert arrived(bucket, "ecg/", DAYS, {Partition.parse("2026-11-20")}) == []
    sweep = Sweep(bucket, "ecg/", DAYS, None, Position())
    assert sweep.go_on(lambda: False)
    assert sweep.partitions() == {}


@pytest.mark.parametrize(("key", "size_bytes"), UPLOADS)
def test_any_other_object_is_an_upload_also_an_empty_one(key: str, size_bytes: int) -> None:
    found = item(key, size_bytes)
    assert not is_folder_marker(found)
    assert uploads([found]) == [found]
    assert arrived(Listed(found), "ecg/", DAYS) == [(found,)]


@pytest.mark.parametrize("together", [True, False])
def test_a_pass_that_stops_at_every_page_counts_no_marker_and_comes_to_its_end(together: bool) -> None:
    found = sorted([*map(item, MARKERS), item("ecg/clinic/a", 3), item("ecg/date=2026-11-20/b", 3)], key=str)
    bucket, position, ended = Listed(*found), Position(), False
    for _ in range(len(found) + 1):
        sweep = Sweep(bucket, "ecg/", DAYS, (lambda _: {}) if together else None, position)
        ended = sweep.go_on(lambda: True)
        position = sweep.position
        if ended:
            break
    assert ended
    assert {day: count for day, (count, _) in sweep.partitions().items()} == {"2026-11-20": 2}
