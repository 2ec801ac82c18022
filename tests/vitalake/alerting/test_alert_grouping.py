"""Alerts of one cause in one message: how many, which, and why, within what Slack takes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from vitalake.alerting.alert_grouping import grouped
from vitalake.alerting.alerts import Alert, quarantined, run_failed, slack_blocks
from vitalake.escaping import SECTION_CHARS

AT = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)


def failed(minute: int, message: str = "lake: access denied") -> Alert:
    at = AT + timedelta(minutes=minute)
    day = f"2026-11-{minute + 1:02}"
    return run_failed("ecg_job", day, "raw_ecg", "PermanentError", message, "r", day, 1, False, "http://ui", at)


def bullets(alert: Alert) -> list[str]:
    return [line for line in alert.body.splitlines() if line.startswith("•")]


def test_one_alert_is_told_as_it_is() -> None:
    assert grouped([failed(0)]) == failed(0)


def test_many_are_counted_and_the_first_and_the_last_are_named() -> None:
    told = grouped([failed(minute) for minute in range(20)])
    assert told.title == "ecg_job failed for 2026-11-01, and 19 more like it"
    assert len(bullets(told)) == 10
    assert bullets(told)[0] == "• 08:00 ecg_job failed for 2026-11-01"
    assert bullets(told)[-1] == "• 08:19 ecg_job failed for 2026-11-20"
    assert "… 10 more …" in told.body
    assert "Error: PermanentError: lake: access denied" in told.body
    assert told.link == "http://ui"
    few = grouped([failed(minute) for minute in range(10)])
    assert (len(bullets(few)), "… " in few.body) == (10, False)


def refused(day: int, first: int, many: int, rule: str = "S02", records: int = 1) -> Alert:
    rows = [(f"ecg/{n}.mat", "v", rule, "too short") for n in range(first, first + many)]
    return quarantined("ecg", f"2026-11-{day:02}", rows, "http://ui", AT, records=[records] * many)


def test_refused_files_are_summed_and_some_are_named() -> None:
    told = grouped([refused(20, 0, 1000), refused(20, 1000, 1000, "S07"), refused(20, 2000, 1, "S02", 30)])
    assert told.title == "2,001 objects of ecg 2026-11-20 in quarantine"
    assert "Records by rule: S02 × 1,030, S07 × 1,000\n" in told.body
    assert "vitalake quarantine list --dataset ecg" in told.body
    assert len(bullets(told)) == 10
    for number in (0, 1000, 2000):
        assert any(f"ecg/{number}.mat — S" in line for line in bullets(told))
    assert told.link == "http://ui"


def test_an_object_that_is_told_of_twice_counts_once() -> None:
    told = grouped([refused(20, 0, 300, records=2), refused(20, 0, 700, records=2), refused(20, 0, 1, "S07")])
    assert told.title == "700 objects of ecg 2026-11-20 in quarantine"
    assert "Records by rule: S02 × 1,400, S07 × 1\n" in told.body
    assert grouped([refused(20, 0, 1), refused(20, 0, 1, "S07")]).title.startswith("1 object of")


def test_refused_files_of_many_days_are_counted_by_day() -> None:
    told = grouped([refused(day, 10 * day, day) for day in range(1, 9)])
    assert told.title == "36 objects of ecg in quarantine, of 8 days"
    assert "Objects by day: 2026-11-01 × 1, 2026-11-02 × 2, " in told.body
    assert "2026-11-05 × 5 and 3 more\n" in told.body


def test_refused_files_of_hours_are_counted_by_hour() -> None:
    alerts = [
        quarantined("vitals", f"2026-11-20T{hour:02}", [(f"vitals/{hour}", "v", "S02", "no CSV")], None, AT, [1])
        for hour in (5, 6)
    ]
    told = grouped(alerts)
    assert told.title == "2 objects of vitals in quarantine, of 2 hours"
    assert "Objects by hour: 2026-11-20T05 × 1, 2026-11-20T06 × 1" in told.body


@pytest.mark.parametrize("text", ["x", "&", "𝄞"])
def test_the_reason_is_within_what_slack_shows_whatever_the_names(text: str) -> None:
    rows = [(text * 1000 + str(n), "v", "S02", text * 1000) for n in range(3)]
    told = grouped([quarantined("ecg", f"2026-11-{day:02}", rows, None) for day in range(1, 31)])
    shown = slack_blocks(told)[1]["text"]["text"]
    assert len(shown.encode("utf-16-le")) // 2 <= SECTION_CHARS
    assert "quarantine list" in shown
