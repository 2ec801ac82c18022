"""Alerts that wait for Slack: how many, since when, why, and when Slack is asked again.

Belongs here: the row `alerts` of `vitalake status`. Does not belong here: the other rows (`cli/status/health.py`),
or delivery (`resources/alerting/delivery.py`).

Whoever is told nothing thinks that all is well, so what has not gone through for minutes is trouble.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from vitalake.errors import VitalakeError

if TYPE_CHECKING:
    from resources.alerting.alert_throttle import AlertThrottle, ChannelTrouble
    from resources.alerting.outbox import Outbox
    from resources.settings import Settings
    from vitalake.arrivals.objects import ObjectInfo

_LASTING = timedelta(minutes=1)  # one answer that was lost is no news
_LONGEST_WAIT = timedelta(minutes=30)  # twice as long as alerts of one cause wait for each other


def alerts_that_wait(settings: Settings | None, channel: str | None) -> tuple[bool, str]:
    """Whether alerts get through, and what there is to say.

    Args:
        settings: of a store that answers; None where it does not.
        channel: where they go; None: to the log.
    """
    from resources.alerting.outbox import Outbox
    from resources.object_store import ObjectStore

    where = f"to Slack, {channel}" if channel else "Slack is off: they go to the log"
    if settings is None:
        return False, f"{where}; what waits is unknown without the store"
    try:
        outbox = Outbox(ObjectStore(settings, settings.lake_bucket))
        works, waiting = _waiting(outbox, channel, datetime.now(timezone.utc))
    except VitalakeError as error:
        return False, f"{where}; {error}"
    return works, f"{where}; {waiting}" if waiting else where


def _waiting(outbox: Outbox, channel: str | None, now: datetime) -> tuple[bool, str]:
    files, throttle = outbox.waiting(), outbox.throttle(now)
    pending = [item for items in files.values() for item in items]
    if not pending:
        return True, ""
    oldest = min(item.uploaded_at for item in pending)
    said = [f"{_number(len(pending))} since {_time(oldest)}"]
    works = now - oldest < _LONGEST_WAIT
    trouble = throttle.trouble(channel) if channel else None
    if trouble:
        said.append(_told(trouble, now, "Slack is asked again"))
        works = works and now - trouble.since < _LASTING
    if channel and (refused := _refused(files, throttle)):
        works = False
        again = _told(throttle.refusals, now, "one of them is tried again") if throttle.refusals else ""
        said.append(f"{refused} of them refused by Slack as they are{again and ': '}{again}")
    return works, ". ".join(said)


def _refused(files: Mapping[str, Sequence[ObjectInfo]], throttle: AlertThrottle) -> int:
    from resources.alerting.outbox import fingerprint_of

    return sum(throttle.refused_at(fingerprint_of(item)) is not None for items in files.values() for item in items)


def _told(trouble: ChannelTrouble, now: datetime, again: str) -> str:
    failed = (
        "the last post" if trouble.times == 1 else f"{trouble.times} posts in a row, since {_time(trouble.since)},"
    )
    due = f"at {_time(trouble.until)}" if trouble.until > now else "with the next tick of alert_delivery"
    return f"{failed} failed: {trouble.why}; {again} {due}"


def _number(count: int) -> str:
    return "1 alert waits" if count == 1 else f"{count:,} alerts wait"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
