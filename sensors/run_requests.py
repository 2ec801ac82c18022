"""From the planner's runs to Dagster's run requests.

Belongs here: how a planned run is asked for. Does not belong here: which runs are planned
(`vitalake/arrivals/planning.py`), who looks (`sensors/drops.py`, `sensors/queue.py`, `sensors/sweep.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from dagster import RunRequest

from sensors.run_state import tags_of
from vitalake.arrivals.planning import RunPlan


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
