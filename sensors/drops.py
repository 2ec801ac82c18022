"""Objects that were dropped into the raw bucket become run requests within seconds.

Belongs here: looking at what devices upload to now, of all datasets in turn. Does not belong here: older
partitions (`sensors/sweep.py`), what differs (`sensors/partition_diff.py`), what a run does.

The sensor asks which partitions differ from their objects, never what happened, so no event can be missed. Its
cursor only remembers what was found equal: without it a tick asks Dagster again. One sensor for all, since a tick
costs the same two processes 0.1 s each, whether it looks at one dataset or at ten.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from dagster import (
    DefaultSensorStatus,
    ResourceParam,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from pipeline_assets.build import Jobs
from resources.object_store import ObjectStore, SlowListingError
from resources.settings import Settings
from sensors.bounded_listing import list_partitions, too_slow_to_list
from sensors.partition_diff import TICK_SECONDS, ListedPartitions, PartitionDiff, partition_diff, read_cursor
from vitalake.lake.dataset import Dataset

_LEAVE_IT = timedelta(minutes=15)
_LEFT_AT = "left_at"
_SLOW = "slow"
_LOOK_AGAIN_S = 900
_FIRST = "first dataset"


def drop_sensor(datasets: Sequence[Dataset], jobs: Jobs, settings: Settings) -> SensorDefinition:
    """Looks at what devices upload to now, and at objects whose keys name no day; for all datasets.

    Of a dataset by the day at yesterday, today and tomorrow (UTC); by the hour at the last two hours, this and the
    next.
    """
    # Dagster keeps no cursor of a tick that failed: by the cursor that it began with, what it would have left. A
    # dataset that takes all the time and then fails must not have the first turn for ever.
    unsaved: dict[str | None, str] = {}

    @sensor(
        name="drops",
        jobs=[jobs.daily[dataset.name] for dataset in datasets],
        minimum_interval_seconds=settings.drops_interval_seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description=drop_sensor.__doc__,
    )
    def drops(context: SensorEvaluationContext, raw: ResourceParam[ObjectStore]) -> SensorResult:
        until = time.monotonic() + TICK_SECONDS
        cursor = read_cursor(unsaved.pop(context.cursor, context.cursor))
        unsaved.clear()
        memories = {dataset.name: _memory(cursor, dataset) for dataset in datasets}
        requests: list[RunRequest] = []
        said: list[str] = []
        failed: Exception | None = None
        first = None
        for dataset in _in_turn(datasets, cursor.get(_FIRST)):
            runs = settings.runs_per_tick - len(requests)
            if said and (not runs or time.monotonic() > until):
                first = dataset.name
                break
            memory, job = memories[dataset.name], jobs.daily[dataset.name].name
            try:
                found = _differences(context, raw, dataset, settings, memory, runs=runs, until=until, job_name=job)
            # Whatever is wrong with one, the others are not kept waiting. Should they always have something to ask
            # for, it is heard of through its sweep, which fails by the same cause.
            except Exception as error:
                context.log.exception("%s could not be looked at", dataset.name)
                failed = failed or error
                said.append(f"{dataset.name}: {type(error).__name__}")
                continue
            requests += found.requests
            memories[dataset.name] = found.memory
            said.append(f"{dataset.name}: {found.said}")
        left = json.dumps({_FIRST: first, **memories}, sort_keys=True)
        if failed and not requests:
            unsaved[context.cursor] = left
            raise failed
        return SensorResult(
            run_requests=requests,
            cursor=left,
            skip_reason=None if requests else SkipReason(f"nothing to do; {'; '.join(said)}"),
        )

    return drops


def _memory(cursor: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """What the last tick left about a dataset."""
    found = cursor.get(dataset.name)
    return found if isinstance(found, dict) else {}


def _in_turn(datasets: Sequence[Dataset], first: str | None) -> Sequence[Dataset]:
    """The datasets, beginning with the one that the last tick did not get to."""
    start = next((number for number, dataset in enumerate(datasets) if dataset.name == first), 0)
    return [*datasets[start:], *datasets[:start]]


def _rests(memory: Mapping[str, Any], now: datetime) -> bool:
    """Whether the dataset is left to the sweep for the time being."""
    try:
        return timedelta(0) <= now - datetime.fromisoformat(memory[_LEFT_AT]) < _LEAVE_IT
    except (KeyError, TypeError, ValueError):
        return False


def _differences(
    context: SensorEvaluationContext,
    raw: ObjectStore,
    dataset: Dataset,
    settings: Settings,
    memory: Mapping[str, Any],
    *,
    runs: int,
    until: float,
    job_name: str,
) -> PartitionDiff:
    """What differs in the open partitions of a dataset; nothing, for a while, where listing them takes too long."""
    now = datetime.now(timezone.utc)
    if _rests(memory, now):
        return PartitionDiff([], dict(memory), too_slow_to_list(dataset))
    try:
        calendar = dataset.calendar(settings.first_day)
        listed = list_partitions(context.instance, raw, dataset, calendar, calendar.open(now))
    except SlowListingError:
        context.log.warning(too_slow_to_list(dataset))
        # Once may be a store that hung for a moment.
        then = {_LEFT_AT: now.isoformat()} if memory.get(_SLOW) else {_SLOW: True}
        return PartitionDiff([], {**memory, **then}, too_slow_to_list(dataset))
    # A tick every few seconds does not ask Dagster what it recorded since: every quarter of an hour it looks again.
    records = dict.fromkeys(listed, str(now.timestamp() // _LOOK_AGAIN_S))
    return partition_diff(
        context,
        dataset,
        ListedPartitions(listed, str(calendar.newest(now))),
        now,
        memory,
        records=records,
        runs=runs,
        until=until,
        job_name=job_name,
    )
