"""A day of a dataset, built in this very process as Dagster builds it, and what there is to see of it.

Belongs here: running the job, and reading its events. Does not belong here: assertions.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from dagster import (
    AssetCheckEvaluation,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    RunRequest,
    ScheduleEvaluationContext,
)

from pipeline_assets.build import build_defs
from resources.build import Resources
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.vitalake.notes import upload
from vitalake.datasets.declared import DATASETS
from vitalake.datasets.ecg import ECG
from vitalake.lake.dataset import Dataset
from vitalake.lake.stages import load_table

DAY = "2025-03-02"


def run_day(
    settings: Settings,
    instance: DagsterInstance,
    resources: Resources | None = None,
    day: str = DAY,
    dataset: str = "ecg",
) -> ExecuteInProcessResult:
    """The job of a dataset for one day."""
    job = build_defs(settings, resources=resources).resolve_job_def(f"{dataset}_job")
    return job.execute_in_process(instance=instance, partition_key=day, raise_on_error=False)


def run_all_days(
    settings: Settings,
    instance: DagsterInstance,
    dataset: str,
    resources: Resources | None = None,
) -> ExecuteInProcessResult:
    """The job of what follows from all days of a dataset."""
    job = build_defs(settings, resources=resources).resolve_job_def(f"{dataset}_all_days_job")
    return job.execute_in_process(instance=instance, raise_on_error=False)


def run_trends(
    settings: Settings, instance: DagsterInstance, datasets: Sequence[Dataset] = DATASETS
) -> ExecuteInProcessResult:
    """The job that draws the trends."""
    job = build_defs(settings, datasets=datasets).resolve_job_def("trends_job")
    return job.execute_in_process(instance=instance, raise_on_error=False)


def asked_by_schedule(defs: Definitions, name: str, instance: DagsterInstance, at: datetime) -> list[RunRequest]:
    """What a schedule asks for at its tick."""
    context = _InMemory(None, at)
    context.in_memory = instance
    return list(defs.resolve_schedule_def(name).evaluate_tick(context).run_requests or ())


class _InMemory(ScheduleEvaluationContext):
    """For an instance in memory, where Dagster's own takes none but those on disk: those are ten times slower."""

    in_memory: DagsterInstance

    @property
    def instance(self) -> DagsterInstance:
        return self.in_memory


def upload_all(raw: ObjectStore, files: Iterable[tuple[str, bytes]], day: str = DAY) -> list[str]:
    """Put files into a day, in order; their keys."""
    keys = []
    for name, data in files:
        keys.append(f"ecg/date={day}/{name}")
        upload(raw, keys[-1], data)
    return keys


def rows(store: ObjectStore, table: str) -> list[dict[str, Any]]:
    """All rows of one table of the day."""
    found: list[dict[str, Any]] = load_table(store, ECG.table(table), DAY).to_pylist()
    return found


def materialized(result: ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """Metadata of what the run materialized, by asset."""
    events = [
        event.step_materialization_data.materialization for event in result.get_asset_materialization_events()
    ]
    return {
        event.asset_key.to_user_string(): {name: item.value for name, item in event.metadata.items()}
        for event in events
    }


def checks(result: ExecuteInProcessResult) -> dict[str, AssetCheckEvaluation]:
    """What the checks found, by name."""
    return {found.check_name: found for found in result.get_asset_check_evaluations()}


def is_picture(value: str) -> bool:
    """Whether a value of metadata shows a PNG."""
    head, _, data = value.removesuffix(")").partition("base64,")
    return head == "![picture](data:image/png;" and b64decode(data, validate=True).startswith(b"\x89PNG\r\n")
