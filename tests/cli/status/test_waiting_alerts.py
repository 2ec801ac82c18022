"""The row `alerts` of `vitalake status`: what nobody was told yet, with a real outbox and a server for Slack."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from resources.alerting.delivery import deliver
from resources.alerting.outbox import Outbox
from resources.alerting.slack import SlackAlerts
from tests.cli.conftest import Vitalake
from tests.slack_server import OK, Answer, refusal, slack_server
from vitalake.alerting.alerts import quarantined

pytestmark = [pytest.mark.store, pytest.mark.usefixtures("home", "no_proxy")]
CHANNEL = "#health-data"


@pytest.fixture
def slack_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.exists()
    monkeypatch.setenv("VITALAKE_SLACK_TOKEN", "xoxb-secret")
    monkeypatch.setenv("VITALAKE_SLACK_CHANNEL", CHANNEL)


def add(outbox: Outbox, number: int) -> None:
    outbox.add(quarantined(f"ecg{number}", "2026-11-20", [("a.mat", "v1", "S02", "too short")], None))


def try_at(outbox: Outbox, answer: Answer, *before: timedelta) -> None:
    """Ticks of delivery so long before now."""
    with slack_server(answer) as server:
        for ago in before:
            slack = SlackAlerts(token="xoxb-secret", channel=CHANNEL, base_url=server.url, timeout_s=60)
            deliver(outbox, slack, logging.getLogger("test"), datetime.now(timezone.utc) - ago)


def row(vitalake: Vitalake) -> tuple[bool, str]:
    found = json.loads(vitalake("status", "--no-counts", "--format", "json").out)["services"]["alerts"]
    assert " ".join(found["detail"].split()[:4]) in vitalake("status", "--no-counts").out
    return found["works"], found["detail"]


@pytest.mark.usefixtures("slack_on")
def test_where_alerts_go_and_that_none_waits(vitalake: Vitalake, outbox: Outbox) -> None:
    assert row(vitalake) == (True, f"to Slack, {CHANNEL}")
    add(outbox, 0)
    works, said = row(vitalake)
    assert works
    assert said.startswith(f"to Slack, {CHANNEL}; 1 alert waits since 20")
    try_at(outbox, OK, timedelta(0))
    assert row(vitalake) == (True, f"to Slack, {CHANNEL}")


@pytest.mark.usefixtures("slack_on")
def test_a_token_that_slack_refuses_is_trouble_with_the_remedy_and_the_next_try(
    vitalake: Vitalake, outbox: Outbox
) -> None:
    for number in range(3):
        add(outbox, number)
    try_at(outbox, refusal("invalid_auth"), timedelta(minutes=20), timedelta(minutes=10), timedelta(0))
    works, said = row(vitalake)
    assert not works
    for part in (
        "3 alerts wait since",
        "3 posts in a row",
        "invalid_auth",
        "VITALAKE_SLACK_TOKEN",
        "asked again at",
    ):
        assert part in said
    assert "xoxb" not in said


@pytest.mark.usefixtures("slack_on")
def test_an_hour_that_slack_asks_for_is_told(vitalake: Vitalake, outbox: Outbox) -> None:
    add(outbox, 0)
    try_at(outbox, Answer(429, "{}", {"Retry-After": "3600"}), timedelta(minutes=2))
    works, said = row(vitalake)
    at = datetime.now(timezone.utc) + timedelta(minutes=58)
    assert not works
    assert any(f"again at {at - timedelta(minutes=late):%Y-%m-%d %H:%M}" in said for late in (0, 1, 2))
    assert "HTTP 429" in said


@pytest.mark.usefixtures("slack_on")
def test_one_answer_that_was_lost_is_no_trouble(vitalake: Vitalake, outbox: Outbox) -> None:
    add(outbox, 0)
    try_at(outbox, Answer(500, "oops"), timedelta(0))
    works, said = row(vitalake)
    assert works
    assert "the last post failed: Slack is busy (HTTP 500)" in said


@pytest.mark.usefixtures("slack_on")
def test_a_message_that_slack_refuses_is_trouble(vitalake: Vitalake, outbox: Outbox) -> None:
    add(outbox, 0)
    try_at(outbox, refusal("invalid_blocks"), timedelta(0))
    works, said = row(vitalake)
    assert not works
    assert "1 of them refused by Slack as they are" in said
    assert "invalid_blocks" in said


def test_without_slack_they_go_to_the_log(vitalake: Vitalake, outbox: Outbox) -> None:
    assert row(vitalake) == (True, "Slack is off: they go to the log")
    add(outbox, 0)
    assert row(vitalake)[0]
