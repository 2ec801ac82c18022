"""The outbox: alerts kept in the lake until Slack has taken them, so that none is lost while it is down.

Belongs here: what is pending, what was sent, and the bounded loop between them. Does not belong here: wording
(`vitalake/alerts.py`) or Slack itself (`resources/slack.py`).

Delivery is at least once. The record of sending is written after the post succeeded: a crash between the two posts
the alert again and never loses it. A crash after the record only leaves a pending file, which is cleared away.
"""

from __future__ import annotations

import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

from vitalake.alerts import Alert
from vitalake.arrivals import ObjectInfo
from vitalake.errors import VitalakeError
from vitalake.parts import ConflictError, Store

_MOST_PER_CALL = 20
# A sensor tick is given 60 s. One post takes at most 40 s (two timeouts of 5 s around a pause of 30 s).
_LAST_START_S = 15


class Poster(Protocol):
    """What delivery needs of Slack; `resources.slack.SlackAlerts` is it."""

    @property
    def configured(self) -> bool:
        """Whether there is somewhere to post."""

    def post(self, alert: Alert) -> str:
        """Post and return a receipt. Raises TransientError or PermanentError."""


class Outbox:
    """Alerts below one prefix: `pending/<fingerprint>.json`, then `sent/<fingerprint>.json`."""

    def __init__(self, store: Store, prefix: str = "alerts/") -> None:
        self._store = store
        self._prefix = prefix

    def add(self, alert: Alert) -> bool:
        """Keep it for delivery. False if this very news is pending or was sent already."""
        if self._was_sent(alert.fingerprint):
            return False
        try:
            self._store.put(self._key("pending", alert.fingerprint), alert.to_json().encode(), expected=None)
        except ConflictError:
            return False
        return True

    def pending(self, limit: int | None = None) -> list[Alert]:
        """What is still to be delivered, oldest first. A file that is not an alert stays, named in the log."""
        alerts: list[Alert] = []
        for item in sorted(self._listed(), key=lambda item: (item.uploaded_at, item.key)):
            if len(alerts) == limit:
                break
            try:
                alert = Alert.from_json(self._store.get(item.key))
            except FileNotFoundError:
                continue  # delivered by somebody else since the listing
            except ValueError:
                logging.getLogger(__name__).warning("%s is not an alert: repair or delete it", item.key)
                continue
            if self._was_sent(alert.fingerprint):
                self._forget(alert.fingerprint)
            else:
                alerts.append(alert)
        # A store tells times in seconds: "works again" must not come before "fails".
        return sorted(alerts, key=lambda alert: alert.created_at)

    def mark_sent(self, alert: Alert, receipt: str) -> None:
        """Record that it was delivered; call this after the post, never before."""
        record = {"receipt": receipt, "sent_at": datetime.now(timezone.utc).isoformat()}
        record["alert"] = alert.to_json()
        with suppress(ConflictError):  # somebody else delivered it as well
            self._store.put(self._key("sent", alert.fingerprint), json.dumps(record).encode(), expected=None)
        self._forget(alert.fingerprint)

    def _listed(self) -> list[ObjectInfo]:
        return self._store.objects(f"{self._prefix}pending/")

    def _was_sent(self, fingerprint: str) -> bool:
        try:
            self._store.get(self._key("sent", fingerprint))
        except FileNotFoundError:
            return False
        return True

    def _forget(self, fingerprint: str) -> None:
        key = self._key("pending", fingerprint)
        for item in self._listed():
            if item.key != key:
                continue
            with suppress(ConflictError):  # somebody else cleared it away
                self._store.delete(item.key, expected=item.version)

    def _key(self, state: str, fingerprint: str) -> str:
        return f"{self._prefix}{state}/{fingerprint}.json"


@dataclass(frozen=True)
class DeliveryReport:
    """How many alerts were posted, could not be posted (and stay pending), or went to the log for want of Slack."""

    sent: int
    failed: int
    logged: int


def deliver(outbox: Outbox, slack: Poster, log: logging.Logger) -> DeliveryReport:
    """Deliver at most 20 pending alerts, oldest first, within one sensor tick.

    An alert that cannot be posted stays pending and does not hold up the next. An alert that was posted but cannot
    be recorded ends the call with the store's error, since every further post would be repeated as well.
    """
    sent = failed = logged = 0
    troubles: set[str] = set()
    started = time.monotonic()
    for alert in outbox.pending(_MOST_PER_CALL):
        if time.monotonic() - started > _LAST_START_S:
            break
        if not slack.configured:
            log.warning("%s\n%s\n%s", alert.title, alert.body, alert.link or "")
            outbox.mark_sent(alert, "log")
            logged += 1
            continue
        try:
            receipt = slack.post(alert)
        except VitalakeError as error:
            troubles.add(str(error))
            failed += 1
            continue
        outbox.mark_sent(alert, receipt)
        sent += 1
    for trouble in sorted(troubles):
        log.warning("Alerts stay pending: %s", trouble)
    return DeliveryReport(sent, failed, logged)
