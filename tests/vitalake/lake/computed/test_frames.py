"""Arrow to pandas: types that depend on the declaration alone, and rows that come back as they were."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pyarrow as pa
import pytest

from vitalake.lake.computed.frames import frame_of
from vitalake.lake.computed.strict import from_frame
from vitalake.lake.tables import Column, Table

EVERY_KIND = Table(
    "every_kind",
    "One column of each kind.",
    (
        Column("text", "string", "."),
        Column("small", "int32", "."),
        Column("large", "int64", "."),
        Column("number", "float64", "."),
        Column("flag", "bool", "."),
        Column("day", "date", "."),
        Column("at", "timestamp", "."),
        Column("texts", "list<string>", "."),
        Column("counts", "list<int32>", "."),
        Column("numbers", "list<float64>", "."),
    ),
)
FULL = {
    "text": "a",
    "small": -1,
    "large": 2**60 + 1,
    "number": 0.1,
    "flag": True,
    "day": date(1969, 12, 31),
    "at": datetime(2026, 11, 20, 8, 30, 0, 1, tzinfo=timezone.utc),
    "texts": ["a", ""],
    "counts": [1, 2],
    "numbers": [0.1, float("inf")],
}
NOTHING = dict.fromkeys(FULL)
ROWS = {"none": [], "full": [FULL], "missing": [NOTHING], "both": [FULL, NOTHING]}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_rows_come_back_as_they_were(rows: list[dict[str, object]]) -> None:
    stored = EVERY_KIND.from_rows(rows)
    frame = frame_of(stored)
    assert list(frame.columns) == EVERY_KIND.names
    assert from_frame(EVERY_KIND, frame).equals(stored)
    assert frame.dtypes.equals(frame_of(EVERY_KIND.from_rows([FULL])).dtypes)


def test_sums_are_numbers_and_utc_has_one_name() -> None:
    table = pa.table(
        {
            "sum": pa.array([1, None], pa.decimal128(38, 0)),
            "beyond": pa.array([2**64, 1], pa.decimal128(38, 0)),
            "price": pa.array([1, 2], pa.decimal128(9, 2)),
            "at": pa.array([0, 1], pa.timestamp("us", "Etc/UTC")),
        }
    )
    kinds = frame_of(table).dtypes.astype(str).to_dict()
    assert kinds == {"sum": "Int64", "beyond": "float64", "price": "float64", "at": "datetime64[us, UTC]"}
