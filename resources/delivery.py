"""Delivery: the bounded loop between the outbox and Slack.

Belongs here: which alerts are told now, alone or together, and what happens when a post fails. Does not belong
here: keeping them (`resources/outbox.py`), wording (`vitalake/alerts.py`, `vitalake/same_cause.py`), Slack itself
(`resources/slack.py`).

The first alert of a cause is told at once. Those that follow wait, a minute at first and 15 at most, and are told
together: 1,800 days that fail for one reason are a few messages, and each of them is in one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from resources.outbox import Outbox, Poster
from resources.told import Told
from vitalake.alerts import Alert
from vitalake.arrivals import ObjectInfo
from vitalake.errors import PermanentError, VitalakeError
from vitalake.same_cause import together

_MOST_PER_CALL = 20
_MOST_TOGETHER = 500  # read, then recorded: some 3 s each on AWS
# A sensor tick is given 60 s. One post takes at most 40 s (two timeouts of 5 s around a pause of 30 s).
_LAST_START_S = 15


@dataclass(frozen=True)
class DeliveryReport:
    """How many alerts were posted, could not be (and stay pending), went to the log, or wait for others.

    They go to the log for want of Slack, and wait to be told together with those of their cause.
    """

    sent: int
    failed: int
    logged: int
    waiting: int = 0


def deliver(outbox: Outbox, slack: Poster, log: logging.Logger, now: datetime | None = None) -> DeliveryReport:
    """Deliver pending alerts in at most 20 messages, oldest first, within one sensor tick.

    An alert that cannot be posted stays pending and does not hold up the next; after one that Slack refused all
    others have their turn. An alert that was posted but cannot be recorded ends the call with the store's error,
    since every further post would be repeated as well.

    Args:
        outbox: where they are.
        slack: where they go.
        log: where they go if Slack is not configured.
        now: UTC; the present, if not given.
    """
    sent = failed = logged = 0
    troubles: set[str] = set()
    started = time.monotonic()
    told = outbox.told(now or datetime.now(timezone.utc))
    files = outbox.waiting()
    waiting = sum(len(items) for cause, items in files.items() if cause in told)
    for cause, alerts in _messages(outbox, files, told):
        if time.monotonic() - started > _LAST_START_S:
            break
        message = together(alerts)
        receipt = "log"
        try:
            if slack.configured:
                receipt = slack.post(message)
                sent += len(alerts)
            else:
                log.warning("%s\n%s\n%s", message.title, message.body, message.link or "")
                logged += len(alerts)
        except VitalakeError as error:
            troubles.add(str(error))
            failed += len(alerts)
            if isinstance(error, PermanentError):
                told.refuse(cause)
            continue
        outbox.mark_sent(alerts, receipt)
        if message.cause:
            told.tell(cause)
    for trouble in sorted(troubles):
        log.warning("Alerts stay pending: %s", trouble)
    return DeliveryReport(sent, failed, logged, waiting)


def _messages(
    outbox: Outbox, files: Mapping[str, Sequence[ObjectInfo]], told: Told
) -> list[tuple[str, list[Alert]]]:
    """Causes and alerts of the next messages; a cause whose files hold no alert takes no turn."""
    due = sorted((cause for cause in files if cause not in told), key=told.turn)  # else as they came
    messages: list[tuple[str, list[Alert]]] = []
    read, taken = 0, set[str]()  # hook and sensor may tell of one run as of two causes
    for cause in due:
        if len(messages) == _MOST_PER_CALL or read >= _MOST_TOGETHER:
            break
        alerts = [each for each in outbox.read(files[cause][:_MOST_TOGETHER]) if each.fingerprint not in taken]
        if alerts:
            messages.append((cause, alerts))
            read += len(alerts)
            taken |= {each.fingerprint for each in alerts}
    # A store tells times in seconds: "works again" must not come before "fails".
    return sorted(messages, key=lambda message: (told.turn(message[0]), message[1][0].created_at))
