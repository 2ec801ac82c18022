"""What size costs: eight times the recordings, ten times the memory, a little more in a large day, nothing new.

Days of several sizes on one S3 server. Dagster is in `growth_add` alone: what a hundred more recordings cost is a
run in a process of its own, with code location, every check and the pictures. A run of a day without anything new
stands beside it, and what is over that is printed without a target: Dagster's fixed cost is not in it. In all other
figures the work is that of a run without Dagster, in this process and its workers.

    python -m benchmarks.growth [--small 1000] [--large 100000] [--repeats 3]
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.day import Bench, Cost, bench_buckets, build, cost, fill, prefix
from benchmarks.figures import line, options, report
from benchmarks.one_run import run_day
from resources.object_store import ObjectStore
from vitalake.datasets.ecg import ECG
from vitalake.lake.reconcile import Report

if TYPE_CHECKING:
    from obstore.store import S3Store
    from types_boto3_s3 import S3Client

TIMES_EIGHT = 8.4
MORE_MEMORY = 1.15
MEMORY_MB = 1000
OVER_LISTING = 2.0
LARGE_OVER_SMALL = 1.5
MORE = 100
_WITHOUT = "without Dagster"


def main() -> int:
    """1 if a figure misses its target."""
    arguments = options(__doc__)
    arguments.add_argument(
        "--small", type=int, default=1000, help="recordings of the small day; others have 5 to 40 ×"
    )
    arguments.add_argument("--large", type=int, default=100_000, help="recordings of the large day")
    arguments.add_argument("--repeats", type=int, default=3, help=f"of a run that gets {MORE} more; 0: none at all")
    given = arguments.parse_args()
    logging.disable(logging.WARNING)
    with bench_buckets() as bench:
        return report(_figures(bench, given.small, given.large, given.repeats))


def _figures(bench: Bench, small: int, large: int, repeats: int) -> Iterator[dict[str, Any]]:
    built: dict[int, Cost] = {}
    days: dict[int, str] = {}
    one, eight, ten = 5 * small, 40 * small, 10 * small
    for number, size in enumerate((small, one, ten, eight, large)):
        days[size] = f"2026-11-{number + 1:02d}"
        fill(bench.raw, days[size], 0, size)
        built[size] = cost(lambda size=size: _built(bench, days[size], size))  # type: ignore[misc]
        yield line(f"growth_{size}", built[size].wall_s, f"s, {_WITHOUT}")
    ratio = built[eight].wall_s / built[one].wall_s
    unit = f"× the time for {eight:,} as for {one:,}, {_WITHOUT}"
    yield line("growth_eight_times", ratio, unit, most=TIMES_EIGHT)
    memory, least = built[large].peak_bytes, built[ten].peak_bytes
    unit = f"× the memory for {large:,} as for {ten:,}, {_WITHOUT}"
    yield line("growth_memory", memory / least, unit, most=MORE_MEMORY)
    unit = f"bytes more for each 1,000 objects of a day, {_WITHOUT}"
    yield line("growth_memory_per_1000", (memory - least) / (large - ten) * 1000, unit)
    yield line("growth_memory_peak", memory / 1e6, f"MB, all processes, {_WITHOUT}", most=MEMORY_MB)
    yield from _unchanged(bench, days[large])
    if repeats:
        yield from _more(bench, {days[small]: small, days[large]: large}, repeats)


def _built(bench: Bench, day: str, size: int) -> None:
    assert build(bench, day)[1].rows[ECG.tables[0].name] == size


def _unchanged(bench: Bench, day: str) -> Iterator[dict[str, Any]]:
    """The better of two, of both: the first listing after so many uploads is slower."""
    watched = Unread(bench)
    reports: list[list[Report]] = []
    again = _best(2, lambda: reports.append(build(watched, day)))
    listing = _best(2, lambda: bench.raw.objects(prefix(day)))
    assert not any(report.changed for each in reports for report in each)
    yield line("growth_listing", listing, f"s, {_WITHOUT}")
    yield line("growth_unchanged", again, f"s, {_WITHOUT}")
    yield line("growth_unchanged_of_listing", again / listing, f"× the listing, {_WITHOUT}", most=OVER_LISTING)


def _more(bench: Bench, sizes: dict[str, int], repeats: int) -> Iterator[dict[str, Any]]:
    """In turn, so that whatever else the machine does weighs on both days; the best, as that only ever adds."""
    unchanged: dict[str, list[float]] = {day: [] for day in sizes}
    added: dict[str, list[float]] = {day: [] for day in sizes}
    with tempfile.TemporaryDirectory() as folder:

        def run(day: str) -> float:
            return cost(lambda: run_day(bench.settings, day, Path(folder))).wall_s

        for day in sizes:
            run(day)  # pictures and catalog are there, as on any day
        for repeat in range(repeats):
            for day, size in sizes.items():
                unchanged[day].append(run(day))
                fill(bench.raw, day, size + repeat * MORE, MORE)
                added[day].append(run(day))
    whole, own = [], []
    for day, size in sizes.items():
        listing = _best(repeats, lambda day=day: bench.raw.objects(prefix(day)))  # type: ignore[misc]
        whole.append(min(added[day]) - listing)
        own.append(min(added[day]) - min(unchanged[day]))
        yield line(f"growth_add_{MORE}_to_{size}", whole[-1], "s, a whole run in Dagster without its listing")
        yield line(f"growth_run_unchanged_{size}", min(unchanged[day]), "s, a whole run in Dagster, nothing new")
        yield line(f"growth_add_own_{size}", own[-1], "s more than nothing new: without Dagster's fixed cost")
    unit = "× in the large day, whole runs in Dagster"
    own_s = [round(seconds, 3) for seconds in own]
    yield line("growth_add", whole[1] / whole[0], unit, most=LARGE_OVER_SMALL, without_fixed_cost_s=own_s)


def _best(times: int, work: Callable[[], object]) -> float:
    return min(cost(work).wall_s for _ in range(times))


class Unread(Bench):
    """The same buckets, of which no object may be read and nothing written."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.settings, NoReads(bench.raw), NoWrites(bench.lake))


class NoReads(ObjectStore):
    """A bucket that can only be listed: there is no connection but the one for listings."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store._settings, store.bucket)

    @cached_property
    def _store(self) -> S3Store:
        raise AssertionError(f"an object of {self.bucket} was asked for again")

    @cached_property
    def _reading(self) -> S3Store:
        raise AssertionError(f"an object of {self.bucket} was asked for again")

    @cached_property
    def _client(self) -> S3Client:
        raise AssertionError(f"an object of {self.bucket} was asked for again")


class NoWrites(ObjectStore):
    """A bucket that can only be listed and read."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store._settings, store.bucket)

    def put(self, key: str, data: bytes, *, expected: str | None) -> str:  # noqa: ARG002
        """Refused."""
        raise AssertionError(f"{key} was written again")

    def delete(self, key: str, *, expected: str) -> None:  # noqa: ARG002
        """Refused."""
        raise AssertionError(f"{key} was deleted")


if __name__ == "__main__":
    raise SystemExit(main())
