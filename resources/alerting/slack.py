"""Slack: one request per alert, with bounded patience, and errors that say what to do.

Belongs here: everything that speaks Slack's API. Does not belong here: wording (`vitalake/alerting/alerts.py`),
what an answer means (`resources/alerting/slack_errors.py`), or what happens when a post fails
(`resources/alerting/delivery.py`), which alone decides when the next request is made.

Importing this module imports slack_sdk (0.15 s of CPU), so import it inside the function that needs it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from dagster_slack import SlackResource
from pydantic import Field
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse, WebClient

from resources.alerting.slack_errors import NEW_TOKEN, explain
from vitalake.alerting.alerts import Alert, slack_blocks
from vitalake.errors import PermanentError, TransientError
from vitalake.escaping import slack_text

T = TypeVar("T")

_LONGEST_ANSWER = 2**20  # bytes


class SlackAlerts(SlackResource):
    """A channel for alerts; without a token or a channel it is not `configured`.

    One post is one request and takes at most twice `timeout_s`. Another attempt is the outbox's.
    """

    token: str | None = Field(default=None, repr=False, description="Bot token.")  # type: ignore[assignment]
    channel: str | None = Field(default=None, description="Name or id of the channel.")
    base_url: str | None = Field(default=None, description="Another address of Slack's API, for tests and proxies.")
    timeout_s: int = Field(default=5, description="Longest wait for a connection, or for more of an answer.")

    @property
    def configured(self) -> bool:
        """Whether there is somewhere to post."""
        return bool(self.token and self.channel)

    def get_client(self) -> WebClient:
        """A client with this address and timeout, which asks once.

        Raises:
            PermanentError: the token cannot be one; Python would print it in the error about the header.
        """
        token = (self.token or "").strip()
        if not re.fullmatch(r"[!-~]*", token):
            raise PermanentError(f"the Slack token has characters that no token has: {NEW_TOKEN}")
        return _OneRequest(
            token,
            base_url=self.base_url.rstrip("/") + "/" if self.base_url else WebClient.BASE_URL,
            timeout=self.timeout_s,
            retry_handlers=[],
        )

    def post(self, alert: Alert) -> str:
        """Post one alert; the message's `ts`.

        Raises:
            ChannelBusyError: Slack is down or busy.
            TransientError: Slack did not answer; it may or may not have taken the message.
            PostRefusedError: Slack refuses this message.
            PermanentError: Slack refuses any, and will until somebody acts.
        """
        if not self.channel:
            raise PermanentError("no Slack channel: set VITALAKE_SLACK_CHANNEL")
        client, channel = self.get_client(), self.channel

        def request() -> SlackResponse:
            return client.chat_postMessage(
                channel=channel,
                text=slack_text(alert.title),
                blocks=slack_blocks(alert),
                # Nor is the text of notifications formatted, and nobody is mentioned.
                mrkdwn=False,
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
            )

        # The SDK's errors hold the request with its token, so none of them stays in the chain ("from None").
        try:
            return str(_within(2 * self.timeout_s, request)["ts"])
        except SlackApiError as error:
            raise explain(error.response) from None
        except Exception as error:  # of the network, or of the SDK about an answer that it did not expect
            raise TransientError(f"Slack did not answer ({type(error).__name__})") from None


class _NotFollowed(HTTPRedirectHandler):
    """Another address would be told the token, and a loop of them would be many requests."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _OneRequest(WebClient):
    """The SDK's client, but for how it speaks HTTP: no redirects, and no answer without an end."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        if not url.lower().startswith("http"):
            raise ValueError("no address of a server")
        proxies = [ProxyHandler({"http": self.proxy, "https": self.proxy})] if self.proxy else []
        try:
            with build_opener(_NotFollowed, *proxies).open(req, timeout=self.timeout) as answer:
                return _as_read(answer.status, answer)
        except HTTPError as error:
            with error:
                return _as_read(error.code, error)


def _as_read(status: int, answer: Any) -> dict[str, Any]:
    """What the SDK expects. It would log what is no JSON, and a proxy's page may repeat the token."""
    body = answer.read(_LONGEST_ANSWER)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    said = found if isinstance(found, dict) else {"ok": False}
    return {"status": status, "headers": answer.headers, "body": json.dumps(said)}


def _within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` gives, or TimeoutError: a socket's timeout bounds no look-up of a name, and no slow answer."""
    done: SimpleQueue[tuple[T | None, Exception | None]] = SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except Exception as error:
            done.put((None, error))

    threading.Thread(target=run, daemon=True).start()  # nobody waits for it when this process ends
    try:
        result, error = done.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
