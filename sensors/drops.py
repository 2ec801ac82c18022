"""Objects that were dropped into the raw bucket become run requests within seconds.

Belongs here: looking at the days that devices upload to now. Does not belong here: old days (`sensors/sweep.py`),
what differs (`sensors/differences.py`), what a run does.

The sensor asks which partitions differ from their objects, never what happened, so no event can be missed. Its
cursor only remembers what was found equal: without it a tick asks Dagster again.
"""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone

from dagster import DefaultSensorStatus, SensorDefinition, SensorEvaluationContext, SensorResult, SkipReason, sensor
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.differences import Days, Equal, as_cursor, read_cursor, requested
from sensors.known import built_partitions
from vitalake.arrivals import ObjectInfo, arrived, by_partition, listed_fingerprint
from vitalake.dataset import Dataset

# A dated layout lists a day in a second. Where every object ever uploaded has to be listed, the sweep is the better
# one: it lists them over several ticks and keeps little of them.
_LISTING_SECONDS = 10.0
_LEAVE_IT = timedelta(minutes=15)


class TooMuchError(Exception):
    """There is more to list than fits into a tick."""


class _InTime:
    """The raw bucket for as long as a tick may list."""

    def __init__(self, raw: ObjectStore) -> None:
        self._raw = raw
        self._started = time.monotonic()

    def objects(self, prefix: str) -> list[ObjectInfo]:
        found: list[ObjectInfo] = []
        for page in self._raw.pages(prefix):
            found += page
            if time.monotonic() - self._started > _LISTING_SECONDS:
                raise TooMuchError
        return found

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        return self._raw.folders(prefix)


def drop_sensor(dataset: Dataset, job: UnresolvedAssetJobDefinition, settings: Settings) -> SensorDefinition:
    """A sensor that looks at yesterday, today and tomorrow (UTC), and at every object whose key names no day."""

    @sensor(
        name=f"{dataset.name}_drops",
        job=job,
        minimum_interval_seconds=settings.drops_interval_seconds,
        default_status=DefaultSensorStatus.RUNNING,
        required_resource_keys={"raw"},
        description="Looks at yesterday, today and tomorrow (UTC), and at every object whose key names no day.",
    )
    def drops(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        now = datetime.now(timezone.utc)
        cursor = read_cursor(context)
        if now.isoformat() < cursor.get("left_until", ""):
            return SkipReason(_left(dataset))
        days = {now.date() + timedelta(days=offset) for offset in (-1, 0, 1)}
        try:
            listed = _listed(_InTime(context.resources.raw), dataset, settings, days)
        except TooMuchError:
            until = (now + _LEAVE_IT).isoformat()
            context.log.warning(_left(dataset))
            equal = Equal.remembered(cursor, now)
            return SensorResult(skip_reason=_left(dataset), cursor=as_cursor(equal, {"left_until": until}))
        for partition in built_partitions(context.instance, dataset) - listed.keys():
            if date.fromisoformat(partition) in days:
                listed[partition] = (0, listed_fingerprint([]))
        return requested(context, dataset, settings, Days(listed), now, cursor, {})

    return drops


def _listed(raw: _InTime, dataset: Dataset, settings: Settings, days: set[date]) -> dict[str, tuple[int, str]]:
    found = arrived(raw, dataset.prefix, settings.first_day, days, dataset.together)
    groups = by_partition(found, settings.first_day)
    return {day.isoformat(): (sum(map(len, group)), listed_fingerprint(group)) for day, group in groups.items()}


def _left(dataset: Dataset) -> str:
    return (
        f"more objects than can be listed in {_LISTING_SECONDS:.0f} s have keys that name no day: they are left to "
        f"{dataset.name}_sweep. Keys with a date, or a queue of notifications (docs/operations.md), make it seconds"
    )
