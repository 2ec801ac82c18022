"""A pass over a bucket finds what listing it at once finds, wherever it stops and whoever goes on."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.object_store import ObjectStore
from tests.vitalake.notes import upload
from vitalake.arrivals import ObjectInfo, Together, bundles, by_partition, listed_fingerprint
from vitalake.sweep import Position, Sweep

FIRST_DAY = date(2015, 1, 1)
NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


class Paged:
    """A bucket that is its objects, in pages of a few, in the order of S3 or in that of a file system."""

    def __init__(self, items: list[ObjectInfo], page: int, by_folder: bool) -> None:
        self.items = sorted(items, key=lambda item: item.key.split("/") if by_folder else item.key)
        self.page = page

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        keys = [item.key for item in self.items]
        first = keys.index(after) + 1 if after else 0
        for at in range(first, len(self.items), self.page):
            yield [item for item in self.items[at : at + self.page] if item.key.startswith(prefix)]


def halves(names: Collection[str]) -> dict[str, str]:
    """`x.1` and `x.2` belong together."""
    return {name: name[:-2] for name in names if name.endswith((".1", ".2"))}


folders = st.sampled_from(["", "date=2026-11-20/", "b/", "b/c/", "b/date=2026-11-19/", "b-/", "2026/11/20/"])
keys = st.builds("ecg/{}{}{}".format, folders, st.sampled_from("abc"), st.sampled_from(["", ".1", ".2", ".x"]))
times = st.sampled_from([NOON, NOON + timedelta(days=1), NOON - timedelta(days=400), NOON - timedelta(days=9999)])


@given(
    st.dictionaries(keys, times, max_size=25),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([None, halves]),
    st.randoms(use_true_random=False),
)
def test_a_pass_that_stops_and_goes_on_finds_what_one_listing_finds(
    uploaded: dict[str, datetime], page: int, by_folder: bool, together: Together | None, chance: random.Random
) -> None:
    items = [ObjectInfo(key, '"v"', 10, time) for key, time in uploaded.items()]
    groups = by_partition(bundles(items, together), FIRST_DAY)
    expected = {day.isoformat(): (sum(map(len, group)), listed_fingerprint(group)) for day, group in groups.items()}
    bucket = Paged(items, page, by_folder)
    sweep = Sweep(bucket, "ecg/", FIRST_DAY, together, Position())
    ended = False
    while not ended:
        ended = sweep.go_on(lambda: chance.random() < 0.5)
        if not ended and chance.random() < 0.5:  # the process ends; another has what a cursor holds
            after, days = json.loads(json.dumps([sweep.position.after, sweep.position.days]))
            sweep = Sweep(bucket, "ecg/", FIRST_DAY, together, Position(after, days))
            ended = sweep.go_on(lambda: False)
    assert sweep.days() == expected


def test_objects_that_stand_alone_or_name_their_day_need_no_memory() -> None:
    dated = [
        ObjectInfo(f"ecg/date=2026-11-{day:02d}/{n:03d}.1", '"v"', 1, NOON)
        for day in range(1, 31)
        for n in range(99)
    ]
    sweep = Sweep(Paged(dated, 10, True), "ecg/", FIRST_DAY, halves, Position())
    assert not sweep.go_on(lambda: True)
    assert sweep.position.after == "ecg/date=2026-11-01/009.1"
    loose = [ObjectInfo(f"ecg/{n:03d}.1", '"v"', 1, NOON) for n in range(99)]
    sweep = Sweep(Paged(loose, 10, True), "ecg/", FIRST_DAY, None, Position())
    assert not sweep.go_on(lambda: True)
    assert sweep.position.after == "ecg/009.1"


@pytest.mark.store
def test_a_real_store_goes_on_after_a_key_and_never_breaks_a_folder(
    raw: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a.1", "b/1", "b/2", "b-/1", "b.x", "b/c/1", "b0/1", "c", "ü/1", "z\tz/1", "z\tz/2"]
    for name in names:
        upload(raw, f"ecg/{name}", b"x")
    monkeypatch.setattr("resources.object_store._PAGE", 2)
    listed = [item.key for page in raw.pages("ecg/") for item in page]
    assert sorted(listed) == sorted(f"ecg/{name}" for name in names)
    for number, key in enumerate(listed):
        assert [item.key for page in raw.pages("ecg/", key) for item in page] == listed[number + 1 :]
    folders = [key.rpartition("/")[0] for key in listed]
    for folder in set(folders):
        inside = [number for number, key in enumerate(listed) if key.startswith(f"{folder}/")]
        assert inside == list(range(inside[0], inside[-1] + 1))
