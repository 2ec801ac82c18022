"""From an upload by somebody else's client to the row in SQL, beside the emptiest run that Dagster can make of one.

Starts the whole system in a folder of its own with one more asset and sensor (`benchmarks/latency_definitions.py`).
Recordings and objects for the empty peer are put in turn, each as long after a look of the sensors as the other and
never while a run is under way, so both meet the same machine. Prints the ratio of the two, and where the seconds of
ours went by Dagster's own event log.

    python -m benchmarks.latency [--uploads 10] [--home FOLDER of a system running with the benchmark's definitions]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import numpy as np
from dagster import DagsterEventType, DagsterInstance, DagsterRun, RunsFilter
from rich.console import Console
from rich.table import Table

from benchmarks.figures import line, report
from benchmarks.latency_steps import Span, spans, ticks, under_way
from cli.demo.recordings import demo_files
from cli.environment import read_env
from cli.services.local_system import local_system
from resources.catalog import connect
from resources.settings import load_settings

if TYPE_CHECKING:
    import duckdb
    from types_boto3_s3 import S3Client

MODULE = "benchmarks.latency_definitions"
_PEER = "empty_peer"  # as it is called there: importing it would load the product's settings
_SENSOR = f"{_PEER}_drops"
MEDIAN_TARGET, SLOWEST_TARGET = 1.3, 2.0
_LOOK_EVERY_S, _POLL_S, _PATIENCE_S = 5.0, 0.1, 120.0


class Bench:
    """A running system with the benchmark's definitions, and a client that knows nothing of it but its bucket."""

    def __init__(self, home: Path, instance: DagsterInstance) -> None:
        env, settings = read_env(home / "env"), load_settings(home)
        self._bucket, self._instance = settings.raw_bucket, instance
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=env["AWS_ENDPOINT_URL"],
            region_name=env["AWS_REGION"],
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        )
        self._settings = settings

    def ours(self, data: bytes, offset_s: float) -> tuple[float, list[Span]]:
        """Seconds from a put of a recording to its row, and where they went until the run's end."""
        key, started = self._put("ecg/bench/", data, offset_s)
        with connect(self._settings) as connection:
            seen = _when(lambda: _in_sql(connection, key))
        _when(lambda: not under_way(self._instance))
        [run] = self._instance.get_runs(RunsFilter(job_name="ecg_job"), limit=1)
        return seen - started, spans(self._instance, run, started, seen)

    def empty(self, data: bytes, offset_s: float) -> float:
        """Seconds from a put to the materialization of an asset that does nothing."""
        key, started = self._put(f"{_PEER}/", data, offset_s)
        return _when(lambda: self._materialized(key)) - started

    def _put(self, prefix: str, data: bytes, offset_s: float) -> tuple[str, float]:
        """Put an object `offset_s` after a look of the sensors, on a system that has nothing to do."""
        _when(lambda: not under_way(self._instance))
        now = time.time()
        _when(lambda: bool(ticks(self._instance, _SENSOR, now)))
        time.sleep(max(0.0, ticks(self._instance, _SENSOR, now)[-1].timestamp + offset_s - time.time()))
        key = f"{prefix}{time.time_ns()}.mat"
        started = time.time()
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data)
        return key, started

    def _materialized(self, key: str) -> bool:
        runs: Sequence[DagsterRun] = self._instance.get_runs(RunsFilter(tags={"dagster/run_key": key}), limit=1)
        wanted = DagsterEventType.ASSET_MATERIALIZATION
        return any(self._instance.get_records_for_run(run.run_id, of_type=wanted).records for run in runs)


def measure(home: Path, uploads: int) -> tuple[list[float], list[float], list[list[Span]]]:
    """Seconds from put to row, from put to the empty asset's materialization, and where each of ours went."""
    os.environ["DAGSTER_HOME"] = str(home / "dagster")
    files = [file.data for file in demo_files(datetime.now(timezone.utc).date(), days=1) if file.kind == "clean"]
    ours: list[float] = []
    empty: list[float] = []
    steps: list[list[Span]] = []
    with DagsterInstance.get() as instance:
        bench = Bench(home, instance)
        bench.ours(files[-1], 0)  # makes the day's first parts; does not count
        for number in range(uploads):
            offset_s = _LOOK_EVERY_S * (number + 0.5) / uploads
            data = files[number % len(files)]
            wait_s, where = bench.ours(data, offset_s)
            ours.append(wait_s)
            steps.append(where)
            empty.append(bench.empty(data, offset_s))
            print(f"  {number + 1}: {ours[-1]:.1f} s, the empty run {empty[-1]:.1f} s", flush=True)
    return ours, empty, steps


def _in_sql(connection: duckdb.DuckDBPyConnection, key: str) -> bool:
    query = "SELECT count(*) FROM ecg_recordings WHERE date >= current_date - 1 AND source_key = ?"
    return bool((connection.execute(query, [key]).fetchone() or (0,))[0])


def _when(done: Callable[[], bool]) -> float:
    """The time (seconds since 1970) at which it is so."""
    started = time.time()
    while not done():
        if time.time() - started > _PATIENCE_S:
            raise TimeoutError(f"not seen within {_PATIENCE_S:.0f} s")
        time.sleep(_POLL_S)
    return time.time()


def figures(ours: Sequence[float], empty: Sequence[float]) -> list[tuple[str, float, str, float | None]]:
    """Name, value, unit and target of each figure; the slowest of ours is held against the median of the other."""
    median, peer = statistics.median(ours), statistics.median(empty)
    return [
        ("upload_to_sql_median", median, "s", None),
        ("upload_to_sql_p95", float(np.percentile(ours, 95)), "s", None),
        ("upload_to_sql_slowest", max(ours), "s", None),
        ("empty_run_median", peer, "s", None),
        ("empty_run_p95", float(np.percentile(empty, 95)), "s", None),
        ("upload_to_sql_over_empty_run", median / peer, "×", MEDIAN_TARGET),
        ("upload_to_sql_slowest_over_empty_run", max(ours) / peer, "×", SLOWEST_TARGET),
    ]


def show_steps(steps: Sequence[Sequence[Span]]) -> None:
    """Medians of every stretch of the way, as JSON lines and as a table."""
    table = Table("until …", "seconds", "since the upload", title="Where the time goes (medians, s)")
    for name in dict.fromkeys(span.name for way in steps for span in way):
        here = [span for way in steps for span in way if span.name == name]
        took = statistics.median(span.end_s - span.start_s for span in here)
        done = statistics.median(span.end_s for span in here)
        table.add_row(name, f"{took:.2f}", f"{done:.2f}")
        report([line(f"upload_to_sql, until {name}", took, "s")])
    Console().print(table)


def main() -> int:
    """Measure, on a running system or on one of our own; 1 if a target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--uploads", type=int, default=10)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    if options.home:
        ours, empty, steps = measure(options.home, options.uploads)
    else:
        with tempfile.TemporaryDirectory() as folder, local_system(Path(folder), print, module=MODULE) as system:
            from cli.up import publish_empty

            publish_empty(load_settings(system.home))
            ours, empty, steps = measure(system.home, options.uploads)
    show_steps(steps)
    return report(line(name, value, unit, most=target) for name, value, unit, target in figures(ours, empty))


if __name__ == "__main__":
    sys.exit(main())
