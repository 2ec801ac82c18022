"""The outbox: alerts kept in the lake until Slack has taken them, so that none is lost while it is down.

Belongs here: what is pending and what was sent. Does not belong here: what is told when
(`resources/alerting/delivery.py`), wording (`vitalake/alerting/alerts.py`) or Slack itself
(`resources/alerting/slack.py`).

Delivery is at least once. The record of sending is written after the post succeeded: a crash between the two posts
the alert again and never loses it. A crash after the record only leaves a pending file, which is cleared away.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timezone

from resources.alerting.alert_throttle import AlertThrottle
from vitalake.alerting.alerts import Alert
from vitalake.arrivals.objects import ObjectInfo
from vitalake.lake.parts import ConflictError, Store, side_by_side


class Outbox:
    """Alerts below one prefix: `pending/<cause>/<fingerprint>.json`, then `sent/<fingerprint>.json`.

    An alert without a cause is pending as `pending/<fingerprint>.json`.
    """

    def __init__(self, store: Store, prefix: str = "alerts/") -> None:
        self._store = store
        self._prefix = prefix

    def add(self, alert: Alert) -> bool:
        """Keep it for delivery. False if this very news is pending or was sent already."""
        if self._was_sent(alert.fingerprint) or alert.fingerprint in map(fingerprint_of, self._listed()):
            return False
        folder = f"{self._prefix}pending/" + (f"{alert.cause}/" if alert.cause else "")
        try:
            self._store.put(f"{folder}{alert.fingerprint}.json", alert.to_json().encode(), expected=None)
        except ConflictError:
            return False
        return True

    def pending(self) -> list[Alert]:
        """What is still to be delivered, oldest first."""
        return self.read(self._listed())

    def waiting(self) -> dict[str, list[ObjectInfo]]:
        """The files of what is still to be delivered: cause → oldest first. Those without a cause are one each."""
        causes: dict[str, list[ObjectInfo]] = {}
        for item in sorted(self._listed(), key=lambda item: (item.uploaded_at, item.key)):
            folder = item.key.removeprefix(f"{self._prefix}pending/").rpartition("/")[0]
            causes.setdefault(folder or fingerprint_of(item), []).append(item)
        return causes

    def read(self, items: Sequence[ObjectInfo]) -> list[Alert]:
        """These alerts, oldest first.

        A file that is not an alert stays, named in the log; one that was sent is cleared away.
        """
        with side_by_side(len(items)) as each:
            found = {alert.fingerprint: alert for alert in each(self._read, items) if alert is not None}
            was_sent = dict(zip(found, each(self._was_sent, found), strict=True))
        self._forget({fingerprint for fingerprint, so in was_sent.items() if so})
        alerts = [alert for fingerprint, alert in found.items() if not was_sent[fingerprint]]
        return sorted(alerts, key=lambda alert: alert.created_at)

    def mark_sent(self, alerts: Sequence[Alert], receipt: str) -> None:
        """Record that they were delivered, in one post; call this after the post, never before."""

        def record(alert: Alert) -> None:
            sent = {"receipt": receipt, "sent_at": datetime.now(timezone.utc).isoformat(), "alert": alert.to_json()}
            with suppress(ConflictError):  # somebody else delivered it as well
                key = f"{self._prefix}sent/{alert.fingerprint}.json"
                self._store.put(key, json.dumps(sent).encode(), expected=None)

        with side_by_side(len(alerts)) as each:
            list(each(record, alerts))
        self._forget({alert.fingerprint for alert in alerts})

    def throttle(self, now: datetime) -> AlertThrottle:
        """What was told lately, and how Slack took it."""
        return AlertThrottle(self._store, self._prefix, now)

    def _listed(self) -> list[ObjectInfo]:
        return self._store.objects(f"{self._prefix}pending/")

    def _read(self, item: ObjectInfo) -> Alert | None:
        try:
            return Alert.from_json(self._store.get(item.key))
        except FileNotFoundError:
            return None  # delivered by somebody else since the listing
        except ValueError:
            logging.getLogger(__name__).warning("%s is not an alert: repair or delete it", item.key)
            return None

    def _was_sent(self, fingerprint: str) -> bool:
        try:
            self._store.get(f"{self._prefix}sent/{fingerprint}.json")
        except FileNotFoundError:
            return False
        return True

    def _forget(self, fingerprints: Collection[str]) -> None:
        if not fingerprints:
            return

        def clear(item: ObjectInfo) -> None:
            with suppress(ConflictError):  # somebody else cleared it away
                self._store.delete(item.key, expected=item.version)

        items = [item for item in self._listed() if fingerprint_of(item) in fingerprints]
        with side_by_side(len(items)) as each:
            list(each(clear, items))


def fingerprint_of(item: ObjectInfo) -> str:
    """The fingerprint of the alert in a file that is pending, by its name."""
    return item.key.rpartition("/")[2].removesuffix(".json")
