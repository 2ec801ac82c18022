"""Checks that can be run at any time, without building anything.

Belongs here: checks that compare the lake with the bucket as it is now. Does not belong here: checks of what a run
has just written (`pipeline_assets/dataset_assets.py`).
"""

from datetime import date, datetime, timezone

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    asset_check,
)

from pipeline_assets import shown
from pipeline_assets.failures import steered
from vitalake.arrivals import arrived, by_partition
from vitalake.checks import freshness, overdue
from vitalake.dataset import Dataset
from vitalake.stages import load_table

PARTITION = "dagster/partition"


def freshness_check(dataset: Dataset) -> AssetChecksDefinition:
    """Nothing that was uploaded long enough ago is missing from the partition."""
    check, table = freshness(dataset.processed_within), dataset.tables[0].name

    @asset_check(
        asset=table,
        name=check.name,
        description=check.doc,
        required_resource_keys={"raw", "lake", "settings"},
    )
    def fresh(context: AssetCheckExecutionContext) -> AssetCheckResult:
        resources, first_day = context.resources, context.resources.settings.first_day
        partition = context.run.tags.get(PARTITION)  # none where a person runs the check alone: every day
        with steered(0):
            days = {date.fromisoformat(partition)} if partition else None
            found = arrived(resources.raw, dataset.prefix, first_day, days, dataset.together)
            known = {
                (row["source_key"], row["source_version"])
                for day in by_partition(found, first_day)
                for row in load_table(
                    resources.lake, dataset.raw_table, day.isoformat(), ["source_key", "source_version"]
                ).to_pylist()
            }
        listed = [item for bundle in found for item in bundle]
        count = overdue(listed, known, datetime.now(timezone.utc), dataset.processed_within)
        return shown.check_result(check, table, count, partition)

    return fresh
