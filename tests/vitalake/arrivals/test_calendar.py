"""Days and hours: what they are called, which there are, and which are open."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.arrivals.calendar import Calendar, Granularity, Partition

FIRST_DAY = date(2015, 1, 1)
CALENDARS = [Calendar(FIRST_DAY), Calendar(FIRST_DAY, "hour")]
NOW = datetime(2026, 11, 20, 23, 30, tzinfo=timezone.utc)
partitions = st.builds(Partition, st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.none() | st.integers(0, 23))


@given(st.lists(partitions))
def test_texts_are_read_back_and_sort_by_time(some: list[Partition]) -> None:
    assert [Partition.parse(str(each)) for each in some] == some
    assert sorted(map(str, some)) == [str(each) for each in sorted(some)]
    starts = [each.starts_at for each in sorted(some)]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    "text", ["", "2026-11-2", "2026-02-30", "2026-11-20T24", "2026-11-20T5", "2026-11-20T05:00", "all"]
)
def test_other_texts_are_no_partition(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Partition.parse(text)
    assert not CALENDARS[0].holds(text)


def test_folders_are_those_of_hive() -> None:
    assert Partition(date(2026, 11, 20)).folder == "date=2026-11-20/"
    assert Partition(date(2026, 11, 20), 5).folder == "date=2026-11-20/hour=05/"


def test_of_days_three_are_open_and_of_hours_four() -> None:
    days, hours = CALENDARS
    assert sorted(map(str, days.open(NOW))) == ["2026-11-19", "2026-11-20", "2026-11-21"]
    assert days.open(NOW) == days.recent(NOW)
    assert sorted(map(str, hours.open(NOW))) == ["2026-11-20T21", "2026-11-20T22", "2026-11-20T23", "2026-11-21T00"]
    assert len(hours.recent(NOW)) == 72
    assert (
        max(hours.recent(NOW.replace(hour=5)))
        == hours.newest(NOW.replace(hour=5))
        == Partition(date(2026, 11, 21), 5)
    )
    assert hours.open(NOW) < hours.recent(NOW)


@pytest.mark.parametrize(("unit", "partition"), [("day", "2015-01-01"), ("hour", "2015-01-01T00")])
def test_what_is_before_the_first_day_is_of_the_first_partition(unit: Granularity, partition: str) -> None:
    calendar = Calendar(FIRST_DAY, unit)
    assert str(calendar.at(datetime(1970, 1, 1, 7, tzinfo=timezone.utc))) == partition
    assert calendar.holds(partition)
    assert calendar.kept([partition, "2014-12-31", "2014-12-31T23", "all"]) == {partition}
    assert calendar.kept(["2026-11-20", "2026-11-20T05"]) == {"2026-11-20" if unit == "day" else "2026-11-20T05"}


@given(st.sampled_from(CALENDARS), st.integers(0, 100), st.randoms())
def test_between_are_all_in_order(calendar: Calendar, length: int, chance: random.Random) -> None:
    first = calendar.at(NOW)
    found = calendar.between(first, calendar.at(NOW + timedelta(hours=length)))
    assert found == sorted(set(found))
    assert found[0] == first and found[-1] == calendar.at(NOW + timedelta(hours=length))
    moment = NOW + timedelta(hours=chance.uniform(0, length))
    assert calendar.at(moment) in found
