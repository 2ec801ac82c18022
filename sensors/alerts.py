"""The sensors behind the alerts: failures that no hook could see, and delivery.

Belongs here: thin shells that let Dagster's clock drive the outbox. Does not belong here: the hook and how a run is
described (`pipeline_assets/alerts.py`), keeping and posting (`resources/`), wording (`vitalake/alerts.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DefaultSensorStatus,
    RunStatusChangeRecordsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from pipeline_assets.alerts import run_alert
from resources.outbox import deliver
from vitalake.alerts import SEE_THE_RUN, Alert

if TYPE_CHECKING:
    from dagster_shared.error import SerializableErrorInfo

    from resources.outbox import Outbox, Poster

_INTERVAL_S = 10
_FAILURES_PER_TICK = 25
_WILL_RETRY_TAG = "dagster/will_retry"
# An error as Dagster stores it: our own classes are known by their module, not by a name that anybody may use.
_OURS = re.compile(r"vitalake\.[\w.]+: (.*)")


def build_alert_sensors(
    outbox_factory: Callable[[], Outbox], slack_factory: Callable[[], Poster], webserver_url: str | None
) -> list[SensorDefinition]:
    """The sensors `run_failure_sensor` and `alert_delivery`, both running by default."""

    # Not Dagster's own decorator of this name: it moves its cursor on when adding fails, and the alert is lost.
    # This cursor is saved only after every alert was added, and is but a cache: the outbox knows what it has seen.
    @sensor(minimum_interval_seconds=_INTERVAL_S, default_status=DefaultSensorStatus.RUNNING)
    def run_failure_sensor(context: SensorEvaluationContext) -> SkipReason:
        """Adds an alert for each failed run that has none yet, such as one whose process was killed."""
        failures = RunStatusChangeRecordsFilter(
            event_type=DagsterEventType.RUN_FAILURE,
            after_storage_id=int(context.cursor) if context.cursor else None,
        )
        records = context.instance.fetch_run_status_changes(
            failures, limit=_FAILURES_PER_TICK, ascending=True
        ).records
        outbox, added = outbox_factory(), 0
        for record in records:
            run = context.instance.get_run_by_id(record.event_log_entry.run_id)
            if run is not None and _belongs_here(run, context):
                added += outbox.add(_failure_alert(context.instance, run, webserver_url))
        if records:
            context.update_cursor(str(records[-1].storage_id))
        return SkipReason(f"{len(records)} failed runs, {added} new alerts")

    @sensor(minimum_interval_seconds=_INTERVAL_S, default_status=DefaultSensorStatus.RUNNING)
    def alert_delivery(context: SensorEvaluationContext) -> SkipReason:
        """Posts pending alerts to Slack, or writes them to the log where Slack is not configured."""
        report = deliver(outbox_factory(), slack_factory(), context.log)
        return SkipReason(f"{report.sent} sent, {report.failed} failed and pending, {report.logged} logged")

    return [run_failure_sensor, alert_delivery]


def _belongs_here(run: DagsterRun, context: SensorEvaluationContext) -> bool:
    """Whether the run may be of this code location; several can share one Dagster."""
    if run.remote_job_origin is None or context.code_location_origin is None:
        return True
    theirs = run.remote_job_origin.repository_origin.code_location_origin
    return theirs.location_name == context.code_location_origin.location_name


def _failure_alert(instance: DagsterInstance, run: DagsterRun, webserver_url: str | None) -> Alert:
    will_retry = True if run.tags.get(_WILL_RETRY_TAG) == "true" else None
    records = instance.get_records_for_run(run.run_id, of_type=DagsterEventType.STEP_FAILURE, limit=1).records
    event = records[0].event_log_entry.dagster_event if records else None
    if event is None:
        return run_alert(run, None, None, None, will_retry, webserver_url)
    error_class, message = _described(event.step_failure_data.error)
    return run_alert(run, event.step_key, error_class, message, will_retry, webserver_url)


def _described(error: SerializableErrorInfo | None) -> tuple[str | None, str]:
    """`vitalake.alerts.describe_error` for an error that is known by its record only."""
    cause = error
    while cause is not None:
        ours = _OURS.match(cause.message)
        if ours:
            return cause.cls_name, ours[1]
        cause = cause.cause
    # Dagster wraps what a step raises once; the cause is what was raised.
    raised = (error.cause or error) if error else None
    return (raised.cls_name if raised else None), SEE_THE_RUN
