"""The sensor of the queue, on a real store, a real Dagster instance and moto's SQS: nothing named is forgotten."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from dagster import DagsterInstance, build_sensor_context

from pipeline_assets.build import build_defs
from resources.aws import identity
from resources.object_store import ObjectStore
from resources.queue import Depth, NotificationQueue
from resources.settings import Settings
from sensors.build import build_sensors
from tests.moto_server import moto_server
from tests.sensors.queue_system import System, day, key
from tests.vitalake.notes import remove, upload
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import PermanentError, TransientError

pytestmark = pytest.mark.store


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def system(settings: Settings, raw: ObjectStore, endpoint: str) -> Iterator[System]:
    there = settings.model_copy(update={"queue_endpoint": endpoint})
    client = NotificationQueue(there, "")._client
    url = client.create_queue(QueueName=settings.raw_bucket)["QueueUrl"]
    with DagsterInstance.ephemeral() as instance:
        yield System(there.model_copy(update={"queue_url": url}), raw, instance)


def impatient(system: System) -> System:
    """The same with messages that are hidden for a second only."""
    settings = system.settings.model_copy(update={"queue_hidden_seconds": 1})
    return System(settings, system.raw, system.instance)


def test_without_a_queue_there_is_no_such_sensor(settings: Settings) -> None:
    names = {item.name for item in build_defs(settings, build_sensors).sensors or []}
    assert "drops" in names
    assert "notifications" not in names


def test_two_thousand_messages_ask_for_exactly_the_days_they_name(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.queue._CALLS_SECONDS", 100.0)  # a slow machine cannot delete them all in five
    monkeypatch.setattr("sensors.queue._TICK_SECONDS", 200.0)
    named = [0, -1, -2, -400, -3000]
    system.put(*(key(offset, name) for offset in [*named, -7] for name in "ab"))
    system.notify(*(key(named[number % 5], "ab"[number % 2]) for number in range(2000)))
    assert sorted(map(str, system.drain())) == sorted(map(day, named))
    assert {run.tags["dagster/partition"] for run in system.runs()} == set(map(day, named))


def test_the_request_is_that_of_the_sensor_of_drops(system: System) -> None:
    system.put(key(0))
    system.notify(key(0))
    (request,) = system.tick(None).requests
    context = build_sensor_context(instance=system.instance, definitions=system.defs, resources={"raw": system.raw})
    (same,) = system.defs.resolve_sensor_def("drops").evaluate_tick(context).run_requests or []
    assert request.run_key == same.run_key
    assert {**same.tags, "dagster/sensor_name": "notifications"} == request.tags
    assert request.job_name == "ecg_job"
    assert system.build(request)


def test_messages_are_deleted_by_the_tick_after_the_one_that_was_recorded(system: System) -> None:
    system.put(key(0))
    system.notify(key(0))
    tick = system.tick(None)
    assert tick.days == [day(0)]
    assert system.queue.depth() == Depth(waiting=0, in_hand=1)
    system.tick(None)  # the daemon could not record it, and hands in the cursor from before
    assert system.queue.depth() == Depth(waiting=0, in_hand=1)
    system.tick(tick.cursor)
    assert system.queue.depth() == Depth(0, 0)


@pytest.mark.parametrize("recorded", [False, True])
def test_a_process_that_dies_between_receiving_and_deleting_loses_nothing(system: System, recorded: bool) -> None:
    system = impatient(system)
    system.put(key(0), key(-50))
    system.notify(key(0), key(-50))
    tick = system.tick(None)
    assert tick.days == [day(0), day(-50)]
    cursor = system.record(tick) if recorded else None
    system.start()
    time.sleep(1.1)
    assert system.drain(cursor) == ([] if recorded else [day(0), day(-50)])
    assert len(system.runs()) == 2


def test_what_is_said_twice_is_one_run(system: System) -> None:
    system.put(key(-3), key(-3, "b"))
    system.notify(*[key(-3), key(-3, "b")] * 20)
    assert system.drain() == [day(-3)]
    (run,) = system.runs()
    system.notify(key(-3))
    assert system.drain() == []
    assert [each.run_id for each in system.runs()] == [run.run_id]


def test_an_object_that_comes_while_its_day_is_built_is_seen_when_that_is_done(system: System) -> None:
    system.put(key(-3))
    system.notify(key(-3))
    first = system.tick(None)
    cursor = system.record(first)
    system.put(key(-3, "b"))
    system.notify(key(-3, "b"))
    waiting = system.tick(cursor)
    assert (waiting.days, waiting.again) == ([], {day(-3)})
    later = system.tick(waiting.cursor)
    assert (later.again, system.queue.depth()) == ({day(-3)}, Depth(0, 0))
    (run,) = system.runs()
    system.instance.report_run_canceled(run)
    (request,) = system.tick(later.cursor).requests
    assert request.run_key != first.requests[0].run_key


def test_junk_stays_and_what_is_not_ours_goes(system: System) -> None:
    system.send("patient 4711", json.dumps({"Event": "s3:TestEvent"}))
    system.notify("elsewhere/a", "ecg")
    system.notify(key(0), bucket="another")
    tick = system.tick(None)
    assert tick.requests == []
    assert "5 messages, 1 of them no notifications; 0 partitions named" in tick.said
    assert "4711" not in tick.said
    system.tick(tick.cursor)
    assert system.queue.depth() == Depth(waiting=0, in_hand=1)


def test_a_listing_that_fails_deletes_nothing(system: System) -> None:
    system = impatient(system)
    system.put(key(0))
    system.notify(key(0))
    raw, system.raw = system.raw, ObjectStore(system.settings, "no-such-bucket")
    with pytest.raises(PermanentError, match="does not exist"):
        system.tick(None)
    system.raw = raw
    time.sleep(1.1)
    assert system.tick(None).days == [day(0)]


def test_a_deletion_empties_the_day_that_the_key_names(system: System) -> None:
    system.put(key(-40))
    system.notify(key(-40))
    (request,) = system.tick(None).requests
    assert system.build(request)
    remove(system.raw, key(-40))
    system.notify(key(-40), event="ObjectRemoved:Delete")
    (emptying,) = system.tick(None).requests
    assert emptying.partition_key == day(-40)
    assert system.build(emptying)
    system.notify(key(-40), event="ObjectRemoved:DeleteMarkerCreated")
    assert system.tick(None).requests == []


def test_a_key_without_a_day_is_looked_for_where_it_may_have_been_uploaded(system: System) -> None:
    system.put("ecg/device 7/a+b.mat")
    system.notify("ecg/device 7/a+b.mat")
    assert system.tick(None).days == [datetime.now(timezone.utc).date().isoformat()]


def test_what_a_bucket_sends_itself_is_understood(system: System, endpoint: str) -> None:
    """Moto's S3 tells moto's SQS, as the buckets of AWS do: a test message first, then an event an object."""
    bucket = system.settings.raw_bucket
    there = system.settings.model_copy(update={"s3_endpoint": endpoint})
    raw = ObjectStore(there, bucket)
    raw._client.create_bucket(Bucket=bucket)
    answer = system.queue._client.get_queue_attributes(QueueUrl=system.queue.url, AttributeNames=["QueueArn"])
    sent: Any = {
        "QueueArn": answer["Attributes"]["QueueArn"],
        "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
    }
    raw._client.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [sent]}
    )
    system = System(there, raw, system.instance)
    system.put(key(-5, "a b+ü.mat"), key(-8))
    remove(raw, key(-8))
    assert system.queue.depth().waiting == 4
    assert system.drain() == [day(-5)]


def test_a_rule_of_eventbridge_as_the_page_has_it_sends_what_is_understood(system: System, endpoint: str) -> None:
    """Moto's S3 tells moto's EventBridge, which applies the pattern, and that moto's SQS."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()
    [pattern] = [each for each in re.findall(r"```json\n(.*?)```", page, re.DOTALL) if "aws.s3" in each]
    bucket, other = system.settings.raw_bucket, f"{system.settings.raw_bucket}-other"
    answer = system.queue._client.get_queue_attributes(QueueUrl=system.queue.url, AttributeNames=["QueueArn"])
    events = boto3.client("events", endpoint_url=endpoint, **identity(system.settings))
    events.put_rule(Name=bucket, EventPattern=pattern.replace("my-raw", bucket))
    target: Any = {"Id": "queue", "Arn": answer["Attributes"]["QueueArn"]}
    events.put_targets(Rule=bucket, Targets=[target])
    there = system.settings.model_copy(update={"s3_endpoint": endpoint})
    for name in (bucket, other):
        client = ObjectStore(there, name)._client
        client.create_bucket(Bucket=name)
        configuration: Any = {"EventBridgeConfiguration": {}}
        client.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=configuration)
    upload(ObjectStore(there, other), key(-8), b"of another bucket")
    system = System(there, ObjectStore(there, bucket), system.instance)
    system.put(key(-5, "a b+ü.mat"), key(-6))
    remove(system.raw, key(-6))
    stamp = datetime.now(timezone.utc)
    call: Any = {"Source": "aws.s3", "DetailType": "AWS API Call via CloudTrail", "Time": stamp, "Detail": "{}"}
    events.put_events(Entries=[call])
    assert system.queue.depth().waiting == 3
    assert system.drain() == [day(-5)]


