"""Timestamps by ISO 8601: the same in every Python, and nothing that only looks like one."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from vitalake.records.timestamps import parse_timestamp

HALF_PAST = datetime(2026, 11, 20, 8, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T08:30Z", HALF_PAST),
        ("2026-11-20 08:30:00", HALF_PAST),
        (" 2026-11-20t10:30:00+02\n", HALF_PAST),
        ("2026-11-20T03:00:00-0530", HALF_PAST),
        ("2026-11-20 08:30:00 +00:00", HALF_PAST),
        ("2026-11-20T08:30:00,123456789Z", HALF_PAST.replace(microsecond=123_456)),
        ("2026-11-20T08:30:00.5Z", HALF_PAST.replace(microsecond=500_000)),
        ("2026-11-20T08", HALF_PAST.replace(minute=0)),
        ("2026-11-20", HALF_PAST.replace(hour=0, minute=0)),
    ],
)
def test_a_timestamp_is_in_utc(text: str, expected: datetime) -> None:
    found = parse_timestamp(text)
    assert (found, found.tzinfo) == (expected, timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20261120",
        "2026-W47-5",
        "2026-02-30",
        "2026-11-20T24:00",
        "2026-11-20T08:30:60",
        "2026-11-20T08:30+25:00",
        "2026-11-20 Z 08:30",
        "٢٠٢٦-١١-٢٠",
        "1763627400",
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        parse_timestamp(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+01:00", "9999-12-31T23:59-01:00"])
def test_a_time_that_utc_does_not_reach_overflows(text: str) -> None:
    with pytest.raises(OverflowError):
        parse_timestamp(text)
