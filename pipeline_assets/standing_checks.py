"""Checks that run on their own, every hour and whenever somebody asks, without building anything.

Belongs here: checks that compare the lake with the bucket as it is now, and their schedules. Does not belong here:
checks of what a run has just written (`pipeline_assets/dataset_assets.py`).

Looking at all days lists the whole bucket, so that is done at night. Every hour the open days are looked at, and
those that were late when all were looked at: what was found at night is not forgotten before it is mended.

A run that finds late objects is successful, and nobody looks at checks at night: days that were not late at the
last look are an alert.
"""

from collections.abc import Sequence
from datetime import datetime, timezone

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetKey,
    AssetSelection,
    DagsterInstance,
    DagsterRunStatus,
    DefaultScheduleStatus,
    MetadataValue,
    ResourceParam,
    RunRequest,
    RunsFilter,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    asset_check,
    define_asset_job,
    schedule,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from pipeline_assets import dagster_metadata
from pipeline_assets.background import BACKGROUND, under_way
from pipeline_assets.failures import steered
from pipeline_assets.partitions import DAGSTER_PARTITION_TAG, DATASET_TAG
from resources.alerting.outbox import Outbox
from resources.object_store import ObjectStore
from resources.settings import Settings
from vitalake.alerting.late_data_alert import objects_late
from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.lake.dataset import Dataset
from vitalake.lake.freshness import behind, following, freshness, overdue
from vitalake.lake.stages import OverAllDays
from vitalake.lake.versions.outdated import CURRENT, partition_versions
from vitalake.pseudonyms import Pseudonyms

LOOK_AT = "vitalake/look_at"
OPEN_DAYS = "open and late days"
# In the metadata of each result that is about the whole table.
LATE_DAYS = "late days"
_JOB = "freshness"
_EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
_PAGE = 50


def freshness_check(dataset: Dataset) -> AssetChecksDefinition:
    """Nothing that was uploaded long enough ago is missing from the partition."""
    check, table = freshness(dataset.processed_within), dataset.tables[0].name
    key = AssetCheckKey(AssetKey(table), check.name)

    @asset_check(
        asset=table,
        name=check.name,
        description=check.doc,
    )
    def fresh(
        context: AssetCheckExecutionContext,
        raw: ResourceParam[ObjectStore],
        lake: ResourceParam[ObjectStore],
        settings: ResourceParam[Settings],
        outbox: ResourceParam[Outbox],
    ) -> AssetCheckResult:
        tags, now = context.run.tags, datetime.now(timezone.utc)
        calendar = dataset.calendar(settings.first_day)
        partition = tags.get(DAGSTER_PARTITION_TAG)  # where a person runs the check for one day
        wanted: set[Partition] | None = None
        if partition:
            wanted = {Partition.parse(partition)}
        elif tags.get(LOOK_AT) == OPEN_DAYS:
            wanted = calendar.recent(now) | _late(context.instance, key, calendar)
        with steered(0):
            busy = _being_built(context.instance, dataset)
            late = overdue(dataset, raw, lake, settings.first_day, wanted, now)
            # While a run builds a partition, nobody can tell which of its objects are in the tables.
            busy |= _being_built(context.instance, dataset)
            known = {each: count for each, count in late.partitions.items() if str(each) not in busy}
            if not partition and known.keys() - _late(context.instance, key, calendar):
                link = dagster_metadata.run_link(settings.webserver_url, context.run.run_id)
                run, objects = context.run.root_run_id or context.run.run_id, sum(known.values())
                told = objects_late(dataset.name, objects, list(known), dataset.processed_within, run, link)
                outbox.add(told)
        result = dagster_metadata.check_result(check, table, late.count, partition or tags.get(LOOK_AT))
        if partition:
            return result
        remembered = MetadataValue.json([str(each) for each in known])
        return result._replace(metadata={**result.metadata, LATE_DAYS: remembered})

    return fresh


def combined_check(dataset: Dataset, combined: OverAllDays) -> AssetChecksDefinition:
    """The tables over all days miss nothing that has been in the tables of days for long."""
    # Twice, as these tables follow every now and then only while days are being built.
    patience = 2 * dataset.processed_within
    check, table = following(patience), combined.tables[0].name

    @asset_check(asset=table, name=check.name, description=check.doc)
    def fresh(lake: ResourceParam[ObjectStore]) -> AssetCheckResult:
        with steered(0):
            count = behind(combined, lake, patience, datetime.now(timezone.utc))
        return dagster_metadata.check_result(check, table, count, None)

    return fresh


def current_check(dataset: Dataset) -> AssetChecksDefinition:
    """How many partitions are of an older declaration or code; asked at night, and never a warning."""
    table = dataset.tables[0].name

    @asset_check(
        asset=table,
        name=CURRENT.name,
        description=f"{CURRENT.doc} `vitalake backfill {dataset.name} --outdated` builds the others.",
    )
    def current(lake: ResourceParam[ObjectStore], pseudonyms: ResourceParam[Pseudonyms]) -> AssetCheckResult:
        with steered(0):
            found = partition_versions(dataset, lake, pseudonyms.key_id)
        return dagster_metadata.check_result(CURRENT, table, found.count, None)

    return current


def freshness_schedules(checks: Sequence[AssetChecksDefinition]) -> list[ScheduleDefinition]:
    """All nightly, and hourly those of freshness: a run says what it built, not what nobody has asked it for."""
    hourly_keys = [key for check in checks for key in check.check_keys if key.name != CURRENT.name]
    job = define_asset_job(
        _JOB,
        AssetSelection.checks(*checks),
        description="Compare the lake with the bucket as it is now; all days, unless a tag says otherwise.",
        # Before the days that are queued: a backfill of a year would put off the question until its end.
        tags=BACKGROUND | {"dagster/priority": "1"},
    )

    @schedule(
        name="freshness_schedule",
        job=job,
        cron_schedule="7 * * * *",
        default_status=DefaultScheduleStatus.RUNNING,
        description="Looks at yesterday, today and tomorrow (UTC), and at days that were late before.",
    )
    def hourly(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        if under_way(context.instance, _JOB):
            return SkipReason("the last look has not ended")
        return RunRequest(tags={LOOK_AT: OPEN_DAYS}, asset_check_keys=hourly_keys)

    nightly = ScheduleDefinition(
        name="freshness_of_all_days",
        job=job,
        cron_schedule="37 3 * * *",
        default_status=DefaultScheduleStatus.RUNNING,
        description="Looks at all days.",
    )
    return [hourly, nightly]


def _being_built(instance: DagsterInstance, dataset: Dataset) -> set[str]:
    """The days of which a run is going on; one that hangs is ended after hours, and its day is late then."""
    going_on = RunsFilter(tags={DATASET_TAG: dataset.name}, statuses=[DagsterRunStatus.STARTED])
    return {
        run.tags[DAGSTER_PARTITION_TAG] for run in instance.get_runs(going_on) if DAGSTER_PARTITION_TAG in run.tags
    }


def _late(instance: DagsterInstance, key: AssetCheckKey, calendar: Calendar) -> set[Partition]:
    """Those that the last result about the whole table named; results about one day say nothing of others."""
    cursor = None
    while page := instance.event_log_storage.get_asset_check_execution_history(key, _PAGE, cursor, _EVALUATED):
        for record in page:
            told = record.evaluation.metadata.get(LATE_DAYS) if record.evaluation else None
            if told is not None:
                named = calendar.kept(told.value) if isinstance(told.value, list) else set()
                return {Partition.parse(each) for each in named}
        cursor = page[-1].id
    return set()
