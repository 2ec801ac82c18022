"""From the planner's runs to Dagster's run requests.

Belongs here: how a planned run is asked for, and which partitions need not be asked about now. Does not belong
here: which runs are planned (`vitalake/arrivals.py`), who looks (`sensors/drops.py`, `sensors/queue.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from dagster import DagsterInstance, RunRequest, RunsFilter
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from sensors.known import DATASET_TAG, PARTITION, tags_of
from vitalake.arrivals import RunPlan
from vitalake.dataset import Dataset


def requests_for(plans: Iterable[RunPlan], job_name: str | None = None) -> list[RunRequest]:
    """One request per plan, in their order.

    Dagster takes a run key once per sensor, so two sensors that look in the same second may both be heard. The
    partition's tag lets one run at a time, and the second finds nothing to do.

    Args:
        plans: the runs to ask for.
        job_name: the job to run, for a sensor that has several.
    """
    return [
        RunRequest(run_key=item.run_key, partition_key=item.partition, tags=tags_of(item), job_name=job_name)
        for item in plans
    ]


def under_way(instance: DagsterInstance, dataset: Dataset) -> set[str]:
    """The partitions of which a run is queued or going on: nothing is requested for them, so why list them."""
    filters = RunsFilter(tags={DATASET_TAG: dataset.name}, statuses=NOT_FINISHED_STATUSES)
    return {run.tags[PARTITION] for run in instance.get_runs(filters) if PARTITION in run.tags}
