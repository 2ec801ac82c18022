"""Ten thousand notifications become run requests, and a process killed in the middle loses none of them.

Prints one JSON line each for: receiving and deleting that many messages and nothing else (the floor: moto's server
in place of SQS sets it, not us); draining them through the sensor's evaluation, with every run and cursor recorded
as Dagster's daemon does it; the same against the floor; and the partitions that were never asked for after two
processes were killed, one with messages in hand and nothing recorded, one with runs recorded and nothing deleted.

    python -m benchmarks.queue [--messages 10000] [--days 30] [--no-kills]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
from dagster import DagsterInstance, DagsterRun, build_sensor_context

from benchmarks.figures import line, report
from pipeline_assets.build import build_defs
from resources.object_store import ObjectStore
from resources.queue import Depth, NotificationQueue
from resources.settings import Settings, load_settings
from sensors.build import build_sensors
from tests.moto_server import moto_server
from tests.s3_server import KEYS, s3_server

TARGET_S = 30.0
# A killed process's messages come again after this long; production says five minutes.
HIDDEN_S = 40
LAST_DAY = date(2026, 10, 31)
_EMPTY = Depth(waiting=0, in_hand=0)
_GIVE_UP_S = 600


class Worker:
    """Ticks of the sensor, each recorded before the next one; all that survives it is in its folder."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.queue = NotificationQueue(settings, str(settings.queue_url))
        self._raw = ObjectStore(settings, settings.raw_bucket)
        self._defs = build_defs(settings, build_sensors)
        self._sensor = self._defs.resolve_sensor_def("notifications")
        self._folder = folder

    def drain(self, instance: DagsterInstance) -> int:
        """Until the queue is empty; how many ticks that took."""
        deadline = time.monotonic() + _GIVE_UP_S
        for ticks in range(1, 1000):
            asked = self._tick(instance)
            if not asked and self.queue.depth() == _EMPTY:
                return ticks
            if time.monotonic() > deadline:
                break
        raise TimeoutError(f"{self.queue.depth()} left")

    def _tick(self, instance: DagsterInstance) -> int:
        file = self._folder / "cursor"
        context = build_sensor_context(
            instance=instance,
            cursor=file.read_text() if file.exists() else None,
            definitions=self._defs,
            resources={"raw": self._raw, "queue": self.queue},
        )
        found = self._sensor.evaluate_tick(context)
        requests = found.run_requests or []
        for request in requests:
            # Only the record: the daemon also draws up the execution plan, which is its time and not the sensor's.
            tags = {**request.tags, "dagster/run_key": str(request.run_key)}
            tags["dagster/partition"] = str(request.partition_key)
            instance.add_run(DagsterRun(str(request.job_name), run_id=str(uuid.uuid4()), tags=tags))
        new = file.with_name("cursor.new")
        new.write_text(found.cursor or "")
        new.replace(file)
        return len(requests)


def _instance(folder: Path) -> DagsterInstance:
    """Dagster's storage in SQLite, below a folder; the same again for the same folder."""
    return DagsterInstance.local_temp(str(folder), overrides={"telemetry": {"enabled": False}})


def requested(folder: Path) -> list[str]:
    """The partition of every run that was recorded."""
    with _instance(folder) as instance:
        return sorted(run.tags["dagster/partition"] for run in instance.get_runs())


class System:
    """A raw bucket on SeaweedFS with an object per message, and queues on moto's server."""

    def __init__(self, home: Path, s3: str, moto: str, messages: int, days: int) -> None:
        self.home, self.messages = home, messages
        self.days = [(LAST_DAY - timedelta(days=number)).isoformat() for number in range(days)]
        self.env = {
            **KEYS,
            "AWS_REGION": "us-east-1",
            "VITALAKE_HOME": str(home),
            "VITALAKE_S3_ENDPOINT": s3,
            "VITALAKE_RAW_BUCKET": "raw",
            "VITALAKE_QUEUE_ENDPOINT": moto,
            "VITALAKE_PSEUDONYM_KEY": "a key for benchmarks, long enough",
        }
        self.settings = self._settings({})
        boto3.client(
            "s3",
            endpoint_url=s3,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        ).create_bucket(Bucket="raw")
        raw = ObjectStore(self.settings, "raw")
        self._keys = [f"ecg/date={self.days[number % days]}/{number:06}" for number in range(messages)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: raw.put(key, b"x", expected=None), self._keys))

    def _settings(self, more: dict[str, str]) -> Settings:
        os.environ.update(self.env | more)
        return load_settings(self.home)

    def full_queue(self, hidden_s: int = 300) -> Settings:
        """Settings for a new queue that holds a message for each object."""
        client = NotificationQueue(self.settings, "")._client
        url = client.create_queue(QueueName=f"q{uuid.uuid4().hex[:8]}")["QueueUrl"]
        settings = self._settings({"VITALAKE_QUEUE_URL": url, "VITALAKE_QUEUE_HIDDEN_SECONDS": str(hidden_s)})
        stamp = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for start in range(0, self.messages, 10):
            bodies = [_body(key, stamp) for key in self._keys[start : start + 10]]
            entries: Any = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
            client.send_message_batch(QueueUrl=url, Entries=entries)
        return settings


