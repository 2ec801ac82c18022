"""The time that a key names: in which layouts, and when nobody can be sure of it."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest

from vitalake.arrivals.calendar import Calendar, Granularity, Partition
from vitalake.arrivals.keys import date_in_key, dated, names_hour, unclear
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.partitions import partition_of

FIRST_DAY = date(2015, 1, 1)
DAYS, HOURS = Calendar(FIRST_DAY), Calendar(FIRST_DAY, "hour")
NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
UPLOAD = "2026-11-20T12"


@pytest.mark.parametrize(
    ("key", "hour"),
    [
        ("ecg/date=2025-03-02/a.mat", "2025-03-02T00"),
        ("ecg/date=2025-03-02/hour=17/a.mat", "2025-03-02T17"),
        ("ecg/date=2025-03-02/hour=7/a.mat", "2025-03-02T07"),
        ("ecg/date=2025-03-02/device=holter-01/hour=17/a.mat", "2025-03-02T17"),
        ("ecg/date=2025-03-02/17/a.mat", "2025-03-02T00"),  # what follows `date=` says itself that it is an hour
        ("ecg/device=holter-01/date=2025-03-02/a.mat", "2025-03-02T00"),
        ("ecg/hour=17/date=2025-03-02/a.mat", "2025-03-02T00"),
        ("ecg/date=2025-03-02T17/a.mat", "2025-03-02T17"),
        ("ecg/dt=2025-03-02/a.mat", "2025-03-02T00"),
        ("ecg/dt=2025-03-02/hour=17/a.mat", "2025-03-02T17"),
        ("ecg/hive/dt=2025-03-02-17-00/symlink.txt", "2025-03-02T17"),  # as S3 Inventory writes it
        ("ecg/dt=2025-03-02-17/a.mat", "2025-03-02T17"),
        ("ecg/year=2025/month=03/day=02/a.mat", "2025-03-02T00"),
        ("ecg/year=2025/month=3/day=2/hour=17/a.mat", "2025-03-02T17"),
        ("ecg/2025/03/02/a.mat", "2025-03-02T00"),
        ("ecg/2025/03/02/17/a.mat", "2025-03-02T17"),  # as Firehose writes it
        ("ecg/2025/03/02/hour=17/a.mat", "2025-03-02T17"),
        ("ecg/2025-03-02/a.mat", "2025-03-02T00"),
        ("ecg/2025-03-02/hour=17/a.mat", "2025-03-02T17"),
        ("ecg/date=2025-03-02/2025-03-03/a.mat", "2025-03-02T00"),
        ("ecg/date=2025-03-02", "2025-03-02T00"),  # a folder that a console made, as obstore lists it
        ("ecg/date=2015-01-01/a.mat", "2015-01-01T00"),
        ("ecg/date=2014-12-31/a.mat", UPLOAD),  # before the first day: a clock that was reset
        ("ecg/date=9999-12-31/a.mat", UPLOAD),
        ("ecg/date=2025-03-02.mat", UPLOAD),  # a file name is no folder
        ("ecg/update=2025-03-02/a.mat", UPLOAD),
        ("ecg/12025/03/02/a.mat", UPLOAD),
        ("ecg/1 NSR/100m (0).mat", UPLOAD),
        ("ecg/year=2025/month=03/a.mat", UPLOAD),  # a month is no day
        ("ecg/12/34/56/a.mat", UPLOAD),
        ("ecg/0012/34/56/a.mat", UPLOAD),  # numbers of something else
        ("ecg/1234/05/06/date=2025-03-02/a.mat", "2025-03-02T00"),
    ],
)
def test_the_time_is_the_keys_else_that_of_the_upload(key: str, hour: str) -> None:
    bundle = (ObjectInfo(key, "v", 1, NOON),)
    assert str(partition_of(bundle, HOURS)) == hour
    assert str(partition_of(bundle, DAYS)) == hour[:10]
    assert [unclear(key, unit) for unit in ("day", "hour")] == [None, None]


@pytest.mark.parametrize(
    ("key", "hour", "units", "said"),
    [
        ("ecg/date=2026-02-29/a", UPLOAD, "both", "a date that no calendar has"),
        ("ecg/2026/13/01/a", UPLOAD, "both", "a date that no calendar has"),
        ("ecg/2026/13/40/2026/11/19/a", UPLOAD, "both", "a date that no calendar has"),
        ("ecg/year=2026/month=2/day=30/a", UPLOAD, "both", "a date that no calendar has"),
        ("ecg/2026-11-31/a", UPLOAD, "both", "a date that no calendar has"),
        ("ecg/date=2025-03-02/date=2025-03-03/a", "2025-03-02T00", "both", "more than one date"),
        ("ecg/dt=2025-03-02/year=2025/month=3/day=3/a", "2025-03-02T00", "both", "more than one date"),
        ("ecg/2025-03-02/date=2025-03-03/a", "2025-03-02T00", "both", "more than one date"),
        ("ecg/2025/03/02/2025-03-03/a", "2025-03-02T00", "both", "more than one date"),
        ("ecg/02-03-2025/a", UPLOAD, "both", "a date in a form that is not read"),
        ("ecg/device=1/3.2.2025/a", UPLOAD, "both", "a date in a form that is not read"),
        ("ecg/day=02-03-2025/a", UPLOAD, "both", "a date in a form that is not read"),
        ("ecg/date=20250302/a", UPLOAD, "both", "a date in a form that is not read"),
        ("ecg/dt=today/a", UPLOAD, "both", "a date in a form that is not read"),
        ("ecg/date=2025-03-02/hour=27/a", "2025-03-02T00", "hour", "an hour that no day has"),
        ("ecg/2025/03/02/27/a", "2025-03-02T00", "hour", "an hour that no day has"),
        ("ecg/date=2025-03-02/hour=05/hour=06/a", "2025-03-02T05", "hour", "more than one hour"),
        ("ecg/2025/03/02/05/hour=06/a", "2025-03-02T05", "hour", "more than one hour"),
    ],
)
def test_of_what_nobody_can_be_sure_it_is_said_why(key: str, hour: str, units: str, said: str) -> None:
    """It belongs somewhere all the same, and always to the same: there it is in quarantine."""
    bundle = (ObjectInfo(key, "v", 1, NOON),)
    assert str(partition_of(bundle, HOURS)) == hour
    assert str(partition_of(bundle, DAYS)) == hour[:10]
    found: dict[Granularity, str | None] = {"day": unclear(key, "day"), "hour": unclear(key, "hour")}
    assert found["hour"] == f"the key names {said}"
    assert found["day"] == (found["hour"] if units == "both" else None)


def test_whether_more_of_a_key_can_change_its_hour() -> None:
    assert not names_hour("v/") and not names_hour("v/date=2026-11-20/") and not names_hour("v/2026/11/20/")
    assert (
        names_hour("v/date=2026-11-20/hour=05/")
        and names_hour("v/2026/11/20/05/")
        and names_hour("v/dt=2026-11-20-05/")
    )


def test_the_date_of_a_key_is_any_of_a_calendar() -> None:
    assert date_in_key("entities/dt=1999-12-31/a") == date(1999, 12, 31)
    assert date_in_key("entities/a") is None
    assert dated("entities/dt=1999-12-31/a", DAYS) is None
    assert dated("entities/dt=2026-11-20-05/a", HOURS) == Partition(date(2026, 11, 20), 5)
