"""Alerts of one cause, in one message: a store that denies access fails every day of a backfill.

Of files that were refused, people want the sums: how many objects, and how many records by rule.

Belongs here: the wording of many as one, pure. Does not belong here: what a cause is
(`vitalake/alerting/alerts.py`), when alerts wait for each other (`resources/alerting/delivery.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, zip_longest

from vitalake.alerting.alerts import Alert, QuarantineCounts
from vitalake.arrivals.fingerprints import digest
from vitalake.escaping import bounded_line

_NAMED = 5  # of the first, and as many of the last
_NAME_CHARS = 200
_REASON_CHARS = 600
_EXAMPLES = 10
_DAYS = 5


def grouped(alerts: Sequence[Alert]) -> Alert:
    """One message about all of them: how many, why the first, and the first and the last few by name.

    Of those about quarantine: the sums, and some files of each.

    Args:
        alerts: of one cause, in the order in which they came; not empty. A single one stays as it is.
    """
    if not alerts:
        raise ValueError("there is nothing to report")
    first, *others = alerts
    if not others:
        return first
    refused = [alert.refused for alert in alerts if alert.refused]
    if len(refused) == len(alerts):
        return _summed(alerts, refused)
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


def _summed(alerts: Sequence[Alert], refused: Sequence[QuarantineCounts]) -> Alert:
    """All of them as if they were one. What two of them name, as after a run that was killed, counts once."""
    first, last, dataset = alerts[0], alerts[-1], refused[0].dataset
    records: dict[str, dict[str, int]] = {}
    days: dict[str, set[str]] = {}
    for each in refused:
        for rule, objects in each.records.items():
            records.setdefault(rule, {}).update(objects)
            days.setdefault(each.day, set()).update(objects)
    by_rule = {rule: sum(objects.values()) for rule, objects in records.items()}
    by_day = {day: len(days[day]) for day in sorted(days)}
    number = len(set().union(*days.values()))
    counted = f"{number:,} object{'s' * (number > 1)} of {dataset}"
    unit = "hour" if "T" in refused[0].day else "day"
    where = f"in quarantine, of {len(days)} {unit}s" if len(days) > 1 else f"{refused[0].day} in quarantine"
    files = [[line for line in alert.body.splitlines() if line.startswith("•")] for alert in alerts]
    some = dict.fromkeys(line for line in chain.from_iterable(zip_longest(*files)) if line)
    lines = [
        f"Records by rule: {_counts(dict(sorted(by_rule.items(), key=lambda entry: (-entry[1], entry[0]))))}",
        f"Objects by {unit}: {_counts(by_day, _DAYS)}" if len(days) > 1 else "",
        f"Look further: vitalake quarantine list --dataset {dataset}",
        f"Found from {first.created_at:%H:%M} to {last.created_at:%H:%M} UTC, and told together. Some of them:",
        *(bounded_line(line, _NAME_CHARS) for line in list(some)[:_EXAMPLES]),
    ]
    return replace(
        last,
        fingerprint=digest("together", *(alert.fingerprint for alert in alerts)),
        title=bounded_line(f"{counted} {where}"),
        body="\n".join(bounded_line(line, _REASON_CHARS) for line in lines if line),
    )


def _counts(counts: dict[str, int], most: int | None = None) -> str:
    more = f" and {len(counts) - most} more" if most and len(counts) > most else ""
    return ", ".join(f"{name} × {number:,}" for name, number in list(counts.items())[:most]) + more
