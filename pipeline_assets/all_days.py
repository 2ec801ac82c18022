"""How far the assets over all days, combined tables and sinks, have followed the tables of single days.

Belongs here: what Dagster recorded of both, and the job that brings them up to date. Does not belong here: the
assets (`pipeline_assets/dataset_assets.py`, `pipeline_assets/sink_assets.py`), or when it runs
(`sensors/all_days.py`).

Such an asset records which materialization of a daily table was the newest when it began to read: whatever was
materialized later, it may have missed. Parts are put before they are recorded, so what is older was there to be
read.
"""

from __future__ import annotations

from collections.abc import Collection

from dagster import AssetKey, AssetSelection, DagsterInstance, EventLogEntry, HookDefinition, define_asset_job
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipeline_assets.partitions import DATASET_TAG, PARTITION_TAG
from vitalake.dataset import Dataset
from vitalake.parquet import WHOLE

UP_TO = "up_to_event"


def all_days_job(dataset: Dataset, assets: Collection[str], hook: HookDefinition) -> UnresolvedAssetJobDefinition:
    """Brings these assets of the dataset up to date."""
    return define_asset_job(
        f"{dataset.name}_all_days_job",
        selection=AssetSelection.assets(*assets),
        description=f"Bring what follows from all days of {dataset.name} up to date: {', '.join(assets)}.",
        # Before the days that are queued: a backfill of a year would keep it waiting until its end.
        tags={DATASET_TAG: dataset.name, PARTITION_TAG: f"{dataset.name}:{WHOLE}", "dagster/priority": "1"},
        hooks={hook},
    )


def newest_event(instance: DagsterInstance, dataset: Dataset) -> int:
    """Storage id of the newest materialization of a daily table; 0 if there is none."""
    records = instance.get_asset_records([AssetKey(table.name) for table in dataset.all_tables])
    return max((record.asset_entry.last_materialization_storage_id or 0 for record in records), default=0)


def followed_up_to(instance: DagsterInstance, assets: Collection[str]) -> int:
    """The newest event that all these assets have followed; 0 where one of them has followed none."""
    records = instance.get_asset_records([AssetKey(name) for name in assets])
    if len(records) < len(assets):
        return 0
    return min(_up_to(record.asset_entry.last_materialization) for record in records)


def _up_to(entry: EventLogEntry | None) -> int:
    materialization = entry.asset_materialization if entry else None
    value = materialization.metadata.get(UP_TO) if materialization else None
    return int(str(value.value)) if value else 0
