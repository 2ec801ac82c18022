"""What size costs: eight times the recordings, ten times the memory, a little more in a large day, nothing new.

Days of several sizes on one S3 server. Work is that of a run without Dagster, but for `add`: there it is a run in a
process of its own with every check, since that is what a hundred more recordings cost.

    python -m benchmarks.growth [--large 100000]
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.day import Bench, Cost, bench_buckets, build, cost, fill, line, prefix
from benchmarks.one_run import run_day
from resources.object_store import ObjectStore
from vitalake.arrivals import ObjectInfo
from vitalake.reconcile import Report

TIMES_EIGHT = 8.4
MORE_MEMORY = 1.15
MEMORY_MB = 1000
OVER_LISTING = 2.0
LARGE_OVER_SMALL = 1.5
MORE = 100


def main() -> int:
    """1 if a figure misses its target."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--large", type=int, default=100_000, help="recordings of the large day")
    given = arguments.parse_args()
    logging.disable(logging.WARNING)
    ok = True
    with bench_buckets() as bench:
        for each in _figures(bench, given.large):
            print(json.dumps(each, ensure_ascii=False), flush=True)
            ok = ok and each["ok"]
    return 0 if ok else 1


def _figures(bench: Bench, large: int) -> Iterator[dict[str, Any]]:
    built: dict[int, Cost] = {}
    days: dict[int, str] = {}
    for number, size in enumerate((1000, 5000, 10_000, 40_000, large)):
        days[size] = f"2026-11-{number + 1:02d}"
        fill(bench.raw, days[size], 0, size)
        built[size] = cost(lambda size=size: build(bench, days[size]))  # type: ignore[misc]
        yield line(f"growth_{size}", built[size].wall_s, "s")
    ratio = built[40_000].wall_s / built[5000].wall_s
    yield line("growth_eight_times", ratio, "× the time for 40,000 as for 5,000", most=TIMES_EIGHT)
    memory = built[large].peak_bytes / built[10_000].peak_bytes
    yield line("growth_memory", memory, f"× the memory for {large:,} as for 10,000", most=MORE_MEMORY)
    yield line("growth_memory_peak", built[large].peak_bytes / 1e6, "MB, all processes", most=MEMORY_MB)
    yield from _unchanged(bench, days[large])
    yield from _more(bench, days[1000], days[large], 1000, large)


def _unchanged(bench: Bench, day: str) -> Iterator[dict[str, Any]]:
    """The better of two, of both: the first listing after so many uploads is slower."""
    watched = Unread(bench)
    reports: list[list[Report]] = []
    again = min(
        (cost(lambda: reports.append(build(watched, day))) for _ in range(2)), key=lambda spent: spent.wall_s
    )
    listing = min((cost(lambda: bench.raw.objects(prefix(day))) for _ in range(2)), key=lambda spent: spent.wall_s)
    assert not any(report.changed for each in reports for report in each)
    yield line("growth_listing", listing.wall_s, "s")
    yield line("growth_unchanged", again.wall_s, "s")
    yield line("growth_unchanged_of_listing", again.wall_s / listing.wall_s, "× the listing", most=OVER_LISTING)


def _more(bench: Bench, small: str, large: str, few: int, many: int) -> Iterator[dict[str, Any]]:
    spent = {}
    with tempfile.TemporaryDirectory() as folder:
        for day in (small, large):
            run_day(bench.settings, day, Path(folder))  # pictures and catalog are there, as on any day
        for day, size in ((small, few), (large, many)):
            fill(bench.raw, day, size, MORE)
            run = cost(lambda day=day: run_day(bench.settings, day, Path(folder)))  # type: ignore[misc]
            listing = cost(lambda day=day: bench.raw.objects(prefix(day)))  # type: ignore[misc]
            spent[day] = run.wall_s - listing.wall_s
            yield line(f"growth_add_{MORE}_to_{size}", spent[day], "s, a whole run without its listing")
    yield line("growth_add", spent[large] / spent[small], "× in the large day", most=LARGE_OVER_SMALL)


class Unread(Bench):
    """The same buckets, of which no object may be read and nothing written."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.settings, _NoReads(bench.raw), _NoWrites(bench.lake))


class _NoReads(ObjectStore):
    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store._settings, store.bucket)

    def get_many(self, items: Sequence[ObjectInfo]) -> Iterator[tuple[ObjectInfo, bytes | None]]:
        raise AssertionError(f"{len(items)} objects were read again")


class _NoWrites(ObjectStore):
    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store._settings, store.bucket)

    def put(self, key: str, data: bytes, *, expected: str | None) -> str:  # noqa: ARG002
        raise AssertionError(f"{key} was written again")


if __name__ == "__main__":
    raise SystemExit(main())
