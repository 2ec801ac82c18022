"""Objects that were dropped into the raw bucket become run requests within seconds.

Belongs here: looking at the days that devices upload to now. Does not belong here: old days (`sensors/sweep.py`),
what differs (`sensors/differences.py`), what a run does.

The sensor asks which partitions differ from their objects, never what happened, so no event can be missed. Its
cursor only remembers what was found equal: without it a tick asks Dagster again.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from dagster import DefaultSensorStatus, SensorDefinition, SensorEvaluationContext, SensorResult, SkipReason, sensor
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from resources.object_store import SlowListingError
from resources.settings import Settings
from sensors.differences import Days, Equal, as_cursor, read_cursor, requested
from sensors.looking import left_to_the_sweep, listed_days
from vitalake.dataset import Dataset

_LEAVE_IT = timedelta(minutes=15)


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
            return SkipReason(left_to_the_sweep(dataset))
        days = {now.date() + timedelta(days=offset) for offset in (-1, 0, 1)}
        try:
            listed = listed_days(context, dataset, settings.first_day, days)
        except SlowListingError:
            until = (now + _LEAVE_IT).isoformat()
            context.log.warning(left_to_the_sweep(dataset))
            equal = Equal.remembered(cursor, now)
            return SensorResult(
                skip_reason=left_to_the_sweep(dataset), cursor=as_cursor(equal, {"left_until": until})
            )
        return requested(context, dataset, settings, Days(listed), now, cursor)

    return drops
