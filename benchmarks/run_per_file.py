"""Recordings a second beside a pipeline with one run for every file.

The whole system runs in a folder of its own, with the peer's asset and sensor (`benchmarks/peers/run_per_file.py`).
First the peer gets a few files, then ours a day of them, so neither waits for the other. Everything is uploaded
while the sensors are stopped, and the clock runs from their start to the last row. Another day of ours is measured
from the first upload, as it comes, where this machine is the uploading one too.

    python -m benchmarks.run_per_file [--files 20] [--recordings 10000]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus

from benchmarks.day import fill, line
from cli.local import local_system
from resources.lake import connect
from resources.object_store import ObjectStore
from resources.settings import Settings, load_settings

MODULE = "benchmarks.peers.run_per_file"
PREFIX = "one_by_one/"  # as it is called there: importing it would load the product's settings
TIMES = 500.0
_PATIENCE_S = 600.0


def main() -> int:
    """1 if the target is missed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--files", type=int, default=20)
    arguments.add_argument("--recordings", type=int, default=10_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, local_system(Path(folder), print, module=MODULE) as system:
        from cli.up import publish_empty

        os.environ["DAGSTER_HOME"] = str(system.home / "dagster")
        settings = load_settings(system.home)
        publish_empty(settings)
        raw = ObjectStore(settings, settings.raw_bucket)
        with DagsterInstance.get() as instance:
            theirs = given.files / _one_by_one(raw, instance, given.files)
            ours = given.recordings / _a_day(settings, raw, instance, given.recordings)
        with_uploads = given.recordings / _as_it_comes(settings, raw, given.recordings)
    ratio = line("run_per_file_times", ours / theirs, "× the recordings/s", least=TIMES)
    for each in (
        line("run_per_file_peer", theirs, "recordings/s", recordings=given.files),
        line("run_per_file_ours", ours, "recordings/s", recordings=given.recordings),
        line("run_per_file_with_uploads", with_uploads, "recordings/s, from the first upload"),
        line("run_per_file_with_uploads_times", with_uploads / theirs, "× the recordings/s"),
        ratio,
    ):
        print(json.dumps(each, ensure_ascii=False), flush=True)
    return 0 if ratio["ok"] else 1


def _one_by_one(raw: ObjectStore, instance: DagsterInstance, count: int) -> float:
    fill(raw, "2026-01-01", 0, count)  # somewhere to copy from; the sweep builds it while nobody measures
    files = [data for _, data in raw.get_many(raw.objects("ecg/")) if data is not None]
    _when(lambda: _ended(instance, "ecg_job") >= 1)
    stopped = _stop_sensors(instance)
    for number, data in enumerate(files):
        raw.put(f"{PREFIX}{number:04d}.mat", data, expected=None)
    started = time.monotonic()
    _start_sensors(instance, stopped)
    _when(lambda: _ended(instance, "one_by_one_job") == count)
    return time.monotonic() - started


def _stop_sensors(instance: DagsterInstance) -> list[InstigatorState]:
    running = [state for state in instance.all_instigator_state() if state.status is not InstigatorStatus.STOPPED]
    for state in running:
        instance.update_instigator_state(state.with_status(InstigatorStatus.STOPPED))
    time.sleep(2)  # a tick that was under way
    return running


def _start_sensors(instance: DagsterInstance, stopped: list[InstigatorState]) -> None:
    for state in stopped:
        instance.update_instigator_state(state)


def _ended(instance: DagsterInstance, job: str) -> int:
    return instance.get_runs_count(RunsFilter(job_name=job, statuses=[DagsterRunStatus.SUCCESS]))


def _a_day(settings: Settings, raw: ObjectStore, instance: DagsterInstance, count: int) -> float:
    yesterday = (datetime.now(timezone.utc).date() - timedelta(days=1)).isoformat()
    stopped = _stop_sensors(instance)
    fill(raw, yesterday, 0, count)
    started = time.monotonic()
    _start_sensors(instance, stopped)
    _when(lambda: _rows(settings, yesterday) == count)
    return time.monotonic() - started


def _as_it_comes(settings: Settings, raw: ObjectStore, count: int) -> float:
    today = datetime.now(timezone.utc).date().isoformat()
    started = time.monotonic()
    fill(raw, today, 0, count)
    _when(lambda: _rows(settings, today) == count)
    return time.monotonic() - started


def _rows(settings: Settings, day: str) -> int:
    with connect(settings) as connection:
        query = "SELECT count(*) FROM ecg_features WHERE date = ?"
        [found] = connection.execute(query, [day]).fetchone() or (0,)
    return int(found)


def _when(done: Callable[[], bool]) -> None:
    started = time.monotonic()
    while not done():
        if time.monotonic() - started > _PATIENCE_S:
            raise TimeoutError(f"not seen within {_PATIENCE_S:.0f} s")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
