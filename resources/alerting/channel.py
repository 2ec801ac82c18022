"""A channel for alerts: it takes one at a time, and says how it failed.

Belongs here: the protocol, and the kinds of failure that delivery tells apart. Does not belong here: a channel
itself, such as Slack (`resources/alerting/slack.py`), or what follows from a failure
(`resources/alerting/delivery.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from vitalake.alerting.alerts import Alert
from vitalake.errors import PermanentError, TransientError


class ChannelBusyError(TransientError):
    """The channel is down or busy: nothing can be posted now.

    Args:
        message: what happened.
        retry_after: how long, or until when, it asks to be left alone; None if it does not say.
    """

    def __init__(self, message: str, retry_after: timedelta | datetime | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PostRefusedError(PermanentError):
    """The channel refuses this one message. Any other VitalakeError concerns whatever is posted to the channel."""


class AlertChannel(Protocol):
    """What delivery needs of a channel. `resources.build.build_resources` chooses one."""

    @property
    def configured(self) -> bool:
        """Whether there is somewhere to post."""

    @property
    def channel(self) -> str | None:
        """Where to."""

    def post(self, alert: Alert) -> str:
        """Post and return a receipt. Raises VitalakeError, these kinds among them."""
