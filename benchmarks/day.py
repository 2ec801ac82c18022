"""A day of recordings on a real S3 server, and what a run does with it: shared by the benchmarks of scale.

Belongs here: filling a bucket, building a day as a run does, and measuring a piece of work with all its processes.
Does not belong here: figures or targets.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import psutil
from pydantic import SecretStr

from cli.demo.recordings import matlab_v4, stored, strip_mv
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.s3_server import KEYS, s3_server
from vitalake.datasets.ecg import ECG
from vitalake.lake.dataset import Dataset
from vitalake.lake.reading import read_objects
from vitalake.lake.reconcile import Report
from vitalake.lake.stages import derive, list_objects
from vitalake.pseudonyms import Pseudonyms

DAY = "2026-11-20"
FIRST_DAY = date(2015, 1, 1)
_DIFFERENT = 1000
_SAMPLE_S = 0.05
_WORKERS = ("loky", "limited_child", "benchmarks.one_run")  # in their command lines


@dataclass(frozen=True)
class Bench:
    """Two buckets on a server of this benchmark's own."""

    settings: Settings
    raw: ObjectStore
    lake: ObjectStore

    def client(self) -> Any:
        """boto3, as others use it."""
        return boto3.client(
            "s3",
            endpoint_url=self.settings.s3_endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )


@contextmanager
def bench_buckets() -> Iterator[Bench]:
    """An S3 server with an empty raw bucket and an empty lake."""
    with tempfile.TemporaryDirectory() as folder, s3_server(Path(folder)) as endpoint:
        settings = Settings(
            s3_endpoint=endpoint,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=SecretStr(KEYS["AWS_SECRET_ACCESS_KEY"]),
            raw_bucket="bench-raw",
            lake_bucket="bench-lake",
            restricted_bucket="bench-restricted",
            pseudonym_key=SecretStr("a key for benchmarks only"),
        )
        bench = Bench(
            settings, ObjectStore(settings, settings.raw_bucket), ObjectStore(settings, settings.lake_bucket)
        )
        for bucket in (settings.raw_bucket, settings.lake_bucket, settings.restricted_bucket):
            bench.client().create_bucket(Bucket=bucket)
        yield bench


def prefix(day: str) -> str:
    """Where the recordings of a day are."""
    return f"ecg/date={day}/"


def contents(count: int) -> list[bytes]:
    """So many different strips, 10 s of one lead each, as devices store them; the same ones every time."""
    rng = np.random.default_rng(1)
    return [matlab_v4(stored(strip_mv("clean", rng))) for _ in range(count)]


def fill(raw: ObjectStore, day: str, first: int, count: int) -> None:
    """So many recordings more: a thousand different strips, again and again under other keys."""
    files = contents(min(count, _DIFFERENT))
    keys = [f"{prefix(day)}{number:07d}.mat" for number in range(first, first + count)]
    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(lambda n: raw.put(keys[n], files[n % len(files)], expected=None), range(count)):
            pass


def build(bench: Bench, day: str, dataset: Dataset = ECG, processes: int | None = None) -> list[Report]:
    """What a run does, without Dagster: manifest, tables with every check of a file, derived tables."""
    key = bench.settings.pseudonym_key
    pseudonyms = Pseudonyms(key.get_secret_value().encode() if key else b"")
    return [
        list_objects(dataset, bench.raw, bench.lake, day, FIRST_DAY, quiet),
        read_objects(dataset, bench.raw, bench.lake, day, pseudonyms, quiet, quiet, processes),
        *(derive(dataset, each, bench.lake, day, quiet, processes) for each in dataset.derived),
    ]


def quiet(*_: object) -> None:
    """Says nothing."""


@dataclass(frozen=True)
class Cost:
    """What a piece of work took: seconds on the clock and of processors, and the most memory at once, in bytes.

    Processor time and memory are those of this process and its workers, libraries that they share counted in each;
    the time that measuring itself takes is not in it. `machine_s` is the processor time of the whole machine
    meanwhile: the S3 server's is in it.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    machine_s: float


def cost(work: Callable[[], object], *, own_memory: bool = True) -> Cost:
    """Do it, and measure it with every process that it starts.

    Workers of whatever was done before are ended first: a run in production starts its own, so starting them is in
    the time of who needs them. Without `own_memory` the peak is that of the workers alone: this process just waits.
    """
    _end_workers()
    process = psutil.Process()
    peak, watching_s, ended = 0, 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak, watching_s
        while not ended.wait(_SAMPLE_S):
            peak = max(peak, _memory(process, own_memory))
        watching_s = time.thread_time()

    cpu, machine, wall = _cpu(process), _machine(), time.perf_counter()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        wall = time.perf_counter() - wall
        ended.set()
        watcher.join()
    return Cost(wall, _cpu(process) - cpu - watching_s, peak, _machine() - machine - watching_s)


def _end_workers() -> None:
    from loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True)


def _workers(process: psutil.Process) -> list[psutil.Process]:
    """Those of its children that work for it; the servers that it started are everybody's."""
    return [each for each in process.children(recursive=True) if _is_worker(each)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any(name in part for part in process.cmdline() for name in _WORKERS)
    except psutil.NoSuchProcess:
        return False


def _cpu(process: psutil.Process) -> float:
    total = 0.0
    for each in (process, *_workers(process)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # Of children that have ended as well: a run in a process of its own is one by now.
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _machine() -> float:
    times = psutil.cpu_times()
    return times.user + times.system + times.nice + getattr(times, "softirq", 0.0)


def _memory(process: psutil.Process, own: bool) -> int:
    total = 0
    for each in ([process] if own else []) + _workers(process):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
