"""Checks that run on their own, every hour and whenever somebody asks, without building anything.

Belongs here: checks that compare the lake with the bucket as it is now, and their schedule. Does not belong here:
checks of what a run has just written (`pipeline_assets/dataset_assets.py`).
"""

from collections.abc import Sequence
from datetime import date, datetime, timezone

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetSelection,
    DefaultScheduleStatus,
    ScheduleDefinition,
    asset_check,
    define_asset_job,
)

from pipeline_assets import shown
from pipeline_assets.failures import steered
from vitalake.dataset import Combined, Dataset
from vitalake.freshness import behind, following, freshness, overdue

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
        resources, now = context.resources, datetime.now(timezone.utc)
        partition = context.run.tags.get(PARTITION)  # where a person runs the check for one day; else every day
        with steered(0):
            days = {date.fromisoformat(partition)} if partition else None
            count = overdue(dataset, resources.raw, resources.lake, resources.settings.first_day, days, now)
        return shown.check_result(check, table, count, partition)

    return fresh


def combined_check(dataset: Dataset, combined: Combined) -> AssetChecksDefinition:
    """The tables over all days miss nothing that has been in the tables of days for long."""
    # Twice, as these tables follow every now and then only while days are being built.
    patience = 2 * dataset.processed_within
    check, table = following(patience), combined.tables[0].name

    @asset_check(asset=table, name=check.name, description=check.doc, required_resource_keys={"lake"})
    def fresh(context: AssetCheckExecutionContext) -> AssetCheckResult:
        with steered(0):
            count = behind(combined, context.resources.lake, patience, datetime.now(timezone.utc))
        return shown.check_result(check, table, count, None)

    return fresh


def hourly(checks: Sequence[AssetChecksDefinition]) -> ScheduleDefinition:
    """All of them once an hour: a run says what it built, not what nobody has asked it to build."""
    job = define_asset_job(
        "freshness",
        AssetSelection.checks(*checks),
        description="Compare the lake with the bucket as it is now.",
    )
    return ScheduleDefinition(job=job, cron_schedule="7 * * * *", default_status=DefaultScheduleStatus.RUNNING)
