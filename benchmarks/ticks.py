"""What a sensor's tick costs when the bucket is large: what is open of a dated layout, and a pass over everything.

Objects of one byte, since nobody reads them. For the tick, the open days are recorded as built and then a hundred
objects come; it is that of the sensor that looks at all datasets, of which the others have no objects. The same is
done in a bucket of the same layout with a tenth of the history, and once more by the hour. A pass of the sweep runs
in a process of its own, since what another has freed would hide what this one needs. Ticks are evaluated as
Dagster's daemon has them evaluated, with its storage in SQLite: asking Dagster is in every time here, its processes
are not.

Nearly all the time is uploading, about a thousand objects a second: `--objects 900000` takes a quarter of an hour.

    python -m benchmarks.ticks [--objects 200000] [--a-day 2740] [--hourly 400000] [--undated 100000]
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from itertools import islice
from typing import Any
from unittest.mock import patch

import psutil
from dagster import AssetMaterialization, DagsterInstance, Definitions, build_sensor_context

from benchmarks.day import Bench, bench_buckets, cost
from benchmarks.figures import line, options, report
from pipeline_assets.build import build_defs
from pipeline_assets.dagster_metadata import FINGERPRINT
from resources.build import lake_store
from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.build import build_sensors
from vitalake.arrivals.calendar import Granularity, Partition
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.partitions import by_partition
from vitalake.datasets.declared import DATASETS
from vitalake.datasets.ecg import ECG
from vitalake.datasets.pricing import PRICING

TICK_S = 1.0
NEW = 100
PASS_MB = 30.0
_PAGE = 1000  # keys and folders that a list request brings at most
_AT_ONCE = 20_000
_LOOK_S = 2.0


class Counted(ObjectStore):
    """The raw bucket, counting list requests and the objects that they brought."""

    def __init__(self, settings: Settings, bucket: str) -> None:
        super().__init__(settings, bucket)
        self.calls = self.objects_listed = 0

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        """As the bucket; a request for each page, and one that finds nothing."""
        calls = self.calls
        for page in super().pages(prefix, after):
            self._count(page)
            yield page
        if self.calls == calls:
            self._count([])

    def folders(self, prefix: str, within_s: float | None = None) -> tuple[list[str], list[ObjectInfo]]:
        """As the bucket, which asks for all pages at once: folders and objects fill them together."""
        folders, items = super().folders(prefix, within_s)
        self._count(items, len(folders))
        return folders, items

    def _count(self, items: list[ObjectInfo], folders: int = 0) -> None:
        self.objects_listed += len(items)
        self.calls += max(1, -(-(len(items) + folders) // _PAGE))


class Sensors:
    """The code location's sensors on an instance of their own."""

    def __init__(self, settings: Settings, instance: DagsterInstance, unit: Granularity) -> None:
        self.ecg = replace(ECG, partition=unit)
        datasets = [self.ecg if dataset.name == ECG.name else dataset for dataset in DATASETS]
        self.calendar = self.ecg.calendar(settings.first_day)
        self.defs: Definitions = build_defs(settings, build_sensors, datasets=datasets)
        self.instance = instance
        self.raw, self.lake = Counted(settings, settings.raw_bucket), lake_store(settings)

    def tick(self, name: str, cursor: str | None) -> Any:
        """One evaluation, as Dagster's daemon asks for it."""
        self.raw.calls = 0
        context = build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            definitions=self.defs,
            resources={"raw": self.raw, "lake": self.lake},
        )
        return self.defs.resolve_sensor_def(name).evaluate_tick(context)

    def record(self, partitions: Collection[Partition]) -> None:
        """These were built from what is listed now."""
        found = arrived(self.raw, "ecg/", self.calendar, partitions, ECG.group_objects)
        for partition, group in by_partition(found, self.calendar).items():
            for table in ECG.all_tables:
                metadata = {FINGERPRINT: listed_fingerprint(group)}
                event = AssetMaterialization(table.name, partition=str(partition), metadata=metadata)
                self.instance.report_runless_asset_event(event)


@contextmanager
def _sensors(settings: Settings, storage: str, unit: Granularity = "day") -> Iterator[Sensors]:
    """Dagster remembers in the folder `storage`, for another process too."""
    with DagsterInstance.local_temp(storage, overrides={"telemetry": {"enabled": False}}) as instance:
        yield Sensors(settings, instance, unit)


def main() -> int:
    """1 if a figure misses its target."""
    arguments = options(__doc__)
    arguments.add_argument("--objects", type=int, default=200_000, help="of the dated layout")
    arguments.add_argument("--a-day", type=int, default=2740, help="a million a year")
    arguments.add_argument("--hourly", type=int, default=400_000, help="of the layout by the hour")
    arguments.add_argument("--undated", type=int, default=100_000, help="objects of each layout without dates")
    given = arguments.parse_args()
    if min(given.objects, given.hourly) < 20 * given.a_day:
        arguments.error("a tenth of the objects must fill two days: more --objects and --hourly, or fewer --a-day")
    logging.disable(logging.WARNING)
    return report(_figures(given.objects, given.hourly, given.a_day, given.undated))


def _figures(objects: int, hourly: int, a_day: int, undated: int) -> Iterator[dict[str, Any]]:
    yield from _growing("day", objects, a_day)
    yield from _growing("hour", hourly, a_day)
    layouts = {
        "folders of 1,000": (f"ecg/device-{n // 1000:04d}/{n % 1000:06d}.mat" for n in range(undated)),
        "one flat folder": (f"ecg/{n:06d}.mat" for n in range(undated)),
    }
    for layout, keys in layouts.items():
        with bench_buckets() as bench, tempfile.TemporaryDirectory() as storage:
            _put(bench.raw, keys)
            yield from _pass(bench.settings, storage, undated, layout)


