"""`vitalake.open()` on a real lake: what a notebook gets, and what it is told where it asks for something else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import vitalake
from cli.demo.recordings import matlab_v4, stored, strip_mv
from cli.environment import write_env
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.conftest import DAYS, build
from vitalake.datasets.declared import DATASETS
from vitalake.errors import PermanentError, TransientError
from vitalake.serving.lake_handle import Lake

pytestmark = pytest.mark.store
DAY = DAYS[0]
KEY = f"ecg/date={DAY}/device=demo-a/0.mat"
KEYS = [KEY, f"ecg/date={DAY}/device=demo-a/1.mat", f"ecg/date={DAY}/device=demo-b/0.mat"]


def strip(number: int) -> npt.NDArray[np.int16]:
    return stored(strip_mv("clean", np.random.default_rng(number)))


@pytest.fixture
def lake(settings: Settings, home: Path, raw: ObjectStore) -> Lake:  # noqa: ARG001 (its `env` is needed)
    """Three recordings, of which two have the same name, one with leads that are no voltage, and an empty file."""
    for number, key in enumerate(KEYS):
        raw.put(key, matlab_v4(strip(number)), expected=None)
    raw.put(f"ecg/date={DAY}/device=demo-a/empty.mat", b"", expected=None)
    build(settings, DAY)
    return vitalake.open()


def test_tables_with_their_meaning_and_frames_with_their_rows(lake: Lake) -> None:
    declared = {table.name: table for dataset in DATASETS for table in dataset.every_table}
    assert declared.keys() < lake.tables.keys()
    features = lake.tables["ecg_features"]
    assert features.doc == declared["ecg_features"].doc
    docs = {name: column.doc for name, column in features.columns.items()}
    assert {column.name: column.doc for column in declared["ecg_features"].columns}.items() < docs.items()
    assert features.columns["heart_rate_bpm"].kind == "DOUBLE"
    assert str(features).splitlines()[0] == f"ecg_features: {features.doc}"

    whole = lake.df("ecg_recordings")
    assert list(whole.columns) == list(lake.tables["ecg_recordings"].columns)
    assert sorted(whole.source_key) == KEYS
    found = lake.df(
        "ecg_recordings", ["source_key", "date"], where="device_id = ? -- of one", parameters=["demo-a"], days=DAY
    )
    assert sorted(found.source_key) == KEYS[:2]
    assert set(found.date) == {pd.Timestamp(DAY)}
    assert len(lake.df("ecg_recordings", ["date"], days=(date.fromisoformat(DAY), DAYS[1]))) == 3
    assert lake.df("ecg_recordings", where="device_id = 'demo-a' OR true", days=DAYS[1]).empty

    # Types depend on the columns, not on the rows.
    query = """SELECT lead_count, sum(lead_count) AS leads, bool_or(lead_count > 1) AS several,
        avg(duration_s) AS s, max(uploaded_at) AS at, max(date) AS day, min(fragment) AS fragment, 0.5 AS half,
        2::UTINYINT AS small FROM ecg_recordings WHERE lead_count > $least GROUP BY lead_count"""
    expected = {"lead_count": "Int64", "leads": "Int64", "several": "boolean", "s": "float64"}
    expected |= {"fragment": "Int64", "half": "float64", "small": "UInt64"}
    for least in (0, 100):
        found = lake.sql(query, {"least": least})
        assert len(found) == (least == 0)
        kinds = found.dtypes.astype(str).to_dict()
        assert kinds.pop("at").endswith(", UTC]")
        assert kinds.pop("day").startswith("datetime64[")
        assert kinds == expected
    for given in ([np.int64(0), np.float64(0.5), np.bool_(True)], pd.Series([0, 0.5, True], dtype=object)):
        found = lake.df(
            "ecg_recordings", ["date"], where="(lead_count > ?) = (? < 1) AND ?", parameters=list(given)
        )
        assert len(found) == 3
    assert lake.sql("SELECT $n AS n", {"n": np.int32(7)}).n.tolist() == [7]
    # A large integer stays what it is beside a missing one.
    assert lake.sql("SELECT * FROM (VALUES (9007199254740993), (NULL)) AS v(n)").n[0] == 2**53 + 1
    beyond = lake.sql("SELECT sum(n) AS n FROM (VALUES (9223372036854775807), (1)) AS v(n)")
    assert beyond.n.tolist() == [2.0**63]
    lake.connection.register("mine", found.head(2))
    assert lake.sql("SELECT count(*) AS n FROM mine").n.tolist() == [2]


def test_signals_are_the_file_in_millivolts(lake: Lake, settings: Settings, raw: ObjectStore) -> None:
    signals = lake.signals_mv(KEY)
    [lead] = signals.leads
    assert (signals.source_key, str(signals.day), signals.lead_count) == (KEY, DAY, 1)
    assert signals[0] is signals[lead.name] is lead
    scale = ["gain_adu_per_unit", "zero_adu"]
    [(gain, zero)] = lake.df("ecg_signals", scale, where="source_key = ?", parameters=[KEY]).to_numpy()
    np.testing.assert_allclose(lead.mv, (strip(0).ravel() - zero) / gain, rtol=0, atol=1e-12)
    assert lead.time_s[[0, -1]] == pytest.approx([0, (len(lead.mv) - 1) / lead.sampling_rate_hz])
    query = "SELECT time_s FROM ecg_beats WHERE recording_id = ? ORDER BY ALL"
    beats = lake.sql(query, [signals.recording_id]).time_s
    assert len(beats) > 5
    np.testing.assert_allclose(lead.time_s[lead.r_peaks], beats)
    assert lake.signals_mv(signals.recording_id).source_key == KEY
    with pytest.raises(KeyError, match="0 leads are 'V9'"):
        signals["V9"]

    rows = [f"{n / 250},{'' if n == 7 else n % 50 / 40},{n % 70}" for n in range(2500)]
    for name, header in {"two": "time (s),II (mV),pressure (mmHg)", "none": "time (s),II (adu),V1 (adu)"}.items():
        raw.put(f"ecg/date={DAY}/{name}.csv", "\n".join([header, *rows]).encode(), expected=None)
    build(settings, DAY)
    two = lake.signals_mv("two.csv")
    assert (len(two.leads), two.lead_count) == (1, 2)
    assert np.isnan(two["II"].mv).nonzero()[0].tolist() == [7]
    assert two["II"].mv[41] == 1.025
    with pytest.raises(PermanentError, match=r"none of the 2 leads of .*/none\.csv is known in mV"):
        lake.signals_mv("none.csv")


WRONG: list[tuple[Callable[[Lake], object], str]] = [
    (lambda lake: lake.df("ecg_feature"), "there is no table 'ecg_feature'; near it: ecg_features"),
    (lambda lake: lake.df("ecg_features", ["bpm"]), "ecg_features has no column 'bpm'; there are recording_id"),
    (lambda lake: lake.df("ecg_features", where="bpm > 1"), 'DuckDB: .*Referenced column "bpm" not found'),
    (lambda lake: lake.df("ecg_features", days="20.11.2026"), "'20.11.2026' is no day; write it as 2026-11-20"),
    (lambda lake: lake.df("entities_golden", days=DAY), "entities_golden is not stored by day"),
    (lambda lake: lake.df("ecg_signals", most_bytes=1000), "more than 9.31e-07 GiB: name the columns"),
    (lambda lake: lake.sql("SELEC 1"), "DuckDB: .*syntax error"),
    (lambda lake: lake.sql("COPY (SELECT 1) TO 'x'"), "one statement that reads is taken, not COPY"),
    (lambda lake: lake.sql("SELECT 1; DROP VIEW ecg_beats"), "not SELECT and DROP"),
    (lambda lake: lake.sql(""), "not an empty text"),
    (lambda lake: lake.sql("FROM query"), "Table with name query does not exist"),  # no variable of ours
    (lambda lake: lake.signals_mv("0.mat"), r"0.mat fits 2 recordings; name more of it.*\n  ecg/date=2026-01-05/d"),
    (lambda lake: lake.signals_mv("empty.mat"), "empty.mat is in quarantine: S01 "),
    (lambda lake: lake.signals_mv("nobody.mat"), "no recording has the id, or a key that ends with, nobody.mat"),
]


def test_what_is_wrong_is_said_in_words(lake: Lake) -> None:
    for ask, said in WRONG:
        with pytest.raises(PermanentError, match=f"(?s){said}"):
            ask(lake)
    lake.connection.execute("SET http_retries = 0")
    lake.connection.execute("CREATE OR REPLACE SECRET vitalake (TYPE s3, ENDPOINT '127.0.0.1:1', USE_SSL false)")
    with pytest.raises(TransientError, match="the lake could not be asked, does the store run"):
        lake.df("ecg_beats")


def test_it_is_found_from_below_and_by_name(
    lake: Lake, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.close()
    with pytest.raises(PermanentError, match=r"DuckDB: .*losed"):
        lake.sql("SELECT 1")
    monkeypatch.delenv("VITALAKE_HOME")
    (tmp_path / ".vitalake").symlink_to(home)
    below = tmp_path / "analysis" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    for given in (None, home, str(home)):
        with vitalake.open(given) as found:
            assert found.sql("SELECT count(*) AS n FROM ecg_recordings").n.tolist() == [3]
    with vitalake.open() as found, pytest.raises(duckdb.Error, match="read-only"):
        found.connection.execute("CREATE TABLE mine (n INT)")
    write_env(home / "env", {"VITALAKE_S3_ENDPOINT": "http://127.0.0.1:1"})
    with pytest.raises(PermanentError, match=r"no S3 server answers at http://127\.0\.0\.1:1: start the system"):
        vitalake.open()


def test_a_lake_that_is_not_there_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PermanentError, match=r"nowhere/lake\.duckdb is not there.*make run.*VITALAKE_HOME"):
        vitalake.open(tmp_path / "nowhere")
    monkeypatch.setenv("VITALAKE_S3_ENDPOINT", "no address")
    with pytest.raises(PermanentError, match=r"a setting cannot be used: s3_endpoint: .*not a URL"):
        vitalake.open(tmp_path)
