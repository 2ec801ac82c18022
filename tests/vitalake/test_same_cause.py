"""Alerts of one cause in one message: how many, which, and why, within what Slack takes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from vitalake.alerts import Alert, quarantined, run_failed, slack_blocks
from vitalake.escaping import SECTION_CHARS
from vitalake.same_cause import together

AT = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)


def failed(minute: int, message: str = "lake: access denied") -> Alert:
    at = AT + timedelta(minutes=minute)
    day = f"2026-11-{minute + 1:02}"
    return run_failed("ecg_job", day, "raw_ecg", "PermanentError", message, "r", day, 1, False, "http://ui", at)


def bullets(alert: Alert) -> list[str]:
    return [line for line in alert.body.splitlines() if line.startswith("•")]


def test_one_alert_is_told_as_it_is() -> None:
    assert together([failed(0)]) == failed(0)


def test_many_are_counted_and_the_first_and_the_last_are_named() -> None:
    told = together([failed(minute) for minute in range(20)])
    assert told.title == "ecg_job failed for 2026-11-01, and 19 more like it"
    assert len(bullets(told)) == 10
    assert bullets(told)[0] == "• 08:00 ecg_job failed for 2026-11-01"
    assert bullets(told)[-1] == "• 08:19 ecg_job failed for 2026-11-20"
    assert "… 10 more …" in told.body
    assert "Error: PermanentError: lake: access denied" in told.body
    assert told.link == "http://ui"
    few = together([failed(minute) for minute in range(10)])
    assert (len(bullets(few)), "… " in few.body) == (10, False)


def test_files_are_named_too() -> None:
    rows = [[(f"ecg/{n}.mat", "v", "S02", "too short")] for n in range(3)]
    told = together([quarantined("ecg", "2026-11-20", theirs, None) for theirs in rows])
    assert [f"ecg/{n}.mat — S02: too short" in told.body for n in range(3)] == [True] * 3
    assert "vitalake quarantine list --dataset ecg" in told.body


@pytest.mark.parametrize("text", ["x", "&", "𝄞"])
def test_the_reason_is_within_what_slack_shows_whatever_the_names(text: str) -> None:
    rows = [(text * 1000 + str(n), "v", "S02", text * 1000) for n in range(3)]
    told = together([quarantined("ecg", f"2026-11-{day:02}", rows, None) for day in range(1, 31)])
    shown = slack_blocks(told)[1]["text"]["text"]
    assert len(shown.encode("utf-16-le")) // 2 <= SECTION_CHARS
    assert "quarantine list" in shown
