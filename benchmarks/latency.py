"""From an upload by somebody else's client to the row in SQL: the time a device's user waits.

Starts the whole system in a folder of its own, puts one recording at a time with boto3 and asks DuckDB until the
row is there. Prints one JSON line for the median and one for the slowest.

    python -m benchmarks.latency [--uploads 10] [--home FOLDER of a running system]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

import boto3
from dotenv import dotenv_values

from cli.demo_data import demo_files
from cli.local import local_system
from resources.lake import connect
from resources.settings import load_settings

TARGET_S = 15.0


def measure(home: Path, uploads: int) -> list[float]:
    """Seconds from put to row, for one upload after the other."""
    settings = load_settings(home)
    env = dotenv_values(home / "env")
    client = boto3.client(
        "s3",
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )
    today = datetime.now(timezone.utc).date()
    recordings = [file.data for file in demo_files(today, days=1) if file.kind == "clean"]
    waits = []
    for number in range(uploads):
        key = f"ecg/bench/{time.time_ns()}.mat"
        started = time.perf_counter()
        client.put_object(Bucket=settings.raw_bucket, Key=key, Body=recordings[number % len(recordings)])
        while True:
            with connect(settings) as connection:
                query = "SELECT count(*) FROM ecg_recordings WHERE source_key = ?"
                [found] = connection.execute(query, [key]).fetchone() or (0,)
            if found:
                break
            time.sleep(0.1)
        waits.append(time.perf_counter() - started)
        print(f"  {number + 1}: {waits[-1]:.1f} s", flush=True)
    return waits


def main() -> None:
    """Measure, on a running system or on one of our own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--uploads", type=int, default=10)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    if options.home:
        waits = measure(options.home, options.uploads)
    else:
        with tempfile.TemporaryDirectory() as folder, local_system(Path(folder), print) as system:
            from cli.up import publish_empty

            publish_empty(load_settings(system.home))
            waits = measure(system.home, options.uploads)
    median = round(statistics.median(waits), 2)
    line = {"bench": "upload_to_sql_median", "value": median, "unit": "s", "target": TARGET_S}
    print(json.dumps({**line, "ok": median <= TARGET_S}))
    line = {"bench": "upload_to_sql_slowest", "value": round(max(waits), 2), "unit": "s", "target": None}
    print(json.dumps({**line, "ok": True}))


if __name__ == "__main__":
    main()
