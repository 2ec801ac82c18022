"""Delivery from an outbox on a real S3 server: nothing twice, nothing lost, no storms, whatever Slack does."""

from __future__ import annotations

import itertools
import json
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest

from resources.alerting import delivery as delivery_module
from resources.alerting.delivery import DeliveryReport, deliver
from resources.alerting.outbox import Outbox
from resources.alerting.slack import SlackAlerts
from resources.object_store import ObjectStore
from tests.slack_server import DOWN, OK, Slack, refusal, slack_server
from vitalake.alerting.alerts import Alert, quarantined, run_failed
from vitalake.alerting.sensor_alerts import sensors_work
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import TransientError

pytestmark = [pytest.mark.store, pytest.mark.usefixtures("no_proxy")]
LOG = logging.getLogger("test")
TOKEN = "xoxb-secret"
BEGINNING = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)


def news(number: int = 0) -> Alert:
    """Alerts of as many causes as numbers."""
    return quarantined(f"ecg{number}", "2026-11-20", [(f"ecg/{number}.mat", "v1", "S02", "too short")], None)


def failure(number: int, job: str = "ecg_job") -> Alert:
    """Alerts of one cause, a day and a second apart."""
    day = date(2021, 1, 1) + timedelta(days=number)
    message = f"raw/ecg/date={day}/: access denied; check the AWS credentials and the bucket's policy"
    at, run = BEGINNING + timedelta(seconds=number), f"{job}-{number}"
    return run_failed(job, day.isoformat(), "raw_ecg", "PermanentError", message, run, run, 1, False, None, at)


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


def test_slack_down_for_three_tries_then_up_is_one_post(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    outbox.add(news())
    with slack_server(DOWN) as server:
        for after_s, pause_s in ((0, 5), (5, 10), (15, 20)):
            now = BEGINNING + timedelta(seconds=after_s)
            report = deliver(outbox, slack_at(server), LOG, now)
            assert report == DeliveryReport(0, failed=1, logged=0, next_try=now + timedelta(seconds=pause_s))
            assert [alert.fingerprint for alert in outbox.pending()] == [news().fingerprint]
        assert "Slack is busy" in caplog.text
        server.answers = [OK]
        early = deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(seconds=34))
        assert (early.sent, early.failed, len(server.posts)) == (0, 0, 3)
        later = BEGINNING + timedelta(seconds=35)
        assert [deliver(outbox, slack_at(server), LOG, later).sent for _ in range(3)] == [1, 0, 0]
        assert len(server.posts) == 4


def test_one_refused_alert_does_not_hold_up_the_next(outbox: Outbox) -> None:
    for number in range(3):
        outbox.add(news(number))
    with slack_server(OK, refusal("invalid_blocks"), OK) as server:
        assert deliver(outbox, slack_at(server), LOG) == DeliveryReport(sent=2, failed=1, logged=0)
    assert len(outbox.pending()) == 1


def test_one_call_delivers_at_most_twenty(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_module, "_LAST_START_S", 600)
    for number in range(23):
        outbox.add(news(number))
    with slack_server(OK) as server:
        assert [deliver(outbox, slack_at(server), LOG).sent for _ in range(3)] == [20, 3, 0]
    assert len({post["blocks"][1]["text"]["text"] for post in server.posts}) == len(server.posts) == 23


def test_of_one_cause_the_first_is_told_at_once_and_the_others_together(store: ObjectStore) -> None:
    def tick(after: timedelta) -> DeliveryReport:
        return deliver(Outbox(store), slack_at(server), LOG, BEGINNING + after)  # anew, as after a restart

    with slack_server(OK) as server:
        Outbox(store).add(failure(0))
        assert tick(timedelta()) == DeliveryReport(sent=1, failed=0, logged=0)
        for number in range(1, 31):
            Outbox(store).add(failure(number))
        assert tick(timedelta(seconds=59)) == DeliveryReport(sent=0, failed=0, logged=0, waiting=30)
        assert len(keys(store, "sent")) == 1, "what waits is not sent"
        assert tick(timedelta(seconds=60)) == DeliveryReport(sent=30, failed=0, logged=0)
        Outbox(store).add(failure(31))
        assert tick(timedelta(seconds=179)).waiting == 1
        assert tick(timedelta(seconds=180)).sent == 1
        first, many, last = server.posts
    assert first["text"] == "ecg_job failed for 2021-01-01"
    assert many["text"] == "ecg_job failed for 2021-01-02, and 29 more like it"
    told = many["blocks"][1]["text"]["text"]
    for part in ("30 alerts", "for 2021-01-02", "for 2021-01-03", "for 2021-01-31", "20 more", "access denied"):
        assert part in told
    assert last["text"] == "ecg_job failed for 2021-02-01"
    assert len(keys(store, "sent")) == 32
    assert keys(store, "pending") == []


