"""What passes as which kind, the same by the quick way for a whole column and by the exact one for each value."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.records.typed import from_json, from_texts

UTC = pa.timestamp("us", tz="UTC")
BAD = object()
TEXTS: list[tuple[pa.DataType, str, Any]] = [
    (pa.int64(), "5", 5),
    (pa.int64(), " +5 ", 5),
    (pa.int64(), "9223372036854775807", 2**63 - 1),
    (pa.int64(), "9223372036854775808", BAD),
    (pa.int64(), "0x1F", BAD),
    (pa.int64(), "1_000", BAD),
    (pa.int64(), "٣", BAD),
    (pa.int64(), "5.0", BAD),
    (pa.int32(), "2147483648", BAD),
    (pa.float64(), "1e3", 1000.0),
    (pa.float64(), " .5", 0.5),
    (pa.float64(), "nan", BAD),
    (pa.float64(), "-inf", BAD),
    (pa.float64(), "1e999", BAD),
    (pa.float64(), "1,5", BAD),
    (pa.bool_(), "TRUE", True),
    (pa.bool_(), "0", False),
    (pa.bool_(), "yes", BAD),
    (pa.date32(), "2026-02-28", date(2026, 2, 28)),
    (pa.date32(), "2026-02-30", BAD),
    (pa.date32(), "20260228", BAD),
    (UTC, "2026-11-20T08:30:00Z", datetime(2026, 11, 20, 8, 30, tzinfo=timezone.utc)),
    (UTC, "2026-11-20 09:30:00+01:00", datetime(2026, 11, 20, 8, 30, tzinfo=timezone.utc)),
    (UTC, "2026-11-20T08:30:00", datetime(2026, 11, 20, 8, 30, tzinfo=timezone.utc)),
    (UTC, "tomorrow", BAD),
    (pa.string(), " as it is ", " as it is "),
]


@pytest.mark.parametrize(("kind", "text", "expected"), TEXTS, ids=[f"{kind} {text}" for kind, text, _ in TEXTS])
@pytest.mark.parametrize("beside", [None, "no number"], ids=["alone", "beside what does not fit"])
def test_a_text_passes_or_is_marked(kind: pa.DataType, text: str, expected: Any, beside: str | None) -> None:
    found, bad = from_texts(pa.array([text, None, beside]), kind)
    assert found.type == kind
    assert list(bad) == [expected is BAD, False, beside is not None and kind != pa.string()]
    assert found[0].as_py() == (None if expected is BAD else expected)
    assert found[1].as_py() is None


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (pa.int32(), 280, 280),
        (pa.int32(), 280.0, 280),
        (pa.int32(), 280.5, BAD),
        (pa.int32(), "280", BAD),
        (pa.int32(), True, BAD),
        (pa.int32(), 2**31, BAD),
        (pa.int64(), 2**80, BAD),
        (pa.int64(), 2**53 + 1, 2**53 + 1),
        (pa.int64(), 2.0**53 - 1, 2**53 - 1),
        (pa.int64(), 1 - 2.0**53, 1 - 2**53),
        (pa.int64(), 9007199254740993.0, BAD),  # which is read as the one below, so that one is no proof either
        (pa.int64(), -(2.0**53), BAD),
        (pa.int64(), 1e18, BAD),
        (pa.int64(), float("inf"), BAD),
        (pa.float64(), 1, 1.0),
        (pa.float64(), False, BAD),
        (pa.float64(), "0.5", BAD),
        (pa.float64(), 10**400, BAD),
        (pa.string(), 5, BAD),
        (pa.string(), ["a"], BAD),
        (pa.bool_(), 1, BAD),
        (pa.date32(), "2026-02-28", date(2026, 2, 28)),
        (pa.date32(), "28.2.2026", BAD),
        (pa.date32(), 20260228, BAD),
        (UTC, "2026-11-20T08:30:00Z", datetime(2026, 11, 20, 8, 30, tzinfo=timezone.utc)),
        (UTC, {"at": "noon"}, BAD),
    ],
)
@pytest.mark.parametrize("beside", [None, {}], ids=["alone", "beside what does not fit"])
def test_a_json_value_passes_or_is_marked(kind: pa.DataType, value: Any, expected: Any, beside: Any) -> None:
    found, bad = from_json([value, None, beside], kind)
    assert found.type == kind
    assert list(bad) == [expected is BAD, False, beside is not None]
    assert found[0].as_py() == (None if expected is BAD else expected)


@given(st.lists(st.text(max_size=20) | st.integers().map(str) | st.floats().map(str), max_size=8))
def test_a_column_is_judged_as_its_values_are(texts: list[str]) -> None:
    texts = [text for text in texts if text.isprintable()]
    for kind in (pa.int64(), pa.int32(), pa.float64(), pa.bool_(), pa.date32(), UTC):
        together, bad = from_texts(pa.array(texts, pa.string()), kind)
        each = [from_texts(pa.array([text]), kind) for text in texts]
        assert list(bad) == [bool(one[0]) for _, one in each]
        assert together.to_pylist() == [column[0].as_py() for column, _ in each]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (pa.int64(), "00000000000000000000005"),
        (pa.float64(), "1e0005"),
        (pa.date32(), "0000-01-01"),
        (UTC, "0000-01-01T00:00:00Z"),
        (UTC, "0001-01-01T00:00:00+01:00"),
        (UTC, "2026-11-20T08:30:00.5Z"),
        (UTC, "2026-11-20T08:30:00+01"),
        (UTC, "2026-11-20T08:30:00+0100"),
        (UTC, "2026-11-20T08Z"),
    ],
)
def test_what_passes_does_not_depend_on_what_stands_beside_it(kind: pa.DataType, text: str) -> None:
    alone, bad = from_texts(pa.array([text]), kind)
    beside, worse = from_texts(pa.array([text, "bad!"]), kind)
    assert (alone[0].as_py(), bad[0]) == (beside[0].as_py(), worse[0])
