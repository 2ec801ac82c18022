"""Objects that were dropped into the raw bucket become run requests.

Belongs here: the shell around the planner of `vitalake/arrivals.py`: list, ask Dagster what it knows, request.
Does not belong here: the decision itself, or what a run does.

The sensor asks which partitions differ from their objects, never what happened, so no event can be missed. Its
cursor only remembers what was found equal: without it a tick asks Dagster again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from itertools import chain

from dagster import (
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from resources.settings import Settings
from sensors.known import built_partitions, state_of, tags_of
from vitalake.arrivals import (
    PartitionState,
    arrived,
    by_partition,
    listed_fingerprint,
    plan,
)
from vitalake.dataset import Dataset

Days = Callable[[date], set[date] | None]
# Dagster ends a tick after 60 s; what a tick does not get to, the next one does.
_TICK_SECONDS = 20.0
_REMEMBER = timedelta(minutes=15)


def drop_sensor(dataset: Dataset, job: UnresolvedAssetJobDefinition, settings: Settings) -> SensorDefinition:
    """Looks at yesterday, today and tomorrow (UTC), and at every object whose key names no day."""

    def open_days(today: date) -> set[date] | None:
        return {today + timedelta(days=offset) for offset in (-1, 0, 1)}

    return _sensor(f"{dataset.name}_drops", dataset, job, settings, settings.drops_interval_seconds, open_days)


def sweep_sensor(dataset: Dataset, job: UnresolvedAssetJobDefinition, settings: Settings) -> SensorDefinition:
    """Looks at everything, so that a late upload, a deletion or a lost tick costs a minute and no data."""
    return _sensor(
        f"{dataset.name}_sweep", dataset, job, settings, settings.sweep_interval_seconds, lambda _today: None
    )


def _sensor(
    name: str,
    dataset: Dataset,
    job: UnresolvedAssetJobDefinition,
    settings: Settings,
    interval_s: int,
    days_to_list: Days,
) -> SensorDefinition:
    @sensor(
        name=name,
        job=job,
        minimum_interval_seconds=interval_s,
        default_status=DefaultSensorStatus.RUNNING,
        required_resource_keys={"raw"},
        description=(drop_sensor if "drops" in name else sweep_sensor).__doc__,
    )
    def evaluate(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        started, now = time.monotonic(), datetime.now(timezone.utc)
        days = days_to_list(now.date())
        found = arrived(context.resources.raw, dataset.prefix, settings.first_day, days, dataset.together)
        groups = by_partition(found, settings.first_day)
        listed = {day.isoformat(): listed_fingerprint(group, dataset.limits) for day, group in groups.items()}
        empty = listed_fingerprint([], dataset.limits)
        for partition in built_partitions(context.instance, dataset) - listed.keys():
            if days is None or date.fromisoformat(partition) in days:
                listed[partition] = empty

        last_day = (now.date() + timedelta(days=1)).isoformat()
        waiting = {partition for partition in listed if partition > last_day}
        note = ""
        if waiting:
            ahead = chain(*(groups.get(date.fromisoformat(partition), ()) for partition in waiting))
            count = sum(map(len, ahead))
            note = f"; {count} objects wait for a day that has not come yet: {', '.join(sorted(waiting)[:5])}"
            context.log.warning(note.removeprefix("; "))

        since, equal = _remembered(context.cursor, now)
        states: dict[str, PartitionState] = {}
        for partition in sorted(listed.keys() - waiting, reverse=True):
            if equal.get(partition) == listed[partition]:
                continue
            if time.monotonic() - started > _TICK_SECONDS:
                context.log.info("went on for %.0f s; the next tick goes on from here", _TICK_SECONDS)
                break
            states[partition] = state_of(context.instance, dataset, partition, listed[partition])
        equal = {key: value for key, value in equal.items() if listed.get(key, value) == value}
        equal |= {partition: listed[partition] for partition, state in states.items() if state.recorded}
        plans = plan(dataset.name, {key: listed[key] for key in states}, states, now)[: settings.runs_per_tick]
        requests = [
            RunRequest(run_key=item.run_key, partition_key=item.partition, tags=tags_of(item)) for item in plans
        ]
        objects = sum(map(len, found))
        reason = f"{objects} objects in {len(groups)} days; {len(states)} days looked at, nothing to do{note}"
        return SensorResult(
            run_requests=requests,
            cursor=json.dumps({"since": since.isoformat(), "equal": equal}, sort_keys=True),
            skip_reason=None if requests else SkipReason(reason),
        )

    return evaluate


def _remembered(cursor: str | None, now: datetime) -> tuple[datetime, dict[str, str]]:
    """Since when, and which partitions were found equal to which fingerprint; nothing once that is old.

    Forgetting finds what changed in Dagster and not in the bucket: a run that was overtaken and recorded an older
    listing last.
    """
    if cursor:
        remembered = json.loads(cursor)
        since = datetime.fromisoformat(remembered["since"])
        if now - since < _REMEMBER:
            return since, remembered["equal"]
    return now, {}
