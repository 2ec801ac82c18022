"""Failing jobs, for real: hook and sensors together give one alert a run, and no stranger's text leaves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    HookDefinition,
    JobDefinition,
    ReexecutionOptions,
    RetryPolicy,
    SensorDefinition,
    build_sensor_context,
    execute_job,
    in_process_executor,
    instance_for_test,
    job,
    op,
    reconstructable,
)
from dagster._core.test_utils import create_run_for_test

from pipeline_assets.alerts import build_failure_hook
from pipeline_assets.partitions import DATASET_TAG
from resources.alerting.outbox import Outbox
from resources.alerting.slack import SlackAlerts
from resources.object_store import ObjectStore
from sensors.alerts import build_alert_sensors
from tests.slack_server import DOWN, OK, slack_server
from vitalake.alerting.alerts import Alert, quarantined
from vitalake.datasets.ecg import ECG
from vitalake.errors import PermanentError, TransientError

pytestmark = [pytest.mark.store, pytest.mark.usefixtures("no_proxy")]
CANARY = "Ada Lovelace 18151210"
WEB = "http://localhost:3000/"
DAY = "2026-11-20"


class Strange(Exception):  # noqa: N818
    """A stranger's error, with a message that nobody vouches for."""


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with instance_for_test() as instance:
        yield instance


@pytest.fixture
def hook(outbox: Outbox) -> HookDefinition:
    return build_failure_hook(outbox, WEB)


@pytest.fixture
def run_failures() -> SensorDefinition:
    return build_alert_sensors(WEB)[0]


def failing_job(error: Exception, *hooks: HookDefinition) -> JobDefinition:
    @op(retry_policy=RetryPolicy(max_retries=1))
    def read() -> None:
        raise error

    @job(hooks=set(hooks), executor_def=in_process_executor)
    def ecg() -> None:
        read()

    return ecg


def always_failing_job() -> JobDefinition:
    """At module level, so that Dagster can build it anew for a retry."""
    return failing_job(Strange(CANARY))


def run(failing: JobDefinition, instance: DagsterInstance) -> str:
    tags = {"dagster/partition": DAY}
    result = failing.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
    assert not result.success
    return result.run_id


def tick(
    sensor: SensorDefinition,
    instance: DagsterInstance,
    outbox: Outbox,
    cursor: str | None = None,
    slack: SlackAlerts | None = None,
) -> tuple[str, str | None]:
    """What the tick says it did, and its cursor."""
    resources = {"outbox": outbox, "alert_channel": slack or SlackAlerts()}
    result = sensor.evaluate_tick(build_sensor_context(instance=instance, cursor=cursor, resources=resources))
    return result.skip_message or "", result.cursor


def test_hook_and_sensor_give_one_alert_for_one_failed_run(
    instance: DagsterInstance, outbox: Outbox, hook: HookDefinition, run_failures: SensorDefinition
) -> None:
    run_id = run(failing_job(TransientError("lake: no answer"), hook), instance)
    (alert,) = outbox.pending()  # the hook was first
    assert alert.title == f"ecg failed for {DAY}"
    assert "Step: read" in alert.body
    assert "TransientError: lake: no answer" in alert.body
    assert "will be retried by itself" in alert.body
    assert alert.link == f"http://localhost:3000/runs/{run_id}"
    message, cursor = tick(run_failures, instance, outbox)
    assert message == "1 failed runs, 0 new alerts"
    assert tick(run_failures, instance, outbox, cursor) == ("0 failed runs, 0 new alerts", cursor)
    assert outbox.pending() == [alert]


@pytest.mark.parametrize("seen_by", ["hook", "sensor"])
def test_a_strangers_exception_text_stays_inside(
    instance: DagsterInstance, outbox: Outbox, hook: HookDefinition, run_failures: SensorDefinition, seen_by: str
) -> None:
    hooks = [hook] if seen_by == "hook" else []
    run(failing_job(Strange(CANARY), *hooks), instance)
    tick(run_failures, instance, outbox)
    (alert,) = outbox.pending()
    assert "Error: Strange: see the run" in alert.body
    assert CANARY not in alert.to_json()


