"""Alerts: one fingerprint per piece of news, no stranger's exception text, and Slack's limits kept."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from vitalake.alerting.alerts import (
    Alert,
    describe_error,
    quarantined,
    run_failed,
    slack_blocks,
    will_be_retried,
)
from vitalake.errors import PermanentError, TransientError, VitalakeError
from vitalake.escaping import SECTION_CHARS
from vitalake.lake.parts import ConflictError

DAY = "2026-11-20"
ROWS = [
    ("ecg/b.mat", "v1", "S07", "flat"),
    ("ecg/a.mat", "v1", "S02", "too short"),
    ("ecg/c.mat", "v1", "S02", "x"),
]


def failed(**changes: Any) -> Alert:
    fields: dict[str, Any] = {
        "job": "ecg",
        "partition": DAY,
        "step": "ecg_recordings",
        "error_class": "TransientError",
        "message": "lake: no answer",
        "run_id": "run-2",
        "root_run_id": "run-1",
        "attempt": 2,
        "will_retry": True,
        "link": "http://ui/runs/run-2",
    }
    return run_failed(**(fields | changes))


def test_a_failed_run_is_one_alert_whatever_the_retries() -> None:
    assert failed().fingerprint == failed(run_id="run-3", attempt=3, step="other").fingerprint
    assert failed().fingerprint != failed(root_run_id="run-9").fingerprint


def test_failures_of_one_cause_are_known_whatever_the_day_and_the_run() -> None:
    def cause(**changes: Any) -> str:
        return failed(message="raw/ecg/date=2026-11-20/a-1.mat: refused with HTTP 400", **changes).cause

    other = failed(
        message="raw/ecg/date=2026-11-21/b-7.mat: refused with HTTP 400",
        partition="2026-11-21",
        run_id="run-9",
        root_run_id="run-8",
        attempt=1,
    )
    assert cause() == other.cause
    differing = [
        cause(job="eeg"),
        cause(step="raw_ecg"),
        cause(error_class="PermanentError"),
        failed(message="raw/ecg/date=2026-11-20/a-1.mat: refused with HTTP 405").cause,
        failed(message=None).cause,
    ]
    assert len({cause(), *differing}) == 6


def test_quarantine_is_of_one_cause_whatever_the_rules_and_the_day() -> None:
    def cause(rows: list[tuple[str, str, str, str]], dataset: str = "ecg", day: str = DAY) -> str:
        return quarantined(dataset, day, rows, None).cause

    assert cause(ROWS) == cause(ROWS[:1], day="2026-11-21") == cause(ROWS[::-1])
    assert cause(ROWS) != cause(ROWS, "eeg")


def test_quarantine_counts_each_record_of_each_object() -> None:
    rows = [*ROWS, ("ecg/b.mat", "v1", "S07", "flat elsewhere")]
    alert = quarantined("ecg", DAY, rows, None, records=[5, 1, 2, 3])
    assert "By rule: S07 × 8, S02 × 3" in alert.body
    assert alert.refused is not None
    assert (alert.refused.dataset, alert.refused.day) == ("ecg", DAY)
    assert {rule: sorted(objects.values()) for rule, objects in alert.refused.records.items()} == {
        "S02": [1, 2],
        "S07": [8],
    }
    again = quarantined("ecg", "2026-11-21", rows[:1], None).refused
    assert again is not None
    assert set(again.records["S07"]) == set(alert.refused.records["S07"]), "an object has one name everywhere"


def test_a_failed_run_says_what_happened_where_and_what_comes_next() -> None:
    alert = failed()
    assert alert.title == f"ecg failed for {DAY}"
    for part in (
        "ecg_recordings",
        "TransientError: lake: no answer",
        "run-2, attempt 2",
        "will be retried by itself",
    ):
        assert part in alert.body
    assert "will not pass" in failed(will_retry=False).body
    assert "It will" not in failed(will_retry=None).body
    assert "killed" in failed(step=None, error_class=None, message=None).body


def test_the_same_quarantined_objects_are_the_same_alert_in_any_order() -> None:
    alert = quarantined("ecg", DAY, ROWS, None)
    assert alert.fingerprint == "a015f7899cbe62a95611c2a202495d68"  # the same in every process and release
    assert alert.fingerprint == quarantined("ecg", DAY, ROWS[::-1], None).fingerprint
    others = [
        quarantined("eeg", DAY, ROWS, None),
        quarantined("ecg", "2026-11-21", ROWS, None),
        *(
            quarantined("ecg", DAY, [*ROWS[1:], row], None)
            for row in [
                ("ecg/z.mat", "v1", "S07", "flat"),
                ("ecg/b.mat", "v2", "S07", "flat"),
                ("ecg/b.mat", "v1", "S08", "flat"),
            ]
        ),
    ]
    assert len({alert.fingerprint, *(other.fingerprint for other in others)}) == 6


def test_quarantine_counts_objects_and_rules_and_shows_the_first_ten() -> None:
    rows = [(f"ecg/{n:02}.mat", "v1", "S02" if n % 3 else "S07", f"reason {n}") for n in range(12)]
    alert = quarantined("ecg", DAY, [*rows, ("ecg/00.mat", "v1", "S09", "second reason")], None)
    assert alert.title == f"12 objects of ecg {DAY} in quarantine"
    assert "S02 × 8, S07 × 4, S09 × 1" in alert.body
    assert "vitalake quarantine list --dataset ecg" in alert.body
    assert [line for line in alert.body.splitlines() if line.startswith("•")] == [
        f"• {key} — {rule}: {message}" for key, _, rule, message in rows[:10]
    ]
    with pytest.raises(ValueError, match="nothing"):
        quarantined("ecg", DAY, [], None)


def test_a_key_cannot_pose_as_another_line() -> None:
    body = quarantined("ecg", DAY, [("ecg/a\n• all is well\u202e", "v1", "S02", "x")], None).body
    assert len([line for line in body.splitlines() if line.startswith("•")]) == 1
    assert "\u202e" not in body


@pytest.mark.parametrize("alert", [failed(), failed(link=None), quarantined("ecg", DAY, ROWS, "http://ui")])
def test_json_brings_back_the_same_alert(alert: Alert) -> None:
    assert Alert.from_json(alert.to_json()) == alert
    assert alert.created_at.tzinfo is not None


def test_an_alert_that_was_written_before_causes_has_none() -> None:
    alert = failed()
    old = json.loads(alert.to_json())
    del old["cause"], old["refused"]
    assert Alert.from_json(json.dumps(old)) == replace(alert, cause="")


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"created_at": "2026-11-20T00:00:00+00:00"}', "\xff"])
def test_anything_else_is_no_alert(text: str) -> None:
    with pytest.raises(ValueError):
        Alert.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        {"title": 5},
        {"body": None},
        {"link": ["http://ui"]},
        {"created_at": "2026-11-20T08:00:00"},
        {"refused": "S02"},
        {"refused": {"dataset": "ecg", "day": DAY, "records": {"S02": 5}}},
        {"refused": {"dataset": "ecg", "day": DAY, "records": {"S02": {"a": None}}}},
    ],
)
def test_what_could_not_be_told_is_no_alert(change: dict[str, Any]) -> None:
    fields = json.loads(quarantined("ecg", DAY, ROWS, None).to_json()) | change
    with pytest.raises(ValueError):
        Alert.from_json(json.dumps(fields))


class StrangeTransientError(Exception):
    pass


def chained(outer: Exception, cause: Exception) -> Exception:
    outer.__cause__ = cause
    return outer


@pytest.mark.parametrize(
    ("error", "told", "retried"),
    [
        (TransientError("no answer"), ("TransientError", "no answer"), True),
        (ConflictError("lost a race"), ("ConflictError", "lost a race"), True),
        (PermanentError("no bucket"), ("PermanentError", "no bucket"), False),
        (VitalakeError("odd"), ("VitalakeError", "odd"), None),
        (ValueError("Ada Lovelace 18151210"), ("ValueError", "see the run"), None),
        (StrangeTransientError("Ada Lovelace"), ("StrangeTransientError", "see the run"), None),
        (chained(RuntimeError("Ada"), PermanentError("no bucket")), ("PermanentError", "no bucket"), False),
        (chained(PermanentError("no bucket"), ValueError("Ada")), ("PermanentError", "no bucket"), False),
    ],
)
def test_only_our_own_errors_speak(error: Exception, told: tuple[str, str], retried: bool | None) -> None:
    assert describe_error(error) == told
    assert will_be_retried(error) is retried


def test_blocks_keep_slacks_limit_whatever_the_data_holds() -> None:
    rows = [("&" * 1024 + str(n), "v1", "<S02>", ">" * 5000) for n in range(20)]
    alert = quarantined("ecg", DAY, rows, "http://ui/?a=1&b=2")
    title, body, link = (block["text"]["text"] for block in slack_blocks(alert))
    assert max(len(text) for text in (title, body, link)) <= SECTION_CHARS
    assert len(body) > SECTION_CHARS - 10
    assert "quarantine list" in html.unescape(body)
    assert "<" not in body
    assert link == "<http://ui/?a=1&amp;b=2|Open in Dagster>"
    assert len(slack_blocks(quarantined("ecg", DAY, rows, None))) == 2
    long = failed(job="j" * 9000, message="m" * 9000, link="l" * 9000)
    assert all(len(block["text"]["text"]) <= SECTION_CHARS for block in slack_blocks(long))


def test_the_time_can_be_given() -> None:
    at = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
    assert json.loads(failed(created_at=at).to_json())["created_at"] == "2026-11-20T08:00:00+00:00"
