"""A pass over a bucket finds what listing it at once finds, wherever it stops and whoever goes on."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.moto_server import moto_server
from tests.vitalake.notes import upload
from vitalake.arrivals.bundles import GroupObjects, bundles
from vitalake.arrivals.calendar import Calendar
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.partitions import by_partition
from vitalake.arrivals.sweep import Position, Sweep
from vitalake.errors import TransientError

DAYS, HOURS = Calendar(date(2015, 1, 1)), Calendar(date(2015, 1, 1), "hour")
NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


class Paged:
    """A bucket that is its objects, in pages of a few, in the order of S3 or in that of a file system."""

    def __init__(self, items: list[ObjectInfo], page: int, by_folder: bool, hangs: Callable[[], bool]) -> None:
        self.items = sorted(items, key=lambda item: item.key.split("/") if by_folder else item.key)
        self.page = page
        self.hangs = hangs

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        keys = [item.key for item in self.items]
        first = keys.index(after) + 1 if after else 0
        for at in range(first, len(self.items), self.page):
            self._answer()
            yield [item for item in self.items[at : at + self.page] if item.key.startswith(prefix)]

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        self._answer()
        below = [item for item in self.items if item.key.startswith(prefix)]
        direct = [item for item in below if "/" not in item.key.removeprefix(prefix)]
        inside = {item.key.removeprefix(prefix).partition("/")[0] for item in below if item not in direct}
        return [f"{prefix}{name}/" for name in inside], direct

    def _answer(self) -> None:
        if self.hangs():
            raise TransientError("the store did not answer")


def never() -> bool:
    return False


def halves(names: Collection[str]) -> dict[str, str]:
    """`x.1` and `x.2` belong together."""
    return {name: name[:-2] for name in names if name.endswith((".1", ".2"))}


folders = st.sampled_from(
    [
        "",
        "date=2026-11-20/",
        "b/",
        "b/c/",
        "b/date=2026-11-19/",
        "b-/",
        "2026/11/20/",
        "2026/11/20/05/",
        "dt=2026-11-20/",
    ]
)
keys = st.builds("ecg/{}{}{}".format, folders, st.sampled_from("abc"), st.sampled_from(["", ".1", ".2", ".x"]))
times = st.sampled_from([NOON, NOON + timedelta(days=1), NOON - timedelta(days=400), NOON - timedelta(days=9999)])


@given(
    st.sampled_from([DAYS, HOURS]),
    st.dictionaries(keys, times, max_size=25),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([None, halves]),
    st.randoms(use_true_random=False),
)
def test_a_pass_that_stops_and_goes_on_finds_what_one_listing_finds(
    calendar: Calendar,
    uploaded: dict[str, datetime],
    page: int,
    by_folder: bool,
    group_objects: GroupObjects | None,
    chance: random.Random,
) -> None:
    items = [ObjectInfo(key, '"v"', 10, time) for key, time in uploaded.items()]
    groups = by_partition(bundles(items, group_objects), calendar)
    expected = {str(day): (sum(map(len, group)), listed_fingerprint(group)) for day, group in groups.items()}
    bucket = Paged(items, page, by_folder, lambda: chance.random() < 0.2)
    sweep = Sweep(bucket, "ecg/", calendar, group_objects, Position())
    ended = False
    while not ended:
        with suppress(TransientError):
            ended = sweep.go_on(lambda: chance.random() < 0.5)
        if not ended and chance.random() < 0.3:  # the process ends; another has what a cursor holds
            sweep = Sweep(
                bucket, "ecg/", calendar, group_objects, Position(**json.loads(json.dumps(asdict(sweep.position))))
            )
    assert sweep.partitions() == expected


def test_objects_that_stand_alone_or_name_their_day_need_no_memory() -> None:
    dated = [
        ObjectInfo(f"ecg/date=2026-11-{day:02d}/{n:03d}.1", '"v"', 1, NOON)
        for day in range(1, 31)
        for n in range(99)
    ]
    loose = [ObjectInfo(f"ecg/{n:03d}.1", '"v"', 1, NOON) for n in range(99)]
    for items, group_objects in ((dated, halves), (loose, None)):
        bucket = Paged(items, 10, True, never)
        sweep = Sweep(bucket, "ecg/", DAYS, group_objects, Position())
        assert not sweep.go_on(lambda: True)
        assert (sweep.position.after, list(sweep.position.open)) == (items[8].key, [])


def test_a_pass_whose_every_tick_is_in_another_process_ends_in_spite_of_a_stray_object() -> None:
    stray = ObjectInfo("ecg/a.1", '"v"', 1, NOON)
    dated = [ObjectInfo(f"ecg/date=2026-11-{day:02d}/a", '"v"', 1, NOON) for day in range(1, 31)]
    bucket = Paged([stray, *dated, ObjectInfo("ecg/z/a.1", '"v"', 1, NOON)], 4, True, never)
    at = Position()
    for _ in range(20):
        sweep = Sweep(bucket, "ecg/", DAYS, halves, at)
        if sweep.go_on(lambda: True):
            break
        at = sweep.position
    assert {day: count for day, (count, _) in sweep.partitions().items()} == {
        f"2026-11-{day:02d}": 3 if day == 20 else 1 for day in range(1, 31)
    }


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


@pytest.fixture(params=["SeaweedFS", "S3, as moto has it"])
def either(
    request: pytest.FixtureRequest, raw: ObjectStore, settings: Settings, tmp_path: Path
) -> Iterator[ObjectStore]:
    """A bucket of either kind: they differ in what is listed after a folder's own object."""
    if request.param == "SeaweedFS":
        yield raw
        return
    with moto_server(tmp_path) as endpoint:
        there = ObjectStore(settings.model_copy(update={"s3_endpoint": endpoint}), raw.bucket)
        there._client.create_bucket(Bucket=raw.bucket)
        yield there


@pytest.mark.store
@pytest.mark.parametrize("odd", [False, True])
def test_a_pass_over_a_real_store_counts_every_object_once_wherever_it_stops(
    either: ObjectStore, monkeypatch: pytest.MonkeyPatch, odd: bool
) -> None:
    for name in ("a.1", "date=2026-11-18/", "date=2026-11-19/", "date=2026-11-19/b", "m/c.1", "m/d/e", "z.1"):
        upload(either, f"ecg/{name}", b"x")
    if odd:  # obstore refuses it: the rest of the listing is another client's
        upload(either, "ecg/b\tb/f.1", b"x")
    groups = by_partition(arrived(either, "ecg/", DAYS, group_objects=halves), DAYS)
    expected = {str(day): (sum(map(len, group)), listed_fingerprint(group)) for day, group in groups.items()}
    monkeypatch.setattr("resources.object_store._PAGE", 1)
    for restart in (False, True):
        sweep = Sweep(either, "ecg/", DAYS, halves, Position())
        while not sweep.go_on(lambda: True):
            if restart:
                sweep = Sweep(either, "ecg/", DAYS, halves, sweep.position)
        assert (restart, sweep.partitions()) == (restart, expected)
