"""Which partitions differ from their objects, by what Dagster knows of them, and what need not be asked again.

Belongs here: from listed fingerprints to planned runs, for every sensor that lists. Does not belong here: listing
(`sensors/drops.py`, `sensors/sweep.py`), the decision itself (`vitalake/planning.py`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dagster import SensorEvaluationContext, SensorResult, SkipReason

from resources.settings import Settings
from sensors.known import state_of
from sensors.requests import requests_for
from vitalake.dataset import Dataset
from vitalake.planning import PartitionState, plan

# Dagster ends a tick after 60 s; what a tick does not get to, the next one does.
TICK_SECONDS = 20.0
REMEMBER = timedelta(minutes=15)
NEXT = "next"


@dataclass(frozen=True)
class Equal:
    """Partitions that were found equal to a fingerprint, and since when that is remembered.

    Forgetting finds what changed in Dagster and not in the bucket: a run that was overtaken and recorded an older
    listing last.
    """

    since: datetime
    fingerprints: Mapping[str, str]

    @staticmethod
    def remembered(cursor: Mapping[str, Any], now: datetime) -> Equal:
        """What a cursor says, unless that is old; nothing otherwise."""
        if "since" in cursor:
            since = datetime.fromisoformat(cursor["since"])
            if now - since < REMEMBER:
                return Equal(since, cursor["equal"])
        return Equal(now, {})

    def saved(self) -> dict[str, Any]:
        """The same for a cursor."""
        return {"since": self.since.isoformat(), "equal": dict(self.fingerprints)}


@dataclass(frozen=True)
class Days:
    """What was listed: partition → how many objects it has, and their fingerprint."""

    listed: Mapping[str, tuple[int, str]]

    def without_those_to_come(self, now: datetime) -> tuple[dict[str, str], str]:
        """Partition → fingerprint up to tomorrow, and a note on objects of days that have not come yet."""
        last_day = (now.date() + timedelta(days=1)).isoformat()
        come = {partition: digest for partition, (_, digest) in self.listed.items() if partition <= last_day}
        waiting = sorted(self.listed.keys() - come.keys())
        if not waiting:
            return come, ""
        count = sum(self.listed[partition][0] for partition in waiting)
        return come, f"{count} objects wait for a day that has not come yet: {', '.join(waiting[:5])}"


def requested(
    context: SensorEvaluationContext,
    dataset: Dataset,
    settings: Settings,
    days: Days,
    now: datetime,
    cursor: Mapping[str, Any],
) -> SensorResult:
    """The tick's result: a run for each partition that differs, newest first, as many as a tick may ask for.

    Where time or requests do not suffice for all, the cursor says under `NEXT` where the next tick begins:
    otherwise the newest partitions would take all the time, always.

    Args:
        context: of the tick.
        dataset: whose partitions these are.
        settings: limits.
        days: what was listed; a partition that was built and has no objects any more included.
        now: when the tick began.
        cursor: what the last tick left.
    """
    started = time.monotonic()
    equal = Equal.remembered(cursor, now)
    listed, note = days.without_those_to_come(now)
    if note:
        context.log.warning(note)
    states: dict[str, PartitionState] = {}
    first, stopped = cursor.get(NEXT), None
    order = sorted(listed, key=lambda partition: (first is None or partition <= first, partition), reverse=True)
    for partition in order:
        if equal.fingerprints.get(partition) == listed[partition]:
            continue
        if states and time.monotonic() - started > TICK_SECONDS:
            context.log.info("went on for %.0f s; the next tick goes on with %s", TICK_SECONDS, partition)
            stopped = partition
            break
        states[partition] = state_of(context.instance, dataset, partition, listed[partition])
    still = {key: value for key, value in equal.fingerprints.items() if listed.get(key, value) == value}
    still |= {partition: listed[partition] for partition, state in states.items() if state.recorded}
    plans = plan(dataset.name, {key: listed[key] for key in states}, states, now)
    plans.sort(key=lambda item: order.index(item.partition))
    if plans[settings.runs_per_tick :]:
        stopped = plans[settings.runs_per_tick].partition
    requests = requests_for(plans[: settings.runs_per_tick])
    objects = sum(count for count, _ in days.listed.values())
    filled = sum(count > 0 for count, _ in days.listed.values())
    reason = f"{objects} objects in {filled} days; {len(states)} days looked at, nothing to do"
    return SensorResult(
        run_requests=requests,
        cursor=as_cursor(Equal(equal.since, still), {NEXT: stopped} if stopped else {}),
        skip_reason=None if requests else SkipReason("; ".join(filter(None, (reason, note)))),
    )


def read_cursor(context: SensorEvaluationContext) -> dict[str, Any]:
    """What the last tick left; nothing where that is no cursor, such as what somebody typed in the web UI."""
    try:
        found = json.loads(context.cursor or "{}")
        return found if {"since", "equal"} <= found.keys() else {}
    except (ValueError, AttributeError, RecursionError):
        return {}


def as_cursor(equal: Equal, more: Mapping[str, Any]) -> str:
    """A sensor's cursor."""
    return json.dumps({**equal.saved(), **more}, sort_keys=True)
