"""Everything below a dataset's prefix is looked at, over as many ticks as it takes.

Belongs here: starting a pass (`vitalake/arrivals/sweep.py`), going on with it, and asking for runs at its end. Does
not belong here: today's uploads (`sensors/drops.py`), what differs (`sensors/partition_diff.py`).

A late upload, a deletion, a lost notification costs the time to the next pass, and no data. Others may have built a
partition since the pass listed it, so what differs is listed anew before it is asked for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from resources.catalog import stored_partitions
from resources.object_store import ObjectStore, SlowListingError
from resources.settings import Settings
from sensors.bounded_listing import LISTING_SECONDS, list_partitions
from sensors.partition_diff import EQUAL, NEXT, ListedPartitions, partition_diff, read_cursor
from sensors.run_requests import requests_for
from sensors.run_state import built_partitions, records_of, state_of, waiting
from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.planning import plan
from vitalake.arrivals.sweep import Position, Sweep
from vitalake.errors import VitalakeError
from vitalake.lake.dataset import Dataset

# Dagster ends a tick after 60 s: so much is for the pass, so much for asking Dagster about what it found, and up to
# `LISTING_SECONDS` for listing anew what differs.
_PASS_SECONDS = 20.0
_LOOK_SECONDS = 10.0
_POSITION = "position"
_TOO_OLD = timedelta(hours=1)
# So long a pass that has ended is asked what it found. Where that is more than ticks can hear, as of very many days
# that fail, another pass begins, or what came since would wait as well.
_HEARD_SECONDS = 600.0


def sweep_sensor(dataset: Dataset, job: UnresolvedAssetJobDefinition, settings: Settings) -> SensorDefinition:
    """A sensor that looks at every object of the dataset, whatever its key and age."""
    # A pass that is under way, by the cursor it left. It knows more than the cursor does, so going on with it is
    # better; after a restart of this process the cursor will do.
    under_way: dict[str, _Pass] = {}

    @sensor(
        name=f"{dataset.name}_sweep",
        job=job,
        minimum_interval_seconds=settings.sweep_interval_seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description="Looks at everything, so that late uploads, deletions and lost ticks are found.",
    )
    def sweep(
        context: SensorEvaluationContext, raw: ResourceParam[ObjectStore], lake: ResourceParam[ObjectStore]
    ) -> SensorResult:
        started, now = time.monotonic(), datetime.now(timezone.utc)
        cursor = read_cursor(context.cursor)
        bucket, calendar = _SweepBucket(raw), dataset.calendar(settings.first_day)
        going = under_way.pop(context.cursor or "", None)
        under_way.clear()

        def from_(start: Position) -> _Pass:
            return _Pass(Sweep(bucket, dataset.prefix, calendar, dataset.group_objects, start))

        def enough() -> bool:
            return time.monotonic() - started > _PASS_SECONDS

        going = going or from_(_position(cursor, calendar, now))
        try:
            try:
                ended = going.sweep.go_on(enough)
            except SlowListingError:  # a folder in which it was has so many objects: no faster than all of it
                going = from_(Position())
                ended = going.sweep.go_on(enough)
            if not ended:
                position = {**asdict(going.sweep.position), "at": now.isoformat()}
                kept = {key: cursor[key] for key in (EQUAL, NEXT) if key in cursor}
                left = _as_cursor({**kept, _POSITION: position})
                under_way[left] = going
                objects = sum(count for count, _ in going.sweep.partitions().values())
                return SensorResult(
                    skip_reason=f"{objects} objects so far; the next tick goes on from here", cursor=left
                )
            going.ended_at = going.ended_at or time.monotonic()
            listed = going.sweep.partitions()
            built = _built(context, lake, dataset, calendar)
            for partition in built - listed.keys():
                listed[partition] = (0, listed_fingerprint([]))
            records = records_of(context.instance, dataset)
            # What waits is enough for a while, and today's uploads wait behind it.
            runs = max(0, settings.runs_per_tick - waiting(context.instance, dataset))
            until = time.monotonic() + _LOOK_SECONDS
            found = partition_diff(
                context,
                dataset,
                ListedPartitions(listed, str(calendar.newest(now))),
                now,
                cursor,
                records=records,
                runs=runs,
                until=until,
            )
            requests = _still_wanted(context, raw, dataset, calendar, found.requests, built, now)
        except VitalakeError:  # the store's; Dagster keeps the cursor as it was, and what was listed counts
            under_way[context.cursor or ""] = going
            raise
        left = _as_cursor(found.memory)
        if not found.all_heard and time.monotonic() - going.ended_at < _HEARD_SECONDS:
            under_way[left] = going  # it has more to say than one tick could hear
        return SensorResult(
            run_requests=requests,
            cursor=left,
            skip_reason=None if requests else SkipReason(f"nothing to do; {found.said}"),
        )

    return sweep


@dataclass
class _Pass:
    """A pass, and when it came to its end, by `time.monotonic`."""

    sweep: Sweep
    ended_at: float | None = None


class _SweepBucket:
    """The bucket as a pass wants it: SlowListingError where listing one folder at once takes too long."""

    def __init__(self, raw: ObjectStore) -> None:
        self.pages = raw.pages
        self._raw = raw

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        return self._raw.folders(prefix, LISTING_SECONDS)


def _built(context: SensorEvaluationContext, lake: ObjectStore, dataset: Dataset, calendar: Calendar) -> set[str]:
    """Partitions that were ever built, by Dagster and by the lake: Dagster forgets one with its runs."""
    stored = map(str, stored_partitions(lake, dataset.raw_table, dataset.partition))
    return calendar.kept({*stored, *built_partitions(context.instance, dataset)})


def _still_wanted(
    context: SensorEvaluationContext,
    raw: ObjectStore,
    dataset: Dataset,
    calendar: Calendar,
    requests: list[RunRequest],
    built: set[str],
    now: datetime,
) -> list[RunRequest]:
    """The runs that are to be asked for by what is listed at this moment; all, where that takes too long."""
    wanted = {Partition.parse(str(request.partition_key)) for request in requests}
    if not wanted:
        return []
    try:
        found = list_partitions(context.instance, raw, dataset, calendar, wanted, built)
    except SlowListingError:
        return requests
    listed = {partition: digest for partition, (_, digest) in found.items()}
    states = {key: state_of(context.instance, dataset, key, digest) for key, digest in listed.items()}
    return requests_for(plan(dataset.name, listed, states, now))


def _position(cursor: dict[str, Any], calendar: Calendar, now: datetime) -> Position:
    """Where the last tick stopped; the start where it did not, or so long ago that much has changed since."""
    try:
        saved = cursor[_POSITION]
        if not timedelta(0) <= now - datetime.fromisoformat(saved["at"]) <= _TOO_OLD:
            return Position()
        found = {key: (count, digest) for key, (count, digest) in saved["partitions"].items()}
        if calendar.kept(found) != found.keys():
            return Position()
        return Position(saved["after"], found, list(saved.get("open", ())))
    except (AttributeError, KeyError, TypeError, ValueError):
        return Position()


def _as_cursor(memory: Mapping[str, Any]) -> str:
    return json.dumps(memory, sort_keys=True)
