"""What a sensor's tick costs when the bucket is large: the open days of a dated layout, and a pass over everything.

Objects of one byte, since nobody reads them; days are recorded as built, then a hundred objects come. The bucket of
the dated layout is grown from a tenth to its full size, with the same number of objects a day.

    python -m benchmarks.ticks [--objects 100000] [--a-day 2740]
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch

from dagster import AssetMaterialization, DagsterInstance, Definitions, build_sensor_context

from benchmarks.day import Bench, bench_buckets, cost, line
from pipeline_assets.build import build_defs
from pipeline_assets.shown import FINGERPRINT
from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.build import build_sensors
from vitalake.arrivals import ObjectInfo, arrived, by_partition, listed_fingerprint
from vitalake.datasets.ecg import ECG

TICK_S = 1.0
NEW = 100
PASS_MB = 300.0


class Counted(ObjectStore):
    """The raw bucket, counting what it is asked."""

    def __init__(self, settings: Settings, bucket: str) -> None:
        super().__init__(settings, bucket)
        self.calls = 0

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        """As the bucket; a call for each page."""
        for page in super().pages(prefix, after):
            self.calls += 1
            yield page

    def folders(self, prefix: str, within_s: float | None = None) -> tuple[list[str], list[ObjectInfo]]:
        """As the bucket; one call."""
        self.calls += 1
        return super().folders(prefix, within_s)


class Sensors:
    """The code location's sensors on an instance of their own."""

    def __init__(self, bench: Bench, instance: DagsterInstance) -> None:
        self.defs: Definitions = build_defs(bench.settings, build_sensors)
        self.instance = instance
        self.raw = Counted(bench.settings, bench.settings.raw_bucket)

    def tick(self, name: str, cursor: str | None) -> Any:
        """One evaluation, as Dagster's daemon asks for it."""
        self.raw.calls = 0
        context = build_sensor_context(
            instance=self.instance, cursor=cursor, definitions=self.defs, resources={"raw": self.raw}
        )
        return self.defs.resolve_sensor_def(name).evaluate_tick(context)

    def record(self, days: set[date], first_day: date) -> None:
        """These days were built from what is listed now."""
        for day, group in by_partition(arrived(self.raw, "ecg/", first_day, days, ECG.together), first_day).items():
            for table in ECG.all_tables:
                metadata = {FINGERPRINT: listed_fingerprint(group)}
                event = AssetMaterialization(table.name, partition=day.isoformat(), metadata=metadata)
                self.instance.report_runless_asset_event(event)


def main() -> int:
    """1 if a figure misses its target."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--objects", type=int, default=100_000)
    arguments.add_argument("--a-day", type=int, default=2740, help="a million a year")
    given = arguments.parse_args()
    logging.disable(logging.WARNING)
    ok = True
    quiet = {"telemetry": {"enabled": False}}
    for figures in (_dated, _flat):
        with bench_buckets() as bench, DagsterInstance.local_temp(overrides=quiet) as instance:
            for each in figures(bench, Sensors(bench, instance), given.objects, given.a_day):
                print(json.dumps(each, ensure_ascii=False), flush=True)
                ok = ok and each["ok"]
    return 0 if ok else 1


def _dated(bench: Bench, sensors: Sensors, objects: int, a_day: int) -> Iterator[dict[str, Any]]:
    today = datetime.now(timezone.utc).date()
    open_days = {today - timedelta(days=offset) for offset in (0, 1)}
    days = [today - timedelta(days=offset) for offset in range(-(-objects // a_day))]
    calls = {}
    put = 0
    for stage in (days[: max(2, len(days) // 10)], days[max(2, len(days) // 10) :]):
        _put(bench.raw, [f"ecg/date={day}/{number:06d}.mat" for day in stage for number in range(a_day)])
        put += len(stage) * a_day
        sensors.record(open_days, bench.settings.first_day)
        quiet = sensors.tick("drops", None)
        assert not quiet.run_requests
        _put(bench.raw, [f"ecg/date={today}/{put}-{number:06d}.mat" for number in range(NEW)])
        spent = cost(lambda: calls.update({put: sensors.tick("drops", quiet.cursor)}))  # noqa: B023
        [request] = calls[put].run_requests
        assert request.partition_key == today.isoformat()
        calls[put] = sensors.raw.calls
        yield line(
            "tick_dated", spent.wall_s, f"s, {NEW} of {put:,} new", most=TICK_S, list_calls=sensors.raw.calls
        )
    small, large = calls.values()
    yield line("tick_list_calls", large - small, f"list calls more for {put:,} objects", most=0)
    yield from _pass(sensors, put + 2 * NEW, "dated")


def _flat(bench: Bench, sensors: Sensors, objects: int, _a_day: int) -> Iterator[dict[str, Any]]:
    devices = max(1, objects // 1000)
    _put(bench.raw, [f"ecg/device-{n % devices:04d}/{n // devices:06d}.mat" for n in range(objects)])
    yield from _pass(sensors, objects, "by device")


def _pass(sensors: Sensors, objects: int, layout: str) -> Iterator[dict[str, Any]]:
    """A whole pass of the sweep, over as many ticks as it takes; each is cut off after two seconds here."""
    started, ticks, longest, cursor = time.perf_counter(), 0, 0.0, None
    before = _rss()
    most = 0
    while True:
        began = time.perf_counter()
        with patch("sensors.sweep._PASS_SECONDS", 2.0):
            result = sensors.tick("ecg_sweep", cursor)
        longest, ticks, cursor = max(longest, time.perf_counter() - began), ticks + 1, result.cursor
        most = max(most, _rss())
        if "so far" not in (result.skip_message or ""):
            break
    spent = time.perf_counter() - started
    yield line("sweep_pass", spent, f"s, {objects:,} objects, {layout}", ticks=ticks)
    yield line("sweep_an_object", spent / objects * 1e6, f"µs, {layout}, asking Dagster included")
    yield line("sweep_memory", (most - before) / 1e6, f"MB more, {layout}", most=PASS_MB)


def _rss() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def _put(raw: ObjectStore, keys: list[str]) -> None:
    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(lambda key: raw.put(key, b"x", expected=None), keys):
            pass


if __name__ == "__main__":
    raise SystemExit(main())
