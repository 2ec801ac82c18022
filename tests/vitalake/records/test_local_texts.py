"""Numbers, days and times in the forms that a dataset declares: typed, or refused with the reason."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.lake.tables import Kind
from vitalake.records.csv_format import CsvFormat
from vitalake.records.local_texts import typed_texts

COMMA = CsvFormat(decimal_sign=",", thousands_sign=".")
BLANKS = CsvFormat(decimal_sign=",", thousands_sign="\u00a0")
SWISS = CsvFormat(thousands_sign="'")
BARE = CsvFormat(decimal_sign=",")


def typed(text: str | None, kind: Kind, written: CsvFormat) -> tuple[Any, str]:
    """The value, and why it is none; beside others, which must not matter."""
    texts = pa.array(["no such thing", text, None, text], pa.string())
    column, reasons = typed_texts(texts, kind, written)
    said = [words for words, mask in reasons if mask[1]]
    assert len(said) <= 1
    assert column[1] == column[3]
    assert column[2].as_py() is None
    assert not any(mask[2] for _, mask in reasons)
    assert sum(bool(mask[0]) for _, mask in reasons) == 1
    assert (column[1].as_py() is None) == bool(said) or text is None
    alone, _ = typed_texts(pa.array([text], pa.string()), kind, written)
    assert alone[0] == column[1]
    return column[1].as_py(), "".join(said)


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        (COMMA, "1.234", 1234.0),
        (COMMA, "1.234.567,89", 1234567.89),
        (COMMA, "1234,5", 1234.5),
        (COMMA, "88,4", 88.4),
        (COMMA, ",5", 0.5),
        (COMMA, "0,123", 0.123),
        (COMMA, " -3,5 ", -3.5),
        (COMMA, "\u22123,5", -3.5),
        (COMMA, "1,5e3", 1500.0),
        (COMMA, "1.23", None),
        (COMMA, "1,234.5", None),
        (COMMA, "0.123", None),
        (COMMA, "1.2345", None),
        (COMMA, "1234.567", None),
        (COMMA, "1..234", None),
        (COMMA, ".234", None),
        (COMMA, "1,2,3", None),
        (COMMA, "<3,4", None),
        (COMMA, "3,4 mg", None),
        (COMMA, "nan", None),
        (COMMA, "", None),
        (BARE, "1.5", None),
        (BARE, "1,5", 1.5),
        (BLANKS, "1\u00a0234,5", 1234.5),
        (BLANKS, "1\u202f234,5", 1234.5),
        (BLANKS, "1 234,5", 1234.5),
        (BLANKS, "12 34", None),
        (SWISS, "1'234.5", 1234.5),
        (SWISS, "1\u2019234.5", 1234.5),
        (SWISS, "1,234.5", None),
    ],
)
def test_a_number_is_read_by_its_signs_or_refused(written: CsvFormat, text: str, expected: float | None) -> None:
    found, said = typed(text, "float64", written)
    assert found == expected
    assert not said or f"decimal sign {written.decimal_sign!r}" in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.234", 1234), ("12", 12), ("1.23", None), ("1,0", None), ("0.123", None), ("0x1", None)],
)
def test_a_whole_number_has_thousands_and_no_fraction(text: str, expected: int | None) -> None:
    assert typed(text, "int32", COMMA)[0] == expected
    assert typed(text, "int64", COMMA)[0] == expected


@given(st.floats(-1e12, 1e12).map(lambda value: round(value, 3)))
def test_every_number_is_read_as_it_was_written(value: float) -> None:
    english = f"{value:,.3f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert typed(german, "float64", COMMA)[0] == value
    assert typed(english.replace(",", "'"), "float64", SWISS)[0] == value


DAYS = CsvFormat(date_formats=("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y"))
BERLIN = CsvFormat(timestamp_formats=("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M%z"), time_zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        ("24.11.2026", date(2026, 11, 24), ""),
        (" 24.11.2026 ", date(2026, 11, 24), ""),
        ("24/11/2026", date(2026, 11, 24), ""),
        ("05/05/2026", date(2026, 5, 5), ""),
        ("01/02/2026", None, "two ways"),
        ("2026-11-24", None, "%d.%m.%Y or"),
        ("31.02.2026", None, "not a date"),
    ],
)
def test_a_day_is_read_by_its_forms_where_they_agree(text: str, expected: date | None, why: str) -> None:
    found, said = typed(text, "date", DAYS)
    assert found == expected
    assert bool(said) == bool(why)
    assert why in said


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        ("24.11.2026 07:01", datetime(2026, 11, 24, 6, 1, tzinfo=timezone.utc), ""),
        ("24.07.2026 07:01", datetime(2026, 7, 24, 5, 1, tzinfo=timezone.utc), ""),
        ("29.03.2026 01:59", datetime(2026, 3, 29, 0, 59, tzinfo=timezone.utc), ""),
        ("29.03.2026 02:00", None, "skip"),
        ("29.03.2026 02:59", None, "skip"),
        ("29.03.2026 03:00", datetime(2026, 3, 29, 1, 0, tzinfo=timezone.utc), ""),
        ("25.10.2026 01:59", datetime(2026, 10, 24, 23, 59, tzinfo=timezone.utc), ""),
        ("25.10.2026 02:00", None, "show twice"),
        ("25.10.2026 02:59", None, "show twice"),
        ("25.10.2026 02:30+0200", datetime(2026, 10, 25, 0, 30, tzinfo=timezone.utc), ""),
        ("25.10.2026 03:00", datetime(2026, 10, 25, 2, 0, tzinfo=timezone.utc), ""),
        ("2026-11-24T07:01", None, "not a time as"),
    ],
)
def test_a_local_time_is_one_moment_or_refused(text: str, expected: datetime | None, why: str) -> None:
    found, said = typed(text, "timestamp", BERLIN)
    assert found == expected
    assert bool(said) == bool(why)
    assert why in said


def test_a_zone_alone_is_of_times_by_iso_8601_that_do_not_say_theirs() -> None:
    written = CsvFormat(time_zone="Australia/Lord_Howe")
    assert typed("2026-07-01 12:00", "timestamp", written)[0] == datetime(2026, 7, 1, 1, 30, tzinfo=timezone.utc)
    assert typed("2026-07-01 12:00Z", "timestamp", written)[0] == datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
    assert "show twice" in typed("2026-04-05 01:45", "timestamp", written)[1]
    assert "skip" in typed("2026-10-04 02:15", "timestamp", written)[1]


def test_what_is_not_declared_is_read_as_ever() -> None:
    assert typed("2026-11-24", "date", COMMA)[0] == date(2026, 11, 24)
    assert typed("1.5", "float64", DAYS)[0] == 1.5
    assert typed("true", "bool", COMMA)[0] is True
