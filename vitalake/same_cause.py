"""Alerts of one cause, in one message: a store that denies access fails every day of a backfill.

Belongs here: the wording of many as one, pure. Does not belong here: what a cause is (`vitalake/alerts.py`), when
alerts wait for each other (`resources/delivery.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vitalake.alerts import Alert
from vitalake.arrivals import digest
from vitalake.escaping import bounded_line

_NAMED = 5  # of the first, and as many of the last
_NAME_CHARS = 200
_REASON_CHARS = 600


def together(alerts: Sequence[Alert]) -> Alert:
    """One message about all of them: how many, why the first, and the first and the last few by name.

    Args:
        alerts: of one cause, in the order in which they came; not empty. A single one stays as it is.
    """
    if not alerts:
        raise ValueError("there is nothing to report")
    first, *others = alerts
    if not others:
        return first
    names = [_name(alert) for alert in alerts]
    if len(names) > 2 * _NAMED:
        names[_NAMED:-_NAMED] = [f"… {len(names) - 2 * _NAMED} more …"]
    # The reason stands before the names, where no truncation reaches it.
    reason = [line for line in first.body.splitlines() if not line.startswith("•")]
    lines = [
        f"{len(alerts)} alerts of one cause, told together (times in UTC). The first of them:",
        *(bounded_line(line, _REASON_CHARS) for line in reason),
        *names,
    ]
    return replace(
        first,
        fingerprint=digest("together", *(alert.fingerprint for alert in alerts)),
        title=f"{bounded_line(first.title, _NAME_CHARS)}, and {len(others)} more like it",
        body="\n".join(lines),
    )


def _name(alert: Alert) -> str:
    """When, what, and the first file where there is one."""
    file = next((line[1:] for line in alert.body.splitlines() if line.startswith("•")), "")
    return bounded_line(f"• {alert.created_at:%H:%M} {alert.title}{file and ' —'}{file}", _NAME_CHARS)
