"""What Slack's answers mean: busy, refused this message, or refused any until somebody acts.

Belongs here: codes of errors, and how long Slack asks to be left alone. Does not belong here: making requests
(`resources/alerting/slack.py`), or when the next one is made (`resources/alerting/alert_throttle.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from resources.alerting.channel import ChannelBusyError, PostRefusedError
from vitalake.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from slack_sdk.web import SlackResponse

_LONGEST_DIGITS = 12  # of a Retry-After that is read as a number; more is for ever
_BUSY = {
    "ratelimited",
    "rate_limited",
    "message_limit_exceeded",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
    "external_channel_migrating",
}
_BUSY_STATUS = {408, 425, 429}
NEW_TOKEN = "set VITALAKE_SLACK_TOKEN to a valid bot token of this workspace"  # noqa: S105
_PROXY = "check VITALAKE_SLACK_BASE_URL and the proxy"
_SCOPE = "give the Slack app the scope chat:write and install it again"
_RESTORE = "restore the channel, or name another in VITALAKE_SLACK_CHANNEL"
_LET = "let the app post to the channel in VITALAKE_SLACK_CHANNEL, or name another"
_ASK = "ask an administrator of the workspace to let the app post"
_UPDATE = "a newer release of Vitalake is needed"
# What concerns the channel, the token or the workspace, and so any message.
# https://docs.slack.dev/reference/methods/chat.postMessage#errors
_WHAT_TO_DO = {
    "access_denied": _ASK,
    "accesslimited": _ASK,
    "account_inactive": NEW_TOKEN,
    "as_user_not_supported": NEW_TOKEN,
    "channel_not_found": "check VITALAKE_SLACK_CHANNEL, and invite the bot if the channel is private",
    "deprecated_endpoint": _UPDATE,
    "duplicate_channel_not_found": _LET,
    "ekm_access_denied": _ASK,
    "enterprise_is_restricted": _ASK,
    "invalid_auth": NEW_TOKEN,
    "is_archived": _RESTORE,
    "is_inactive": _RESTORE,
    "messages_tab_disabled": _LET,
    "method_deprecated": _UPDATE,
    "missing_scope": _SCOPE,
    "no_permission": _ASK,
    "not_allowed_token_type": NEW_TOKEN,
    "not_authed": NEW_TOKEN,
    "not_in_channel": "invite the bot to the channel in VITALAKE_SLACK_CHANNEL",
    "org_login_required": _ASK,
    "restricted_action": _LET,
    "restricted_action_non_threadable_channel": _LET,
    "restricted_action_read_only_channel": _LET,
    "team_access_not_granted": _ASK,
    "team_not_found": NEW_TOKEN,
    "token_expired": NEW_TOKEN,
    "token_revoked": NEW_TOKEN,
    "two_factor_setup_required": _ASK,
}
# A proxy may refuse a message for what is in it.
_STATUS_OF_A_MESSAGE = {400, 403, 413, 422}


def explain(response: SlackResponse) -> TransientError | PermanentError:
    """Slack's refusal in the project's terms; of its text only an error code is repeated."""
    code, status = str(response.get("error") or ""), response.status_code
    if status == 200 and not code:
        return TransientError(f"Slack's answer was cut off, or is not Slack's: {_PROXY}")
    if not re.fullmatch(r"[a-z_]{1,60}", code):
        code = f"HTTP {status}"
    if status in _BUSY_STATUS or status >= 500 or code in _BUSY:
        return ChannelBusyError(f"Slack is busy ({code})", retry_after(response.headers))
    if code.startswith("HTTP"):
        kind = PostRefusedError if status in _STATUS_OF_A_MESSAGE else PermanentError
        return kind(f"this is not Slack's API ({code}): {_PROXY}")
    if code in _WHAT_TO_DO:
        return PermanentError(f"Slack refused the alert ({code}): {_WHAT_TO_DO[code]}")
    what = "look it up at https://docs.slack.dev/reference/methods/chat.postMessage#errors"
    return PostRefusedError(f"Slack refused the alert ({code}): {what}")


def retry_after(headers: Mapping[str, Any]) -> timedelta | datetime | None:
    """How long, or until when, Slack asks to be left alone; None where it does not say so in a known form."""
    text = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text):
        whole = text.partition(".")[0].lstrip("0")
        return timedelta(seconds=float(text)) if len(whole) <= _LONGEST_DIGITS else timedelta.max
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)
