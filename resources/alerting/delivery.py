"""Delivery: the bounded loop between the outbox and Slack.

Belongs here: which alerts are posted now, alone or together, and what happens when a post fails. Does not belong
here: keeping them (`resources/alerting/outbox.py`), remembering (`resources/alerting/alert_throttle.py`), wording
(`vitalake/alerting/alerts.py`, `vitalake/alerting/alert_grouping.py`), Slack itself
(`resources/alerting/slack.py`).

The first alert of a cause is posted at once. Those that follow wait, a minute at first and 15 at most, and are
posted together: 1,800 days that fail for one reason are a few messages, and each of them is in one. News of
quarantine waits for the runs that find it, for five minutes at most, and what follows for 15: one burst is two
messages.

While Slack is down, busy, or refuses the channel or token, one post is tried at growing intervals, however many
alerts are pending. The first that succeeds lets them all go.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from resources.alerting.alert_throttle import AlertThrottle
from resources.alerting.channel import AlertChannel, PostRefusedError
from resources.alerting.outbox import Outbox, fingerprint_of
from vitalake.alerting.alert_grouping import grouped
from vitalake.alerting.alerts import QUARANTINE, Alert
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import VitalakeError

_MOST_PER_CALL = 20
_MOST_TOGETHER = 500  # read, then recorded: some 3 s each on AWS
# A sensor tick is given 60 s. One post takes at most 10 s (`resources/alerting/slack.py`).
_LAST_START_S = 15
_MOST_HELD = timedelta(minutes=5)


@dataclass(frozen=True)
class DeliveryReport:
    """How many alerts were posted, could not be (and stay pending), went to the log, or wait.

    They go to the log for want of Slack, and wait to be posted together with those of their cause. While Slack is
    in trouble, all are pending until `next_try`.
    """

    sent: int
    failed: int
    logged: int
    waiting: int = 0
    next_try: datetime | None = None


@dataclass(frozen=True)
class _AlertGroup:
    """What is posted at once: alerts of one cause; `cause` is None where they wait for no others."""

    cause: str | None
    alerts: list[Alert]

    @property
    def fingerprints(self) -> list[str]:
        return [alert.fingerprint for alert in self.alerts]


def deliver(
    outbox: Outbox,
    slack: AlertChannel,
    log: logging.Logger,
    now: datetime | None = None,
    gathering: Callable[[str], bool] = lambda _cause: False,
) -> DeliveryReport:
    """Deliver pending alerts in at most 20 messages, oldest first, within one sensor tick.

    A message that Slack refuses does not hold up the next; any other failure ends the call. So does an alert that
    was posted but cannot be recorded, with the store's error, since every further post would be repeated as well.

    Args:
        outbox: where they are.
        slack: where they go.
        log: where they go if Slack is not configured.
        now: UTC; the present, if not given.
        gathering: whether a run goes on that may find more of a cause; asked of news of quarantine alone.
    """
    started, now = time.monotonic(), now or datetime.now(timezone.utc)
    throttle, channel = outbox.throttle(now), slack.channel or ""
    trouble = throttle.trouble(channel)
    if slack.configured and trouble and throttle.pauses(trouble):
        return DeliveryReport(0, 0, 0, next_try=trouble.until)
    files = outbox.waiting()
    fresh = {
        cause: [item for item in items if throttle.refused_at(fingerprint_of(item)) is None]
        for cause, items in files.items()
    }
    due = {
        cause: items
        for cause, items in fresh.items()
        if items and cause not in throttle and not _held(outbox, cause, items, now, gathering)
    }
    sent = failed = logged = 0
    waiting = sum(len(items) for cause, items in fresh.items() if cause not in due)
    troubles: set[str] = set()
    begun = not slack.configured
    for message in (*_messages(outbox, due), *_refused_before(outbox, throttle, files)):
        if time.monotonic() - started > _LAST_START_S:
            break
        begun = begun or throttle.begin(channel)
        if not begun:
            break  # somebody else delivers at this moment
        alert, receipt = grouped(message.alerts), "log"
        try:
            if slack.configured:
                receipt = slack.post(alert)
                sent += len(message.alerts)
            else:
                log.warning("%s\n%s\n%s", alert.title, alert.body, alert.link or "")
                logged += len(message.alerts)
        except PostRefusedError as error:
            troubles.add(str(error))
            failed += len(message.alerts)
            throttle.refuse(message.fingerprints, channel, str(error))
            continue
        except VitalakeError as error:
            troubles.add(str(error))
            failed += len(message.alerts)
            throttle.fail(channel, str(error), getattr(error, "retry_after", None))
            break
        outbox.mark_sent(message.alerts, receipt)
        throttle.mark_sent(message.cause, message.fingerprints, channel)
    for why in sorted(troubles):
        log.warning("Alerts stay pending: %s", why)
    trouble = throttle.trouble(channel)
    return DeliveryReport(sent, failed, logged, waiting, trouble.until if trouble else None)


def _held(
    outbox: Outbox, cause: str, items: Sequence[ObjectInfo], now: datetime, gathering: Callable[[str], bool]
) -> bool:
    """Whether news of quarantine waits for the rest of what runs are finding; a dead run's, for minutes only."""
    if not cause.startswith(QUARANTINE) or not gathering(cause):
        return False
    first = outbox.read(items[:1])
    return bool(first) and abs(now - first[0].created_at) < _MOST_HELD  # by another machine's clock, perhaps


def _messages(outbox: Outbox, due: Mapping[str, Sequence[ObjectInfo]]) -> list[_AlertGroup]:
    """The next messages, in the order of their first alerts; a cause whose files hold no alert takes no turn."""
    messages: list[_AlertGroup] = []
    read, taken = 0, set[str]()  # hook and sensor may tell of one run as of two causes
    last: datetime | None = None
    for cause, items in sorted(due.items(), key=lambda entry: (entry[1][0].uploaded_at, entry[1][0].key)):
        # A store tells times in seconds, and "works again" must not come before "fails": as far as the second goes.
        full = len(messages) >= _MOST_PER_CALL and items[0].uploaded_at != last
        if full or read >= _MOST_TOGETHER:
            break
        alerts = [each for each in outbox.read(items[:_MOST_TOGETHER]) if each.fingerprint not in taken]
        if alerts:
            messages.append(_AlertGroup(cause if alerts[0].cause else None, alerts))
            read += len(alerts)
            taken |= {each.fingerprint for each in alerts}
            last = items[0].uploaded_at
    return sorted(messages, key=lambda message: message.alerts[0].created_at)[:_MOST_PER_CALL]


def _refused_before(
    outbox: Outbox, throttle: AlertThrottle, files: Mapping[str, Sequence[ObjectInfo]]
) -> list[_AlertGroup]:
    """One alert that Slack refused, by itself: another attempt, after all others and at growing intervals."""
    if throttle.pauses(throttle.refusals):
        return []
    refused = [
        (at, item.key, item)
        for items in files.values()
        for item in items
        if (at := throttle.refused_at(fingerprint_of(item))) is not None
    ]
    for _, _, item in sorted(refused, key=lambda each: each[:2]):
        if alerts := outbox.read([item]):
            return [_AlertGroup(None, alerts)]
    return []
