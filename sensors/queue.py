"""Notifications from a queue become run requests, for all datasets.

Belongs here: the shell around `vitalake/arrivals/notifications.py` and the planner: receive, list the partitions
that are named, ask Dagster what it knows, request, delete. Does not belong here: what a message says, what SQS is
(`resources/queue.py`), which runs are planned (`vitalake/arrivals/planning.py`).

A message is deleted only after Dagster has recorded what came of it. A tick writes a token into its cursor and
keeps the receipts in this process under that token; the tick that finds the token in its cursor deletes them.
Dagster's daemon hands a cursor to the next tick no earlier (dagster 1.13, `dagster/_daemon/sensor.py`):
`_handle_run_requests_and_automation_condition_evaluations` stores requests and cursor with the tick,
`_submit_run_requests` makes the runs, and only a tick that has ended well puts its cursor into the sensor's state
(`SensorLaunchContext._write`). A daemon that dies in between first resumes the stored tick
(`_get_evaluation_tick`). When this process dies, the receipts are gone; the messages come again after a while and
are looked at again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

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
from resources.queue import NotificationQueue
from resources.settings import Settings
from sensors.bounded_listing import list_partitions, too_slow_to_list
from sensors.queue_batch import Named, QueueBatch, QueueCursor
from sensors.run_requests import requests_for
from sensors.run_state import state_of, under_way
from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.arrivals.planning import RunPlan, plan
from vitalake.lake.dataset import Dataset

# Dagster's loop comes round every 5 s: a sensor that asks for 5 just misses every other round.
_INTERVAL_S = 4
# Dagster ends a tick after 60 s. What a tick does not get to is in its cursor for the next one.
_TICK_SECONDS = 20.0
_CALLS_SECONDS = 5.0
_MESSAGES = 2000
_AT_ONCE = 50
# What took no longer is followed by twice as many; the first one of a tick is always alone, and in time.
_QUICK_SECONDS = 2.0
_REMEMBERED = 500
_TICKS_REMEMBERED = 10


@dataclass
class Looked:
    """What looking at partitions came to: runs to request, and those to look at again."""

    plans: list[RunPlan] = field(default_factory=list)
    again: set[Named] = field(default_factory=set)


def notification_sensor(datasets: Sequence[Dataset], jobs: Jobs, settings: Settings) -> SensorDefinition:
    """Looks at the days and hours that notifications name, whenever they were; one sensor for all datasets."""
    # Token → receipts. More than one only while somebody tries the sensor out in the web UI.
    receipts: dict[str, list[str]] = {}

    @sensor(
        name="notifications",
        jobs=[jobs.daily[dataset.name] for dataset in datasets],
        minimum_interval_seconds=_INTERVAL_S,
        default_status=DefaultSensorStatus.RUNNING,
        description=notification_sensor.__doc__,
    )
    def evaluate(
        context: SensorEvaluationContext, raw: ResourceParam[ObjectStore], queue: ResourceParam[NotificationQueue]
    ) -> SensorResult:
        started, now = time.monotonic(), datetime.now(timezone.utc)
        cursor = QueueCursor.parse(context.cursor)
        if recorded := receipts.pop(cursor.token, []):
            left = queue.delete(recorded, _CALLS_SECONDS)
            context.log.info("%d messages are done with, %d of them come again", len(recorded), left)

        # With so much to do, messages are safer in the queue: each time one is received counts towards its death.
        limit = _MESSAGES if len(cursor.again) < _REMEMBERED else 0
        messages = queue.receive(limit, _CALLS_SECONDS) if limit else []
        batch = QueueBatch.of(messages, settings, datasets)
        if batch.junk:
            context.log.warning("%d messages are no notifications of S3 and stay on the queue", batch.junk)
        named = set().union(*batch.named.values())
        looked = _look(context, raw, datasets, settings, cursor.again, named, now, started + _TICK_SECONDS)

        # Those whose messages are gone come first: nothing else but the sweep would remember them.
        ordered = sorted(looked.again, key=lambda item: _rank(item, cursor.again))
        again, beyond = frozenset(ordered[:_REMEMBERED]), set(ordered[_REMEMBERED:])
        done = [receipt for receipt, about in batch.named.items() if not about & beyond]
        token = uuid.uuid4().hex if done else ""
        if done:
            receipts[token] = done
            for old in list(receipts)[:-_TICKS_REMEMBERED]:
                receipts.pop(old, None)
        requests: list[RunRequest] = []
        for dataset in datasets:
            theirs = [item for item in looked.plans if item.dataset == dataset.name]
            requests += requests_for(theirs, jobs.daily[dataset.name].name)
        reason = f"{len(messages)} messages, {batch.junk} of them no notifications; {len(named)} partitions named"
        return SensorResult(
            run_requests=requests,
            cursor=str(QueueCursor(token, again)),
            skip_reason=None if requests else SkipReason(f"{reason}, {len(again)} to look at again"),
        )

    return evaluate


def _look(
    context: SensorEvaluationContext,
    raw: ObjectStore,
    datasets: Sequence[Dataset],
    settings: Settings,
    waiting: Collection[Named],
    named: Collection[Named],
    now: datetime,
    deadline: float,
) -> Looked:
    """Look at partitions until the deadline: those that waited first, then newest first.

    To be looked at again are those that there was no time for, those whose run is more than a tick may request, and
    those of which a run is under way, which may have listed it before the object came; and those of a dataset
    that cannot be looked at, unless there is no other. What failed and pauses is left to the sweep, and so is one
    that takes too long to list by itself.
    """
    looked = Looked()
    known = {dataset.name: dataset for dataset in datasets}
    calendars = {name: dataset.calendar(settings.first_day) for name, dataset in known.items()}
    wanted = {
        item for item in (*waiting, *named) if item[0] in known and _has_come(item[1], calendars[item[0]], now)
    }
    busy = {name: under_way(context.instance, known[name]) for name, _ in wanted}
    looked.again = {(name, key) for name, key in wanted if str(key) in busy[name]}
    left = sorted(wanted - looked.again, key=lambda item: _rank(item, waiting))
    failed: dict[str, Exception] = {}
    at_once, most = 1, _AT_ONCE
    while left and time.monotonic() <= deadline:
        dataset = known[left[0][0]]
        some = [item for item in left if item[0] == dataset.name][:at_once]
        began = time.monotonic()
        try:
            wanted_keys = [key for _, key in some]
            found = list_partitions(context.instance, raw, dataset, calendars[dataset.name], wanted_keys)
        except SlowListingError:
            if len(some) == 1:
                context.log.warning("%s: %s", some[0][1], too_slow_to_list(dataset))
                left.remove(some[0])
            at_once = most = 1
            continue
        # Whatever is wrong with one, the others are not kept waiting. It is heard of through its sweep.
        except Exception as error:
            context.log.exception("%s could not be looked at", dataset.name)
            failed[dataset.name] = error
            looked.again |= {item for item in left if item[0] == dataset.name}
            left = [item for item in left if item[0] != dataset.name]
            continue
        if time.monotonic() - began < _QUICK_SECONDS:
            at_once = min(2 * at_once, most)
        left = [item for item in left if item not in some]
        # A listing that took all the time is of use all the same, or no tick would ever get further.
        until, states = max(deadline, time.monotonic() + _CALLS_SECONDS), {}
        listed = {partition: digest for partition, (_, digest) in found.items()}
        for partition in sorted(listed, reverse=True):
            if time.monotonic() < until:
                states[partition] = state_of(context.instance, dataset, partition, listed[partition])
        settled = {partition for partition, state in states.items() if not state.active}
        looked.again |= {(dataset.name, Partition.parse(item)) for item in listed.keys() - settled}
        looked.plans += plan(dataset.name, {key: listed[key] for key in states}, states, now)
    if failed and failed.keys() == {name for name, _ in wanted}:
        raise next(iter(failed.values()))
    looked.again |= set(left)
    for item in looked.plans[settings.runs_per_tick :]:
        looked.again.add((item.dataset, Partition.parse(item.partition)))
    del looked.plans[settings.runs_per_tick :]
    return looked


def _rank(item: Named, first: Collection[Named]) -> tuple[bool, float, str]:
    """Those of `first` before others, each newest first."""
    name, partition = item
    return item not in first, -partition.starts_at.timestamp(), name


def _has_come(partition: Partition, calendar: Calendar, now: datetime) -> bool:
    """Whether it is one to look at: the sweep speaks of those that have not come yet."""
    return calendar.holds(str(partition)) and partition <= calendar.newest(now)
