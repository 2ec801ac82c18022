"""The outbox on a real S3 server: nothing twice, nothing lost, whatever Slack does."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from resources import outbox as outbox_module
from resources.object_store import ObjectStore
from resources.outbox import DeliveryReport, Outbox, deliver
from resources.slack import SlackAlerts
from tests.slack_server import DOWN, OK, Slack, refusal, slack_server
from vitalake.alerts import Alert, quarantined
from vitalake.errors import TransientError

pytestmark = pytest.mark.store
LOG = logging.getLogger("test")
TOKEN = "xoxb-secret"


@pytest.fixture
def outbox(store: ObjectStore) -> Outbox:
    return Outbox(store)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


def news(number: int = 0) -> Alert:
    return quarantined("ecg", "2026-11-20", [(f"ecg/{number}.mat", "v1", "S02", "too short")], None)


def slack_at(server: Slack, *, token: str | None = TOKEN) -> SlackAlerts:
    return SlackAlerts(token=token, channel="#health", base_url=server.url, timeout_s=60)


def keys(store: ObjectStore, state: str) -> list[str]:
    return sorted(item.key for item in store.objects(f"alerts/{state}/"))


def test_the_same_news_is_kept_and_posted_once(outbox: Outbox, store: ObjectStore) -> None:
    alert = news()
    assert outbox.add(alert)
    assert not outbox.add(replace(alert, title="said differently"))
    assert outbox.pending() == [alert]
    with slack_server(OK) as server:
        assert deliver(outbox, slack_at(server), LOG) == DeliveryReport(sent=1, failed=0, logged=0)
        assert not outbox.add(alert)
        assert deliver(outbox, slack_at(server), LOG) == DeliveryReport(sent=0, failed=0, logged=0)
    assert len(server.posts) == 1
    assert keys(store, "pending") == []
    assert keys(store, "sent") == [f"alerts/sent/{alert.fingerprint}.json"]
    record = json.loads(store.get(f"alerts/sent/{alert.fingerprint}.json"))
    assert record["receipt"] == "1.0"
    assert Alert.from_json(record["alert"]) == alert


def test_of_many_reporters_at_once_exactly_one_is_first(outbox: Outbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(outbox.add, [news()] * 8)) == [False] * 7 + [True]
    assert len(outbox.pending()) == 1


def test_slack_down_for_three_ticks_then_up_is_one_post(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    outbox.add(news())
    with slack_server(DOWN) as server:
        for _ in range(3):
            assert deliver(outbox, slack_at(server), LOG) == DeliveryReport(sent=0, failed=1, logged=0)
            assert [alert.fingerprint for alert in outbox.pending()] == [news().fingerprint]
        assert "Slack is busy" in caplog.text
        server.answers, refused = [OK], len(server.posts)
        assert [deliver(outbox, slack_at(server), LOG).sent for _ in range(3)] == [1, 0, 0]
        assert len(server.posts) == refused + 1


def test_what_was_noticed_first_is_told_first_within_a_second_too(outbox: Outbox) -> None:
    told = [news(number) for number in range(8)]
    at = told[0].created_at
    told = [replace(alert, created_at=at + timedelta(microseconds=n)) for n, alert in enumerate(told)]
    for alert in reversed(told):
        outbox.add(alert)
    assert outbox.pending() == told


def test_one_refused_alert_does_not_hold_up_the_next(outbox: Outbox) -> None:
    for number in range(3):
        outbox.add(news(number))
    with slack_server(OK, refusal("invalid_blocks"), OK) as server:
        assert deliver(outbox, slack_at(server), LOG) == DeliveryReport(sent=2, failed=1, logged=0)
    assert len(outbox.pending()) == 1


def test_one_call_delivers_at_most_twenty(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "_LAST_START_S", 600)
    for number in range(23):
        outbox.add(news(number))
    with slack_server(OK) as server:
        assert [deliver(outbox, slack_at(server), LOG).sent for _ in range(3)] == [20, 3, 0]
    assert len({post["blocks"][1]["text"]["text"] for post in server.posts}) == len(server.posts) == 23


def test_no_post_starts_late_in_a_tick(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox.add(news())
    monkeypatch.setattr(outbox_module, "_LAST_START_S", -1)
    with slack_server(OK) as server:
        assert deliver(outbox, slack_at(server), LOG) == DeliveryReport(sent=0, failed=0, logged=0)
    assert server.posts == []


class CrashingStore:
    """The real store, except that one kind of call dies, as a killed process would."""

    def __init__(self, store: ObjectStore, method: str, prefix: str) -> None:
        self._store, self._method, self._prefix = store, method, prefix

    def __getattr__(self, name: str) -> object:
        real = getattr(self._store, name)

        def call(key: str, *args: object, **options: object) -> object:
            if name == self._method and key.startswith(self._prefix):
                raise TransientError("the process died here")
            return real(key, *args, **options)

        return call


def test_a_crash_between_post_and_record_posts_again_and_loses_nothing(outbox: Outbox, store: ObjectStore) -> None:
    for number in range(2):
        outbox.add(news(number))
    with slack_server(OK) as server:
        dying = Outbox(CrashingStore(store, "put", "alerts/sent/"))  # type: ignore[arg-type]
        with pytest.raises(TransientError):
            deliver(dying, slack_at(server), LOG)
        assert len(server.posts) == 1  # it did not go on to repeat the others as well
        assert len(outbox.pending()) == 2
        assert deliver(outbox, slack_at(server), LOG).sent == 2
    assert len(server.posts) == 3


def test_a_crash_between_record_and_clearing_does_not_post_again(outbox: Outbox, store: ObjectStore) -> None:
    outbox.add(news())
    with slack_server(OK) as server:
        dying = Outbox(CrashingStore(store, "delete", "alerts/pending/"))  # type: ignore[arg-type]
        with pytest.raises(TransientError):
            deliver(dying, slack_at(server), LOG)
        assert len(keys(store, "pending")) == 1
        assert deliver(outbox, slack_at(server), LOG).sent == 0
    assert len(server.posts) == 1
    assert keys(store, "pending") == []


def test_without_slack_the_log_has_it_once(
    outbox: Outbox, store: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    outbox.add(news())
    with slack_server(OK) as server:
        silent = slack_at(server, token=None)
        assert [deliver(outbox, silent, LOG).logged for _ in range(2)] == [1, 0]
    assert server.posts == []
    assert caplog.text.count("ecg/0.mat — S02: too short") == 1
    (key,) = keys(store, "sent")
    assert json.loads(store.get(key))["receipt"] == "log"


def test_a_file_that_is_no_alert_is_named_and_holds_up_nothing(
    outbox: Outbox, store: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.put("alerts/pending/0.json", b"{}", expected=None)
    outbox.add(news())
    with slack_server(OK) as server:
        assert deliver(outbox, slack_at(server), LOG).sent == 1
    assert "alerts/pending/0.json is not an alert" in caplog.text
    assert keys(store, "pending") == ["alerts/pending/0.json"]
