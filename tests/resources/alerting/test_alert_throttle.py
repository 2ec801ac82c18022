"""Half an hour of trouble at Slack, on real servers and a simulated clock: few requests, and nothing lost.

Belongs here: how often Slack is asked, whatever it answers, and what is remembered of it. Does not belong here:
what is told together, and when (`test_delivery.py`), or which answer is of which kind (`test_slack_errors.py`).
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from resources.alerting.delivery import DeliveryReport, deliver
from resources.alerting.outbox import Outbox
from resources.alerting.slack import SlackAlerts
from resources.object_store import ObjectStore
from tests.slack_server import BUSY, DOWN, HANGS, OK, Answer, refusal, slack_server
from vitalake.alerting.alerts import Alert, run_failed
from vitalake.alerting.sensor_alerts import FailingSensor, sensors_fail, sensors_work

pytestmark = [pytest.mark.store, pytest.mark.usefixtures("no_proxy")]
LOG = logging.getLogger("test")
BEGINNING = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
HALF_AN_HOUR = 1800
CAUSES, EACH = 50, 4
LONG = bool(os.environ.get("VITALAKE_TEST_LONG"))
_GONE = Answer(429, "{}", {"Retry-After": "3600"})
_UNTIL = Answer(429, "{}", {"Retry-After": format_datetime(BEGINNING + timedelta(hours=1), usegmt=True)})
_MAINTENANCE = Answer(503, "later", {"Retry-After": "900"})


def failure(number: int, of: int) -> Alert:
    at, job = BEGINNING - timedelta(hours=1) + timedelta(seconds=number * CAUSES + of), f"job{of}"
    run = f"{job}-{number}"
    return run_failed(job, None, "read", "PermanentError", "denied", run, run, 1, False, None, at)


@pytest.fixture(scope="module")
def alerts() -> list[Alert]:
    return [failure(number, of) for number in range(EACH) for of in range(CAUSES)]


@pytest.fixture
def full(outbox: Outbox, store: ObjectStore, alerts: list[Alert]) -> Outbox:
    """200 alerts of 50 causes."""
    for alert in alerts:  # `add` looks for each among all others
        store.put(f"alerts/pending/{alert.cause}/{alert.fingerprint}.json", alert.to_json().encode(), expected=None)
    return outbox


def slack_at(url: str, timeout_s: int = 60, channel: str = "#health") -> SlackAlerts:
    return SlackAlerts(token="xoxb-secret", channel=channel, base_url=url, timeout_s=timeout_s)


def tick(store: ObjectStore, slack: SlackAlerts, seconds: float) -> DeliveryReport:
    """One tick of the sensor, in a process that has just been started."""
    return deliver(Outbox(store), slack, LOG, BEGINNING + timedelta(seconds=seconds))


def ticks(store: ObjectStore, slack: SlackAlerts, until: float = HALF_AN_HOUR) -> list[DeliveryReport]:
    """Ticks as Dagster makes them, to the end of a simulated time."""
    return [tick(store, slack, seconds) for seconds in range(0, int(until), 10)]


def all_told(store: ObjectStore, alerts: list[Alert]) -> bool:
    sent = {item.key.rpartition("/")[2] for item in store.objects("alerts/sent/")}
    return sent == {f"{alert.fingerprint}.json" for alert in alerts} and not store.objects("alerts/pending/")


@pytest.mark.parametrize(
    ("trouble", "least", "most"),
    [
        (DOWN, 10, 20),
        (_GONE, 1, 1),
        (refusal("invalid_auth"), 10, 20),
        # Of one message each: every cause has its turn, and then one of them ever more seldom.
        (refusal("invalid_blocks"), CAUSES, CAUSES + 20),
        *(
            pytest.param(*each, marks=pytest.mark.skipif(not LONG, reason="takes long (VITALAKE_TEST_LONG)"))
            for each in (
                (Answer(429, "{}", {"Retry-After": "0"}), 10, 20),
                (_UNTIL, 1, 1),
                (Answer(429, "{}", {"Retry-After": "1000000000000"}), 1, 1),
                (_MAINTENANCE, 2, 2),
                (Answer(404, "not here"), 10, 20),
                (refusal("not_in_channel"), 10, 20),
                (refusal("something_new"), CAUSES, CAUSES + 20),
            )
        ),
    ],
)
def test_half_an_hour_is_few_requests_and_then_each_is_told_once(
    full: Outbox, store: ObjectStore, alerts: list[Alert], trouble: Answer, least: int, most: int
) -> None:
    with slack_server(trouble) as server:
        ticks(store, slack_at(server.url))
        assert least <= len(server.posts) <= most
        assert server.gets == []
        assert len(full.pending()) == CAUSES * EACH, "nothing is lost"
        server.answers, asked = [OK], len(server.posts)
        for seconds in range(0, 600, 10):
            tick(store, slack_at(server.url), 86_400 + HALF_AN_HOUR + seconds)
        told = [post["text"] for post in server.posts[asked:]]
    assert all_told(store, alerts)
    assert len(told) == len(set(told)) <= CAUSES + 1
    if most <= 20:
        assert told == [f"job{of} failed, and {EACH - 1} more like it" for of in range(CAUSES)], "in order"


@contextmanager
def refusing() -> Iterator[tuple[str, Callable[[], int]]]:
    """An address at which connections are refused, and nobody can count them."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        yield f"http://127.0.0.1:{taken.getsockname()[1]}", lambda: 0


