"""Each check passes on good data, warns at a little bad, and blocks what follows at systemic breakage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    AssetSelection,
    DagsterInstance,
    Definitions,
    define_asset_job,
)

from pipeline_assets.dataset_assets import dataset_assets
from pipeline_assets.partitions import daily
from pipeline_assets.standing_checks import freshness_check
from resources.build import build_resources
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.pipeline_assets.running import DAY, checks, materialized, rows, run_day, upload_all
from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.notes import upload
from vitalake.datasets.ecg import ECG
from vitalake.lake import parquet
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import parts_of
from vitalake.lake.stages import list_objects
from vitalake.lake.tables import Kind, Table

pytestmark = pytest.mark.store
WARN, ERROR = AssetCheckSeverity.WARN, AssetCheckSeverity.ERROR
NAMES = ["readable", "quarantined", "complete", "unacceptable", "duplicates", "schema"]
ALL_GOOD = dict.fromkeys(NAMES, True)

MakeFile = Callable[[int], bytes]
GOOD: MakeFile = lambda number: v4_file(strip() + number)  # noqa: E731
NO_MATLAB: MakeFile = lambda number: b"no recording %d" % number  # noqa: E731
TOO_SHORT: MakeFile = lambda number: v4_file(strip(100 + number))  # noqa: E731
FLAT: MakeFile = lambda number: v4_file(np.full((1, 3600), 1000 + number, np.int16))  # noqa: E731
COPY: MakeFile = lambda _number: v4_file(strip())  # noqa: E731


def upload_day(raw: ObjectStore, bad: MakeFile, count: int) -> None:
    """Ten files, so many of them bad."""
    files = [(f"good{number}.mat", GOOD(number)) for number in range(10 - count)]
    upload_all(raw, files + [(f"bad{number}.mat", bad(number)) for number in range(count)])


def passed(found: dict[str, AssetCheckEvaluation]) -> dict[str, bool]:
    return {name: check.passed for name, check in found.items()}


def test_good_data_passes_every_check(settings: Settings, raw: ObjectStore, instance: DagsterInstance) -> None:
    upload_day(raw, GOOD, 0)
    result = run_day(settings, instance)
    assert result.success
    assert passed(checks(result)) == ALL_GOOD


CASES = {
    "readable": (NO_MATLAB, 1, {"readable", "quarantined"}),
    "quarantined": (TOO_SHORT, 1, {"quarantined"}),
    "unacceptable": (FLAT, 2, {"unacceptable"}),
    "duplicates": (COPY, 1, {"duplicates"}),
}


@pytest.mark.parametrize("check", CASES)
def test_a_little_bad_data_is_a_warning_and_the_rest_goes_on(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance, check: str
) -> None:
    bad, count, failing = CASES[check]
    upload_day(raw, bad, count)
    result = run_day(settings, instance)
    assert result.success
    found = checks(result)
    assert passed(found) == ALL_GOOD | dict.fromkeys(failing, False)
    assert found[check].severity == WARN
    assert found[check].metadata["bad"].value == count
    assert "ecg_features" in materialized(result)


@pytest.mark.parametrize(("check", "count"), [("readable", 6), ("quarantined", 6), ("unacceptable", 9)])
def test_systemic_breakage_blocks_what_follows(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance, check: str, count: int
) -> None:
    bad, _, failing = CASES[check]
    upload_day(raw, bad, count)
    result = run_day(settings, instance)
    assert not result.success
    found = checks(result)
    assert {name for name, item in found.items() if item.severity == ERROR} == failing
    assert found[check].metadata["bad"].value == count
    assert {"ecg_recordings", "ecg_quarantine"} <= materialized(result).keys()  # there to be looked at
    assert "ecg_features" not in materialized(result)


def test_duplicates_never_block(settings: Settings, raw: ObjectStore, instance: DagsterInstance) -> None:
    upload_day(raw, COPY, 10)
    result = run_day(settings, instance)
    assert result.success
    assert (checks(result)["duplicates"].passed, checks(result)["duplicates"].severity) == (False, WARN)


def test_recordings_that_wait_for_an_object_are_told_and_never_block(
    settings: Settings, raw: ObjectStore, store: ObjectStore, instance: DagsterInstance
) -> None:
    header = b"%d 1 360 3600\n%d.dat 16 200(1024)/mV 16 0 0 0 0 MLII\n"
    upload_all(raw, [(f"{number}.hea", header % (number, number)) for number in range(3)])
    waiting = run_day(settings, instance)
    assert waiting.success
    assert passed(checks(waiting)) == ALL_GOOD | {"complete": False}
    assert (checks(waiting)["complete"].severity, checks(waiting)["complete"].metadata["bad"].value) == (WARN, 3)
    assert {row["rule"] for row in rows(store, "ecg_quarantine")} == {"S16"}
    signals = [(f"{number}.dat", (strip() + number).astype("<i2").tobytes()) for number in range(3)]
    upload_all(raw, signals)
    complete = run_day(settings, instance)
    assert passed(checks(complete)) == ALL_GOOD
    assert len(rows(store, "ecg_recordings")) == 3
    assert rows(store, "ecg_quarantine") == []


OTHER_TYPES: list[tuple[str, str, Kind | None]] = [
    ("ecg_recordings", "duration_s", "string"),
    ("ecg_signals", "samples", "list<float64>"),
    ("ecg_recordings", "verdict", "int32"),  # a column that other checks read
    ("ecg_quarantine", "rule", None),  # one that is missing
]


@pytest.mark.parametrize(("name", "column", "kind"), OTHER_TYPES)
def test_a_stored_part_with_another_column_type_blocks(
    settings: Settings,
    raw: ObjectStore,
    store: ObjectStore,
    instance: DagsterInstance,
    name: str,
    column: str,
    kind: Kind | None,
) -> None:
    upload_day(raw, NO_MATLAB, 1)
    assert run_day(settings, instance).success
    declared = ECG.table(name)
    columns = [replace(c, kind=kind) if kind and c.name == column else c for c in declared.columns]
    other = Table(
        name,
        "",
        tuple(replace(c, nullable=True) if c.name == column else c for c in columns if kind or c.name != column),
    )
    part = parts_of(store, name, DAY)[0]
    stored = parquet.decode(store.get(part.key))
    changed = {column: pa.nulls(stored.num_rows)} if kind else {}
    values = {c.name: changed.get(c.name, stored.column(c.name)) for c in other.columns}
    upload(store, part.key, parquet.encode(other, pa.table(values), str(part.inputs)))

    result = run_day(settings, instance)
    assert not result.success
    found = checks(result)["schema"]
    assert (found.passed, found.severity, found.metadata["bad"].value) == (False, ERROR, 1)
    details = found.metadata["details"].value
    assert isinstance(details, dict)
    assert list(details) == [f"{part.key} {column}"]
    assert "ecg_features" not in materialized(result)


def run_check_alone(
    settings: Settings, instance: DagsterInstance, dataset: Dataset, day: str | None = None
) -> AssetCheckEvaluation:
    """The freshness check of one day or of all of them, without building anything."""
    key = AssetCheckKey(AssetKey("ecg_recordings"), "fresh")
    definitions = Definitions(
        assets=dataset_assets(dataset, daily(settings.first_day)),
        asset_checks=[freshness_check(dataset)],
        jobs=[define_asset_job("alone", AssetSelection.checks(key))],
        resources=vars(build_resources(settings)),
    )
    tags = {"dagster/partition": day} if day else None
    result = definitions.resolve_job_def("alone").execute_in_process(instance=instance, tags=tags)
    assert not result.get_asset_materialization_events()
    return checks(result)["fresh"]


def test_what_was_uploaded_long_ago_and_is_not_in_the_table_is_overdue(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance
) -> None:
    impatient = replace(ECG, processed_within=timedelta(0))
    upload_day(raw, GOOD, 0)
    assert run_day(settings, instance).success
    assert run_check_alone(settings, instance, impatient).passed
    (missing, replaced) = upload_all(raw, [("missing.mat", GOOD(11)), ("good3.mat", GOOD(12))])
    for day in (None, DAY):
        found = run_check_alone(settings, instance, impatient, day)
        details = found.metadata["details"].value
        assert isinstance(details, dict)
        assert (found.passed, found.severity, set(details)) == (False, WARN, {missing, replaced})
    assert run_check_alone(settings, instance, impatient, "2025-03-01").passed  # another day
    assert run_check_alone(settings, instance, ECG).passed  # not long ago
    assert run_day(settings, instance).success
    assert run_check_alone(settings, instance, impatient).passed


def test_what_is_listed_and_not_read_is_overdue(
    settings: Settings, raw: ObjectStore, store: ObjectStore, instance: DagsterInstance
) -> None:
    impatient = replace(ECG, processed_within=timedelta(0))
    upload_day(raw, GOOD, 0)
    list_objects(ECG, raw, store, DAY, settings.first_day, lambda *_: None)
    for day in (None, DAY):
        assert run_check_alone(settings, instance, impatient, day).metadata["bad"].value == 10
    upload(raw, "ecg/date=2099-01-01/a.mat", GOOD(0))  # waits for its day, and is missing nowhere
    assert run_day(settings, instance).success
    assert run_check_alone(settings, instance, impatient).passed
