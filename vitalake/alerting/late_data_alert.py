"""The alert about objects that lie in the bucket for long and are in no table.

Belongs here: its wording, pure. Does not belong here: what is late (`vitalake/lake/freshness.py`), when it is
looked for (`pipeline_assets/standing_checks.py`), what every alert is (`vitalake/alerting/alerts.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from vitalake.alerting.alerts import Alert
from vitalake.arrivals.calendar import Partition
from vitalake.arrivals.fingerprints import digest
from vitalake.escaping import bounded_line

_IN_TITLE = 3
_IN_BODY = 20


def objects_late(
    dataset: str,
    objects: int,
    partitions: Sequence[Partition],
    patience: timedelta,
    found_by: str,
    link: str | None,
    created_at: datetime | None = None,
) -> Alert:
    """One alert for all days, or hours, of a dataset that are late.

    Args:
        dataset: name of the dataset.
        objects: how many are late.
        partitions: of these objects; not empty.
        patience: how long an upload may take.
        found_by: id of the run that looked; the alert's identity, with the dataset.
        link: address of that run in the web UI.
        created_at: now, if not given.
    """
    if not partitions:
        raise ValueError("nothing is late, so there is nothing to report")
    late = sorted(partitions)
    units = "days" if late[0].hour is None else "hours"
    what = f"1 object of {dataset} is" if objects == 1 else f"{objects} objects of {dataset} are"
    lines = [
        f"Uploaded more than {patience.total_seconds() / 60:g} minutes ago, and in no table.",
        "Look whether the daemon and the sensors run, and for runs that wait or fail: vitalake status",
        f"Or build the {units} now: vitalake backfill {dataset} --from {late[0]} --to {late[-1]}",
        f"{units.capitalize()}: {_listed(late, _IN_BODY)}",
    ]
    return Alert(
        fingerprint=digest("late", dataset, found_by),
        kind="late",
        title=bounded_line(f"{what} late: {_listed(late, _IN_TITLE)}"),
        body="\n".join(lines),
        link=link,
        created_at=created_at or datetime.now(timezone.utc),
    )


def _listed(late: Sequence[Partition], most: int) -> str:
    more = f" and {len(late) - most} more, the last {late[-1]}" if len(late) > most else ""
    return ", ".join(map(str, late[:most])) + more
