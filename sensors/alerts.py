"""The sensors behind the alerts: failures that no hook could see, of runs and of sensors, and delivery.

Belongs here: thin shells that let Dagster's clock drive the outbox. Does not belong here: the hook and how a run is
described (`pipeline_assets/alerts.py`), which sensors fail (`sensors/sensor_health.py`), keeping and posting
(`resources/`), wording (`vitalake/alerting/alerts.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DefaultSensorStatus,
    EventLogRecord,
    ResourceParam,
    RunStatusChangeRecordsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from pipeline_assets.alerts import run_alert
from resources.alerting.channel import AlertChannel
from resources.alerting.delivery import deliver
from resources.alerting.outbox import Outbox
from sensors.run_state import days_being_built
from sensors.sensor_health import errors_of, sensor_news
from vitalake.alerting.alerts import QUARANTINE, Alert, describe_record
from vitalake.lake.dataset import Dataset

_INTERVAL_S = 10
_FAILURES_PER_TICK = 25
_WILL_RETRY_TAG = "dagster/will_retry"


@dataclass(frozen=True)
class _AlertCursor:
    """What the last tick left: the last failed run, sensors that fail (name → episode), alerts to be told.

    The run is known by its event's number and by its id: SQLite gives numbers of deleted runs to later ones.
    """

    last_run: int | None = None
    last_run_id: str | None = None
    failing: dict[str, str] = field(default_factory=dict)
    untold: list[Alert] = field(default_factory=list)

    @staticmethod
    def read(text: str | None) -> _AlertCursor:
        """Nothing where that is no cursor."""
        try:
            found = json.loads(text or "{}")
            untold = [Alert.from_json(alert) for alert in found.get("untold", ())]
            failing = dict(found.get("failing", {}))
            return _AlertCursor(found.get("last_run"), found.get("last_run_id"), failing, untold)
        except (ValueError, TypeError, AttributeError):
            return _AlertCursor()

    def saved(self) -> str:
        """The reverse of `read`."""
        return json.dumps(vars(self) | {"untold": [alert.to_json() for alert in self.untold]})


def build_alert_sensors(webserver_url: str | None, datasets: Sequence[Dataset] = ()) -> list[SensorDefinition]:
    """The sensors `run_failure_sensor` and `alert_delivery`, both running by default."""
    by_cause = {QUARANTINE + dataset.name: dataset for dataset in datasets}

    # Not Dagster's own decorator of this name: it moves its cursor on when adding fails, and the alert is lost.
    # This cursor is saved only after every alert was added, and is but a cache: the outbox knows what it has seen.
    # News of sensors alone waits in it: ticks that failed while the store was away are not asked for again.
    @sensor(minimum_interval_seconds=_INTERVAL_S, default_status=DefaultSensorStatus.RUNNING)
    def run_failure_sensor(context: SensorEvaluationContext, outbox: ResourceParam[Outbox]) -> SkipReason:
        """Adds an alert for failed runs that have none, such as one that was killed, and for sensors that fail."""
        cursor = _AlertCursor.read(context.cursor)
        told = sum(outbox.add(alert) for alert in cursor.untold)
        news = sensor_news(context, cursor.failing, webserver_url, datetime.now(timezone.utc))
        if news.alerts:
            # Nothing here has needed the store, so the cursor is saved even while it is away.
            context.update_cursor(replace(cursor, failing=news.failing, untold=news.alerts).saved())
            return SkipReason("; ".join(f"{alert.title} (told by the next tick)" for alert in news.alerts))
        records, before = _failures_after(cursor, context.instance)
        added = 0
        for record in records:
            run = context.instance.get_run_by_id(record.event_log_entry.run_id)
            if run is not None and _belongs_here(run, context):
                added += outbox.add(_failure_alert(context.instance, run, webserver_url))
        last = (records[-1].storage_id, records[-1].event_log_entry.run_id) if records else before
        context.update_cursor(_AlertCursor(*last, news.failing).saved())
        failing = f", {len(news.failing)} sensors fail" if news.failing else ""
        return SkipReason(f"{len(records)} failed runs, {told + added} new alerts{failing}")

    @sensor(minimum_interval_seconds=_INTERVAL_S, default_status=DefaultSensorStatus.RUNNING)
    def alert_delivery(
        context: SensorEvaluationContext, outbox: ResourceParam[Outbox], alert_channel: ResourceParam[AlertChannel]
    ) -> SkipReason:
        """Posts pending alerts to Slack, or writes them to the log where Slack is not configured.

        The first of a cause at once; those that follow together, after a minute at first and at most 15. While
        Slack is in trouble, one post at growing intervals.
        """

        def gathering(cause: str) -> bool:
            return cause in by_cause and days_being_built(context.instance, by_cause[cause])

        report = deliver(outbox, alert_channel, context.log, gathering=gathering)
        said = f"{report.sent} sent, {report.failed} failed and pending, {report.logged} logged"
        if report.next_try:
            return SkipReason(f"{said}; Slack is asked again after {report.next_try:%Y-%m-%d %H:%M:%S} UTC")
        waiting = f", {report.waiting} wait for others of their cause" if report.waiting else ""
        return SkipReason(said + waiting)

    return [run_failure_sensor, alert_delivery]


def _failures_after(
    cursor: _AlertCursor, instance: DagsterInstance
) -> tuple[Sequence[EventLogRecord], tuple[int | None, str | None]]:
    """The next failures, and what the cursor says if there are none.

    Where the cursor's run is gone, from the beginning on: a later run may have its number, or a smaller one. What
    was told costs a look into the outbox then.
    """

    def following(number: int, limit: int) -> Sequence[EventLogRecord]:
        failures = RunStatusChangeRecordsFilter(DagsterEventType.RUN_FAILURE, after_storage_id=number)
        return instance.fetch_run_status_changes(failures, limit=limit, ascending=True).records

    if cursor.last_run is not None:
        records = following(cursor.last_run - 1, 1 + _FAILURES_PER_TICK)
        last = (cursor.last_run, cursor.last_run_id)
        if [(record.storage_id, record.event_log_entry.run_id) for record in records[:1]] == [last]:
            return records[1:], last
    return following(0, _FAILURES_PER_TICK), (None, None)


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
    error_class, message = describe_record(errors_of(event.step_failure_data.error))
    return run_alert(run, event.step_key, error_class, message, will_retry, webserver_url)