@pytest.mark.parametrize("name", ["TransientError", "Error"])
def test_a_stranger_with_a_name_like_ours_stays_a_stranger(
    instance: DagsterInstance, outbox: Outbox, run_failures: SensorDefinition, name: str
) -> None:
    run(failing_job(type(name, (Exception,), {})(f"vitalake.errors.TransientError: {CANARY}")), instance)
    tick(run_failures, instance, outbox)
    (alert,) = outbox.pending()
    assert f"Error: {name}: see the run" in alert.body
    assert CANARY not in alert.to_json()


def test_the_sensor_alone_repeats_our_own_message(
    instance: DagsterInstance, outbox: Outbox, run_failures: SensorDefinition
) -> None:
    run(failing_job(PermanentError("bucket raw does not exist; create it")), instance)
    assert tick(run_failures, instance, outbox)[0] == "1 failed runs, 1 new alerts"
    (alert,) = outbox.pending()
    assert "Step: read" in alert.body
    assert "PermanentError: bucket raw does not exist; create it" in alert.body


def test_a_run_whose_process_was_killed_is_noticed_by_the_sensor(
    instance: DagsterInstance, outbox: Outbox, hook: HookDefinition, run_failures: SensorDefinition
) -> None:
    killed = instance.create_run_for_job(failing_job(Strange(CANARY), hook))
    instance.report_run_failed(killed, f"worker of {CANARY} was terminated by signal 9")
    tick(run_failures, instance, outbox)
    (alert,) = outbox.pending()
    assert "No step failed" in alert.body
    assert f"Run: {killed.run_id}, attempt 1." in alert.body
    assert CANARY not in alert.to_json()


def kill(instance: DagsterInstance) -> str:
    """A run whose process was killed."""
    killed = instance.create_run_for_job(failing_job(Strange(CANARY)))
    instance.report_run_failed(killed)
    return killed.run_id


def test_a_killed_run_that_got_the_number_of_a_deleted_one_is_noticed(
    instance: DagsterInstance, outbox: Outbox, run_failures: SensorDefinition
) -> None:
    for others in (0, 1):
        for _ in range(others):
            kill(instance)
        deleted = kill(instance)
        _, cursor = tick(run_failures, instance, outbox)
        instance.delete_run(deleted)
        kill(instance)
        message, cursor = tick(run_failures, instance, outbox, cursor)
        assert message == f"{1 + 2 * others} failed runs, 1 new alerts"
        assert tick(run_failures, instance, outbox, cursor) == ("0 failed runs, 0 new alerts", cursor)
    assert len(outbox.pending()) == 5


