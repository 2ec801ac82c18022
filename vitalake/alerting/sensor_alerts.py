"""Alerts about sensors and schedules whose ticks fail, and which work again.

Belongs here: wording and fingerprints, pure. Does not belong here: noticing it (`sensors/sensor_health.py`), what
every alert is (`vitalake/alerting/alerts.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote

from vitalake.alerting.alerts import Alert
from vitalake.arrivals.fingerprints import digest
from vitalake.escaping import bounded_line

SEE_ITS_TICKS = "see its ticks"
# What the names of jobs over all days end in (`pipeline_assets/all_days.py`).
ALL_DAYS_JOB = "_all_days_job"
_NAMED = 3
_DESCRIBED = 8


@dataclass(frozen=True)
class FailingSensor:
    """A sensor or schedule whose last ticks all failed.

    Args:
        name: of the sensor or schedule.
        is_schedule: whether it is a schedule.
        jobs: names of the jobs that it asks for; none of a sensor that carries alerts.
        episode: what tells this row of failures from an earlier one of the same sensor.
        failed_ticks: how many failed in a row.
        last_worked_at: when a tick last ended well; None if none is known.
        error_class: name of the last error's class.
        message: what may be told about it, as `describe_record` gives it.
    """

    name: str
    is_schedule: bool
    jobs: tuple[str, ...]
    episode: str
    failed_ticks: int
    last_worked_at: datetime | None
    error_class: str | None
    message: str | None


def sensors_fail(
    failing: Sequence[FailingSensor],
    webserver_url: str | None,
    location: str,
    created_at: datetime | None = None,
) -> Alert:
    """One alert for all that are newly failing: a store that is down fails them all, and is one piece of news.

    Args:
        failing: not empty.
        webserver_url: of the web UI.
        location: name of the code location.
        created_at: now, if not given.
    """
    if not failing:
        raise ValueError("nothing fails, so there is nothing to report")
    failing = sorted(failing, key=lambda sensor: sensor.name)
    names = [sensor.name for sensor in failing]
    # What to do stands before the list, where no truncation reaches it.
    lines = [
        *_meanings(failing),
        "Mend what the error names. Nothing has to be started again: the next tick is another attempt.",
        "Look further: vitalake status",
        *(_described(sensor) for sensor in failing[:_DESCRIBED]),
        f"… and {len(failing) - _DESCRIBED} more" if len(failing) > _DESCRIBED else "",
    ]
    return Alert(
        fingerprint=digest("sensors_fail", *(repr((sensor.name, sensor.episode)) for sensor in failing)),
        kind="sensors_fail",
        title=bounded_line(f"{_counted(names)} fail{'s' * (len(names) == 1)}: {_listed(names)}"),
        body="\n".join(bounded_line(line) for line in lines if line),
        link=_link(failing, webserver_url, location),
        created_at=created_at or datetime.now(timezone.utc),
    )


def sensors_work(
    episodes: Sequence[tuple[str, str]], webserver_url: str | None, created_at: datetime | None = None
) -> Alert:
    """The good news about (name, episode) each, not empty."""
    if not episodes:
        raise ValueError("nothing works again, so there is nothing to report")
    episodes = sorted(episodes)
    names = [name for name, _ in episodes]
    return Alert(
        fingerprint=digest("sensors_work", *(repr(episode) for episode in episodes)),
        kind="sensors_work",
        title=bounded_line(f"{_counted(names)} work{'s' * (len(names) == 1)} again: {_listed(names)}"),
        body="What came meanwhile is being looked at. Nothing has to be done.",
        link=f"{webserver_url.rstrip('/')}/automation" if webserver_url else None,
        created_at=created_at or datetime.now(timezone.utc),
    )


def _meanings(failing: Sequence[FailingSensor]) -> list[str]:
    """What does not happen meanwhile."""
    watched = sorted({job for sensor in failing if not sensor.is_schedule for job in sensor.jobs})
    planned = sorted({job for sensor in failing if sensor.is_schedule for job in sensor.jobs})
    lines = []
    all_days = [job.removesuffix(ALL_DAYS_JOB) for job in watched if job.endswith(ALL_DAYS_JOB)]
    days = [job.removesuffix("_job") for job in watched if not job.endswith(ALL_DAYS_JOB)]
    if days:
        lines.append(
            f"New, changed and deleted objects of {', '.join(days)} are noticed late or not at all meanwhile. "
            "Nothing is lost: they are looked at when the sensor works again."
        )
    if all_days:
        lines.append(f"Tables over all days, and copies, of {', '.join(all_days)} stay as they are meanwhile.")
    if planned:
        lines.append(f"No run of {', '.join(planned)} begins by itself meanwhile.")
    if any(not sensor.jobs for sensor in failing):
        lines.append("Alerts come late meanwhile; none is lost.")
    return lines


def _described(sensor: FailingSensor) -> str:
    ticks = "the last tick" if sensor.failed_ticks == 1 else f"{sensor.failed_ticks} ticks in a row"
    since = f", last worked {sensor.last_worked_at:%Y-%m-%d %H:%M:%S} UTC" if sensor.last_worked_at else ""
    error = f"{sensor.error_class or 'no error is recorded'}: {sensor.message or SEE_ITS_TICKS}"
    return f"• {sensor.name}: {ticks} failed{since} — {error}"


def _counted(names: Sequence[str]) -> str:
    return "A sensor" if len(names) == 1 else f"{len(names)} sensors"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _link(failing: Sequence[FailingSensor], webserver_url: str | None, location: str) -> str | None:
    """The page of the one that fails; where several do, the page with all of them."""
    if not webserver_url:
        return None
    base = webserver_url.rstrip("/")
    if len(failing) > 1:
        return f"{base}/automation"
    (sensor,) = failing
    kind = "schedules" if sensor.is_schedule else "sensors"
    return f"{base}/locations/{quote(location, safe='')}/{kind}/{quote(sensor.name, safe='')}"
