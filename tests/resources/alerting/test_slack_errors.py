"""What Slack's answers mean: which are about one message, and how long it asks to be left alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.alerting.channel import ChannelBusyError, PostRefusedError
from resources.alerting.slack import SlackAlerts
from resources.alerting.slack_errors import retry_after
from tests.slack_server import Answer, refusal, slack_server
from vitalake.alerting.alerts import quarantined
from vitalake.errors import PermanentError, TransientError

AT = datetime(2026, 11, 21, 8, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("7", timedelta(seconds=7)),
        (" 3600 ", timedelta(hours=1)),
        ("0", timedelta(0)),
        ("1.5", timedelta(seconds=1.5)),
        ("1000000000000", timedelta.max),
        ("9" * 5000, timedelta.max),
        ("0" * 5000 + "9", timedelta(seconds=9)),
        ("Sat, 21 Nov 2026 08:00:00 GMT", AT),
        ("Sat, 21 Nov 2026 09:00:00 +0100", AT),
        ("Sat, 21 Nov 2026 08:00:00 -0000", AT),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("1e9", None),
        ("\u0663", None),
        ("Sat, 99 Nov 2026 08:00:00 GMT", None),
    ],
)
def test_a_pause_may_be_asked_for_in_seconds_or_as_a_date(said: str, meant: timedelta | datetime | None) -> None:
    assert retry_after({"Retry-After": said}) == retry_after({"retry-after": said}) == meant


def test_no_pause_may_be_asked_for() -> None:
    assert retry_after({"Date": "Sat, 21 Nov 2026 08:00:00 GMT"}) is None


@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z]{3}, \d+ [A-Za-z]{3} \d+ \d+:\d+(:\d+)? [A-Z+-]\w*")))
def test_whatever_is_asked_can_be_compared(said: str) -> None:
    asked = retry_after({"Retry-After": said})
    if isinstance(asked, datetime):
        assert asked - AT <= timedelta.max
    else:
        assert asked is None or asked >= timedelta(0)


@pytest.mark.usefixtures("no_proxy")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        *(
            (refusal(code), PostRefusedError)
            for code in ("invalid_blocks", "msg_too_long", "no_text", "something_new")
        ),
        *((refusal(code), PermanentError) for code in ("invalid_auth", "channel_not_found", "restricted_action")),
        *((refusal(code), ChannelBusyError) for code in ("ratelimited", "fatal_error", "message_limit_exceeded")),
        *((Answer(status, "no"), PostRefusedError) for status in (400, 403, 413)),
        *((Answer(status, "no"), PermanentError) for status in (301, 401, 404, 407)),
        *((Answer(status, "no"), ChannelBusyError) for status in (429, 500, 503, 529)),
        (Answer(200, "no"), TransientError),
    ],
)
def test_an_answer_is_about_the_message_the_channel_or_the_hour(answer: Answer, kind: type[Exception]) -> None:
    alert = quarantined("ecg", "2026-11-20", [("ecg/a.mat", "v1", "S02", "too short")], None)
    with slack_server(answer) as server, pytest.raises(kind) as caught:
        SlackAlerts(token="xoxb-secret", channel="#health", base_url=server.url, timeout_s=60).post(alert)
    assert type(caught.value) is kind
