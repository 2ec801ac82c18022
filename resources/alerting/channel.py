"""What delivery needs of Slack: a channel that takes one alert at a time, and says how it failed.

Belongs here: the protocol, and the kinds of failure that delivery tells apart. Does not belong here: Slack's API
(`resources/alerting/slack.py`) or what follows from a failure (`resources/alerting/delivery.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from vitalake.alerting.alerts import Alert
from vitalake.errors import PermanentError, TransientError


class ChannelBusyError(TransientError):
    """Slack is down or busy: nothing can be posted now.

    Args:
        message: what happened.
        retry_after: how long, or until when, Slack asks to be left alone; None if it does not say.
    """

    def __init__(self, message: str, retry_after: timedelta | datetime | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PostRefusedError(PermanentError):
    """Slack refuses this one message. Any other VitalakeError concerns whatever is posted to the channel."""


class AlertChannel(Protocol):
    """What delivery needs of Slack; `resources.alerting.slack.SlackAlerts` is it."""

    @property
    def configured(self) -> bool:
        """Whether there is somewhere to post."""

    @property
    def channel(self) -> str | None:
        """Where to."""

    def post(self, alert: Alert) -> str:
        """Post and return a receipt. Raises BusyError, RefusedError, TransientError or PermanentError."""
