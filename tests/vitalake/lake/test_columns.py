"""Values to Arrow and back: as Arrow itself converts them, and without pandas."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitalake.lake import columns

_UTC = pa.timestamp("us", tz="UTC")
_MOMENTS = st.datetimes(
    datetime(1900, 1, 1),
    timezones=st.sampled_from([timezone.utc, timezone(timedelta(hours=-5))]),
)
_KINDS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.string(): st.text(st.characters(exclude_categories=["Cs"])),
    pa.bool_(): st.booleans(),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False),
    _UTC: _MOMENTS,
}
_SIMPLE = st.sampled_from(list(_KINDS))
# It leaves at once: threads of the libraries that are still there as Python ends have aborted it, once in many
# thousands of times, and that is not what is asked here.
_PROGRAM = """
import os
import sys
from datetime import datetime, timezone
from cli.demo.recordings import matlab_v4, stored, strip_mv
import numpy as np
from vitalake.lake import columns, parquet
from vitalake.lake.contents import RawObject
from vitalake.datasets.ecg import ECG
from vitalake.pseudonyms import Pseudonyms
data = matlab_v4(stored(strip_mv("clean", np.random.default_rng(0))))
item = RawObject("ecg/a.mat", "1", len(data), datetime.now(timezone.utc), data)
[parsed] = ECG.parse([item], Pseudonyms(bytes(32)))
tables = dict(ECG.tabulate(parsed.values).tables)
for derived in ECG.derived:
    tables |= derived.compute(tables[derived.source].select(derived.columns))
for name, table in tables.items():
    assert columns.rows_of(parquet.decode(parquet.encode(ECG.table(name), table, "")))
assert "pandas" not in sys.modules
os._exit(0)
"""


@settings(deadline=None)
@given(st.data())
def test_sequences_become_what_arrow_makes_of_them(data: st.DataObject) -> None:
    kind = data.draw(_SIMPLE)
    values = data.draw(st.lists(st.none() | _KINDS[kind]))
    found = columns.array(values, kind)
    found.validate(full=True)
    assert found.equals(pa.array(values, kind))
    assert columns.rows_of(pa.table({"a": found})) == pa.table({"a": found}).to_pylist()


@settings(deadline=None)
@given(st.data())
def test_lists_become_what_arrow_makes_of_them(data: st.DataObject) -> None:
    kind = data.draw(_SIMPLE)
    values = data.draw(st.lists(st.none() | st.lists(_KINDS[kind])))
    found = columns.array(values, pa.list_(kind))
    found.validate(full=True)
    assert found.equals(pa.array(values, pa.list_(kind)))


def test_numpy_arrays_alone_and_in_lists() -> None:
    whole = np.arange(6, dtype=np.int64)[::2]
    assert columns.array(whole, pa.int32()).equals(pa.array([0, 2, 4], pa.int32()))
    kind = pa.list_(pa.float64())
    assert columns.array([whole, None, np.empty(0)], kind).equals(pa.array([[0, 2, 4], None, []], kind))
    assert np.isnan(columns.array([np.nan, None], pa.float64())[0].as_py())  # a number that is none, and no number


@pytest.mark.parametrize(
    ("values", "kind", "error"),
    [
        ([2**31], pa.int32(), pa.ArrowInvalid),
        ([1.5], pa.int64(), pa.ArrowInvalid),
        ([1.5, None], pa.int32(), pa.ArrowInvalid),
        (["1"], pa.float64(), TypeError),
        ([1], pa.string(), TypeError),
        ([[1, "a"]], pa.list_(pa.int32()), TypeError),
    ],
)
def test_what_does_not_fit_is_refused(values: list[Any], kind: pa.DataType, error: type[Exception]) -> None:
    with pytest.raises(error):
        columns.array(values, kind)


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(-(2**31), 2**31 - 1)), st.integers(0, 9))
def test_numbers_come_back_as_numpy_has_them(values: list[int | None], start: int) -> None:
    found = columns.floats(columns.array(values, pa.int32()).slice(start))
    expected = [np.nan if value is None else value for value in values[start:]]
    np.testing.assert_array_equal(found, np.asarray(expected, dtype=np.float64))


def test_a_recording_becomes_rows_in_parquet_without_the_import_of_pandas() -> None:
    root = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", _PROGRAM], cwd=root, check=True, timeout=120)
