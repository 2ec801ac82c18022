"""Runs that nobody waits for: one of them at a time, so that a slot of the queue is left for days.

Belongs here: the tag that they share, and whether one of a job is still to end. Does not belong here: what they do
(`pipeline_assets/standing_checks.py`, `pipeline_assets/trends.py`).
"""

from __future__ import annotations

from dagster import DagsterInstance, RunsFilter
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from pipeline_assets.partitions import PARTITION_TAG

BACKGROUND = {PARTITION_TAG: "background"}


def under_way(instance: DagsterInstance, job: str) -> bool:
    """Whether a run of the job is queued or going on: another one would only wait behind it."""
    return instance.get_runs_count(RunsFilter(job_name=job, statuses=list(NOT_FINISHED_STATUSES))) > 0
