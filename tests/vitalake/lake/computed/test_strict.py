"""What a function returns is as declared, or refused in words; nothing is cast with a loss."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.vitalake.lake.computed.test_frames import EVERY_KIND, FULL, NOTHING
from vitalake.errors import PermanentError
from vitalake.lake.computed.frames import frame_of
from vitalake.lake.computed.strict import from_arrow, from_frame, in_order
from vitalake.lake.tables import Column, Table

NEEDED = Table("needed", "A table.", (Column("n", "int64", ".", nullable=False), Column("x", "float64", ".")))
OBJECT = np.dtype(object)


def frame() -> pd.DataFrame:
    return frame_of(EVERY_KIND.from_rows([FULL, NOTHING]))


def objects(*values: object) -> pd.Series[Any]:
    return pd.Series(list(values), dtype=OBJECT)


TAKEN = {
    "int for a float": ("number", [1, 2], [1.0, 2.0]),
    "missing int for a float": ("number", pd.array([1, None], dtype="Int64"), [1.0, None]),
    "float32": ("number", np.array([0.5, np.nan], np.float32), [0.5, None]),
    "smaller int": ("large", np.array([1, 2], np.int8), [1, 2]),
    "category": ("text", pd.Categorical(["a", "b"]), ["a", "b"]),
    "objects that are texts": ("text", objects("a", None), ["a", None]),
    "objects that are dates": ("day", objects(date(2026, 1, 1), None), [date(2026, 1, 1), None]),
    "midnights": ("day", pd.to_datetime(["2026-01-01", "2026-01-02"]), [date(2026, 1, 1), date(2026, 1, 2)]),
    "arrays": ("counts", objects(np.array([1, 2]), None), [[1, 2], None]),
    "ints in lists of floats": ("numbers", objects([1], []), [[1.0], []]),
    "nothing at all": ("text", objects(None, None), [None, None]),
    "nothing at all of numbers": ("small", objects(None, np.nan), [None, None]),
}


@pytest.mark.parametrize(("column", "values", "expected"), TAKEN.values(), ids=TAKEN)
def test_what_is_the_same_is_taken(column: str, values: Any, expected: list[object]) -> None:
    taken = from_frame(EVERY_KIND, frame().assign(**{column: values}))
    assert taken.schema.equals(EVERY_KIND.arrow_schema(), check_metadata=True)
    assert taken.column(column).to_pylist() == expected


def test_another_zone_is_the_same_time() -> None:
    berlin = pd.to_datetime(["2026-01-01 01:00", "2026-01-02 01:00"]).tz_localize("Europe/Berlin")
    taken = from_frame(EVERY_KIND, frame().assign(at=berlin)).column("at")
    assert [each.hour for each in taken.cast(pa.timestamp("us")).to_pylist()] == [0, 0]


WRONG = {
    "nan in an int": ("small", [1.0, np.nan], "'small' came as float64 and is declared as int32; .*Int64"),
    "whole floats": ("large", [1.0, 2.0], "'large' came as float64 and is declared as int64"),
    "too large": ("small", [2**40, 1], "'small' came as int64 and is declared as int32: a value .* without a loss"),
    "beyond a float": ("number", [2**53 + 1, 1], "'number' came as int64 .* without a loss"),
    "no flag": ("flag", [0, 1], "'flag' came as int64 and is declared as bool"),
    "flags beside nothing": ("flag", objects(True, None), "'flag' came as objects of bool"),
    "mixed": ("text", objects("a", 1), "'text' came as objects of int, str and is declared as string"),
    "bytes": ("text", objects(b"a", b"b"), "'text' came as objects of bytes"),
    "numbers as text": ("number", ["1.5", "2"], "'number' came as str"),
    "no zone": (
        "at",
        pd.to_datetime(["2026-01-01 01:00", "2026-01-02 01:00"]),
        r"'at' came as datetime64\[.s\] and is declared as timestamp; .*utc=True",
    ),
    "too fine": (
        "at",
        pd.to_datetime([1, 2], unit="ns", utc=True),
        r"'at' came as datetime64\[ns, UTC\] .* without a loss",
    ),
    "a time of day": ("day", pd.to_datetime(["2026-01-01 01:00", "2026-01-02 00:00"]), "'day' .* without a loss"),
    "a moment": ("day", objects(datetime(2026, 1, 1), None), "'day' came as objects of datetime"),
    "dates as text": ("day", "2026-01-01", "'day' came as str and is declared as date"),
    "fractions in a list": ("counts", objects([1.5], [2]), r"'counts' came as list<.*double> and is declared as"),
    "too large in a list": ("counts", objects([2**40], [2]), "'counts' .* without a loss"),
    "a mixed list": ("texts", objects(["a"], [1]), "'texts' came as object that cannot be read"),
    "text for a list": ("texts", ["ab", "c"], "'texts' came as str"),
    "durations": ("text", pd.to_timedelta([1, 2]), r"'text' came as timedelta64"),
}


@pytest.mark.parametrize(("column", "values", "said"), WRONG.values(), ids=WRONG)
def test_what_is_not_is_refused_in_words(column: str, values: Any, said: str) -> None:
    with pytest.raises(PermanentError, match=f"^every_kind: column {said}"):
        from_frame(EVERY_KIND, frame().assign(**{column: values}))


def table_of(**columns: Any) -> pd.DataFrame:
    found: pd.DataFrame = pd.DataFrame(columns)
    return found


SHAPES = {
    "nothing": (None, "the function returned NoneType, and not a pandas DataFrame"),
    "a series": (pd.Series([1]), "the function returned Series"),
    "missing": (table_of(n=[1]), "column x is missing. Declared are n, x"),
    "in the index": (
        table_of(n=[1], x=[1.0]).set_index("n"),
        r"column n is missing \(it is in the index: use .reset",
    ),
    "more": (table_of(n=[1], x=[1.0], y=[1]), "column y came and is not declared"),
    "numbered": (pd.DataFrame([[1, 1.0]]), "column n, x is missing; column 0, 1 came and is not declared"),
    "twice": (pd.DataFrame([[1, 1.0, 2.0]], columns=["n", "x", "x"]), "column x came twice"),
    "no value": (
        table_of(n=pd.array([1, None], dtype="Int64"), x=[1.0, 2.0]),
        "column 'n' is declared with nullable=False, and 1 of 2 rows have no value",
    ),
}


@pytest.mark.parametrize(("result", "said"), SHAPES.values(), ids=SHAPES)
def test_a_result_of_another_shape_is_refused_in_words(result: object, said: str) -> None:
    with pytest.raises(PermanentError, match=f"^needed: {said}"):
        from_frame(NEEDED, result)


def test_the_index_and_the_order_of_columns_say_nothing() -> None:
    result = pd.DataFrame({"x": [1.0, None], "n": [2, 1]}, index=["b", "a"])
    assert from_frame(NEEDED, result).to_pylist() == [{"n": 2, "x": 1.0}, {"n": 1, "x": None}]


def test_a_sum_of_sql_is_a_whole_number_where_it_fits() -> None:
    sums = pa.table({"n": pa.array([1, 2], pa.decimal128(38, 0)), "x": pa.array([1, 2], pa.decimal128(9, 2))})
    assert from_arrow(NEEDED, sums).column("n").to_pylist() == [1, 2]
    beyond = sums.set_column(0, "n", pa.array([2**64, 1], pa.decimal128(38, 0)))
    with pytest.raises(PermanentError, match="without a loss"):
        from_arrow(NEEDED, beyond)
    with pytest.raises(PermanentError, match="'n' came as double"):
        from_arrow(NEEDED, pa.table({"n": [1.0], "x": [1.0]}))


def test_rows_are_in_the_order_of_their_key_and_no_two_alike() -> None:
    rows = NEEDED.from_columns({"n": [3, 1, 2], "x": [0.0, 1.0, 2.0]})
    assert in_order(NEEDED, ["n"], rows).column("n").to_pylist() == [1, 2, 3]
    assert in_order(NEEDED, ["n"], rows.slice(0, 0)).num_rows == 0
    again = NEEDED.from_columns({"n": [1, 2, 1, 1], "x": [0.0, 1.0, 2.0, 3.0]})
    with pytest.raises(PermanentError, match=r"needed: 2 of 4 rows have the key of another one \(n\): group by"):
        in_order(NEEDED, ["n"], again)