def _growing(unit: Granularity, objects: int, a_day: int) -> Iterator[dict[str, Any]]:
    """A tick with a tenth of the objects and with all, and a pass over these."""
    calls, layout = [], "dated" if unit == "day" else "of hours"
    for count in (objects // 10, objects):
        with bench_buckets() as bench, tempfile.TemporaryDirectory() as storage:
            with _sensors(bench.settings, storage, unit) as sensors:
                tick = _dated(bench, sensors, count // a_day, a_day)
            yield tick
            calls.append(tick["list_calls"])
            if count == objects:
                small, large = calls
                name = "tick_list_calls" if unit == "day" else "tick_list_calls_hourly"
                yield line(name, large - small, "list calls more than with a tenth", most=0)
                yield from _pass(bench.settings, storage, tick["objects"], layout, unit)


def _dated(bench: Bench, sensors: Sensors, days: int, a_day: int) -> dict[str, Any]:
    calendar = sensors.calendar

    def day(days_ago: int) -> date:
        return datetime.now(timezone.utc).date() - timedelta(days=days_ago)

    def put(days: Iterable[date]) -> None:
        folders = ([each.folder for each in calendar.within(day)] for day in days)
        _put(bench.raw, (f"ecg/{each[n % len(each)]}{n:06d}.mat" for each in folders for n in range(a_day)))

    put([day(days_ago) for days_ago in range(2, days)])
    # Which days are open is asked after that: uploading history may take past midnight.
    today, yesterday = day(0), day(1)
    put([yesterday, today])
    sensors.record([*calendar.within(yesterday), *calendar.within(today)])
    now = calendar.at(datetime.now(timezone.utc))
    quiet = sensors.tick("drops", None)
    assert not quiet.run_requests
    _put(bench.raw, (f"ecg/{now.folder}new-{number:06d}.mat" for number in range(NEW)))
    found: list[Any] = []
    spent = min(cost(lambda: found.append(sensors.tick("drops", quiet.cursor))).wall_s for _ in range(3))
    assert all([each.partition_key for each in tick.run_requests] == [str(now)] for tick in found)
    objects = days * a_day + NEW
    what = f"s, {NEW} of {objects:,} objects new, all datasets"
    more = {"objects": objects, "days": days, "datasets": len(DATASETS), "list_calls": sensors.raw.calls}
    return line("tick_dated" if calendar.unit == "day" else "tick_hourly", spent, what, most=TICK_S, **more)


@dataclass(frozen=True)
class Pass:
    """Seconds of all ticks and of the longest, ticks, objects listed, and the most bytes beyond those before it."""

    wall_s: float
    longest_s: float
    ticks: int
    objects: int
    bytes_more: int


def _pass(
    settings: Settings, storage: str, objects: int, layout: str, unit: Granularity = "day"
) -> Iterator[dict[str, Any]]:
    """A whole pass of the sweep, over as many ticks as it takes."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
        found = apart.submit(_passed, settings, storage, unit).result()
    # A tick that was cut off may list the end of its last page once more.
    assert found.objects >= objects, f"{found.objects} of {objects} objects were listed"
    more = {"ticks": found.ticks, "longest_tick_s": round(found.longest_s, 3)}
    yield line("sweep_pass", found.wall_s, f"s, {objects:,} objects, {layout}", **more)
    yield line("sweep_an_object", found.wall_s / objects * 1e6, f"µs, {layout}, asking Dagster included")
    # A folder's undated objects are kept until all are seen, so one folder of everything has no limit.
    most = None if layout == "one flat folder" else PASS_MB
    yield line("sweep_memory", found.bytes_more / 1e6, f"MB more, {layout}", most=most)
    if most is None:
        yield line("sweep_memory_a_key", found.bytes_more / objects, f"bytes, {layout}")


def _passed(settings: Settings, storage: str, unit: Granularity) -> Pass:
    """The pass; a tick is cut off after two seconds here."""
    logging.disable(logging.WARNING)
    # What differs is not listed anew: that is no part of the pass.
    alone = patch("sensors.bounded_listing.LISTING_SECONDS", 0.0)
    with _sensors(settings, storage, unit) as sensors, patch("sensors.sweep._PASS_SECONDS", _LOOK_S), alone:
        cost(lambda: sensors.tick(f"{PRICING.name}_sweep", None))  # what is imported and opened once
        gc.collect()
        before = psutil.Process().memory_info().rss
        sensors.raw.objects_listed = 0
        took: list[float] = []

        def ticks() -> None:
            cursor, over = None, False
            while not over:
                began = time.perf_counter()
                result = sensors.tick("ecg_sweep", cursor)
                took.append(time.perf_counter() - began)
                cursor, over = result.cursor, "so far" not in (result.skip_message or "")
            assert result.run_requests

        spent = cost(ticks)
        return Pass(spent.wall_s, max(took), len(took), sensors.raw.objects_listed, spent.peak_bytes - before)


def _put(raw: ObjectStore, keys: Iterator[str]) -> None:
    """Some at a time, so that a million keys need no memory; says how far it is."""
    put = 0
    with ThreadPoolExecutor(16) as pool:
        while some := list(islice(keys, _AT_ONCE)):
            for _ in pool.map(lambda key: raw.put(key, b"x", expected=None), some):
                pass
            put += len(some)
            if put >= _AT_ONCE:
                print(f"  {put:,} objects uploaded", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
