"""Pictures of all datasets, drawn by a run of their own when days were built."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunRequest,
    RunsFilter,
)

from pipeline_assets.build import build_defs
from resources.alerting.outbox import Outbox
from resources.build import build_resources
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.pipeline_assets.running import (
    DAY,
    asked_by_schedule,
    is_picture,
    materialized,
    run_all_days,
    run_day,
    run_trends,
    upload_all,
)
from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.notes import upload
from tests.vitalake.scans import SCAN
from vitalake.datasets.declared import DATASETS
from vitalake.datasets.ecg import ECG
from vitalake.lake.dataset import Trend

pytestmark = pytest.mark.store
NOW = datetime.now(timezone.utc) + timedelta(days=1)  # long after every run


@pytest.fixture
def built(settings: Settings, raw: ObjectStore, instance: DagsterInstance) -> dict[str, dict[str, Any]]:
    """A day of two datasets; what the runs say of their assets, by name."""
    upload_all(raw, [("a.mat", v4_file(strip()))])
    upload(raw, f"retina/date={DAY}/a.json", json.dumps([SCAN]).encode())
    days = [run_day(settings, instance), run_day(settings, instance, dataset="retina")]
    assert all(day.success for day in days)
    return materialized(days[0]) | materialized(days[1])


def asked(settings: Settings, instance: DagsterInstance, at: datetime = NOW) -> list[RunRequest]:
    """What the schedule asks for."""
    return asked_by_schedule(build_defs(settings), "trends_schedule", instance, at)


def drawn(run: dict[str, dict[str, Any]]) -> set[str]:
    return {name for name, value in run["trends"].items() if is_picture(str(value))}


@pytest.mark.usefixtures("built")
def test_one_run_draws_every_dataset_where_there_is_no_catalog_yet(
    settings: Settings, instance: DagsterInstance, tmp_path: Path
) -> None:
    elsewhere = settings.model_copy(update={"home": tmp_path / "another machine"})
    assert not elsewhere.catalog_path.exists()
    result = run_trends(elsewhere, instance)
    assert result.success
    assert drawn(materialized(result)) == {"verdicts by day", "quality index by day", "retina: records by day"}


def test_no_other_run_draws_trends(
    settings: Settings, instance: DagsterInstance, built: dict[str, dict[str, Any]]
) -> None:
    assert "trends" not in built
    assert built["lake"].keys() == {"outcome", "views"}
    following = materialized(run_all_days(settings, instance, "retina"))
    assert "trends" not in following
    assert following["lake"].keys() == {"outcome", "views"}


def test_trends_are_drawn_again_only_where_days_were_built_since(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance
) -> None:
    assert asked(settings, instance) == []
    upload_all(raw, [("a.mat", v4_file(strip()))])
    assert run_day(settings, instance).success
    (request,) = asked(settings, instance)
    under_way = instance.add_run(DagsterRun("trends_job", status=DagsterRunStatus.STARTED))
    assert asked(settings, instance) == []
    instance.report_run_canceled(under_way)
    assert [same.run_key for same in asked(settings, instance)] == [request.run_key]
    assert run_trends(settings, instance).success
    assert asked(settings, instance) == []
    assert run_all_days(settings, instance, "entities").success  # no table of days
    assert asked(settings, instance) == []
    assert run_day(settings, instance, dataset="retina").success
    (another,) = asked(settings, instance)
    assert another.run_key != request.run_key


def test_where_drawing_takes_long_it_is_done_less_often(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance
) -> None:
    upload_all(raw, [("a.mat", v4_file(strip()))])
    assert run_day(settings, instance).success
    assert run_trends(settings, instance).success
    assert run_day(settings, instance, dataset="retina").success
    (record,) = instance.get_run_records(RunsFilter(job_name="trends_job"))
    assert record.start_time and record.end_time
    took = record.end_time - record.start_time
    ended = datetime.fromtimestamp(record.end_time, timezone.utc)
    assert asked(settings, instance, ended + timedelta(seconds=9 * took)) == []
    assert len(asked(settings, instance, ended + timedelta(seconds=11 * took))) == 1


def test_what_is_built_while_trends_are_drawn_is_drawn_again(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance
) -> None:
    upload_all(raw, [("a.mat", v4_file(strip()))])
    assert run_day(settings, instance).success

    def draw(_rows: list[tuple[Any, ...]]) -> bytes:
        instance.report_runless_asset_event(
            AssetMaterialization(AssetKey("ecg_recordings"), partition="2025-03-03")
        )
        return b""

    meanwhile = replace(ECG, trends=(replace(ECG.trends[0], draw=draw),))
    others = [dataset for dataset in DATASETS if dataset.name != "ecg"]
    assert run_trends(settings, instance, [meanwhile, *others]).success
    assert len(asked(settings, instance)) == 1


@pytest.mark.usefixtures("built")
def test_a_dataset_that_cannot_be_drawn_is_told_and_keeps_no_other_from_it(
    settings: Settings, instance: DagsterInstance
) -> None:
    broken = replace(
        ECG, trends=(Trend("broken", "SELECT nothing FROM ecg_recordings WHERE date >= ?", lambda _: b""),)
    )
    others = [dataset for dataset in DATASETS if dataset.name != "ecg"]
    result = run_trends(settings, instance, [broken, *others])
    assert result.success
    assert drawn(materialized(result)) == {"retina: records by day"}
    (told,) = [log for log in instance.all_logs(result.run_id) if log.level == 30]
    assert "the trends of ecg could not be drawn: BinderException" in told.message


def test_a_run_that_fails_is_told_once_for_the_same_days(
    settings: Settings, raw: ObjectStore, store: ObjectStore, instance: DagsterInstance
) -> None:
    upload_all(raw, [("a.mat", v4_file(strip()))])
    assert run_day(settings, instance).success
    broken = build_defs(
        settings, resources=replace(build_resources(settings), lake=ObjectStore(settings, "no-such-bucket"))
    )
    job = broken.resolve_job_def("trends_job")
    keys = []
    for minutes in (0, 5):
        (request,) = asked(settings, instance, NOW + timedelta(minutes=minutes))
        keys.append(request.run_key)
        tags = {**request.tags, "dagster/run_key": str(request.run_key)}
        assert not job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).success
    assert keys[0] != keys[1]  # Dagster takes each once
    (alert,) = Outbox(store).pending()
    assert "trends_job" in alert.title