def test_however_many_fail_of_one_cause_there_are_few_messages_an_hour_and_each_is_in_one(
    outbox: Outbox, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "_MOST_TOGETHER", 10)
    with slack_server(OK) as server:
        for minute in range(60):
            outbox.add(failure(minute))
            deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(minutes=minute))
        assert len(server.posts) == 7  # at minute 0, 1, 3, 7, 15, 30 and 45
        assert len(keys(store, "sent")) + len(outbox.pending()) == 60
        sent = {alert.fingerprint for alert in outbox.pending()}
        for hours in (2, 3, 4):
            deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(hours=hours))
        assert len(server.posts) <= 10
    assert sent <= {key.rpartition("/")[2].removesuffix(".json") for key in keys(store, "sent")}
    assert outbox.pending() == []


def test_other_news_waits_for_no_cause(outbox: Outbox) -> None:
    with slack_server(OK) as server:
        for alert in (failure(0), failure(1), failure(0, job="retina_job")):
            outbox.add(alert)
        outbox.add(sensors_work([("drops", "1")], None))
        assert deliver(outbox, slack_at(server), LOG).sent == 4
        for alert in (failure(2), failure(3, job="pricing_job")):
            outbox.add(alert)
        outbox.add(sensors_work([("drops", "2")], None))
        assert deliver(outbox, slack_at(server), LOG) == DeliveryReport(sent=2, failed=0, logged=0, waiting=1)
    assert [post["text"] for post in server.posts].count("A sensor works again: drops") == 2


def test_a_clock_that_was_ahead_holds_nothing_up(outbox: Outbox) -> None:
    with slack_server(OK) as server:
        outbox.add(failure(0))
        deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(days=365))
        outbox.add(failure(1))
        assert deliver(outbox, slack_at(server), LOG, BEGINNING).sent == 1


def test_a_memory_that_cannot_be_read_holds_nothing_up_and_is_written_anew(
    outbox: Outbox, store: ObjectStore
) -> None:
    store.put("alerts/told/causes.json", b"[1]", expected=None)
    with slack_server(OK) as server:
        for number in range(2):
            outbox.add(failure(number))
            deliver(outbox, slack_at(server), LOG)
    assert len(server.posts) == 1, "the second waits"


def test_an_alert_of_before_causes_is_delivered(outbox: Outbox, store: ObjectStore) -> None:
    for number in range(2):
        old = json.loads(failure(number).to_json())
        del old["cause"], old["refused"]
        store.put(f"alerts/pending/{old['fingerprint']}.json", json.dumps(old).encode(), expected=None)
    with slack_server(OK) as server:
        assert deliver(outbox, slack_at(server), LOG).sent == 2
    assert [post["text"] for post in server.posts] == [failure(number).title for number in range(2)]
    assert keys(store, "pending") == []


def test_however_many_slack_refuses_the_others_get_their_turn(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "_MOST_PER_CALL", 2)
    monkeypatch.setattr(delivery_module, "_LAST_START_S", 600)
    for number in range(3):
        outbox.add(failure(number, f"job{number}"))

    def tick(after_s: int) -> DeliveryReport:
        before = len(server.posts)
        report = deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(seconds=after_s))
        asked.append([post["text"].partition(" ")[0] for post in server.posts[before:]])
        return report

    asked: list[list[str]] = []
    no = refusal("invalid_blocks")
    with slack_server(no, no, no, no, OK, no) as server:
        assert tick(0).failed == 2
        assert tick(4).failed == 1
        outbox.add(failure(3, "job3"))
        report = tick(5)
        assert (report.failed, report.sent) == (1, 1)
        assert asked[:2] == [["job0", "job1"], ["job2"]], "nothing that was refused is in its way"
        new, again = asked[2]
        assert (new, again in asked[0]) == ("job3", True)
        assert tick(5).failed == 2
    assert set(asked[3]) < {"job0", "job1", "job2", "job3"} - {again}, "after one, all are tried again"


