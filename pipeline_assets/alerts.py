"""Failed runs become alerts: the hook that every job carries, and how a run is described.

Belongs here: from a Dagster run and an exception to an alert. Does not belong here: delivery (`sensors/alerts.py`,
`resources/alerting/outbox.py`) or wording (`vitalake/alerting/alerts.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster import (
    AssetCheckSeverity,
    DagsterEventType,
    DagsterRun,
    HookContext,
    HookDefinition,
    failure_hook,
)
from dagster._core.errors import DagsterAssetCheckFailedError

from pipeline_assets.dagster_metadata import run_link
from pipeline_assets.partitions import DAGSTER_PARTITION_TAG
from vitalake.alerting.alerts import Alert, describe_error, run_failed, will_be_retried

if TYPE_CHECKING:
    from resources.alerting.outbox import Outbox

_RUN_KEY_TAG = "dagster/run_key"
_RETRY_TAG = "dagster/retry_number"


def run_alert(
    run: DagsterRun,
    step: str | None,
    error_class: str | None,
    message: str | None,
    will_retry: bool | None,
    webserver_url: str | None,
) -> Alert:
    """The alert about a failed run; the same fingerprint whoever notices the failure, at whichever retry."""
    return run_failed(
        job=run.job_name,
        partition=run.tags.get(DAGSTER_PARTITION_TAG),
        step=step,
        error_class=error_class,
        message=message,
        run_id=run.run_id,
        # The sensor asks again as long as the same content is not built: still one piece of news.
        root_run_id=run.tags.get(_RUN_KEY_TAG, "").rpartition(":")[0] or run.root_run_id or run.run_id,
        attempt=int(run.tags.get(_RETRY_TAG, 0)) + 1,
        will_retry=will_retry,
        link=run_link(webserver_url, run.run_id),
    )


def build_failure_hook(outbox: Outbox, webserver_url: str | None) -> HookDefinition:
    """The hook `alert_on_failure`: a failed step puts one alert into the outbox while its exception is at hand.

    Should the outbox be out of reach, Dagster records that the hook failed, and the run-failure sensor catches up.
    """

    @failure_hook(name="alert_on_failure")
    def alert_on_failure(context: HookContext) -> None:
        run, error = context.instance.get_run_by_id(context.run_id), context.op_exception
        if run is None or error is None:
            return  # nothing to describe; the run-failure sensor sees the run's end
        error_class, message = describe_error(error)
        if isinstance(error, DagsterAssetCheckFailedError):
            message = _what_blocks(context) or message
        will_retry = will_be_retried(error)
        outbox.add(run_alert(run, context.step_key, error_class, message, will_retry, webserver_url))

    return alert_on_failure


def _what_blocks(context: HookContext) -> str:
    """What the checks that block said of the step's tables: counts, in words of ours."""
    records = context.instance.get_records_for_run(context.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION)
    events = [record.event_log_entry.dagster_event for record in records.records]
    found = [event.asset_check_evaluation_data for event in events if event and event.step_key == context.step_key]
    blocking = [each for each in found if not each.passed and each.severity is AssetCheckSeverity.ERROR]
    return "; ".join(f"{each.check_name}: {each.description}" for each in blocking)
