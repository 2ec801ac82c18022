"""How the sensors and schedules are: running, failing, stopped.

Belongs here: asking Dagster, and the words for it. Does not belong here: whether that is trouble for the whole
(`cli/status/health.py`), alerts about it (`sensors/sensor_health.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cli.reachable import ask
from vitalake.alerting.alerts import describe_record
from vitalake.alerting.sensor_alerts import SEE_ITS_TICKS
from vitalake.errors import PermanentError

# With statuses Dagster (1.13) asks for each by its name. Without, it asks for all by where the code server is, and
# finds none of those whose state was first saved when that had another port.
_STATE = """{status ticks(limit: 1, statuses: [SUCCESS, SKIPPED, FAILURE]) {
    status error {className message causes {className message}}}}"""
_STATES = """query ($selector: RepositorySelector!) {
    sensorsOrError(repositorySelector: $selector) {... on Error {message}
        ... on Sensors {results {name defaultStatus state: sensorState %s}}}
    schedulesOrError(repositorySelector: $selector) {... on Error {message}
        ... on Schedules {results {name defaultStatus state: scheduleState %s}}}}"""
_LOCATION = {"repositoryLocationName": "vitalake", "repositoryName": "__repository__"}
_RUNNING = "RUNNING"


@dataclass
class Ticks:
    """What sensors and schedules do.

    Args:
        running: how many run.
        failing: name → error of the last tick, of those that run and whose last tick failed.
        stopped: names of those that somebody stopped; not those that do not run unless they are started.
    """

    running: int = 0
    failing: dict[str, str] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)

    @property
    def works(self) -> bool:
        """Whether everything that is meant to run does, and works."""
        return not self.failing and not self.stopped

    @property
    def detail(self) -> str:
        """What there is to say."""
        parts = []
        if self.failing:
            name = next(iter(self.failing))  # one error is enough to read: a store that is down fails them all
            parts.append(f"{', '.join(self.failing)} fail{'s' * (len(self.failing) == 1)}")
            parts.append(f"{name}: {self.failing[name]}")
        if self.stopped:
            parts.append(f"stopped: {', '.join(self.stopped)} (start it in the web UI under Automation)")
        rest = self.running - len(self.failing)
        return "; ".join([*parts, f"the other {rest} work" if parts else f"{rest} running"])


def last_ticks(url: str) -> Ticks:
    """Ask Dagster about every sensor and schedule. Raises TransientError, PermanentError."""
    answer = ask(url, _STATES % (_STATE, _STATE), selector=_LOCATION)
    found = Ticks()
    for kind in ("sensorsOrError", "schedulesOrError"):
        if "results" not in answer[kind]:
            raise PermanentError(f"Dagster does not say what its sensors do: {answer[kind].get('message')}")
        for item in sorted(answer[kind]["results"], key=lambda item: str(item["name"])):
            _add(found, item)
    return found


def _add(found: Ticks, item: dict[str, Any]) -> None:
    state = item["state"]
    if state["status"] != _RUNNING:
        if item["defaultStatus"] == _RUNNING:
            found.stopped.append(item["name"])
        return
    found.running += 1
    for last in state["ticks"]:
        if last["status"] == "FAILURE":
            found.failing[item["name"]] = _error(last["error"])


def _error(error: dict[str, Any] | None) -> str:
    errors = [error, *error["causes"]] if error else []
    name, message = describe_record([(each["className"], each["message"]) for each in errors])
    return f"{name or 'no error is recorded'}: {message or SEE_ITS_TICKS}"