def test_a_message_that_slack_refuses_is_tried_again_by_itself_and_ever_more_seldom(outbox: Outbox) -> None:
    for number in range(3):
        outbox.add(failure(number))
    with slack_server(refusal("msg_too_long")) as server:
        for minutes in range(0, 6 * 60, 2):
            deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(minutes=minutes))
        tries = len(server.posts)
        assert 10 < tries < 20
        assert server.posts[0]["text"].endswith("and 2 more like it")
        assert {post["text"] for post in server.posts[1:]} == {failure(number).title for number in range(3)}
        server.answers = [OK]
        outbox.add(failure(3))
        assert deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(days=1)).sent >= 1
        assert server.posts[tries]["text"] == failure(3).title, "it does not wait for those"
        for hours in (26, 28):
            deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(hours=hours))
    assert outbox.pending() == []


def test_what_was_kept_in_one_second_is_told_in_the_order_in_which_it_was_noticed(
    outbox: Outbox, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As news of sensors that waited for the store: "fails" and "works again" come at once."""
    monkeypatch.setattr(delivery_module, "_MOST_PER_CALL", 1)
    told = [sensors_work([("drops", str(n))], None, BEGINNING + timedelta(seconds=n)) for n in range(100)]
    with slack_server(OK) as server:
        for first, then in itertools.pairwise(told):
            if first.fingerprint < then.fingerprint:
                continue  # in the order of their names it would be right anyway
            outbox.add(then)
            outbox.add(first)
            in_one_second = len({item.uploaded_at for item in store.objects("alerts/pending/")}) == 1
            del server.posts[:]
            for seconds in range(2):
                assert deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(seconds=seconds)).sent == 1
            if in_one_second:
                break
    receipts = [json.loads(store.get(f"alerts/sent/{alert.fingerprint}.json")) for alert in (first, then)]
    assert in_one_second
    assert receipts[0]["sent_at"] < receipts[1]["sent_at"]


def test_no_post_starts_late_in_a_tick(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox.add(news())
    monkeypatch.setattr(delivery_module, "_LAST_START_S", -1)
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
        later = datetime.now(timezone.utc) + timedelta(seconds=5)
        assert deliver(outbox, slack_at(server), LOG, later).sent == 2
    assert len(server.posts) == 3


def test_a_store_that_records_nothing_is_no_storm(outbox: Outbox, store: ObjectStore) -> None:
    outbox.add(news())
    dying = Outbox(CrashingStore(store, "put", "alerts/sent/"))  # type: ignore[arg-type]
    with slack_server(OK) as server:
        for seconds in range(0, 1800, 10):
            with suppress(TransientError):
                deliver(dying, slack_at(server), LOG, BEGINNING + timedelta(seconds=seconds))
        assert 5 < len(server.posts) <= 20
        forgetting = Outbox(CrashingStore(store, "put", "alerts/"))  # type: ignore[arg-type]
        asked = len(server.posts)
        with pytest.raises(TransientError):
            deliver(forgetting, slack_at(server), LOG, BEGINNING + timedelta(hours=1))
        assert len(server.posts) == asked, "what cannot be remembered is not begun"
        assert deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(hours=1)).sent == 1


def test_of_two_who_deliver_at_once_one_posts(outbox: Outbox, store: ObjectStore) -> None:
    for number in range(5):
        outbox.add(news(number))

    class Meanwhile(ObjectStore):
        """The real store; before the first put, somebody else delivers."""

        def __init__(self) -> None:
            self._first = True

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def objects(self, prefix: str) -> list[ObjectInfo]:
            return store.objects(prefix)

        def get(self, key: str, version: str | None = None) -> bytes:
            return store.get(key, version)

        def put(self, key: str, data: bytes, *, expected: str | None) -> str:
            if self._first:
                self._first = False
                assert deliver(outbox, slack_at(server), LOG, BEGINNING).sent == 5
            return store.put(key, data, expected=expected)

    with slack_server(OK) as server:
        assert deliver(Outbox(Meanwhile()), slack_at(server), LOG, BEGINNING) == DeliveryReport(0, 0, 0)
    assert len(server.posts) == 5


def test_a_crash_between_record_and_clearing_does_not_post_again(outbox: Outbox, store: ObjectStore) -> None:
    outbox.add(news())
    with slack_server(OK) as server:
        dying = Outbox(CrashingStore(store, "delete", "alerts/pending/"))  # type: ignore[arg-type]
        with pytest.raises(TransientError):
            deliver(dying, slack_at(server), LOG, BEGINNING)
        assert len(keys(store, "pending")) == 1
        assert deliver(outbox, slack_at(server), LOG, BEGINNING + timedelta(minutes=1)).sent == 0
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
