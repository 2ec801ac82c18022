"""Everything below a dataset's prefix is looked at, over as many ticks as it takes.

Belongs here: starting a pass (`vitalake/sweep.py`), going on with it, and asking for runs at its end. Does not
belong here: today's uploads (`sensors/drops.py`), what differs (`sensors/differences.py`).

A late upload, a deletion, a lost notification costs the time to the next pass, and no data. Others may have built a
day since the pass listed it, so what differs is listed anew before it is asked for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta, timezone
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
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from resources.object_store import ObjectStore, SlowListingError
from resources.settings import Settings
from sensors.differences import NEXT, Days, Equal, differences, read_cursor
from sensors.known import built_partitions, state_of
from sensors.looking import LISTING_SECONDS, listed_days
from sensors.requests import requests_for
from vitalake.arrivals import ObjectInfo, listed_fingerprint
from vitalake.dataset import Dataset
from vitalake.errors import VitalakeError
from vitalake.planning import plan
from vitalake.sweep import Position, Sweep

# Dagster ends a tick after 60 s: so much is for the pass, so much for asking Dagster about what it found, and up to
# `LISTING_SECONDS` for listing anew what differs.
_PASS_SECONDS = 20.0
_LOOK_SECONDS = 10.0
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
        bucket = _Bucket(context.resources.raw)
        going = under_way.pop(context.cursor or "", None)
        under_way.clear()

        def from_(start: Position) -> Sweep:
            return Sweep(bucket, dataset.prefix, settings.first_day, dataset.together, start)

        def enough() -> bool:
            return time.monotonic() - started > _PASS_SECONDS

        going = going or from_(_position(cursor, now))
        try:
            try:
                ended = going.go_on(enough)
            except SlowListingError:  # a folder in which it was has so many objects: no faster than all of it
                going = from_(Position())
                ended = going.go_on(enough)
            if not ended:
                position = {**asdict(going.position), "at": now.isoformat()}
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
            until = time.monotonic() + _LOOK_SECONDS
            runs = settings.runs_per_tick
            found = differences(context, dataset, Days(listed), now, cursor, runs=runs, until=until)
            requests = _still_wanted(context, dataset, settings, found.requests, now)
        except VitalakeError:  # the store's; Dagster keeps the cursor as it was, and what was listed counts
            under_way[context.cursor or ""] = going
            raise
        left = _as_cursor(found.memory)
        if not found.all_heard:
            under_way[left] = going  # it has more to say than one tick could hear
        return SensorResult(
            run_requests=requests,
            cursor=left,
            skip_reason=None if requests else SkipReason(f"nothing to do; {found.said}"),
        )

    return sweep


class _Bucket:
    """The bucket as a pass wants it: SlowListingError where listing one folder at once takes too long."""

    def __init__(self, raw: ObjectStore) -> None:
        self.pages = raw.pages
        self._raw = raw

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        return self._raw.folders(prefix, LISTING_SECONDS)


def _still_wanted(
    context: SensorEvaluationContext,
    dataset: Dataset,
    settings: Settings,
    requests: list[RunRequest],
    now: datetime,
) -> list[RunRequest]:
    """The runs that are to be asked for by what is listed at this moment; all, where that takes too long."""
    days = {date.fromisoformat(str(request.partition_key)) for request in requests}
    if not days:
        return []
    try:
        found = listed_days(context, dataset, settings.first_day, days)
    except SlowListingError:
        return requests
    listed = {partition: digest for partition, (_, digest) in found.items()}
    states = {key: state_of(context.instance, dataset, key, digest) for key, digest in listed.items()}
    return requests_for(plan(dataset.name, listed, states, now))


def _position(cursor: dict[str, Any], now: datetime) -> Position:
    """Where the last tick stopped; the start where it did not, or so long ago that much has changed since."""
    try:
        saved = cursor[_POSITION]
        if now - datetime.fromisoformat(saved["at"]) > _TOO_OLD:
            return Position()
        days = {day: (count, digest) for day, (count, digest) in saved["days"].items()}
        return Position(saved["after"], days, list(saved.get("open", ())))
    except (AttributeError, KeyError, TypeError, ValueError):
        return Position()


def _as_cursor(memory: Mapping[str, Any]) -> str:
    return json.dumps(memory, sort_keys=True)
