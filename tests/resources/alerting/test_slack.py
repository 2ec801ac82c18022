"""Posting to Slack, on a real HTTP server: bounded patience, errors that say what to do, and no leaked token."""

from __future__ import annotations

import logging
import socket
import time
import traceback

import pytest

from resources.alerting.slack import SlackAlerts
from tests.slack_server import BUSY, DOWN, DRIPS, HANGS, OK, Answer, refusal, slack_server
from vitalake.alerting.alerts import Alert, quarantined
from vitalake.errors import PermanentError, TransientError
from vitalake.escaping import SECTION_CHARS

pytestmark = pytest.mark.usefixtures("no_proxy")
TOKEN = "xoxb-secret"


@pytest.fixture
def alert() -> Alert:
    return quarantined("ecg", "2026-11-20", [("ecg/<a>&b.mat", "v1", "S02", "too short")], "http://ui/runs/1")


def alerts_to(
    url: str, token: str | None = TOKEN, channel: str | None = "#health", timeout_s: int = 60
) -> SlackAlerts:
    return SlackAlerts(token=token, channel=channel, base_url=url, timeout_s=timeout_s)


def test_a_post_names_the_channel_and_is_escaped(alert: Alert) -> None:
    with slack_server(OK) as server:
        assert alerts_to(server.url).post(alert) == "1.0"
    (post,) = server.posts
    assert (post["path"], post["channel"]) == ("/api/chat.postMessage", "#health")
    assert server.tokens == [f"Bearer {TOKEN}"]
    title, body, link = (block["text"]["text"] for block in post["blocks"])
    assert (post["text"], title) == (alert.title, alert.title)
    assert "ecg/&lt;a&gt;&amp;b.mat — S02: too short" in body
    assert link == "<http://ui/runs/1|Open in Dagster>"
    assert all(len(text) <= SECTION_CHARS for text in (title, body, link))


@pytest.mark.parametrize(
    "trouble",
    [
        BUSY,
        DOWN,
        HANGS,
        DRIPS,
        Answer(502, "bad gateway"),
        Answer(408, "{}"),
        Answer(500, "<p>", {"Content-Type": "text/html; charset=no-such-charset"}),
        refusal("internal_error"),
        Answer(body='{"ok": tru'),
        Answer(body='["ok"]'),
        Answer(body="[" * 100_000),
        Answer(body="<html>log in</html>"),
    ],
)
def test_trouble_is_transient_bounded_and_one_request(alert: Alert, trouble: Answer) -> None:
    endless = trouble.hang or trouble.drip
    with slack_server(trouble) as server:
        with pytest.raises(TransientError, match="Slack"):
            alerts_to(server.url, timeout_s=1 if endless else 60).post(alert)
        while not server.posts:  # on a busy machine it reads what it was asked after nobody waits for the answer
            time.sleep(0.01)
    assert len(server.posts) == 1


def test_no_redirect_is_followed_with_the_token(alert: Alert) -> None:
    away = Answer(302, "", {"Location": "/further/0"})
    with slack_server(away) as server, pytest.raises(PermanentError, match="HTTP 302"):
        alerts_to(server.url).post(alert)
    assert (len(server.posts), server.gets) == (1, [])


def test_a_refused_connection_is_transient(alert: Alert) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        with pytest.raises(TransientError, match="did not answer"):
            alerts_to(f"http://127.0.0.1:{taken.getsockname()[1]}").post(alert)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (refusal("invalid_auth"), "VITALAKE_SLACK_TOKEN"),
        (refusal("channel_not_found"), "VITALAKE_SLACK_CHANNEL"),
        (refusal("not_in_channel"), "invite the bot"),
        (refusal("missing_scope"), "chat:write"),
        (refusal("something_new"), "something_new"),
        (refusal("Ada Lovelace"), "HTTP 200"),
        (refusal("account_inactive"), "VITALAKE_SLACK_TOKEN"),
        (refusal("restricted_action"), "let the app post"),
        (Answer(404, "<html>not here</html>"), "VITALAKE_SLACK_BASE_URL"),
        (Answer(413, "<html>too much</html>"), "VITALAKE_SLACK_BASE_URL"),
    ],
)
def test_a_refusal_is_permanent_and_says_what_to_do(alert: Alert, answer: Answer, advice: str) -> None:
    with slack_server(answer) as server, pytest.raises(PermanentError, match=advice) as caught:
        alerts_to(server.url).post(alert)
    assert len(server.posts) == 1
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize(
    "answer", [refusal("invalid_auth"), DOWN, HANGS, Answer(502, f"<p>Authorization: Bearer {TOKEN}</p>")]
)
def test_the_token_is_in_no_error_log_or_repr(
    alert: Alert, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with slack_server(answer) as server:
        slack = alerts_to(server.url, timeout_s=1 if answer.hang else 60)
        with pytest.raises((TransientError, PermanentError)) as caught:
            slack.post(alert)
    assert caplog.records
    assert caught.value.__suppress_context__  # the SDK's error holds the request
    assert caught.value.__cause__ is None
    everything = [caplog.text, repr(slack), str(slack), *traceback.format_exception(caught.value)]
    assert TOKEN not in "".join(everything)


def test_a_token_that_python_would_quote_in_its_error_is_refused_first(
    alert: Alert, caplog: pytest.LogCaptureFixture
) -> None:
    with slack_server(OK) as server:
        with pytest.raises(PermanentError, match="VITALAKE_SLACK_TOKEN") as caught:
            alerts_to(server.url, token=f"{TOKEN}\nsecond").post(alert)
        assert alerts_to(server.url, token=f" {TOKEN}\n").post(alert) == "1.0"
    assert TOKEN not in caplog.text + str(caught.value)


def test_configured_means_a_token_and_a_channel(alert: Alert) -> None:
    assert alerts_to("http://x").configured
    assert not alerts_to("http://x", token=None).configured
    assert not alerts_to("http://x", channel=None).configured
    with pytest.raises(PermanentError, match="VITALAKE_SLACK_CHANNEL"):
        alerts_to("http://x", channel=None).post(alert)
    client = SlackAlerts(token=TOKEN, channel="#health").get_client()
    assert (client.base_url, client.timeout) == ("https://slack.com/api/", 5)
