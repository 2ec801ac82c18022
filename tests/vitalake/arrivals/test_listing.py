"""Which day an object belongs to, how a day is cut, and that looking at a few days never hides an object."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.arrivals.bundles import Bundle, bundles
from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.partitions import PartLimits, by_partition, cut, partition_of
from vitalake.arrivals.planning import PartitionState, plan

FIRST_DAY = date(2015, 1, 1)
DAYS, HOURS = Calendar(FIRST_DAY), Calendar(FIRST_DAY, "hour")
DAY = Partition(date(2026, 11, 20))
NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


def item(key: str, uploaded_at: datetime = NOON, size: int = 10, version: str = '"v1"') -> ObjectInfo:
    return ObjectInfo(key, version, size, uploaded_at)


def alone(items: Iterable[ObjectInfo]) -> list[Bundle]:
    return bundles(items, None)


def halves(names: Iterable[str]) -> dict[str, str]:
    """`x.1` and `x.2` belong together."""
    return {name: name[:-2] for name in names if name.endswith((".1", ".2"))}


class Listing:
    """A bucket that is only its list of objects, and remembers what was asked."""

    def __init__(self, items: Iterable[ObjectInfo]) -> None:
        self.items = list(items)
        self.listed: list[str] = []

    def objects(self, prefix: str) -> list[ObjectInfo]:
        self.listed.append(prefix)
        return [item for item in self.items if item.key.startswith(prefix)]

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        rests = {item.key[len(prefix) :]: item for item in self.items if item.key.startswith(prefix)}
        folders = sorted({prefix + rest.split("/")[0] + "/" for rest in rests if "/" in rest})
        return folders, [item for rest, item in rests.items() if "/" not in rest]


def test_the_day_of_an_upload_is_that_of_utc_and_never_before_the_first() -> None:
    late = datetime(2026, 11, 20, 23, 59, 59, tzinfo=timezone.utc)
    assert partition_of((item("ecg/a", late),), DAYS) == DAY
    assert partition_of((item("ecg/a", late + timedelta(seconds=1)),), DAYS) == Partition(date(2026, 11, 21))
    assert partition_of((item("ecg/a", datetime(1970, 1, 1, tzinfo=timezone.utc)),), DAYS) == Partition(FIRST_DAY)


def test_parts_are_full_by_count_or_by_bytes() -> None:
    sizes = [5, 5, 5, 1, 1, 10, 11, 1]
    items = alone(item(f"{number}", size=size) for number, size in enumerate(sizes))
    limits = PartLimits(part_objects=3, part_bytes=10, object_bytes=10)
    # The 11 bytes are over the limit of an object, are never read, and weigh nothing.
    assert [[i.size_bytes for i in part] for part in cut(items, limits)] == [[5, 5], [5, 1, 1], [10, 11], [1]]
    assert cut([], limits) == []


uploads = st.builds(
    item,
    key=st.text("ab/", min_size=1, max_size=6),
    uploaded_at=st.integers(0, 5).map(lambda s: NOON + timedelta(seconds=s)),
    size=st.integers(0, 12),
    version=st.sampled_from(['"v1"', '"v2"']),
)
listings = st.lists(uploads, max_size=20, unique_by=lambda i: i.key)
limits_of_parts = st.builds(
    PartLimits, part_objects=st.integers(1, 4), part_bytes=st.integers(5, 30), object_bytes=st.integers(3, 12)
)


@given(listings, limits_of_parts)
def test_cutting_loses_nothing_and_keeps_the_order(items: list[ObjectInfo], limits: PartLimits) -> None:
    ordered = alone(items)
    parts = cut(ordered, limits)
    assert [(i,) for part in parts for i in part] == ordered
    assert all(1 <= len(part) <= limits.part_objects for part in parts)


@given(listings, st.lists(st.integers(0, 12), max_size=6), limits_of_parts)
def test_later_uploads_leave_every_part_but_the_last_as_it_was(
    items: list[ObjectInfo], sizes: list[int], limits: PartLimits
) -> None:
    later = [item(f"later/{n}", NOON + timedelta(minutes=1), size) for n, size in enumerate(sizes)]
    kept = cut(alone(items), limits)[:-1]
    after = cut(alone([*later, *items]), limits)
    assert after[: len(kept)] == kept


@given(listings, st.randoms())
def test_the_fingerprint_knows_no_order_but_every_field(items: list[ObjectInfo], shuffle: random.Random) -> None:
    found = listed_fingerprint(alone(items))
    shuffled = list(items)
    shuffle.shuffle(shuffled)
    assert listed_fingerprint(alone(shuffled)) == found
    for number, old in enumerate(items):
        rest = items[:number] + items[number + 1 :]
        changed = [
            item(old.key + "x", old.uploaded_at, old.size_bytes, old.version),
            item(old.key, old.uploaded_at, old.size_bytes + 1, old.version),
            item(old.key, old.uploaded_at, old.size_bytes, '"v3"'),
            item(old.key, old.uploaded_at + timedelta(hours=1), old.size_bytes, old.version),
        ]
        others = [rest, *([*rest, new] for new in changed)]
        assert found not in [listed_fingerprint(alone(other)) for other in others]


def test_only_what_may_hold_the_days_is_listed() -> None:
    keys = [f"ecg/date=2026-11-{day:02d}/{n}.mat" for day in range(1, 31) for n in range(3)]
    keys += [f"ecg/2026/{month:02d}/{day:02d}/00/x.mat" for month in range(1, 13) for day in (19, 20, 21)]
    keys += ["ecg/device=a/date=2026-11-20/1.mat", "ecg/1 NSR/a.mat", "ecg/loose.mat"]
    bucket = Listing(item(key) for key in keys)
    found = {i.key for (i,) in arrived(bucket, "ecg/", DAYS, {DAY})}
    assert bucket.listed == ["ecg/1 NSR/", "ecg/2026/11/20/", "ecg/date=2026-11-20/", "ecg/device=a/"]
    assert found == {key for key in keys if "2026-11-20" in key or "11/20" in key} | {keys[-1], keys[-2]}


def test_only_what_may_hold_the_hours_is_listed() -> None:
    keys = [f"v/{day}/hour={hour:02d}/a" for day in ("date=2026-11-19", "dt=2026-11-20") for hour in range(24)]
    keys += [f"v/2026/11/20/{hour:02d}/a" for hour in range(24)]
    keys += [f"v/year=2026/month={month}/day=20/hour={hour}/a" for month in (1, 11) for hour in range(24)]
    keys += [f"v/2026-11-{day:02d}/{name}" for day in (19, 20) for name in ("a", "device=1/hour=05/b")]
    bucket = Listing(item(key) for key in keys)
    found = [i.key for (i,) in arrived(bucket, "v/", HOURS, [Partition(DAY.day, 5), Partition(DAY.day, 6)])]
    hours = [
        f"v/{folder}/a"
        for hour in (5, 6)
        for folder in (f"dt=2026-11-20/hour={hour:02d}", f"2026/11/20/{hour:02d}")
    ]
    hours += [f"v/year=2026/month=11/day=20/hour={hour}/a" for hour in (5, 6)]
    assert sorted(found) == sorted([*hours, "v/2026-11-20/device=1/hour=05/b"])
    assert sorted(bucket.listed) == sorted([*(key[:-1] for key in hours), "v/2026-11-20/device=1/"])
    bucket.listed.clear()
    assert len(arrived(bucket, "v/", HOURS, HOURS.within(date(2026, 11, 19)))) == 26
    assert bucket.listed == ["v/2026-11-19/", "v/date=2026-11-19/"]  # a whole day at once


DATED = ["date=2026-11-20", "date=2026-11-21", "date=2026-13-45", "date=2001-01-01", "2026", "11", "20", "99"]
DATED += [
    "dt=2026-11-20",
    "dt=2026-11-20-05",
    "year=2026",
    "month=11",
    "day=20",
    "hour=5",
    "hour=06",
    "hour=27",
    "12",
]
segments = st.sampled_from([*DATED, "device=a", "1 NSR", "2026-11-20", "x.mat"])
keys_of_any_layout = st.lists(segments, max_size=6).map(lambda parts: "/".join(["ecg", *parts, "a.mat"]))
times = st.sampled_from([NOON, NOON + timedelta(days=1), NOON - timedelta(days=400), NOON - timedelta(days=9999)])


@pytest.mark.parametrize("calendar", [DAYS, HOURS])
@given(uploaded=st.dictionaries(keys_of_any_layout, times, max_size=25))
def test_one_by_one_shows_every_object_once_in_any_layout(
    calendar: Calendar, uploaded: dict[str, datetime]
) -> None:
    items = [item(key, time) for key, time in uploaded.items()]
    everything = by_partition(arrived(Listing(items), "ecg/", calendar), calendar)
    assert sorted(i.key for group in everything.values() for (i,) in group) == sorted(uploaded)
    for partition, group in everything.items():
        assert arrived(Listing(items), "ecg/", calendar, {partition}) == group
    assert arrived(Listing(items), "ecg/", calendar, set(everything)) == alone(items)
    whole = {each for partition in everything for each in calendar.within(partition.day)}
    assert arrived(Listing(items), "ecg/", calendar, whole) == alone(items)


folders_of_halves = st.sampled_from(["ecg/", "ecg/date=2026-11-20/", "ecg/b/"])
halves_of_notes = st.builds(
    "{}{}{}".format, folders_of_halves, st.sampled_from("abc"), st.sampled_from(["", ".1", ".2"])
)


@given(st.dictionaries(halves_of_notes, times, max_size=20), st.integers(1, 3), st.randoms())
def test_what_belongs_together_has_one_day_and_one_part(
    uploaded: dict[str, datetime], part_objects: int, shuffle: random.Random
) -> None:
    items = [item(key, time) for key, time in uploaded.items()]
    limits = PartLimits(part_objects=part_objects)
    everything = by_partition(arrived(Listing(items), "ecg/", DAYS, group_objects=halves), DAYS)
    assert sorted(i.key for group in everything.values() for bundle in group for i in bundle) == sorted(uploaded)
    for day, group in everything.items():
        assert arrived(Listing(items), "ecg/", DAYS, {day}, halves) == group
        for part in cut(group, limits):
            # Whoever reads a part sees the bundles that whoever listed the folder saw.
            assert [i for bundle in bundles(part, halves) for i in bundle] == part
            assert {bundle for bundle in group if set(bundle) & set(part)} == set(bundles(part, halves))
        shuffled = list(group)
        shuffle.shuffle(shuffled)
        assert listed_fingerprint(shuffled) == listed_fingerprint(group)


def test_a_recording_whose_objects_come_around_midnight_belongs_to_the_day_it_is_complete() -> None:
    late, early = NOON.replace(hour=23, minute=59), NOON + timedelta(days=1)
    next_day = Partition(early.date())
    first, second = item("ecg/x.1", late), item("ecg/x.2", early)
    assert arrived(Listing([first]), "ecg/", DAYS, {DAY}, halves) == [(first,)]
    both = Listing([second, first])
    assert arrived(both, "ecg/", DAYS, {DAY}, halves) == []
    assert arrived(both, "ecg/", DAYS, {next_day}, halves) == [(first, second)]
    assert arrived(both, "ecg/", DAYS, {DAY, next_day}) == [(first,), (second,)]


NEW = PartitionState(recorded=False)


def test_what_differs_is_requested_once_newest_first() -> None:
    listed = {"2026-11-18": "f18", "2026-11-20": "f20", "2026-11-19": "f19", "2026-11-17": "f17"}
    states = {
        "2026-11-17": PartitionState(recorded=True),
        "2026-11-18": NEW,
        "2026-11-19": PartitionState(recorded=False, active=True),
        "2026-11-20": NEW,
    }
    plans = plan("ecg", listed, states, NOON)
    assert [item.run_key for item in plans] == ["ecg:2026-11-20:f20:0", "ecg:2026-11-18:f18:0"]
    assert plan("ecg", listed, states, NOON) == plans  # the same question, the same run keys


@pytest.mark.parametrize(
    ("attempts", "pause_s"),
    [(1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (49, 3600), (50, 86400), (9999, 86400)],
)
def test_a_run_that_ended_without_success_is_asked_again_after_a_pause(attempts: int, pause_s: int) -> None:
    state = PartitionState(recorded=False, attempts=attempts, last_ended_at=NOON)
    listed, states = {"2026-11-20": "f"}, {"2026-11-20": state}
    assert plan("ecg", listed, states, NOON + timedelta(seconds=pause_s - 1)) == []
    (again,) = plan("ecg", listed, states, NOON + timedelta(seconds=pause_s))
    assert again.run_key == f"ecg:2026-11-20:f:{attempts}"


def test_a_run_that_ended_by_a_clock_that_was_ahead_keeps_nothing_waiting() -> None:
    state = PartitionState(recorded=False, attempts=3, last_ended_at=NOON + timedelta(days=365))
    assert len(plan("ecg", {"2026-11-20": "f"}, {"2026-11-20": state}, NOON)) == 1
