"""The alert about objects that lie in the bucket for long and are in no table.

Belongs here: its wording, pure. Does not belong here: what is late (`vitalake/lake/freshness.py`), when it is
looked for (`pipeline_assets/standing_checks.py`), what every alert is (`vitalake/alerting/alerts.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone

from vitalake.alerting.alerts import Alert
from vitalake.arrivals.fingerprints import digest
from vitalake.escaping import bounded_line

_TITLE_DAYS = 3
_BODY_DAYS = 20


def objects_late(
    dataset: str,
    objects: int,
    days: Sequence[date],
    patience: timedelta,
    found_by: str,
    link: str | None,
    created_at: datetime | None = None,
) -> Alert:
    """One alert for all days of a dataset that are late.

    Args:
        dataset: name of the dataset.
        objects: how many are late.
        days: of these objects; not empty.
        patience: how long an upload may take.
        found_by: id of the run that looked; the alert's identity, with the dataset.
        link: address of that run in the web UI.
        created_at: now, if not given.
    """
    if not days:
        raise ValueError("nothing is late, so there is nothing to report")
    days = sorted(days)
    what = f"1 object of {dataset} is" if objects == 1 else f"{objects} objects of {dataset} are"
    lines = [
        f"Uploaded more than {patience.total_seconds() / 60:g} minutes ago, and in no table.",
        "Look whether the daemon and the sensors run, and for runs that wait or fail: vitalake status",
        f"Or build the days now: vitalake backfill {dataset} --from {days[0]} --to {days[-1]}",
        f"Days: {_listed(days, _BODY_DAYS)}",
    ]
    return Alert(
        fingerprint=digest("late", dataset, found_by),
        kind="late",
        title=bounded_line(f"{what} late: {_listed(days, _TITLE_DAYS)}"),
        body="\n".join(lines),
        link=link,
        created_at=created_at or datetime.now(timezone.utc),
    )


def _listed(days: Sequence[date], most: int) -> str:
    more = f" and {len(days) - most} more, the last {days[-1]}" if len(days) > most else ""
    return ", ".join(map(str, days[:most])) + more