@contextmanager
def silent() -> Iterator[tuple[str, Callable[[], int]]]:
    """A server that takes every request and answers none."""
    with slack_server(HANGS) as server:
        yield server.url, lambda: len(server.posts)


@pytest.mark.parametrize("server", [refusing, silent])
def test_a_server_that_does_not_answer_is_asked_as_seldom(
    full: Outbox, store: ObjectStore, alerts: list[Alert], server: Any
) -> None:
    with server() as (url, asked):
        reports = ticks(store, slack_at(url, timeout_s=1))
        assert 10 <= sum(report.failed > 0 for report in reports) <= 20
        assert asked() <= 20
        assert {report.failed for report in reports} == {0, EACH}, "one post a tick at most"
    assert len(full.pending()) == CAUSES * EACH
    with slack_server(OK) as works:
        for seconds in range(0, 100, 10):
            tick(store, slack_at(works.url), HALF_AN_HOUR + 300 + seconds)
        assert len(works.posts) == CAUSES
    assert all_told(store, alerts)


@pytest.mark.usefixtures("full")
def test_nonsense_silences_nobody_for_more_than_a_day(store: ObjectStore) -> None:
    nonsense = Answer(429, "{}", {"Retry-After": "1000000000000"})
    with slack_server(nonsense, OK) as server:
        tick(store, slack_at(server.url), 0)
        assert tick(store, slack_at(server.url), 86_399).sent == 0
        assert tick(store, slack_at(server.url), 86_400).sent > 0


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("answer", [_GONE, _UNTIL])
def test_an_hour_that_slack_asks_for_is_an_hour(store: ObjectStore, answer: Answer) -> None:
    with slack_server(answer, OK) as server:
        report = tick(store, slack_at(server.url), 0)
        assert report.next_try == BEGINNING + timedelta(hours=1)
        assert tick(store, slack_at(server.url), 3599) == DeliveryReport(0, 0, 0, next_try=report.next_try)
        assert len(server.posts) == 1
        assert tick(store, slack_at(server.url), 3600).sent == 20 * EACH
        assert tick(store, slack_at(server.url), 3601).sent == 20 * EACH, "the first success lets all go"


@pytest.mark.usefixtures("full")
def test_another_channel_has_trouble_of_its_own(store: ObjectStore) -> None:
    with slack_server(_GONE, OK) as server:
        tick(store, slack_at(server.url), 0)
        assert tick(store, slack_at(server.url, channel="#other"), 10).sent > 0
        assert tick(store, slack_at(server.url), 20).sent == 0
    assert len(server.posts) == 21


@pytest.mark.usefixtures("full")
def test_a_clock_that_was_ahead_silences_nobody(store: ObjectStore) -> None:
    with slack_server(_GONE, OK) as server:
        tick(store, slack_at(server.url), 86_400 * 365)
        assert tick(store, slack_at(server.url), 0).sent > 0


@pytest.mark.parametrize(
    "memory",
    [
        b"",
        b"[1]",
        b'{"channels": 5}',
        b'{"channels": [["#health"]]}',
        b'{"channels": [["#health", 1, "2026-11-20T08:00:00", "2026-11-20T08:00:00", 9, "x"]]}',
        b'{"channels": [["#health", 1, "2026-11-20T08:00:00+00:00", "2026-11-20T08:00:00+00:00", 1e999, "x"]]}',
        b'{"channels": [["#health", 1, "2026-11-20T08:00:00+00:00", "2026-11-20T08:00:00+00:00", NaN, "x"]]}',
        b'{"refusals": [[1]]}',
    ],
)
def test_a_memory_that_is_nonsense_loses_nothing(outbox: Outbox, store: ObjectStore, memory: bytes) -> None:
    outbox.add(failure(0, 0))
    store.put("alerts/told/causes.json", memory, expected=None)
    with slack_server(DOWN, OK) as server:
        assert tick(store, slack_at(server.url), 0).failed == 1
        assert tick(store, slack_at(server.url), 4).sent == 0, "it is remembered anew"
        assert tick(store, slack_at(server.url), 5).sent == 1


@pytest.mark.usefixtures("full")
def test_a_memory_that_is_lost_costs_a_request_each_time_and_no_alert(
    store: ObjectStore, alerts: list[Alert]
) -> None:
    with slack_server(DOWN) as server:
        for seconds in range(0, 100, 10):
            tick(store, slack_at(server.url), seconds)
            for item in store.objects("alerts/told/"):
                store.delete(item.key, expected=item.version)
        assert len(server.posts) == 10, "one a tick, not one an alert"
        server.answers = [OK]
        for seconds in range(100, 200, 10):
            tick(store, slack_at(server.url), seconds)
    assert all_told(store, alerts)


def test_that_it_works_again_is_told_after_that_it_fails(full: Outbox, store: ObjectStore) -> None:
    at = BEGINNING - timedelta(minutes=5)
    failing = FailingSensor("drops", False, ("ecg_job",), "1", 3, None, "TransientError", "no answer")
    full.add(sensors_fail([failing], None, "vitalake", at))
    full.add(sensors_work([("drops", "1")], None, at + timedelta(minutes=2)))
    with slack_server(DOWN) as server:
        ticks(store, slack_at(server.url), 600)
        server.answers, asked = [OK, BUSY, OK], len(server.posts)
        for seconds in range(900, 1200, 10):
            tick(store, slack_at(server.url), seconds)
        told = [post["text"] for post in server.posts[asked:]]
    assert told.index("A sensor fails: drops") < told.index("A sensor works again: drops")
    assert full.pending() == []
