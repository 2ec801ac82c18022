"""The SQL that people ask, through the published catalog, against numpy and pandas."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from dagster import DagsterInstance

from resources.catalog import connect, publish
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.pipeline_assets.running import DAY, run_day, upload_all
from tests.vitalake.ecg.matlab_files import strip, v4_file
from vitalake.datasets.declared import DATASETS
from vitalake.serving.catalog import views

pytestmark = pytest.mark.store


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query that may take 1 GB and two minutes."""
    with connect(settings) as connection:
        connection.execute("SET memory_limit = '1GB'")
        deadline = threading.Timer(120, connection.interrupt)
        deadline.start()
        try:
            found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
        finally:
            deadline.cancel()
    return found


def strips(settings: Settings, view: str, column: str) -> dict[tuple[str, int], npt.NDArray[np.float64]]:
    """One column of lists by file and lead; null is NaN."""
    found = ask(settings, f"SELECT source_key, lead_index, {column} FROM {view} WHERE date = DATE '{DAY}'")  # noqa: S608
    return {(key.rpartition("/")[2], lead): np.array(values, np.float64) for key, lead, values in found}


def with_gaps() -> npt.NDArray[np.float32]:
    """Two leads of fractions: one begins with a gap and ends with one, the other has single samples missing."""
    values: npt.NDArray[np.float32] = strip(leads=2).astype(np.float32) + np.float32(0.5)
    values[0, :40] = values[0, 2000:2050] = values[0, -7:] = np.nan
    values[1, 5::100] = np.nan
    return values


def test_millivolts_and_normalised_signals_are_what_numpy_and_pandas_make_of_the_file(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance
) -> None:
    files: dict[str, npt.NDArray[Any]] = {
        "whole.mat": strip(leads=3),
        "gaps.mat": with_gaps(),
        "constant.mat": np.full((1, 3600), 1024, np.int16),
        "constant_with_gap.mat": np.where(np.arange(3600) == 99, np.nan, 7.5).astype(np.float32)[None, :],
    }
    upload_all(raw, [(f"device=demo-a/{name}", v4_file(values)) for name, values in files.items()])
    two = strip(leads=2).astype("<i2")
    two[1, 70:90] = -32768  # how format 16 says that there is no value
    signal = b"two.dat 16 500(100)/mV 16 0 0 0 0 %s\n"
    upload_all(raw, [("two.hea", b"two 2 360\n" + signal % b"I" + signal % b"II"), ("two.dat", two.T.tobytes())])
    assert run_day(settings, instance).success
    leads = {
        (name, lead): values[lead].astype(float) for name, values in files.items() for lead in range(len(values))
    }
    stored = np.where(two == -32768, np.nan, two)
    leads |= {("two.hea", lead): stored[lead] for lead in range(2)}

    in_mv = strips(settings, "ecg_signals_mv", "mv")
    constant = leads["constant.mat", 0]
    # Three leads, or fractions, come from another source than the one whose gain its device declares.
    assert in_mv.keys() == {("constant.mat", 0), ("two.hea", 0), ("two.hea", 1)}
    np.testing.assert_array_equal(in_mv["constant.mat", 0], (constant - 1024) / 200)
    for lead in range(2):
        np.testing.assert_array_equal(in_mv["two.hea", lead], (stored[lead] - 100) / 500)

    normalised = strips(settings, "ecg_normalised", "normalised")
    assert normalised.keys() == leads.keys()
    for key, values in leads.items():
        filled = pd.Series(values).ffill()
        spread = filled.max() - filled.min()
        expected = (filled - filled.min()) / (spread if spread else 1)
        np.testing.assert_allclose(normalised[key], expected, rtol=1e-12, atol=1e-15)
        inside = normalised[key][np.isfinite(normalised[key])]
        assert (inside.min(), inside.max()) == ((0.0, 1.0) if spread else (0.0, 0.0))
        # nothing before the first
        assert np.isnan(normalised[key]).sum() == (40 if key == ("gaps.mat", 0) else 0)


def test_quarantine_and_duplicates_are_views(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance
) -> None:
    recording = v4_file(strip())
    first, again, _other, bad = upload_all(
        raw, [("a", recording), ("b", recording), ("c", v4_file(strip() + 1)), ("d", b"")]
    )
    (next_day,) = upload_all(raw, [("a", recording)], "2025-03-03")
    assert run_day(settings, instance).success
    assert run_day(settings, instance, day="2025-03-03").success
    found = ask(settings, "SELECT dataset, source_key, rule, date::VARCHAR FROM quarantine")
    assert found == [("ecg", bad, "S01", DAY)]
    pairs = dict(ask(settings, "SELECT source_key, duplicate_of FROM ecg_duplicates"))
    assert pairs == dict.fromkeys([again, next_day], first)


def test_every_view_answers_and_explains_itself_before_anything_is_stored(
    settings: Settings, store: ObjectStore
) -> None:
    assert publish(settings, store, DATASETS)
    assert not publish(settings, store, DATASETS)  # it says so already
    for view in views(DATASETS, settings.lake_bucket, settings.restricted_bucket):
        assert ask(settings, f"SELECT * FROM {view.name}") == []  # noqa: S608
        query = f"SELECT column_name, comment FROM duckdb_columns() WHERE table_name = '{view.name}'"  # noqa: S608
        comments = {name: comment for name, comment in ask(settings, query) if comment}
        assert comments == view.columns
        assert ask(settings, f"SELECT comment FROM duckdb_views() WHERE view_name = '{view.name}'") == [(view.doc,)]  # noqa: S608
