"""What the tests of drops and of the sweep share: a code location whose ticks and runs happen when a test says so.

Belongs here: asking a sensor, and carrying out what it asks for. Does not belong here: the queue's sensor, which
has its own (`test_queue.py`), or any test.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from dagster import DagsterInstance, DagsterRunStatus, Definitions, RunRequest, build_sensor_context

from pipeline_assets.build import build_defs
from resources.build import lake_store
from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.build import build_sensors
from tests.vitalake.ecg.matlab_files import strip, v4_file
from vitalake.datasets.declared import DATASETS
from vitalake.lake.dataset import Dataset

RECORDING = v4_file(strip())


def day(offset: int) -> str:
    """So many days from today, in UTC."""
    return (datetime.now(timezone.utc).date() + timedelta(days=offset)).isoformat()


@dataclass(frozen=True)
class Tick:
    """What a sensor asked for and said."""

    requests: list[RunRequest]
    cursor: str | None
    said: str | None

    @property
    def days(self) -> list[str | None]:
        """The partitions that runs were requested for."""
        return [request.partition_key for request in self.requests]


def equal(tick: Tick) -> dict[str, str]:
    """What the cursor remembers as found equal."""
    cursor = json.loads(tick.cursor or "{}")
    found: dict[str, str] = cursor.get("ecg", cursor)["equal"]
    return found


class System:
    """Code location, bucket and instance; ticks and runs happen when a test says so."""

    def __init__(
        self,
        settings: Settings,
        raw: ObjectStore,
        instance: DagsterInstance,
        datasets: Sequence[Dataset] = DATASETS,
    ) -> None:
        self.settings, self.raw, self.instance, self.datasets = settings, raw, instance, datasets
        self.defs: Definitions = build_defs(settings, build_sensors, datasets=datasets)

    def tick(self, cursor: str | None = None, name: str = "drops") -> Tick:
        context = build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            definitions=self.defs,
            resources={"raw": self.raw, "lake": lake_store(self.settings)},
        )
        result = self.defs.resolve_sensor_def(name).evaluate_tick(context)
        return Tick(list(result.run_requests or []), result.cursor, result.skip_message)

    def sweep(self) -> Tick:
        return self.tick(name="ecg_sweep")

    def build_all(self) -> None:
        """Carry out what the sweep asks for."""
        for request in self.sweep().requests:
            assert self.run(request)

    def run(self, request: RunRequest, settings: Settings | None = None) -> bool:
        """Carry out a request, in another configuration if one is given."""
        defs = build_defs(settings or self.settings, datasets=self.datasets)
        job = defs.resolve_job_def(_job(request))
        tags = {**request.tags, "dagster/run_key": str(request.run_key)}
        return job.execute_in_process(
            instance=self.instance, partition_key=request.partition_key, tags=tags, raise_on_error=False
        ).success

    def queue(self, request: RunRequest, status: DagsterRunStatus = DagsterRunStatus.NOT_STARTED) -> str:
        """A run that has been asked for and not ended."""
        job = self.defs.resolve_job_def(_job(request))
        tags = {**job.tags, **request.tags}
        if request.partition_key is not None:
            tags["dagster/partition"] = request.partition_key
        return self.instance.create_run_for_job(job, tags=tags, status=status).run_id


def _job(request: RunRequest) -> str:
    """The job that a request is for; a sensor with one job does not name it."""
    return request.job_name or f"{request.tags['vitalake/dataset']}_job"
