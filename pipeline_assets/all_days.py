"""How far the assets over all days, combined tables and sinks, have followed the tables of single days.

Belongs here: what Dagster recorded of both, and the job that brings them up to date. Does not belong here: the
assets (`pipeline_assets/dataset_assets.py`, `pipeline_assets/sink_assets.py`), or when it runs
(`sensors/all_days.py`).

Such an asset records which materialization of a daily table was the newest when it began to read: whatever was
materialized later, it may have missed. Parts are put before they are recorded, so what is older was there to be
read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dagster import (
    AssetChecksDefinition,
    AssetKey,
    AssetSelection,
    DagsterInstance,
    EventLogEntry,
    HookDefinition,
    define_asset_job,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipeline_assets.partitions import DATASET_TAG, PARTITION_TAG
from vitalake.alerting.sensor_alerts import ALL_DAYS_JOB
from vitalake.lake.dataset import Dataset
from vitalake.lake.parquet import WHOLE

UP_TO = "up_to_event"


def all_days_job(
    dataset: Dataset, assets: Collection[str], standing: Sequence[AssetChecksDefinition], hook: HookDefinition
) -> UnresolvedAssetJobDefinition:
    """Brings these assets of the dataset up to date, without the checks that stand alone.

    With the catalog, which sinks read: where every run is on a machine of its own, it has to be made there.
    """
    return define_asset_job(
        f"{dataset.name}{ALL_DAYS_JOB}",
        selection=AssetSelection.assets(*assets, "lake") - AssetSelection.checks(*standing),
        description=f"Bring what follows from all days of {dataset.name} up to date: {', '.join(assets)}.",
        # Before the days that are queued: a backfill of a year would keep it waiting until its end.
        tags={DATASET_TAG: dataset.name, PARTITION_TAG: f"{dataset.name}:{WHOLE}", "dagster/priority": "1"},
        hooks={hook},
    )


def newest_event(instance: DagsterInstance, dataset: Dataset) -> str:
    """The newest materialization of a daily table: its number and its run; empty if there is none.

    With the run: SQLite gives the numbers of deleted runs to later ones.
    """
    found = instance.get_asset_records([AssetKey(table.name) for table in dataset.all_tables])
    records = [each.asset_entry.last_materialization_record for each in found]
    newest = max(filter(None, records), key=lambda record: record.storage_id, default=None)
    return f"{newest.storage_id}:{newest.event_log_entry.run_id}" if newest else ""


def followed(instance: DagsterInstance, assets: Collection[str], dataset: str = "") -> set[str]:
    """The events up to which these assets have followed; empty text among them for one that has followed none.

    An asset that follows several datasets has a mark for each.
    """
    records = instance.get_asset_records([AssetKey(name) for name in assets])
    marks = {_up_to(record.asset_entry.last_materialization, dataset) for record in records}
    return marks | ({""} if len(records) < len(assets) else set())


def to_follow(instance: DagsterInstance, dataset: Dataset, through: Collection[str] = ()) -> str:
    """What an asset that is about to read may say to have followed, when it is done.

    Args:
        instance: of Dagster.
        dataset: whose days are followed.
        through: combined tables that are read too. What they have missed, the asset misses.
    """
    newest = newest_event(instance, dataset)
    return min(followed(instance, through) - {newest}, default=newest) if through else newest


def mark_of(dataset: str) -> str:
    """The metadata key under which an asset that follows several datasets says how far it followed this one."""
    return f"{UP_TO}/{dataset}"


def _up_to(entry: EventLogEntry | None, dataset: str) -> str:
    materialization = entry.asset_materialization if entry else None
    metadata = materialization.metadata if materialization else {}
    value = metadata.get(mark_of(dataset)) or metadata.get(UP_TO)
    return str(value.value) if value else ""
