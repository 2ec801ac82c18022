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
from vitalake.arrivals import arrived
from vitalake.checks import freshness, overdue
from vitalake.dataset import Dataset
from vitalake.stages import load_table


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
        resources, day = context.resources, context.partition_key
        with steered(0):
            listed = arrived(resources.raw, dataset.prefix, resources.settings.first_day, {date.fromisoformat(day)})
            rows = load_table(resources.lake, dataset.raw_table, day, ["source_key", "source_version"])
        known = {(row["source_key"], row["source_version"]) for row in rows.to_pylist()}
        count = overdue(listed, known, datetime.now(timezone.utc), dataset.processed_within)
        return shown.check_result(check, table, count)

    return fresh
