"""What Dagster knows of a partition: what it was last built from, and the runs for what is listed now.

Belongs here: queries to the instance. Does not belong here: deciding anything (`vitalake/arrivals/planning.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from dagster import (
    AssetKey,
    AssetRecordsFilter,
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    RunsFilter,
)

from pipeline_assets.dagster_metadata import FINGERPRINT, fingerprint_key
from pipeline_assets.partitions import DAGSTER_PARTITION_TAG, DATASET_TAG, PARTITION_TAG
from vitalake.arrivals.fingerprints import digest
from vitalake.arrivals.planning import PartitionState, RunPlan
from vitalake.lake.dataset import Dataset

RUN_KEY = "dagster/run_key"
FINGERPRINT_TAG = "vitalake/fingerprint"

_WAITING = [DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED]
_ACTIVE = [*_WAITING, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


def tags_of(plan: RunPlan) -> dict[str, str]:
    """Tags by which the runs of a plan are found again, and limited to one at a time per partition."""
    return {
        DATASET_TAG: plan.dataset,
        PARTITION_TAG: f"{plan.dataset}:{plan.partition}",
        FINGERPRINT_TAG: plan.fingerprint,
    }


def built_partitions(instance: DagsterInstance, dataset: Dataset) -> set[str]:
    """Partitions that were ever built, whether or not anything is listed for them now."""
    return instance.get_materialized_partitions(AssetKey(dataset.raw_table.name))


def records_of(instance: DagsterInstance, dataset: Dataset) -> dict[str, str]:
    """Partition → digest of its newest materializations, of each of the dataset's tables.

    One query a table: of each partition by itself, a history of years takes minutes.
    """
    found: dict[str, list[str]] = {}
    for name in _built_by_day(dataset):
        newest = instance.event_log_storage.get_latest_storage_id_by_partition(
            AssetKey(name), DagsterEventType.ASSET_MATERIALIZATION
        )
        for partition, number in newest.items():
            found.setdefault(partition, []).append(f"{name}:{number}")
    return {partition: digest(*numbers) for partition, numbers in found.items()}


def waiting(instance: DagsterInstance, dataset: Dataset) -> int:
    """How many runs of the dataset's days were asked for and have not begun."""
    return instance.get_runs_count(RunsFilter(tags={DATASET_TAG: dataset.name}, statuses=_WAITING))


def under_way(instance: DagsterInstance, dataset: Dataset) -> set[str]:
    """The partitions of which a run is queued or going on: nothing is requested for them, so why list them."""
    filters = RunsFilter(tags={DATASET_TAG: dataset.name}, statuses=_ACTIVE)
    return {
        run.tags[DAGSTER_PARTITION_TAG] for run in instance.get_runs(filters) if DAGSTER_PARTITION_TAG in run.tags
    }


def days_being_built(instance: DagsterInstance, dataset: Dataset) -> bool:
    """Whether a run of one of the dataset's days is queued or going on, whoever asked for it.

    A backfill of assets by click has neither job nor tags of ours.
    """
    tables = {AssetKey(table.name) for table in dataset.all_tables}
    return any(
        DAGSTER_PARTITION_TAG in run.tags
        and (run.tags.get(DATASET_TAG) == dataset.name or not tables.isdisjoint(run.asset_selection or ()))
        for run in instance.get_runs(RunsFilter(statuses=_ACTIVE))
    )


def state_of(instance: DagsterInstance, dataset: Dataset, partition: str, fingerprint: str) -> PartitionState:
    """What is known of one partition and the fingerprint now listed for it."""
    recorded = (recorded_fingerprint(instance, name, partition, dataset.name) for name in _built_by_day(dataset))
    if all(each == fingerprint for each in recorded):
        return PartitionState(recorded=True)
    return attempts(instance, {DAGSTER_PARTITION_TAG: partition, DATASET_TAG: dataset.name}, fingerprint)


def attempts(instance: DagsterInstance, here: dict[str, str], fingerprint: str) -> PartitionState:
    """The runs with these tags: one that is under way, or those for this fingerprint that have ended."""
    if instance.get_run_records(RunsFilter(tags=here, statuses=_ACTIVE), limit=1):
        return PartitionState(recorded=False, active=True)
    ended = instance.get_run_records(RunsFilter(tags={**here, FINGERPRINT_TAG: fingerprint}, statuses=_ENDED))
    times = [record.end_time for record in ended if record.end_time]
    last = datetime.fromtimestamp(max(times), timezone.utc) if times else None
    # By number, not by count: Dagster never takes the same run key twice, even when other runs were deleted.
    numbers = [int(record.dagster_run.tags.get(RUN_KEY, "0").rpartition(":")[2]) for record in ended]
    return PartitionState(recorded=False, attempts=max(numbers, default=-1) + 1, last_ended_at=last)


def _built_by_day(dataset: Dataset) -> list[str]:
    """Every table that a run of one of the dataset's days builds."""
    tables = (*dataset.all_tables, *(item.table for item in dataset.computed_by_day))
    return [table.name for table in tables]


def recorded_fingerprint(instance: DagsterInstance, table: str, partition: str, dataset: str) -> str | None:
    """The fingerprint of a dataset's objects that the last materialization of a table's partition recorded."""
    records: Sequence[object] = instance.fetch_materializations(
        AssetRecordsFilter(AssetKey(table), asset_partitions=[partition]), limit=1
    ).records
    for record in records:
        materialization = getattr(record, "asset_materialization", None)
        metadata = materialization.metadata if materialization is not None else {}
        if found := metadata.get(fingerprint_key(dataset)) or metadata.get(FINGERPRINT):
            return str(found.value)
    return None
