"""Recordings a second beside a pipeline with one run for every file.

The whole system runs in a folder of its own, with the peer's asset and sensor (`benchmarks/peers/run_per_file.py`).
First the peer gets a few files, then ours a day of them, so neither waits for the other. Everything is uploaded
while the sensors are stopped, and the clock runs from their start to the last row. The peer's last table is that of
windows. Ours is timed until it has the same, and on until beats and features are derived, which the peer never
does: the target is on that longer time. Another day of ours is measured from the first upload, as it comes, where
this machine is the uploading one too. Before any of it is shown, every column of the peer's rows is compared with
ours, but for those that say which object a row came from.

    python -m benchmarks.run_per_file [--files 20] [--recordings 10000]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus

from benchmarks.day import contents, fill
from benchmarks.figures import line, options, report
from benchmarks.peers.agree import agree
from cli.services.local_system import local_system
from resources.build import lake_store
from resources.catalog import connect
from resources.object_store import ObjectStore
from resources.settings import Settings, load_settings
from vitalake.datasets.ecg import ECG
from vitalake.ecg.tables import FEATURES
from vitalake.lake import parquet
from vitalake.lake.stages import load_table
from vitalake.lake.tables import Table

MODULE = "benchmarks.peers.run_per_file"
PREFIX = "one_by_one/"  # as it is called there: importing it would load the product's settings
TABLES = ECG.tables  # the peer's, in the order in which both write them
TIMES = 500.0
_OF_OBJECT = {
    *("recording_id", "source_key", "source_version", "uploaded_at"),
    *("record", "fragment", "warnings", "warning_texts"),  # also from the name
}
_PATIENCE_S = 600.0


def main() -> int:
    """1 if the target is missed."""
    arguments = options(__doc__)
    arguments.add_argument("--files", type=int, default=20)
    arguments.add_argument("--recordings", type=int, default=10_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, local_system(Path(folder), print, module=MODULE) as system:
        from cli.up import publish_empty

        os.environ["DAGSTER_HOME"] = str(system.home / "dagster")
        settings = load_settings(system.home)
        publish_empty(settings)
        raw = ObjectStore(settings, settings.raw_bucket)
        lake = lake_store(settings)
        with DagsterInstance.get() as instance:
            theirs = given.files / _one_by_one(raw, lake, instance, given.files)
            same_s, derived_s = _a_day(settings, raw, instance, given.recordings)
        _compare(lake, min(given.files, given.recordings))
        with_uploads = given.recordings / _as_it_comes(settings, raw, given.recordings)
    same_tables, ours = given.recordings / same_s, given.recordings / derived_s
    return report(
        [
            line("run_per_file_peer", theirs, "recordings/s", recordings=given.files),
            line("run_per_file_same_tables", same_tables, "recordings/s, until ours has the peer's tables"),
            line("run_per_file_same_tables_times", same_tables / theirs, "× the recordings/s"),
            line("run_per_file_ours", ours, "recordings/s, beats and features too", recordings=given.recordings),
            line("run_per_file_with_uploads", with_uploads, "recordings/s, from the first upload"),
            line("run_per_file_with_uploads_times", with_uploads / theirs, "× the recordings/s"),
            line("run_per_file_times", ours / theirs, "× the recordings/s", least=TIMES),
        ]
    )


def _one_by_one(raw: ObjectStore, lake: ObjectStore, instance: DagsterInstance, count: int) -> float:
    fill(raw, "2026-01-01", 0, count)  # what is done once, on any system: nobody measures it
    _when(lambda: _ended(instance, "ecg_job") >= 1)
    stopped = _stop_sensors(instance)
    for number, data in enumerate(contents(count)):
        raw.put(f"{PREFIX}{number:04d}.mat", data, expected=None)
    started = time.monotonic()
    _start_sensors(instance, stopped)
    _when(lambda: len(lake.objects(f"{PREFIX}{TABLES[-1].name}/")) == count)
    took_s = time.monotonic() - started
    _when(lambda: _ended(instance, "one_by_one_job") == count)
    return took_s


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


def _a_day(settings: Settings, raw: ObjectStore, instance: DagsterInstance, count: int) -> tuple[float, float]:
    """Seconds until ours has the peer's tables, and until it has what is derived from them."""
    day = _yesterday()
    stopped = _stop_sensors(instance)
    fill(raw, day, 0, count)
    started = time.monotonic()
    _start_sensors(instance, stopped)
    _when(lambda: _rows(settings, day, TABLES[-1]) == count)  # each part's last: a strip of 10 s is one window
    same_s = time.monotonic() - started
    _when(lambda: _rows(settings, day) == count)
    return same_s, time.monotonic() - started


def _yesterday() -> str:
    return (datetime.now(timezone.utc).date() - timedelta(days=1)).isoformat()


def _compare(lake: ObjectStore, count: int) -> None:
    """The first files of both are the same; keys name them apart, and both number them."""
    keys = [f"{PREFIX}{number:04d}.mat" for number in range(count)]
    for table in TABLES:
        ours = load_table(lake, table, _yesterday())
        theirs = [parquet.decode(lake.get(f"{PREFIX}{table.name}/{key}.parquet")) for key in keys]
        within = dict.fromkeys(set(table.names) - _OF_OBJECT, 1e-9)
        agree(table.name, _numbered(ours, count), _numbered(pa.concat_tables(theirs), count), within)


def _numbered(rows: pa.Table, count: int) -> dict[str, dict[str, Any]]:
    """The rows of the first files, by the number in their key; a strip of 10 s has one row in each table."""
    numbers = [int(Path(key).stem) for key in rows.column("source_key").to_pylist()]
    chosen = rows.filter(pa.array([number < count for number in numbers])).to_pylist()
    assert len(chosen) == count
    return {str(int(Path(row["source_key"]).stem)): row for row in chosen}


def _as_it_comes(settings: Settings, raw: ObjectStore, count: int) -> float:
    today = datetime.now(timezone.utc).date().isoformat()
    started = time.monotonic()
    fill(raw, today, 0, count)
    _when(lambda: _rows(settings, today) == count)
    return time.monotonic() - started


def _rows(settings: Settings, day: str, table: Table = FEATURES) -> int:
    with connect(settings) as connection:
        query = f"SELECT count(*) FROM {table.name} WHERE date = ?"  # noqa: S608
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
