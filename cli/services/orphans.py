"""Dagster's runs whose process is gone, reported as ended, so that retries and sensors go on.

Belongs here: telling live runs from orphaned ones. Does not belong here: killing processes
(`cli/services/process_cleanup.py`).

Dagster's default launcher runs each run in a child process of the code server. When that server is killed, or the
machine loses power, the run stays STARTED for ever and blocks its partition. Every way to execute a run writes the
number of its process into the run's events, so whether somebody still works on it can be seen. Runs that wait
(QUEUED, NOT_STARTED) have no process, and the daemon goes on with them by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

_CLOCK_S = 10.0  # the system clock may be set in between
_MESSAGE = (
    "The process of this run is gone: the system was stopped or killed while the run was going on. "
    "Nothing is half written; the run can be repeated as it is."
)


def fail_orphaned_runs(instance: DagsterInstance) -> list[str]:
    """Report every run as failed that has begun on this machine and has no live process; their ids.

    A run that a person had asked to cancel is reported as cancelled instead, so that nothing repeats it. Call it
    while no daemon launches runs: a run between its launch and its process looks orphaned.
    """
    from dagster import DagsterRunStatus, RunsFilter

    begun = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
    orphans = [run for run in instance.get_runs(RunsFilter(statuses=begun)) if not _alive(instance, run.run_id)]
    for run in orphans:
        if run.status == DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, _MESSAGE)
        else:
            instance.report_run_failed(run, _MESSAGE)
    return [run.run_id for run in orphans]


def _alive(instance: DagsterInstance, run_id: str) -> bool:
    from dagster import DagsterEventType

    for record in instance.all_logs(run_id, of_type=DagsterEventType.ENGINE_EVENT):
        event = record.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event else None
        if pid is not None and _runs(int(str(pid.value)), before=record.timestamp):
            return True
    return False


def _runs(pid: int, *, before: float) -> bool:
    """Whether this process runs and is old enough to be the one meant, not a later one with the same number."""
    import psutil

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= before + _CLOCK_S
    except psutil.Error:
        return False