def test_from_the_beginning_on_it_goes_step_by_step_and_tells_nothing_twice(
    instance: DagsterInstance, outbox: Outbox, run_failures: SensorDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.alerts._FAILURES_PER_TICK", 2)
    for _ in range(5):
        kill(instance)
    seen, cursor = [], None
    for _ in range(2):
        for _ in range(4):
            message, cursor = tick(run_failures, instance, outbox, cursor)
            seen.append(message)
        outbox.mark_sent(outbox.pending(), "1.0")
        cursor = '{"last_run": 1, "last_run_id": "of before"}'
    told = [f"{runs} failed runs, {runs} new alerts" for runs in (2, 2, 1, 0)]
    assert seen == [*told, *(f"{runs} failed runs, 0 new alerts" for runs in (2, 2, 1, 0))]


def test_a_retried_run_is_no_new_alert_and_another_run_is(
    instance: DagsterInstance, outbox: Outbox, run_failures: SensorDefinition
) -> None:
    recipe = reconstructable(always_failing_job)
    with execute_job(recipe, instance) as first:
        assert not first.success
    with execute_job(recipe, instance, reexecution_options=ReexecutionOptions(first.run_id)) as again:
        assert not again.success
    assert tick(run_failures, instance, outbox)[0] == "2 failed runs, 1 new alerts"
    with execute_job(recipe, instance) as other:
        assert not other.success
    tick(run_failures, instance, outbox)
    assert len(outbox.pending()) == 2


def test_a_store_out_of_reach_costs_a_tick_and_no_alert(
    instance: DagsterInstance, outbox: Outbox, store: ObjectStore, run_failures: SensorDefinition
) -> None:
    class Unreachable(Outbox):
        def add(self, alert: Alert) -> bool:
            raise TransientError(f"{alert.title}: the object store did not answer")

    unreachable = Unreachable(store)
    run(failing_job(Strange(CANARY), build_failure_hook(unreachable, WEB)), instance)
    context = build_sensor_context(instance=instance, resources={"outbox": unreachable})
    with pytest.raises(TransientError, match="did not answer"):
        run_failures.evaluate_tick(context)
    assert not context.cursor
    tick(run_failures, instance, outbox, context.cursor)
    assert len(outbox.pending()) == 1


def forget(store: ObjectStore) -> None:
    """The end of whatever delivery waits for."""
    for item in store.objects("alerts/told/"):
        store.delete(item.key, expected=item.version)


def test_from_the_failing_step_to_exactly_one_message(
    instance: DagsterInstance, outbox: Outbox, hook: HookDefinition, store: ObjectStore
) -> None:
    with slack_server(DOWN) as server:
        there = SlackAlerts(token="xoxb-secret", channel="#health", base_url=server.url, timeout_s=60)
        run_failures, delivery = build_alert_sensors(None)
        run(failing_job(Strange(CANARY), hook), instance)
        _, cursor = tick(run_failures, instance, outbox)
        down, paused = (
            tick(delivery, instance, outbox, slack=there)[0],
            tick(delivery, instance, outbox, slack=there)[0],
        )
        assert down.startswith("0 sent, 1 failed and pending, 0 logged; Slack is asked again after ")
        assert paused.startswith("0 sent, 0 failed and pending, 0 logged; Slack is asked again after ")
        _, cursor = tick(run_failures, instance, outbox, cursor)
        server.answers, before = [OK], len(server.posts)
        forget(store)  # minutes later
        assert tick(delivery, instance, outbox, slack=there)[0] == "1 sent, 0 failed and pending, 0 logged"
        tick(run_failures, instance, outbox)  # even with its cursor lost
        assert tick(delivery, instance, outbox, slack=there)[0] == "0 sent, 0 failed and pending, 0 logged"
        (post,) = server.posts[before:]
    assert post["text"] == f"ecg failed for {DAY}"
    assert CANARY not in str(server.posts)


@pytest.mark.parametrize("status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED])
def test_news_of_quarantine_waits_for_the_runs_that_find_it(
    instance: DagsterInstance, outbox: Outbox, status: DagsterRunStatus
) -> None:
    with slack_server(OK) as server:
        there = SlackAlerts(token="xoxb-secret", channel="#health", base_url=server.url, timeout_s=60)
        delivery = build_alert_sensors(None, [ECG])[1]
        tags = {"dagster/partition": DAY, DATASET_TAG: "ecg"}
        going_on = create_run_for_test(instance, job_name="ecg_job", tags=tags, status=status)
        for dataset, key in (("ecg", "a"), ("retina", "b")):
            outbox.add(quarantined(dataset, DAY, [(key, "v1", "S02", "too short")], None))
        assert tick(delivery, instance, outbox, slack=there)[0] == (
            "1 sent, 0 failed and pending, 0 logged, 1 wait for others of their cause"
        )
        outbox.add(quarantined("ecg", DAY, [("c", "v1", "S03", "no reader")], None))
        instance.report_run_canceled(going_on)
        assert tick(delivery, instance, outbox, slack=there)[0] == "2 sent, 0 failed and pending, 0 logged"
    assert [post["text"].partition(" in ")[0] for post in server.posts] == [
        f"1 object of retina {DAY}",
        f"2 objects of ecg {DAY}",
    ]


def test_both_sensors_run_from_the_start_every_ten_seconds() -> None:
    sensors = build_alert_sensors(None)
    assert [(s.name, s.minimum_interval_seconds, s.default_status.value) for s in sensors] == [
        ("run_failure_sensor", 10, "RUNNING"),
        ("alert_delivery", 10, "RUNNING"),
    ]


def test_loading_the_sensors_does_not_load_slack() -> None:
    code = "import sys, sensors.alerts; sys.exit('slack_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
