"""What follows from all days of a dataset is brought up to date when days were built.

Belongs here: when combined tables and sinks are run. Does not belong here: how far they have followed
(`pipeline_assets/all_days.py`), what they do.

Not in the runs of the days: a backfill of a year would match all entities, and compare all of a table elsewhere,
365 times. While days are being built it waits, but no longer than the dataset allows. Like every sensor that looks
for work it asks what is behind, not what happened; a delivery that failed is asked for again, after a while.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from dagster import (
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from pipeline_assets.all_days import followed, newest_event
from pipeline_assets.build import Jobs
from pipeline_assets.partitions import PARTITION_TAG
from sensors.partition_diff import read_cursor
from sensors.run_state import attempts, days_being_built, tags_of
from vitalake.arrivals.planning import plan
from vitalake.lake.dataset import Dataset
from vitalake.lake.parquet import WHOLE

# Dagster's loop comes round every 5 s.
_INTERVAL_S = 9


def all_days_sensor(datasets: Sequence[Dataset], jobs: Jobs) -> SensorDefinition:
    """Runs combined tables, and copies elsewhere, of datasets whose days were built since they last ran."""
    concerned = [dataset for dataset in datasets if dataset.name in jobs.all_days]

    @sensor(
        name="all_days",
        jobs=list(jobs.all_days.values()),
        minimum_interval_seconds=_INTERVAL_S,
        default_status=DefaultSensorStatus.RUNNING,
        description=all_days_sensor.__doc__,
    )
    def evaluate(context: SensorEvaluationContext) -> SensorResult:
        now = datetime.now(timezone.utc)
        before = read_cursor(context.cursor)
        waiting: dict[str, str] = {}
        requests: list[RunRequest] = []
        said: list[str] = []
        for dataset in concerned:
            newest = newest_event(context.instance, dataset)
            if followed(context.instance, jobs.followers[dataset.name], dataset.name) == {newest}:
                said.append(f"{dataset.name} is up to date")
                continue
            since = _since(before, dataset, now)
            if now - since < dataset.processed_within and days_being_built(context.instance, dataset):
                waiting[dataset.name] = since.isoformat()
                said.append(f"{dataset.name} waits for its days")
                continue
            state = attempts(context.instance, {PARTITION_TAG: f"{dataset.name}:{WHOLE}"}, newest)
            plans = plan(dataset.name, {WHOLE: newest}, {WHOLE: state}, now)
            job = jobs.all_days[dataset.name].name
            requests += [RunRequest(run_key=item.run_key, tags=tags_of(item), job_name=job) for item in plans]
            said.append(f"{dataset.name} is {'under way' if state.active else 'tried again later'}")
        return SensorResult(
            run_requests=requests,
            cursor=json.dumps(waiting, sort_keys=True),
            skip_reason=None if requests else SkipReason("; ".join(said)),
        )

    return evaluate


def _since(cursor: Mapping[str, Any], dataset: Dataset, now: datetime) -> datetime:
    """When the dataset began to wait for its days; now, if it has not waited or somebody typed the cursor."""
    try:
        since = datetime.fromisoformat(cursor[dataset.name])
    except (KeyError, TypeError, ValueError):
        return now
    return since if since.tzinfo else now
