"""The asset `trends`: pictures of the last days of every dataset.

Belongs here: drawing them, their job, and when it runs. Does not belong here: what a picture shows (`trends` of a
declaration).

Not in the runs of the days: each picture opens the parts of 90 days, while the day's next run waits. A run of its
own has them drawn when days were built, however many.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AssetSelection,
    DagsterInstance,
    DefaultScheduleStatus,
    HookDefinition,
    MarkdownMetadataValue,
    MaterializeResult,
    ResourceParam,
    RunRequest,
    RunsFilter,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    asset,
    define_asset_job,
    schedule,
)

from pipeline_assets import dagster_metadata
from pipeline_assets.all_days import UP_TO, followed, newest_event
from pipeline_assets.background import BACKGROUND, under_way
from pipeline_assets.failures import where
from resources.object_store import ObjectStore
from resources.settings import Settings
from vitalake.arrivals.fingerprints import digest
from vitalake.lake.dataset import Dataset

TRENDS = "trends"
_JOB = "trends_job"
# Every part of these days is opened, so there must not be more of them every day.
_SHOWN = timedelta(days=90)
_REST = 10  # times as long as drawing took


def trends_asset(datasets: Sequence[Dataset]) -> AssetsDefinition:
    """The pictures of all datasets; those that cannot be drawn are told in the log."""

    @asset(
        name=TRENDS,
        deps=["lake"],
        group_name="catalog",
        owners=["team:data"],
        kinds={"duckdb"},
        description=f"Every dataset over its last {_SHOWN.days} days, as pictures.",
    )
    def trends(
        context: AssetExecutionContext, lake: ResourceParam[ObjectStore], settings: ResourceParam[Settings]
    ) -> MaterializeResult[Any]:
        # Before anything is read: what is materialized later may be missing in the pictures.
        metadata: dict[str, Any] = {UP_TO: _newest(context.instance, datasets)}
        for dataset in datasets:
            try:
                for name, picture in _pictures(settings, lake, dataset):
                    metadata[name] = picture
            except Exception as error:  # a picture is a courtesy: it never fails a run
                context.log.warning("the trends of %s could not be drawn: %s", dataset.name, where(error))
        return MaterializeResult(metadata=metadata)

    return trends


def trends_schedule(datasets: Sequence[Dataset], hook: HookDefinition) -> ScheduleDefinition:
    """Every five minutes, where days were built since; in a large lake less often, as drawing takes longer."""
    job = define_asset_job(
        _JOB,
        # With the catalog: where every run is on a machine of its own, it has to be made there.
        AssetSelection.assets("lake", TRENDS),
        description="Draw every dataset over its last days.",
        tags=BACKGROUND | {"dagster/max_runtime": "900"},  # one that hangs keeps freshness waiting
        hooks={hook},
    )

    @schedule(
        name="trends_schedule",
        job=job,
        cron_schedule="*/5 * * * *",
        default_status=DefaultScheduleStatus.RUNNING,
        description=trends_schedule.__doc__,
    )
    def evaluate(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        newest = _newest(context.instance, datasets)
        if followed(context.instance, [TRENDS]) == {newest}:
            return SkipReason("nothing was built since the trends were drawn")
        if under_way(context.instance, _JOB):
            return SkipReason("the trends are being drawn")
        if context.scheduled_execution_time < _rested(context.instance):
            return SkipReason("drawing takes long: the trends rest for longer")
        # The same piece of news, however often it fails for the same days (`pipeline_assets/alerts.py`).
        return RunRequest(run_key=f"{TRENDS}:{newest}:{context.scheduled_execution_time.timestamp():.0f}")

    return evaluate


def _rested(instance: DagsterInstance) -> datetime:
    """When as many times as long as the last drawing took have passed since: in a large lake that is long."""
    for record in instance.get_run_records(RunsFilter(job_name=_JOB), limit=1):
        if record.start_time and record.end_time:
            rested = record.end_time + _REST * (record.end_time - record.start_time)
            return datetime.fromtimestamp(rested, timezone.utc)
    return datetime.fromtimestamp(0, timezone.utc)


def _newest(instance: DagsterInstance, datasets: Sequence[Dataset]) -> str:
    """The newest materializations of daily tables, of all datasets in short; empty if there is none."""
    events = [newest_event(instance, dataset) for dataset in datasets]
    return digest(*events) if any(events) else ""


def _pictures(
    settings: Settings, lake: ObjectStore, dataset: Dataset
) -> Iterator[tuple[str, MarkdownMetadataValue]]:
    """Name and picture of each of the dataset's trends, up to its newest day; none where there are no rows."""
    from resources.catalog import connect, stored_partitions

    newest = max(stored_partitions(lake, dataset.tables[0], "day"), default=None)  # also of hours
    if newest is None:
        return
    with connect(settings) as connection:
        for trend in dataset.trends:
            rows = connection.execute(trend.query, [newest.day - _SHOWN]).fetchall()
            if rows:
                yield trend.name, dagster_metadata.picture(trend.draw(rows))
