"""A code location with a bucket, a queue and a Dagster instance, ticked as the daemon does it.

Belongs here: what tests of the sensor of the queue do to it. Does not belong here: what they expect of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote_plus

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, Definitions, RunRequest, build_sensor_context

from pipeline_assets.build import build_defs
from resources.object_store import ObjectStore
from resources.queue import Depth, NotificationQueue
from resources.settings import Settings
from sensors.build import build_sensors
from sensors.queue_batch import QueueCursor
from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.notes import upload

RECORDING = v4_file(strip())
NOW = datetime.now(timezone.utc)


def day(offset: int) -> str:
    """So many days from today, in UTC."""
    return (NOW.date() + timedelta(days=offset)).isoformat()


def key(offset: int, name: str = "a") -> str:
    return f"ecg/date={day(offset)}/{name}"


@dataclass(frozen=True)
class Tick:
    """What the sensor asked for, said and remembered."""

    requests: list[RunRequest]
    cursor: str | None
    said: str

    @property
    def days(self) -> list[str | None]:
        return [request.partition_key for request in self.requests]

    @property
    def again(self) -> set[str]:
        return {str(day) for _, day in QueueCursor.parse(self.cursor).again}


class System:
    """Code location, bucket, queue and instance. `start` is a new process: what was in memory is gone."""

    def __init__(self, settings: Settings, raw: ObjectStore, instance: DagsterInstance) -> None:
        self.settings, self.raw, self.instance = settings, raw, instance
        self.queue = NotificationQueue(settings, str(settings.queue_url))
        self.defs = self.start()

    def start(self) -> Definitions:
        self.defs = build_defs(self.settings, build_sensors)
        return self.defs

    def tick(self, cursor: str | None) -> Tick:
        """One evaluation; nobody has recorded yet what came of it."""
        context = build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            definitions=self.defs,
            resources={"raw": self.raw, "queue": self.queue},
        )
        result = self.defs.resolve_sensor_def("notifications").evaluate_tick(context)
        return Tick(list(result.run_requests or []), result.cursor, result.skip_message or "")

    def record(self, tick: Tick) -> str | None:
        """What the daemon does with an evaluation: make the runs, then hand the cursor to the next tick."""
        for request in tick.requests:
            tags = {**request.tags, "dagster/partition": str(request.partition_key)}
            job = self.defs.resolve_job_def(str(request.job_name))
            self.instance.create_run_for_job(
                job,
                tags={**job.tags, **tags, "dagster/run_key": str(request.run_key)},
                status=DagsterRunStatus.NOT_STARTED,
            )
        return tick.cursor

    def runs(self) -> list[DagsterRun]:
        return list(self.instance.get_runs())

    def drain(self, cursor: str | None = None) -> list[str | None]:
        """Ticks as the daemon makes them until the queue is empty; the days asked for."""
        asked: list[str | None] = []
        for _ in range(10):
            tick = self.tick(cursor)
            asked += tick.days
            cursor = self.record(tick)
            if not tick.requests and self.queue.depth() == Depth(0, 0):
                return asked
        raise AssertionError(f"{self.queue.depth()} after 10 ticks")

    def build(self, request: RunRequest) -> bool:
        job = self.defs.resolve_job_def(str(request.job_name))
        tags = {**request.tags, "dagster/run_key": str(request.run_key)}
        return job.execute_in_process(
            instance=self.instance, partition_key=request.partition_key, tags=tags, raise_on_error=False
        ).success

    def put(self, *keys: str) -> None:
        for each in keys:
            upload(self.raw, each, RECORDING)

    def notify(self, *keys: str, event: str = "ObjectCreated:Put", bucket: str | None = None) -> None:
        """Messages as S3 sends them, one an object."""
        stamp = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        where = {"name": bucket or self.settings.raw_bucket}
        self.send(
            *(
                json.dumps(
                    {
                        "Records": [
                            {
                                "eventTime": stamp,
                                "eventName": event,
                                "s3": {"bucket": where, "object": {"key": quote_plus(each)}},
                            }
                        ]
                    }
                )
                for each in keys
            )
        )

    def send(self, *bodies: str) -> None:
        for start in range(0, len(bodies), 10):
            some = bodies[start : start + 10]
            entries: Any = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(some)]
            self.queue._client.send_message_batch(QueueUrl=self.queue.url, Entries=entries)
