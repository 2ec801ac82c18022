"""A day of recordings from listed objects to committed Parquet, beside a floor and those who do it otherwise.

Same S3 server, same objects, one run. `of_floor` is ours with every check; `same_work` is our mechanism with the
floor's own measures; `handler` is a function that gets one object at a time (`benchmarks/peers/handler.py`); `loop`
is a notebook's loop over wfdb and NeuroKit2 (`benchmarks/peers/loop.py`).

    python -m benchmarks.throughput [--recordings 10000] [--handled 300]
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np

from benchmarks.day import DAY, Bench, Cost, bench_buckets, build, cost, fill, line, prefix
from benchmarks.peers.floor import FLOOR, floor
from benchmarks.peers.handler import handle_all, message, poll_and_handle
from benchmarks.peers.loop import loop_ms
from tests.moto_server import moto_server
from tests.s3_server import KEYS
from vitalake import parquet
from vitalake.arrivals import ObjectInfo
from vitalake.datasets.ecg import ECG
from vitalake.stages import load_table

OF_FLOOR = 0.5
OF_FLOOR_SAME_WORK = 0.8
OVER_HANDLER = 10.0


def main() -> int:
    """1 if a ratio misses its target."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--recordings", type=int, default=10_000)
    arguments.add_argument("--handled", type=int, default=300, help="objects that the slow ones get")
    given = arguments.parse_args()
    logging.disable(logging.WARNING)
    with bench_buckets() as bench:
        lines = list(_figures(bench, given.recordings, given.handled))
    return 0 if all(each["ok"] for each in lines) else 1


def _figures(bench: Bench, count: int, few: int) -> Iterator[dict[str, Any]]:
    fill(bench.raw, DAY, 0, count)
    items = bench.raw.objects(prefix(DAY))
    assert len(items) == count
    least = cost(lambda: floor(bench.raw, bench.lake, items))
    same = cost(lambda: build(bench, DAY, FLOOR))
    _compare(bench, items)
    ours = cost(lambda: build(bench, DAY))
    assert load_table(bench.lake, ECG.tables[0], DAY, ["source_key"]).num_rows == count
    handled = items[:few]
    s3, raw, target = bench.client(), bench.settings.raw_bucket, bench.settings.lake_bucket
    handler = cost(lambda: handle_all(raw, handled, s3, target))
    polled = _polled(bench, handled)

    def show(name: str, spent: Cost, n: int) -> Iterator[dict[str, Any]]:
        yield line(f"throughput_{name}", spent.wall_s / n * 1e3, "ms a recording", recordings=n)
        yield line(f"throughput_{name}_cpu", spent.cpu_s / n * 1e3, "ms CPU a recording", recordings=n)

    def all_lines() -> Iterator[dict[str, Any]]:
        for name, spent, n in (
            ("floor", least, count),
            ("same_work", same, count),
            ("ours", ours, count),
            ("handler", handler, few),
            ("handler_polling", polled, few),
        ):
            yield from show(name, spent, n)
        speed = "× the floor's recordings/s"
        yield line("throughput_of_floor", least.wall_s / ours.wall_s, speed, least=OF_FLOOR)
        yield line("throughput_of_floor_same_work", least.wall_s / same.wall_s, speed, least=OF_FLOOR_SAME_WORK)
        yield line("throughput_cores_ours", ours.cpu_s / ours.wall_s, "cores busy with ours")
        yield line("throughput_cores_all", ours.machine_s / ours.wall_s, "cores busy, the S3 server among them")
        per_object = ours.cpu_s / count
        handled_s, polled_s = handler.cpu_s / few, polled.cpu_s / few
        yield line("throughput_handler_over_floor", handled_s * count / least.cpu_s, "× the floor's CPU")
        yield line("throughput_handler_over_ours", handled_s / per_object, "× our CPU")
        name, ratio = "throughput_handler_polling_over_ours", polled_s / per_object
        yield line(name, ratio, "× our CPU", least=OVER_HANDLER)
        loop = loop_ms([data for _, data in bench.raw.get_many(handled[:50]) if data])
        if loop is None:
            print("the notebook's loop is left out: `make bench` makes its environment, .venv-bench")
        else:
            yield line("throughput_loop_cpu", loop, "ms CPU a recording, measures only")
            yield line("throughput_loop_over_ours", loop / per_object / 1e3, "× our CPU")

    for each in all_lines():
        print(json.dumps(each, ensure_ascii=False), flush=True)
        yield each


def _compare(bench: Bench, items: list[ObjectInfo]) -> None:
    """Our mechanism wrote what the floor did: the same keys with the same numbers and samples."""
    rows: dict[str, dict[str, Any]] = {}
    for item in bench.lake.objects("floor/"):
        table = parquet.decode(bench.lake.get(item.key))
        rows |= {row["key"]: row for row in table.to_pylist()}
    assert rows.keys() == {item.key for item in items}
    ours = load_table(bench.lake, FLOOR.tables[0], DAY).to_pylist()
    assert len(ours) == len(rows)
    for row in ours[:: max(1, len(ours) // 500)]:
        theirs = rows[row["key"]]
        assert row["samples"] == theirs["samples"]
        assert np.allclose(
            [row[name] for name in theirs if name not in ("key", "samples")],
            [theirs[name] for name in theirs if name not in ("key", "samples")],
        )


def _polled(bench: Bench, items: list[ObjectInfo]) -> Cost:
    with tempfile.TemporaryDirectory() as folder, moto_server(Path(folder)) as endpoint:
        sqs = boto3.client(
            "sqs",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )
        queue_url = sqs.create_queue(QueueName="handler")["QueueUrl"]
        for item in items:
            sqs.send_message(QueueUrl=queue_url, MessageBody=message(bench.settings.raw_bucket, item))
        handled = 0

        def work() -> None:
            nonlocal handled
            handled = poll_and_handle(sqs, queue_url, bench.client(), bench.settings.lake_bucket)

        spent = cost(work)
        assert handled == len(items)
        return spent


if __name__ == "__main__":
    raise SystemExit(main())