def _body(key: str, stamp: str) -> str:
    s3 = {"bucket": {"name": "raw"}, "object": {"key": key, "size": 1}}
    return json.dumps({"Records": [{"eventTime": stamp, "eventName": "ObjectCreated:Put", "s3": s3}]})


@contextmanager
def _system(messages: int, days: int) -> Iterator[System]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "s3").mkdir()
        with s3_server(folder / "s3") as s3, moto_server(folder) as moto:
            yield System(folder / "home", s3, moto, messages, days)


def floor_s(system: System) -> float:
    """Seconds to receive and delete all messages and do nothing about them."""
    settings = system.full_queue()
    queue, count = NotificationQueue(settings, str(settings.queue_url)), 0
    started = time.perf_counter()
    while count < system.messages:
        some = queue.receive(2000, 60)
        count += len(some)
        queue.delete([message.receipt for message in some], 60)
    return time.perf_counter() - started


def drain_s(system: System, folder: Path) -> tuple[float, float, int]:
    """Seconds, our own CPU seconds and ticks from a full queue to an empty one, every run recorded."""
    worker = Worker(system.full_queue(), folder)
    with _instance(folder) as instance:
        started, cpu = time.perf_counter(), time.process_time()
        ticks = worker.drain(instance)
        return time.perf_counter() - started, time.process_time() - cpu, ticks


def killed(system: System, folder: Path) -> list[int]:
    """Drain with two processes that are killed and one that is not; how many messages each dead one had in hand."""
    settings = system.full_queue(HIDDEN_S)
    queue, cursor = NotificationQueue(settings, str(settings.queue_url)), folder / "cursor"

    def in_hand() -> int:
        return queue.depth().in_hand

    def until(true: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
        while not true():
            if process.poll() is not None:
                raise RuntimeError("the process ended before it could be killed")
            time.sleep(0.02)

    def middle_of_a_tick() -> bool:
        return in_hand() >= system.messages // 20

    def recorded_and_not_deleted() -> bool:
        return cursor.exists()

    lost = []
    for ready in (middle_of_a_tick, recorded_and_not_deleted):
        process = _start(folder)
        try:
            until(ready, process)
        finally:
            process.kill()
            process.wait()
        lost.append(in_hand())
        if ready is middle_of_a_tick and cursor.exists():
            raise RuntimeError("the first tick was over before it could be killed")
    process = _start(folder)
    try:
        if process.wait(timeout=_GIVE_UP_S):
            raise RuntimeError("the last process failed")
    finally:
        process.kill()
    return lost


def _start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "benchmarks.queue", "--drain", str(folder)])


def _after_kills(system: System, folder: Path) -> int:
    in_hand = killed(system, folder)
    print(f"  killed with {in_hand[0]} messages in hand, then with {in_hand[1]}")
    asked = requested(folder)
    lost, twice = len(set(system.days) - set(asked)), len(asked) - len(set(asked))
    return report(
        [
            line("queue_partitions_lost", lost, "partitions", most=0),
            line("queue_partitions_twice", twice, "partitions", most=0),
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--no-kills", action="store_true", help="nobody is killed: with few messages nobody can be")
    parser.add_argument("--drain", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.drain:
        with _instance(options.drain) as instance:
            Worker(load_settings(), options.drain).drain(instance)
        return 0
    with _system(options.messages, options.days) as system, tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / each for each in ("drained", "killed")]
        for folder in folders:
            folder.mkdir()
        expected = sorted(system.days)
        floor = floor_s(system)
        report([line("queue_floor", floor, "s")])
        seconds, cpu_s, ticks = drain_s(system, folders[0])
        if requested(folders[0]) != expected:
            raise AssertionError("other partitions were requested than named, or one of them twice")
        print(f"  {options.messages} messages, {ticks} ticks, a run for each of {len(expected)} partitions")
        missed = report(
            [
                line("queue_drain", seconds, "s", most=TARGET_S),
                line("queue_drain_cpu", cpu_s, "s CPU"),
                line("queue_drain_to_floor", seconds / floor, "ratio"),
            ]
        )
        return missed if options.no_kills else missed | _after_kills(system, folders[1])


if __name__ == "__main__":
    sys.exit(main())
