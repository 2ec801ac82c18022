"""Sensors that fail, as Dagster's own storage records them: one alert a row of failures, and none for a hiccup."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from dagster import DagsterInstance, instance_for_test
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.scheduler.instigation import InstigatorStatus

from resources.alerting.outbox import Outbox
from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.alerts import build_alert_sensors
from sensors.sensor_health import SensorNews, sensor_news
from tests.sensors.instigation import Recorder, context_of
from vitalake.alerting.alerts import Alert
from vitalake.errors import PermanentError, TransientError

pytestmark = pytest.mark.store
CANARY = "Ada Lovelace 18151210"
DENIED = PermanentError("vitalake-raw/ecg/: access denied; give the role s3:ListBucket")


class Watch:
    """`run_failure_sensor`, tick after tick, with its cursor kept as the daemon keeps it."""

    def __init__(self, instance: DagsterInstance, outbox: Outbox, away: Outbox) -> None:
        self.instance, self.outbox, self.away = instance, outbox, away
        self.cursor: str | None = None
        self.told: set[str] = set()
        self.within_reach = True

    def tick(self) -> None:
        """One tick; its cursor is kept where it ended well."""
        outbox = self.outbox if self.within_reach else self.away
        context = context_of(self.instance, self.cursor, outbox)
        self.cursor = build_alert_sensors("http://ui/")[0].evaluate_tick(context).cursor

    def news(self, ticks: int = 3) -> list[Alert]:
        """What these ticks add."""
        for _ in range(ticks):
            self.tick()
        new = [alert for alert in self.outbox.pending() if alert.fingerprint not in self.told]
        self.told |= {alert.fingerprint for alert in new}
        return new


def look(instance: DagsterInstance, known: dict[str, str], at: float) -> SensorNews:
    """What is news at this time."""
    return sensor_news(context_of(instance, None), known, None, datetime.fromtimestamp(at, timezone.utc))


def kinds(instance: DagsterInstance, known: dict[str, str], at: float) -> list[str]:
    """Of what is told at this time."""
    return [alert.kind for alert in look(instance, known, at).alerts]


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with instance_for_test() as instance:
        yield instance


@pytest.fixture
def watch(instance: DagsterInstance, store: ObjectStore, settings: Settings) -> Watch:
    away = settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:1"})
    return Watch(instance, Outbox(store), Outbox(ObjectStore(away, store.bucket)))


@pytest.fixture
def drops(instance: DagsterInstance) -> Recorder:
    recorder = Recorder(instance, "drops")
    recorder.works()
    return recorder


def test_a_sensor_that_fails_is_told_once_and_again_after_it_has_worked(watch: Watch, drops: Recorder) -> None:
    drops.fails(4, DENIED)
    (alert,) = watch.news()
    assert alert.title == "A sensor fails: drops"
    assert "New, changed and deleted objects of ecg are noticed late or not at all meanwhile." in alert.body
    assert "4 ticks in a row failed, last worked 20" in alert.body
    assert f"PermanentError: {DENIED}" in alert.body
    assert alert.link == "http://ui/locations/vitalake/sensors/drops"
    drops.fails(20, DENIED)
    assert watch.news() == []
    drops.works()
    assert [alert.title for alert in watch.news()] == ["A sensor works again: drops"]
    drops.works(5)
    assert watch.news() == []
    drops.fails(4, DENIED)
    assert [alert.title for alert in watch.news()] == ["A sensor fails: drops"]


def test_a_hiccup_is_no_news(watch: Watch, drops: Recorder) -> None:
    drops.fails(3, DENIED)  # within 40 s
    assert watch.news() == [], "whatever their age: the daemon may have been stopped since"
    drops.works()
    drops.fails(3, DENIED)
    assert watch.news() == []


def test_two_failures_a_minute_apart_are_news(watch: Watch, instance: DagsterInstance) -> None:
    sweep = Recorder(instance, "ecg_sweep")
    sweep.works()
    sweep.fails(1, DENIED)
    assert watch.news() == []
    sweep.at += 60
    sweep.fails(1, DENIED)
    assert [alert.title for alert in watch.news()] == ["A sensor fails: ecg_sweep"]


def test_a_start_after_a_long_stop_is_given_time(watch: Watch, drops: Recorder) -> None:
    drops.at += 10_000
    drops.fails(2, DENIED)
    assert watch.news() == []


def test_failures_now_and_then_are_one_piece_of_news(instance: DagsterInstance, drops: Recorder) -> None:
    drops.fails(4, DENIED)
    known = look(instance, {}, drops.at).failing
    for _ in range(3):
        drops.works(2)
        assert kinds(instance, known, drops.at) == []
        drops.fails(4, DENIED)
        assert kinds(instance, known, drops.at) == []
    drops.works(6)
    assert kinds(instance, known, drops.at) == ["sensors_work"]


def test_a_schedule_has_no_second_chance(instance: DagsterInstance, watch: Watch) -> None:
    hourly = Recorder(instance, "hourly", is_schedule=True, status=InstigatorStatus.RUNNING)
    hourly.works()
    assert watch.news() == []
    hourly.fails(1, DENIED)
    (alert,) = watch.news()
    assert alert.title == "A sensor fails: hourly"
    assert "No run of ecg_job begins" in alert.body
    hourly.works()
    assert [alert.kind for alert in watch.news()] == ["sensors_work"]


def test_what_one_cause_takes_down_is_told_together(
    instance: DagsterInstance, watch: Watch, drops: Recorder
) -> None:
    sweep = Recorder(instance, "ecg_sweep")
    sweep.works()
    sweep.fails(1, DENIED)
    assert watch.news() == []
    drops.fails(4, DENIED)
    (alert,) = watch.news()
    assert alert.title == "2 sensors fail: drops, ecg_sweep"
    assert alert.link == "http://ui/automation"
    drops.works()
    assert [alert.title for alert in watch.news()] == ["A sensor works again: drops"], "the sweep does not"
    drops.fails(4, DENIED)
    assert [alert.title for alert in watch.news()] == ["A sensor fails: drops"], "the sweep is known to fail"


def test_what_comes_back_together_is_told_together(instance: DagsterInstance, drops: Recorder) -> None:
    sweep = Recorder(instance, "ecg_sweep")
    drops.fails(4, DENIED)
    sweep.fails(6, DENIED)
    known = look(instance, {}, sweep.at).failing
    drops.works(8)
    sweep.works()
    assert kinds(instance, known, sweep.at) == [], "the sweep has worked for 20 s"
    (alert,) = look(instance, known, sweep.at + 120).alerts
    assert alert.title == "2 sensors work again: drops, ecg_sweep"


def test_stopped_sensors_and_those_of_other_code_do_not_fail(
    instance: DagsterInstance, watch: Watch, drops: Recorder
) -> None:
    for other in (
        Recorder(instance, "drops", location="theirs"),
        Recorder(instance, "removed_since"),
        Recorder(instance, "not_by_default"),
        Recorder(instance, "ecg_sweep", status=InstigatorStatus.STOPPED),
    ):
        other.fails(5, DENIED)
    assert watch.news() == []
    drops.fails(4, DENIED)
    assert len(watch.news()) == 1
    drops.is_set(InstigatorStatus.STOPPED)
    assert watch.news() == [], "stopped is not working again"
    drops.is_set(InstigatorStatus.RUNNING)
    drops.works(3)
    assert watch.news() == []


def test_a_tick_under_way_hides_nothing(watch: Watch, drops: Recorder) -> None:
    drops.begins()
    assert watch.news() == []
    drops.fails(4, DENIED)
    drops.begins()
    assert len(watch.news()) == 1


def test_a_strangers_text_stays_inside(watch: Watch, drops: Recorder) -> None:
    drops.fails(4, KeyError(CANARY))
    (alert,) = watch.news()
    assert "KeyError: see its ticks" in alert.body
    assert CANARY not in alert.to_json()
    assert CANARY not in (watch.cursor or "")


def test_a_code_server_that_was_away_is_no_failing_sensor(watch: Watch, drops: Recorder) -> None:
    drops.fails(
        9, DagsterUserCodeUnreachableError("Could not reach user code server. gRPC Error code: UNAVAILABLE")
    )
    assert watch.news() == []
    drops.fails(
        1,
        DagsterUserCodeUnreachableError("User code server request timed out due to taking longer than 60 seconds"),
    )
    (alert,) = watch.news()
    assert "DagsterUserCodeUnreachableError: it took longer than 60 s; the store may hang" in alert.body


def test_a_tick_that_takes_the_code_server_down_again_and_again_is_told(watch: Watch, drops: Recorder) -> None:
    drops.fails(
        11, DagsterUserCodeUnreachableError("Could not reach user code server. gRPC Error code: UNAVAILABLE")
    )
    (alert,) = watch.news()
    assert "11 ticks in a row failed" in alert.body


def test_what_failed_while_the_store_was_away_is_told_when_it_is_back(watch: Watch, drops: Recorder) -> None:
    drops.fails(4, TransientError("no answer"))
    watch.within_reach = False
    watch.tick()  # notices
    for _ in range(2):
        with pytest.raises(TransientError):
            watch.tick()  # cannot tell
    drops.works()  # the store is back, and the sensor was asked before this one
    watch.within_reach = True
    assert [alert.kind for alert in watch.news()] == ["sensors_fail", "sensors_work"]


def test_a_lost_cursor_repeats_nothing(watch: Watch, drops: Recorder) -> None:
    drops.fails(4, DENIED)
    assert len(watch.news()) == 1
    for cursor in (None, "17", "no cursor", '{"untold": ["x"]}', "[]"):
        watch.cursor = cursor
        assert watch.news() == []