def test_a_tick_asks_for_so_many_runs_and_the_next_goes_on_without_messages(system: System) -> None:
    few = system.settings.model_copy(update={"runs_per_tick": 2})
    system = System(few, system.raw, system.instance)
    system.put(*(key(-offset) for offset in range(5)))
    system.notify(*(key(-offset) for offset in range(5)))
    first = system.tick(None)
    assert first.days == [day(0), day(-1)]
    assert first.again == {day(-2), day(-3), day(-4)}
    second = system.tick(system.record(first))
    assert system.queue.depth() == Depth(0, 0)
    assert second.days == [day(-2), day(-3)]
    assert system.tick(system.record(second)).days == [day(-4)]


def test_days_that_a_tick_had_no_time_for_are_looked_at_by_the_next(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.put(key(0), key(-1))
    system.notify(key(0), key(-1))
    monkeypatch.setattr("sensors.queue._TICK_SECONDS", -1.0)
    late = system.tick(None)
    assert (late.days, late.again) == ([], {day(0), day(-1)})
    monkeypatch.undo()
    assert system.tick(late.cursor).days == [day(0), day(-1)]


class Clocked(ObjectStore):
    """The bucket, where a page takes as many seconds as it is told, by a clock that else stands still."""

    def __init__(self, settings: Settings, bucket: str, takes: Callable[[str], float]) -> None:
        super().__init__(settings, bucket)
        self.now, self.takes = 1000.0, takes

    def monotonic(self) -> float:
        return self.now

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        for page in super().pages(prefix, after):
            self.now += self.takes(prefix)
            yield page


def slow(
    system: System, monkeypatch: pytest.MonkeyPatch, seconds: Mapping[str, float], otherwise: float
) -> Clocked:
    """Listing takes so many seconds: of these days, and of the others."""
    there = Clocked(
        system.settings,
        system.settings.raw_bucket,
        lambda prefix: next((took for day, took in seconds.items() if day in prefix), otherwise),
    )
    monkeypatch.setattr("sensors.queue.time", there)
    monkeypatch.setattr("sensors.bounded_listing.time", there)
    system.raw = there
    return there


def test_days_that_are_too_slow_together_are_listed_one_at_a_time(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [-offset for offset in range(13)]
    system.put(*map(key, named))
    system.notify(*map(key, named))
    # One, two, four of them in time, then too many.
    slow(system, monkeypatch, {day(-10): 5.0, day(-11): 5.0}, 0.25)
    tick = system.tick(None)
    assert tick.days == [day(offset) for offset in named[:12]]
    assert tick.again == {day(-12)}


def test_a_day_that_alone_is_too_slow_is_left_to_the_sweep_and_no_other(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [-offset for offset in range(6)]
    system.put(*map(key, named))
    system.notify(*map(key, named))
    bucket = slow(system, monkeypatch, {day(-2): 11.0}, 3.0)
    asked, cursor = [], None
    for _ in range(4):
        began = bucket.now
        tick = system.tick(cursor)
        assert bucket.now - began <= 20 + 11  # Dagster ends it after 60
        asked += tick.days
        cursor = system.record(tick)
    assert asked == [day(offset) for offset in named if offset != -2]
    assert (tick.again - set(asked), system.queue.depth()) == (set(), Depth(0, 0))


def test_a_day_that_waits_has_its_turn_before_those_that_are_named_anew(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.put(*map(key, (0, -1, -2, -3)))
    slow(system, monkeypatch, {}, 9.5)
    asked, cursor = set(), None
    for _ in range(2):
        system.notify(*map(key, (0, -1, -2, -3)))
        tick = system.tick(cursor)  # three in 20 s; their runs end at once and change nothing
        asked |= set(tick.days)
        cursor = tick.cursor
    assert asked == {day(offset) for offset in (0, -1, -2, -3)}


def test_messages_beyond_what_is_remembered_are_not_deleted(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.queue._TICK_SECONDS", -1.0)
    monkeypatch.setattr("sensors.queue._REMEMBERED", 2)
    system.notify(*(key(-offset) for offset in range(5)))
    full = system.tick(None)
    assert full.again == {day(0), day(-1)}
    system.notify(key(-9))
    again = system.tick(full.cursor)
    assert again.again == full.again
    assert system.queue.depth() == Depth(waiting=1, in_hand=3)


class Denied(ObjectStore):
    """The bucket, of which one folder may not be listed."""

    def folders(self, prefix: str, within_s: float | None = None) -> tuple[list[str], list[ObjectInfo]]:
        if prefix.startswith("retina/"):
            raise PermanentError("retina/: access denied")
        return super().folders(prefix, within_s)


def test_a_dataset_that_cannot_be_looked_at_keeps_no_other_waiting(system: System) -> None:
    system.put(key(-1), key(-2))
    system.notify(key(-1), f"retina/date={day(0)}/a.json", key(-2))
    system.raw, allowed = Denied(system.settings, system.settings.raw_bucket), system.raw
    tick = system.tick(None)
    assert (tick.days, tick.again) == ([day(-1), day(-2)], {day(0)})
    upload(allowed, f"retina/date={day(0)}/a.json", b"[]")
    with pytest.raises(PermanentError, match="access denied"):
        system.tick(system.record(tick))
    system.raw = allowed
    assert system.tick(tick.cursor).days == [day(0)]


def test_a_cursor_that_somebody_typed_is_no_obstacle(system: System) -> None:
    system.put(key(0))
    for typed in ("", "0", "{}", "[]", '{"again": [1], "token": 2}', '{"again": [["ecg", "x"]], "token": ""}'):
        assert system.tick(typed).requests == []
    system.notify(key(0))
    assert system.tick('{"again": [["gone", "2026-01-01"]], "token": "t"}').days == [day(0)]


def test_a_queue_that_does_not_answer_fails_the_tick_and_says_so(system: System) -> None:
    silent = system.settings.model_copy(update={"queue_endpoint": "http://127.0.0.1:9"})
    system.queue = NotificationQueue(silent, system.queue.url)
    with pytest.raises(TransientError, match="the queue did not answer"):
        system.tick(None)
