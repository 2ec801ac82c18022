"""Sensors and schedules whose ticks fail one after the other.

Belongs here: what Dagster recorded about the ticks of this code location, and what of it is news. Does not belong
here: wording (`vitalake/alerting/sensor_alerts.py`), keeping alerts (`resources/alerting/outbox.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from dagster import DagsterInstance, SensorEvaluationContext
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorTick,
    SensorInstigatorData,
    TickStatus,
)
from dagster_shared.error import SerializableErrorInfo

from vitalake.alerting.alerts import Alert, describe_record
from vitalake.alerting.sensor_alerts import FailingSensor, sensors_fail, sensors_work

_WORKED = [TickStatus.SUCCESS, TickStatus.SKIPPED]
# A store that restarts, or one answer that was lost, is no news: what is told has lasted a minute, by then every
# sensor that a store takes down has failed, and they are told together. A sweep may be an hour old when it fails
# once, so two failures at least; a schedule's next attempt may be a day away.
_LASTING = timedelta(minutes=1)
_CALM = 2 * _LASTING  # a minute without failures: a tick is recorded under its beginning, and Dagster gives it one
_FAILURES_OF_A_SENSOR, _FAILURES_OF_A_SCHEDULE = 2, 1
_FAILURES_IN_A_MINUTE = 20  # at least: the daemon looks every 5 s at the soonest
# The code server was away, in which this very code runs: it is back, and the sensor has not been asked since. If
# that goes on, the tick takes it down. One that took too long, or was refused, has the same class and another
# message (dagster 1.13, `dagster/_grpc/client.py`).
_AWAY = "Could not reach user code server. gRPC Error code: UNAVAILABLE"
_AWAY_AT_MOST = 10
_NOT_LOADED = "DagsterCodeLocationLoadError"
_RUNNING = "RUNNING"


class SensorNews(NamedTuple):
    """What is to be told, and which sensors are failing now: name → episode."""

    alerts: list[Alert]
    failing: dict[str, str]


def sensor_news(
    context: SensorEvaluationContext, known: Mapping[str, str], webserver_url: str | None, now: datetime
) -> SensorNews:
    """Which sensors and schedules of this code location have begun to fail, and which work again.

    What fails has to fail for a minute, and what works again to work for as long: a store that answers now and then
    is one piece of news. What was stopped or is not in the code any more does neither.

    Args:
        context: of the tick.
        known: what the last call found failing, name → episode.
        webserver_url: of the web UI.
        now: UTC.
    """
    failing: dict[str, str] = {}
    recovering: dict[str, str] = {}
    recovered: dict[str, str] = {}
    begin: list[FailingSensor] = []
    lasting = False
    for state in context.instance.all_instigator_state():
        if not _is_watched(state, context):
            continue
        name = state.name
        if name not in known and _has_worked(state):
            continue
        last = _last_tick(context.instance, state)
        if name in known:
            if last is None or last.status is TickStatus.FAILURE:
                failing[name] = known[name]
            elif _has_failed_lately(context.instance, state, now):
                recovering[name] = known[name]
            else:
                recovered[name] = known[name]
        elif last is not None and last.status is TickStatus.FAILURE and not _was_away(last):
            begin.append(_failing(context, state, last))
            lasting = lasting or _lasts(context.instance, state, last)
    if not lasting:
        begin = []
    if recovering:  # those that one cause took down come back one after the other, and are told together
        recovering |= recovered
        recovered = {}
    alerts = [sensors_fail(begin, webserver_url, _location(context))] if begin else []
    alerts += [sensors_work(list(recovered.items()), webserver_url)] if recovered else []
    return SensorNews(alerts, failing | recovering | {sensor.name: sensor.episode for sensor in begin})


def errors_of(error: SerializableErrorInfo | None) -> list[tuple[str | None, str]]:
    """Class name and message of a recorded error and of its causes, outermost first."""
    errors = []
    while error is not None:
        errors.append((error.cls_name, error.message))
        error = error.cause
    return errors


def _location(context: SensorEvaluationContext) -> str:
    origin = context.code_location_origin
    return origin.location_name if origin else "vitalake"


def _is_watched(state: InstigatorState, context: SensorEvaluationContext) -> bool:
    """Whether it is of this code location, which may share its Dagster with others, still there, and running."""
    theirs = state.origin.repository_origin.code_location_origin.location_name
    code = context.repository_def
    if code is None or (context.code_location_origin and theirs != _location(context)):
        return False
    if isinstance(state.instigator_data, SensorInstigatorData):
        default = code.get_sensor_def(state.name).default_status.value if code.has_sensor_def(state.name) else ""
    else:
        there = code.has_schedule_def(state.name)
        default = code.get_schedule_def(state.name).default_status.value if there else ""
    if state.status is InstigatorStatus.DECLARED_IN_CODE:
        return default == _RUNNING
    return bool(default) and state.is_running


def _has_worked(state: InstigatorState) -> bool:
    """Whether the last tick ended well, by the state alone; False where only the ticks can tell."""
    # Dagster forgets this time when a tick begins, and sets it when the tick has ended well.
    data = state.instigator_data
    return isinstance(data, SensorInstigatorData) and data.last_tick_success_timestamp is not None


def _last_tick(instance: DagsterInstance, state: InstigatorState) -> InstigatorTick | None:
    """The last tick that has ended; one may be under way since."""
    data = state.instigator_data
    # Without this time SQLite sorts all ticks that are kept: for 10,000 of them 19 ms instead of 3.
    began = data.last_tick_timestamp if isinstance(data, SensorInstigatorData) else None
    after = began - 1 if began else None
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, after=after, limit=2)
    return next((tick for tick in ticks if tick.status is not TickStatus.STARTED), None)


def _has_failed_lately(instance: DagsterInstance, state: InstigatorState, now: datetime) -> bool:
    return bool(
        instance.get_ticks(
            state.instigator_origin_id,
            state.selector_id,
            after=(now - _CALM).timestamp(),
            limit=1,
            statuses=[TickStatus.FAILURE],
        )
    )


def _lasts(instance: DagsterInstance, state: InstigatorState, last: InstigatorTick) -> bool:
    """Whether this is more than a hiccup: by the failed ticks alone, as the daemon may have been stopped before."""
    failed = _in_a_row(last)
    if not isinstance(state.instigator_data, SensorInstigatorData):
        return failed >= _FAILURES_OF_A_SCHEDULE
    if failed < _FAILURES_OF_A_SENSOR:
        return False
    ticks = instance.get_ticks(
        state.instigator_origin_id,
        state.selector_id,
        before=last.timestamp,
        limit=min(failed, _FAILURES_IN_A_MINUTE) - 1,
        statuses=[TickStatus.FAILURE],
    )
    return bool(ticks) and last.timestamp - ticks[-1].timestamp >= _LASTING.total_seconds()


def _in_a_row(tick: InstigatorTick) -> int:
    return tick.consecutive_failure_count or tick.failure_count


def _was_away(tick: InstigatorTick) -> bool:
    """Whether the code server was away: a few times only, else this sensor's ticks may be the cause."""
    away = any(name == _NOT_LOADED or _AWAY in message for name, message in errors_of(tick.error))
    return away and _in_a_row(tick) <= _AWAY_AT_MOST


def _failing(context: SensorEvaluationContext, state: InstigatorState, last: InstigatorTick) -> FailingSensor:
    worked = context.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=_WORKED)
    error_class, message = describe_record(errors_of(last.error))
    is_schedule = not isinstance(state.instigator_data, SensorInstigatorData)
    return FailingSensor(
        name=state.name,
        is_schedule=is_schedule,
        jobs=_jobs(context, state.name, is_schedule=is_schedule),
        episode=str(worked[0].tick_id) if worked else "",
        failed_ticks=_in_a_row(last),
        last_worked_at=datetime.fromtimestamp(worked[0].timestamp, timezone.utc) if worked else None,
        error_class=error_class,
        message=message,
    )


def _jobs(context: SensorEvaluationContext, name: str, *, is_schedule: bool) -> tuple[str, ...]:
    code = context.repository_def
    if code is None:
        return ()
    if is_schedule:
        return (code.get_schedule_def(name).job_name,)
    return tuple(target.job_name for target in code.get_sensor_def(name).targets)
