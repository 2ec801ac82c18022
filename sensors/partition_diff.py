"""Which partitions differ from their objects, by what Dagster knows of them, and what need not be asked again.

Belongs here: from the listed fingerprints of one dataset to planned runs, for every sensor that lists. Does not
belong here: listing (`sensors/drops.py`, `sensors/sweep.py`), the decision itself
(`vitalake/arrivals/planning.py`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from dagster import RunRequest, SensorEvaluationContext

from sensors.run_requests import requests_for
from sensors.run_state import state_of
from vitalake.arrivals.calendar import ONE, Granularity
from vitalake.arrivals.fingerprints import digest
from vitalake.arrivals.planning import PartitionState, plan
from vitalake.lake.dataset import Dataset

# Dagster ends a tick after 60 s; what a tick does not get to, the next one does.
TICK_SECONDS = 20.0
# Hex digits that are remembered of a partition, or a day of hours: Dagster stores the cursor anew with every tick.
_DIGITS = 16
EQUAL = "equal"
NEXT = "next"


@dataclass(frozen=True)
class ListedPartitions:
    """What was listed.

    Args:
        listed: partition → how many objects it has, and their fingerprint.
        newest: the last partition that has come.
    """

    listed: Mapping[str, tuple[int, str]]
    newest: str

    def up_to_newest(self, unit: Granularity) -> tuple[dict[str, str], str]:
        """Partition → fingerprint of those that have come, and a note on objects of the others."""
        come = {partition: digest for partition, (_, digest) in self.listed.items() if partition <= self.newest}
        waiting = sorted(self.listed.keys() - come.keys())
        if not waiting:
            return come, ""
        count = sum(self.listed[partition][0] for partition in waiting)
        return come, f"{count} objects wait for {ONE[unit]} that has not come yet: {', '.join(waiting[:5])}"


@dataclass(frozen=True)
class PartitionDiff:
    """What a tick found out about a dataset.

    Args:
        requests: the runs to ask for, newest partition first.
        memory: what the next tick wants to know, as JSON's types.
        said: how much was looked at, and what waits.
    """

    requests: list[RunRequest]
    memory: dict[str, Any]
    said: str

    @property
    def all_heard(self) -> bool:
        """Whether every partition had its turn; otherwise the next tick goes on."""
        return NEXT not in self.memory


def partition_diff(
    context: SensorEvaluationContext,
    dataset: Dataset,
    found: ListedPartitions,
    now: datetime,
    memory: Mapping[str, Any],
    *,
    records: Mapping[str, str],
    runs: int,
    until: float,
    job_name: str | None = None,
) -> PartitionDiff:
    """A run for each partition that differs, newest first, as many as are allowed.

    What was found equal is not asked about again until it is listed, or recorded, otherwise. Where time or runs do
    not suffice for all, the memory says under `NEXT` where the next tick begins: otherwise the newest partitions
    would take all the time, always.

    Args:
        context: of the tick.
        dataset: whose partitions these are.
        found: what was listed; a partition that was built and has no objects any more included.
        now: when the tick began.
        memory: what the last tick left.
        records: partition → what stands for Dagster's records of it, looked up before this; other text for others.
        runs: the most that may be asked for.
        until: when to stop, by `time.monotonic`; one partition is looked at whatever the time.
        job_name: the job to run, for a sensor that has several.
    """
    listed, note = found.up_to_newest(dataset.partition)
    if note:
        context.log.warning(note)
    before = memory.get(EQUAL)
    marks = {key: digest(fingerprint, records.get(key, ""))[:_DIGITS] for key, fingerprint in listed.items()}
    equal = _found_equal(marks, before if isinstance(before, dict) else {})
    states: dict[str, PartitionState] = {}
    first, stopped = str(memory.get(NEXT, "")), None
    order = sorted(listed, key=lambda partition: (not first or partition <= first, partition), reverse=True)
    for partition in order:
        if partition in equal:
            continue
        if states and time.monotonic() > until:
            context.log.info("no more time; the next tick goes on with %s of %s", partition, dataset.name)
            stopped = partition
            break
        states[partition] = state_of(context.instance, dataset, partition, listed[partition])
    equal |= {partition for partition, state in states.items() if state.recorded}
    plans = plan(dataset.name, {key: listed[key] for key in states}, states, now)
    plans.sort(key=lambda item: order.index(item.partition))
    if plans[runs:]:
        stopped = plans[runs].partition
    left = {EQUAL: _to_remember(marks, equal)} | ({NEXT: stopped} if stopped else {})
    objects = sum(count for count, _ in found.listed.values())
    filled = sum(count > 0 for count, _ in found.listed.values())
    said = f"{objects} objects in {filled} {dataset.partition}s, {len(states)} looked at"
    return PartitionDiff(requests_for(plans[:runs], job_name), left, "; ".join(filter(None, (said, note))))


def _found_equal(marks: Mapping[str, str], before: Mapping[str, Any]) -> set[str]:
    """Partitions whose marks are those that were remembered: their own, or that of their day."""
    found: set[str] = set()
    for day, theirs in _by_day(marks):
        same_day = before.get(day) == _mark_of_day(day, theirs)
        found.update(key for key, mark in theirs.items() if same_day or before.get(key) == mark)
    return found


def _to_remember(marks: Mapping[str, str], equal: Collection[str]) -> dict[str, str]:
    """What stands for these in the cursor: of a day whose hours are all among them one mark, else theirs."""
    left: dict[str, str] = {}
    for day, theirs in _by_day(marks):
        if all(key in equal for key in theirs):
            left[day] = _mark_of_day(day, theirs)
        else:
            left |= {key: mark for key, mark in theirs.items() if key in equal}
    return left


def _by_day(marks: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Day → the marks of its partitions, in order."""
    for day, keys in groupby(sorted(marks), key=lambda key: key[: len("2026-11-20")]):
        yield day, {key: marks[key] for key in keys}


def _mark_of_day(day: str, theirs: Mapping[str, str]) -> str:
    """One mark for all the partitions of a day; a day that is one itself has its own."""
    return theirs.get(day) or digest(*(f"{key} {mark}" for key, mark in theirs.items()))[:_DIGITS]


def read_cursor(text: str | None) -> dict[str, Any]:
    """What the last tick left; nothing where that is no cursor, such as what somebody typed in the web UI."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
