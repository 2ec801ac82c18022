"""Everything below a dataset's prefix is looked at, over as many ticks as it takes.

Belongs here: starting a pass (`vitalake/sweep.py`), going on with it, and asking for runs at its end. Does not
belong here: today's uploads (`sensors/drops.py`), what differs (`sensors/differences.py`).

A late upload, a deletion, a lost notification costs the time to the next pass, and no data.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from dagster import DefaultSensorStatus, SensorDefinition, SensorEvaluationContext, SensorResult, SkipReason, sensor
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from resources.settings import Settings
from sensors.differences import NEXT, TICK_SECONDS, Days, Equal, differences, read_cursor
from sensors.known import built_partitions
from vitalake.arrivals import listed_fingerprint
from vitalake.dataset import Dataset
from vitalake.sweep import Position, Sweep

# Of a tick, for listing; looking at what a finished pass found may take `TICK_SECONDS` more.
_PASS_SECONDS = 20.0
_POSITION = "position"
_TOO_OLD = timedelta(hours=1)


def sweep_sensor(dataset: Dataset, job: UnresolvedAssetJobDefinition, settings: Settings) -> SensorDefinition:
    """A sensor that looks at every object of the dataset, whatever its key and age."""
    # A pass that is under way, by the cursor it left. It knows more than the cursor does, so going on with it is
    # better; after a restart of this process the cursor will do.
    under_way: dict[str, Sweep] = {}

    @sensor(
        name=f"{dataset.name}_sweep",
        job=job,
        minimum_interval_seconds=settings.sweep_interval_seconds,
        default_status=DefaultSensorStatus.RUNNING,
        required_resource_keys={"raw"},
        description="Looks at everything, so that late uploads, deletions and lost ticks are found.",
    )
    def sweep(context: SensorEvaluationContext) -> SensorResult:
        started, now = time.monotonic(), datetime.now(timezone.utc)
        cursor = read_cursor(context.cursor)
        going = under_way.pop(context.cursor or "", None)
        under_way.clear()
        if going is None:
            start = _position(cursor, now)
            going = Sweep(context.resources.raw, dataset.prefix, settings.first_day, dataset.together, start)
        if not going.go_on(lambda: time.monotonic() - started > _PASS_SECONDS):
            position = {"after": going.position.after, "days": going.position.days, "at": now.isoformat()}
            more = {_POSITION: position, **({NEXT: cursor[NEXT]} if NEXT in cursor else {})}
            left = _as_cursor({**Equal.remembered(cursor, now).saved(), **more})
            under_way[left] = going
            objects = sum(count for count, _ in going.days().values())
            return SensorResult(
                skip_reason=f"{objects} objects so far; the next tick goes on from here", cursor=left
            )
        listed = going.days()
        for partition in built_partitions(context.instance, dataset) - listed.keys():
            listed[partition] = (0, listed_fingerprint([]))
        until = time.monotonic() + TICK_SECONDS
        runs = settings.runs_per_tick
        found = differences(context, dataset, Days(listed), now, cursor, runs=runs, until=until)
        left = _as_cursor(found.memory)
        if not found.all_heard:
            under_way[left] = going  # it has more to say than one tick could hear
        return SensorResult(
            run_requests=found.requests,
            cursor=left,
            skip_reason=None if found.requests else SkipReason(f"nothing to do; {found.said}"),
        )

    return sweep


def _position(cursor: dict[str, Any], now: datetime) -> Position:
    """Where the last tick stopped; the start where it did not, or so long ago that much has changed since."""
    try:
        saved = cursor[_POSITION]
        if now - datetime.fromisoformat(saved["at"]) > _TOO_OLD:
            return Position()
        return Position(saved["after"], {day: (count, digest) for day, (count, digest) in saved["days"].items()})
    except (AttributeError, KeyError, TypeError, ValueError):
        return Position()


def _as_cursor(memory: Mapping[str, Any]) -> str:
    return json.dumps(memory, sort_keys=True)
