"""Where the time between an upload and the row in SQL went, by Dagster's own event log.

Belongs here: reading ticks and events of a run and cutting the time at them. Does not belong here: uploading and
waiting (`benchmarks/latency.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.scheduler.instigation import InstigatorTick

IN_SQL = "the row is in SQL"
_UNDER_WAY = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
_MARKS = {
    DagsterEventType.RUN_ENQUEUED: "the run is requested",
    DagsterEventType.RUN_STARTING: "the queue lets it go",
    DagsterEventType.RUN_START: "our code is loaded",
    DagsterEventType.RUN_SUCCESS: "the run has ended",
}
_PROCESS, _FIRST_STEP = "its process has imported Dagster", "the first step begins"


@dataclass(frozen=True)
class Span:
    """A stretch of the way from upload to the end of the run: what it ends with, in seconds since the upload."""

    name: str
    start_s: float
    end_s: float


def under_way(instance: DagsterInstance) -> bool:
    """Whether any run waits or runs."""
    return bool(instance.get_run_records(RunsFilter(statuses=_UNDER_WAY), limit=1))


def ticks(instance: DagsterInstance, sensor: str, after: float) -> list[InstigatorTick]:
    """The sensor's last ticks after a time (seconds since 1970), oldest first."""
    states = [state for state in instance.all_instigator_state() if state.instigator_name == sensor]
    found = [instance.get_ticks(state.instigator_origin_id, state.selector_id, after=after) for state in states]
    return sorted(chain.from_iterable(found), key=lambda tick: float(tick.timestamp))


def spans(instance: DagsterInstance, run: DagsterRun, uploaded: float, seen: float) -> list[Span]:
    """The way from upload to the end of the run, cut where something was reached, in order.

    Args:
        instance: where the run was recorded.
        run: a run that has succeeded.
        uploaded: when the put began (seconds since 1970).
        seen: when the row was in SQL (seconds since 1970).

    Raises:
        LookupError: no sensor requested this run after the upload.
    """
    sensor = run.tags.get("dagster/sensor_name", "")
    looked = [float(tick.timestamp) for tick in ticks(instance, sensor, uploaded - 1) if run.run_id in tick.run_ids]
    if not looked:
        raise LookupError(f"the run {run.run_id} was not requested by a sensor after the upload")
    cuts = [("the sensor looks", looked[0]), *_events(instance, run), (IN_SQL, seen)]
    found, before = [], uploaded
    for name, at in sorted(cuts, key=lambda cut: cut[1]):
        found.append(Span(name, before - uploaded, at - uploaded))
        before = at
    return found


def _events(instance: DagsterInstance, run: DagsterRun) -> Iterator[tuple[str, float]]:
    once = {DagsterEventType.ENGINE_EVENT: _PROCESS, DagsterEventType.STEP_START: _FIRST_STEP}
    for entry in instance.all_logs(run.run_id):
        event = entry.dagster_event
        if event is None:
            continue
        if event.event_type == DagsterEventType.ENGINE_EVENT and "pid" not in event.engine_event_data.metadata:
            continue
        if event.event_type in once:
            yield once.pop(event.event_type), entry.timestamp
        elif event.event_type in _MARKS:
            yield _MARKS[event.event_type], entry.timestamp
        elif event.event_type == DagsterEventType.STEP_SUCCESS:
            yield f"{event.step_key} is done", entry.timestamp
