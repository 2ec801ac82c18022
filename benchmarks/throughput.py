"""A day of recordings from listed objects to committed Parquet, beside a floor and those who do it otherwise.

Same S3 server, same objects, one run of this benchmark:

* `floor`: the least that anybody has to do (`benchmarks/peers/floor.py`).
* `same_work`: our mechanism with the floor's own measures.
* `ours`: every measure, every check of a file, every table, without Dagster (`benchmarks.day.build`).
* `run`: the same as one Dagster run in a fresh process, as a run worker does it: the code location loaded, asset
  checks, pictures and catalog with it (`benchmarks/one_run.py`). It leaves the same bytes as `ours`.
* `handler`: a function that gets one object at a time (`benchmarks/peers/handler.py`); `handler_polling` receives
  and deletes its own message as well. The target is on `handler_polling`; both ratios are shown.
* `loop`: a notebook's loop with scipy and NeuroKit2 (`benchmarks/peers/loop.py`), CPU only.

They take turns, and the better of two of each counts. Everybody begins with an empty place to write to and without
worker processes: starting them is in our time, as in every run. What this process imports is in nobody's time;
`run` imports everything anew. Results are compared after each turn, within a tolerance where two compute the same
number (`benchmarks/peers/same.py`), and a difference ends the benchmark before any time is shown.

    python -m benchmarks.throughput [--recordings 10000] [--handled 300]
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.day import DAY, Bench, Cost, bench_buckets, build, cost, fill, prefix
from benchmarks.figures import line, options, report
from benchmarks.one_run import run_day
from benchmarks.peers.floor import FLOOR, floor
from benchmarks.peers.handler import handle_all, notified, poll_and_handle
from benchmarks.peers.loop import Looped, loop
from benchmarks.peers.same import same_as_floor, same_as_handled, same_as_looped, same_samples_as_floor
from vitalake.arrivals.objects import ObjectInfo
from vitalake.datasets.ecg import ECG
from vitalake.lake.dataset import Dataset
from vitalake.lake.parquet import partition_prefix

OF_FLOOR = 0.5
OF_FLOOR_SAME_WORK = 0.8
OVER_HANDLER = 10.0
TURNS = 2
_LOOPED = 50

Work = Callable[[], object]
Compare = Callable[[], None]


@dataclass(frozen=True)
class Way:
    """One way of doing it.

    Args:
        recordings: how many it gets.
        folders: of the lake, where it writes: emptied before.
        measure: do it.
        compare: raise AssertionError where it left something else than the others did.
    """

    name: str
    recordings: int
    folders: Sequence[str]
    measure: Callable[[], Cost]
    compare: Compare


def main() -> int:
    """1 if a ratio misses its target."""
    arguments = options(__doc__)
    arguments.add_argument("--recordings", type=int, default=10_000)
    arguments.add_argument("--handled", type=int, default=300, help="objects that the slow ones get")
    given = arguments.parse_args()
    logging.disable(logging.WARNING)
    with bench_buckets() as bench, tempfile.TemporaryDirectory() as home:
        fill(bench.raw, DAY, 0, given.recordings)
        items = sorted(bench.raw.objects(prefix(DAY)), key=lambda item: item.key)
        assert len(items) == given.recordings
        ways = _ways(bench, items, items[: given.handled], Path(home))
        spent, looped = _in_turns(bench, ways, items[:_LOOPED])
    return report(_figures(spent, {way.name: way.recordings for way in ways}, looped))


def _ways(bench: Bench, items: list[ObjectInfo], few: list[ObjectInfo], home: Path) -> list[Way]:
    s3, raw, target = bench.client(), bench.settings.raw_bucket, bench.settings.lake_bucket
    built: dict[str, str] = {}

    def ours() -> None:
        built.clear()
        built.update(_parts(bench))
        same_samples_as_floor(bench.lake, items)

    def run() -> None:
        parts = _parts(bench)
        assert parts and parts == built, "a run in Dagster leaves other bytes than the same work without it"

    def way(name: str, some: list[ObjectInfo], folders: Sequence[str], work: Work, compare: Compare) -> Way:
        return Way(name, len(some), folders, lambda: cost(work), compare)

    def handled() -> None:
        same_as_handled(bench.lake, few)

    def same() -> None:
        same_as_floor(bench.lake, items)

    return [
        way("floor", items, ["floor/"], lambda: floor(bench.raw, bench.lake, items), lambda: None),
        way("same_work", items, _folders(FLOOR), lambda: build(bench, DAY, FLOOR), same),
        way("ours", items, _folders(ECG), lambda: build(bench, DAY), ours),
        Way("run", len(items), _folders(ECG), lambda: _run(bench, home), run),
        way("handler", few, ["handled/"], lambda: handle_all(raw, few, s3, target), handled),
        Way("handler_polling", len(few), ["handled/"], lambda: _polled(bench, few), handled),
    ]


def _run(bench: Bench, home: Path) -> Cost:
    return cost(lambda: run_day(bench.settings, DAY, home), own_memory=False)


def _folders(dataset: Dataset) -> list[str]:
    return [partition_prefix(table.name, DAY) for table in dataset.all_tables]


def _parts(bench: Bench) -> dict[str, str]:
    return {item.key: item.version for folder in _folders(ECG) for item in bench.lake.objects(folder)}


def _in_turns(bench: Bench, ways: Sequence[Way], few: list[ObjectInfo]) -> tuple[dict[str, Cost], Looped | None]:
    """The turn of each that took the least time."""
    spent: dict[str, list[Cost]] = {way.name: [] for way in ways}
    loops: list[Looped] = []
    contents = [data for _, data in bench.raw.get_many(few) if isinstance(data, bytes) and data]
    for _ in range(TURNS):
        for way in ways:
            for item in [item for folder in way.folders for item in bench.lake.objects(folder)]:
                bench.lake.delete(item.key, expected=item.version)
            spent[way.name].append(way.measure())
            way.compare()
        if (looped := loop(contents)) is not None:
            same_as_looped(bench.lake, few, looped)
            loops.append(looped)
    best = {name: min(each, key=lambda turn: turn.wall_s) for name, each in spent.items()}
    return best, min(loops, key=lambda each: each.ms, default=None)


def _figures(spent: dict[str, Cost], counts: dict[str, int], looped: Looped | None) -> Iterator[dict[str, Any]]:
    cpu_ms = {name: each.cpu_s / counts[name] * 1e3 for name, each in spent.items()}
    for name, each in spent.items():
        yield line(
            f"throughput_{name}", each.wall_s / counts[name] * 1e3, "ms a recording", recordings=counts[name]
        )
        yield line(f"throughput_{name}_cpu", cpu_ms[name], "ms CPU a recording", recordings=counts[name])
    least, same, ours, run = (spent[name] for name in ("floor", "same_work", "ours", "run"))
    speed = "× the floor's recordings/s"
    yield line("throughput_of_floor", least.wall_s / ours.wall_s, speed, least=OF_FLOOR)
    yield line("throughput_of_floor_same_work", least.wall_s / same.wall_s, speed, least=OF_FLOOR_SAME_WORK)
    yield line("throughput_of_floor_run", least.wall_s / run.wall_s, speed)
    yield line("throughput_run_rate", counts["run"] / run.wall_s, "recordings/s, a whole Dagster run")
    yield line("throughput_run_memory", run.peak_bytes / 1e6, "MB, all processes of a Dagster run")
    yield line("throughput_cores_floor", least.cpu_s / least.wall_s, "cores busy with the floor")
    yield line("throughput_cores_ours", ours.cpu_s / ours.wall_s, "cores busy with ours")
    yield line("throughput_cores_all", ours.machine_s / ours.wall_s, "cores busy, the S3 server among them")
    yield line("throughput_handler_over_floor", cpu_ms["handler"] / cpu_ms["floor"], "× the floor's CPU")
    yield line("throughput_handler_over_ours", cpu_ms["handler"] / cpu_ms["ours"], "× our CPU")
    polling = cpu_ms["handler_polling"] / cpu_ms["ours"]
    yield line("throughput_handler_polling_over_ours", polling, "× our CPU", least=OVER_HANDLER)
    if looped is None:
        print("the notebook's loop is left out: `make bench` makes its environment, .venv-bench")
    else:
        yield line("throughput_loop_cpu", looped.ms, "ms CPU a recording, measures only")
        yield line("throughput_loop_over_ours", looped.ms / cpu_ms["ours"], "× our CPU")


def _polled(bench: Bench, items: list[ObjectInfo]) -> Cost:
    handled: list[int] = []
    s3, target = bench.client(), bench.settings.lake_bucket
    with notified(bench.settings.raw_bucket, items) as (sqs, queue_url):
        spent = cost(lambda: handled.append(poll_and_handle(sqs, queue_url, s3, target)))
    assert handled == [len(items)]
    return spent


if __name__ == "__main__":
    raise SystemExit(main())
