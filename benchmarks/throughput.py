"""A day of recordings from listed objects to committed Parquet, beside a floor and a Lambda-style handler.

Same S3 server, same objects, one run. The floor is a straight line: concurrent gets, the plainest parse, one
spectrum and cheap statistics, one Parquet put a thousand. The handler does what one message of the source pipeline
does: boto3, loadmat, pandas, a Parquet object each, no checks.

    python -m benchmarks.throughput [--recordings 10000] [--handled 300]
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io
from pydantic import SecretStr

from cli.demo_data import matlab_v4, stored, strip_mv
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.s3_server import KEYS, s3_server
from vitalake.arrivals import ObjectInfo
from vitalake.datasets.ecg import ECG
from vitalake.pseudonyms import Pseudonyms
from vitalake.stages import derive, list_objects, load_table, read_objects

DAY = "2026-11-20"
FIRST_DAY = date(2015, 1, 1)
PREFIX = f"ecg/date={DAY}/"
OF_FLOOR = 0.5
OVER_HANDLER = 10.0
HEADER_BYTES = 24  # of a MATLAB v4 file with one variable called val


def main() -> int:
    """1 if a ratio misses its target."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--recordings", type=int, default=10_000)
    arguments.add_argument("--handled", type=int, default=300, help="objects that the slow handler gets")
    given = arguments.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, s3_server(Path(folder)) as endpoint:
        settings = _settings(endpoint)
        raw, lake = (ObjectStore(settings, bucket) for bucket in (settings.raw_bucket, settings.lake_bucket))
        _fill(raw, given.recordings)
        items = raw.objects(PREFIX)
        assert len(items) == given.recordings
        floor = _timed(lambda: _floor(raw, lake, items), len(items))
        ours = _timed(lambda: _build(raw, lake), len(items))
        assert load_table(lake, ECG.tables[0], DAY, ["source_key"]).num_rows == given.recordings
        again = _timed(lambda: _build(raw, lake), len(items))
        listing = _timed(lambda: raw.objects(PREFIX), len(items))
        handled = items[: given.handled]
        handler = _timed(lambda: _handle(settings, handled), len(handled))
    n = given.recordings
    lines = [
        _line("throughput_floor", floor["wall_ms"], "ms a recording", None, n),
        _line("throughput_floor_cpu", floor["cpu_ms"], "ms CPU a recording", None, n),
        _line("throughput_ours", ours["wall_ms"], "ms a recording", None, n),
        _line("throughput_ours_cpu", ours["cpu_ms"], "ms CPU a recording", None, n),
        _line("throughput_of_floor", floor["wall_ms"] / ours["wall_ms"], "× the floor's recordings/s", OF_FLOOR, n),
        _line("throughput_handler_cpu", handler["cpu_ms"], "ms CPU a recording", None, len(handled)),
        _line(
            "throughput_handler_over_ours",
            handler["cpu_ms"] / ours["cpu_ms"],
            "× our CPU",
            OVER_HANDLER,
            len(handled),
        ),
        _line("throughput_listing", listing["wall_ms"] * n / 1e3, "s", None, n),
        _line("throughput_unchanged", again["wall_ms"] * n / 1e3, "s", None, n),
        _line("throughput_peak_rss", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, "MB", None, n),
    ]
    for line in lines:
        print(json.dumps(line, ensure_ascii=False), flush=True)
    return 0 if all(line["ok"] for line in lines) else 1


def _settings(endpoint: str) -> Settings:
    settings = Settings(
        s3_endpoint=endpoint,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=SecretStr(KEYS["AWS_SECRET_ACCESS_KEY"]),
        raw_bucket="bench-raw",
        lake_bucket="bench-lake",
    )
    for bucket in (settings.raw_bucket, settings.lake_bucket):
        _client(settings).create_bucket(Bucket=bucket)
    return settings


def _client(settings: Settings) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )


def _fill(raw: ObjectStore, count: int) -> None:
    """A thousand different strips, again and again under other keys."""
    rng = np.random.default_rng(1)
    files = [matlab_v4(stored(strip_mv("clean", rng))) for _ in range(min(count, 1000))]
    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(lambda n: raw.put(f"{PREFIX}{n:06d}.mat", files[n % 1000], expected=None), range(count)):
            pass


def _build(raw: ObjectStore, lake: ObjectStore) -> None:
    """What a run does, without Dagster: manifest, tables with every check of a file, derived tables."""
    pseudonyms = Pseudonyms(bytes(32))
    list_objects(ECG, raw, lake, DAY, FIRST_DAY, _quiet)
    read_objects(ECG, raw, lake, DAY, pseudonyms, _quiet, _quiet)
    for derived in ECG.derived:
        derive(ECG, derived, lake, DAY, _quiet)


def _floor(raw: ObjectStore, lake: ObjectStore, items: list[ObjectInfo]) -> None:
    for number, first in enumerate(range(0, len(items), 1000)):
        some = items[first : first + 1000]
        bodies = [data for _item, data in raw.get_many(some) if data is not None]
        x = np.stack([np.frombuffer(data, "<i2", offset=HEADER_BYTES) for data in bodies])
        mv = (x.astype(np.float32) - 1024) / 200
        power = np.abs(np.fft.rfft(mv - mv.mean(axis=1, keepdims=True), axis=1)) ** 2
        table = pa.table(
            {
                "key": [item.key for item in some],
                "samples": list(x.astype(np.int32)),
                "peak_to_peak": np.ptp(mv, axis=1),
                "std": mv.std(axis=1),
                "low": power[:, :10].sum(axis=1) / power.sum(axis=1),
                "high": power[:, 400:].sum(axis=1) / power.sum(axis=1),
            }
        )
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd")
        lake.put(f"floor/part-{number:05d}.parquet", sink.getvalue(), expected=None)


def _handle(settings: Settings, items: list[ObjectInfo]) -> None:
    client = _client(settings)
    for item in items:
        body = client.get_object(Bucket=settings.raw_bucket, Key=item.key)["Body"].read()
        frame = pd.DataFrame(scipy.io.loadmat(io.BytesIO(body))["val"].T, columns=["MLII"]).ffill()
        frame["MLII"] = (frame["MLII"] - frame["MLII"].min()) / (frame["MLII"].max() - frame["MLII"].min())
        sink = io.BytesIO()
        frame.to_parquet(sink)
        client.put_object(Bucket=settings.lake_bucket, Key=f"handled/{item.key}.parquet", Body=sink.getvalue())


def _timed(work: Callable[[], object], count: int) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "wall_ms": (time.perf_counter() - wall) / count * 1e3,
        "cpu_ms": (time.process_time() - cpu) / count * 1e3,
    }


def _line(bench: str, value: float, unit: str, target: float | None, recordings: int) -> dict[str, Any]:
    ok = target is None or value >= target
    return {
        "bench": bench,
        "value": round(value, 3),
        "unit": unit,
        "target": target,
        "ok": ok,
        "recordings": recordings,
    }


def _quiet(*_: object) -> None:
    pass


if __name__ == "__main__":
    raise SystemExit(main())
