"""Texts in a declared form of days and times, and texts that only look so."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from vitalake.records.time_formats import TimeFormat


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("%d.%m.%Y", "24.11.2026", datetime(2026, 11, 24)),
        ("%d.%m.%Y", "1.2.2026", datetime(2026, 2, 1)),
        ("%d.%m.%Y", "24.11.26", None),
        ("%d.%m.%Y", "24.11.20266", None),
        ("%d.%m.%Y", "24-11-2026", None),
        ("%d.%m.%Y", "31.02.2026", None),
        ("%d.%m.%Y", "24.13.2026", None),
        ("%d.%m.%Y", "٢٤.11.2026", None),
        ("%Y%m%d", "20261124", datetime(2026, 11, 24)),
        ("%Y%m%d", "2026112", None),
        ("%m/%d/%Y %I:%M %p", "11/24/2026 12:05 AM", datetime(2026, 11, 24, 0, 5)),
        ("%m/%d/%Y %I:%M %p", "11/24/2026 12:05 pm", datetime(2026, 11, 24, 12, 5)),
        ("%m/%d/%Y %I:%M %p", "11/24/2026 13:05 PM", None),
        ("%d.%m.%Y %H:%M", "24.11.2026 7:01", datetime(2026, 11, 24, 7, 1)),
        ("%d.%m.%Y %H:%M", "24.11.2026 24:00", None),
        ("%d.%m.%Y %H:%M", "24.11.2026 07:01:02", None),
        ("%d.%m.%Y %H:%M:%S,%f", "24.11.2026 07:01:02,1234567", datetime(2026, 11, 24, 7, 1, 2, 123_456)),
        ("100%% %d.%m.%Y", "100% 24.11.2026", datetime(2026, 11, 24)),
        (
            "%d.%m.%Y %H:%M%z",
            "24.11.2026 07:01+0100",
            datetime(2026, 11, 24, 7, 1, tzinfo=timezone(timedelta(hours=1))),
        ),
    ],
)
def test_a_text_is_read_as_it_is_declared_or_not(form: str, text: str, expected: datetime | None) -> None:
    written = TimeFormat(form, with_time=True)
    if expected is None:
        with pytest.raises(ValueError):
            written.read(text)
    else:
        assert written.read(text) == expected


@pytest.mark.parametrize(
    ("text", "year"), [("01.01.50", 1950), ("01.01.99", 1999), ("01.01.00", 2000), ("01.01.49", 2049)]
)
def test_two_digits_are_a_year_of_the_declared_hundred(text: str, year: int) -> None:
    assert TimeFormat("%d.%m.%y", False, years_from=1950).read(text).year == year
