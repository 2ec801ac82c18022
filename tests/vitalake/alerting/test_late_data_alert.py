"""The alert about late objects: how many, of which days, and what to do, however many days there are."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from vitalake.alerting.alerts import Alert, slack_blocks
from vitalake.alerting.late_data_alert import objects_late
from vitalake.arrivals.calendar import Partition
from vitalake.escaping import SECTION_CHARS


def late(objects: int, days: int, found_by: str = "run-1") -> Alert:
    named = [Partition(date(2021, 1, 1) + timedelta(days=number)) for number in reversed(range(days))]
    return objects_late("ecg", objects, named, timedelta(minutes=10), found_by, None)


def test_it_says_how_many_of_which_days_and_what_to_do() -> None:
    assert late(1, 1).title == "1 object of ecg is late: 2021-01-01"
    alert = late(1800, 1800)
    assert alert.title == (
        "1800 objects of ecg are late: 2021-01-01, 2021-01-02, 2021-01-03 and 1797 more, the last 2025-12-05"
    )
    shown = slack_blocks(alert)[1]["text"]["text"]
    assert len(shown) < SECTION_CHARS
    for part in ("10 minutes", "vitalake status", "--from 2021-01-01 --to 2025-12-05", "2021-01-20 and 1780 more"):
        assert part in shown


def test_it_is_known_by_the_run_that_looked() -> None:
    assert late(1, 1).fingerprint == late(2, 2).fingerprint != late(1, 1, "run-2").fingerprint
    assert Alert.from_json(late(1, 1).to_json()).kind == "late"


def test_nothing_late_is_no_alert() -> None:
    with pytest.raises(ValueError, match="nothing is late"):
        late(0, 0)


def test_hours_are_called_hours() -> None:
    hours = [Partition(date(2021, 1, 1), hour) for hour in (7, 5)]
    alert = objects_late("vitals", 2, hours, timedelta(minutes=10), "run-1", None)
    assert alert.title == "2 objects of vitals are late: 2021-01-01T05, 2021-01-01T07"
    assert "build the hours now: vitalake backfill vitals --from 2021-01-01T05 --to 2021-01-01T07" in alert.body
