"""Slack: one post per alert, with bounded patience, and errors that say what to do.

Belongs here: everything that speaks Slack's API. Does not belong here: wording (`vitalake/alerts.py`) or what
happens when a post fails (`resources/delivery.py`).

Importing this module imports slack_sdk (0.15 s of CPU), so import it inside the function that needs it.
"""

from __future__ import annotations

import random
import re
import time
from http.client import HTTPException
from typing import Any

from dagster_slack import SlackResource
from pydantic import Field
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry import (
    ConnectionErrorRetryHandler,
    HttpRequest,
    HttpResponse,
    RateLimitErrorRetryHandler,
    RetryState,
)
from slack_sdk.http_retry.builtin_handlers import ServerErrorRetryHandler
from slack_sdk.web import SlackResponse, WebClient

from vitalake.alerts import Alert, slack_blocks
from vitalake.errors import PermanentError, TransientError
from vitalake.escaping import slack_text

_LONGEST_PAUSE_S = 30
_BUSY = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_TOKEN = "set VITALAKE_SLACK_TOKEN to a valid bot token of this workspace"  # noqa: S105
# https://docs.slack.dev/reference/methods/chat.postMessage#errors
_WHAT_TO_DO = {
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "account_inactive": _TOKEN,
    "token_expired": _TOKEN,
    "token_revoked": _TOKEN,
    "missing_scope": "give the Slack app the scope chat:write and install it again",
    "channel_not_found": "check VITALAKE_SLACK_CHANNEL, and invite the bot if the channel is private",
    "not_in_channel": "invite the bot to the channel in VITALAKE_SLACK_CHANNEL",
    "is_archived": "restore the channel, or name another in VITALAKE_SLACK_CHANNEL",
}


class SlackAlerts(SlackResource):
    """A channel for alerts; without a token or a channel it is not `configured`.

    One post takes at most twice `timeout_s` plus 30 s: there is at most one retry, whatever the trouble. Longer
    patience is the outbox's.
    """

    token: str | None = Field(default=None, repr=False, description="Bot token.")  # type: ignore[assignment]
    channel: str | None = Field(default=None, description="Name or id of the channel.")
    base_url: str | None = Field(default=None, description="Another address of Slack's API, for tests and proxies.")
    timeout_s: int = Field(default=5, description="Longest wait for an answer.")

    @property
    def configured(self) -> bool:
        """Whether there is somewhere to post."""
        return bool(self.token and self.channel)

    def get_client(self) -> WebClient:
        """A client with this address, timeout and retries.

        Raises:
            PermanentError: the token cannot be one; Python would print it in the error about the header.
        """
        token = (self.token or "").strip()
        if not re.fullmatch(r"[!-~]*", token):
            raise PermanentError(f"the Slack token has characters that no token has: {_TOKEN}")
        return WebClient(
            token,
            base_url=self.base_url.rstrip("/") + "/" if self.base_url else WebClient.BASE_URL,
            timeout=self.timeout_s,
            retry_handlers=[ConnectionErrorRetryHandler(), ServerErrorRetryHandler(), _CappedRateLimit()],
        )

    def post(self, alert: Alert) -> str:
        """Post one alert; the message's `ts`.

        Raises:
            TransientError: Slack is down, slow or busy; it may or may not have taken the message.
            PermanentError: Slack refuses, and will until somebody acts.
        """
        if not self.channel:
            raise PermanentError("no Slack channel: set VITALAKE_SLACK_CHANNEL")
        client = self.get_client()
        # The SDK's errors hold the request with its token, so none of them stays in the chain ("from None").
        try:
            response = client.chat_postMessage(
                channel=self.channel,
                text=slack_text(alert.title),
                blocks=slack_blocks(alert),
                # Nor is the text of notifications formatted, and nobody is mentioned.
                mrkdwn=False,
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
            )
        except SlackApiError as error:
            raise _explain(error.response) from None
        except (OSError, HTTPException, ValueError, SlackClientError) as error:
            raise TransientError(f"Slack did not answer ({type(error).__name__})") from None
        return str(response["ts"])


class _CappedRateLimit(RateLimitErrorRetryHandler):
    """Waits as long as Slack asks, at most 30 s; the SDK's own handler waits any time and fails on dates."""

    def prepare_for_next_attempt(
        self,
        *,
        state: RetryState,
        request: HttpRequest,  # noqa: ARG002
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002
    ) -> None:
        state.next_attempt_requested = True
        time.sleep(_pause_s(response.headers if response else {}))
        state.increment_current_attempt()


def _pause_s(headers: dict[str, Any]) -> float:
    asked = next((str(value[0]) for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(int(asked) if asked.isdecimal() else 1 + random.random(), _LONGEST_PAUSE_S)  # noqa: S311


def _explain(response: SlackResponse) -> TransientError | PermanentError:
    """Slack's refusal in the project's terms; of its text only an error code is repeated."""
    code = str(response.get("error") or "")
    if not re.fullmatch(r"[a-z_]{1,60}", code):
        code = f"HTTP {response.status_code}"
    if response.status_code == 429 or response.status_code >= 500 or code in _BUSY:
        return TransientError(f"Slack is busy ({code})")
    if code.startswith("HTTP"):
        return PermanentError(f"this is not Slack's API ({code}): check VITALAKE_SLACK_BASE_URL and the proxy")
    what = _WHAT_TO_DO.get(code, "look it up at https://docs.slack.dev/reference/methods/chat.postMessage#errors")
    return PermanentError(f"Slack refused the alert ({code}): {what}")
