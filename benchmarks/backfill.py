"""A backfill of many days with one, two and four runs at once: the same bytes, how it scales, what a run costs.

Starts the whole system with Dagster's storage in PostgreSQL, once for each number of runs at once, over the same
raw objects: with an empty lake and an empty database, `vitalake backfill` builds every day. The lakes are compared
with each other and with the same days built in this process, one after the other, before any time is. A last
backfill of days that have not changed tells what a run costs in which there is nothing to do.

    python -m benchmarks.backfill [--days 32] [--at-once 1 2 4] [--unchanged 8]
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import line, options, report
from cli.console import PlainConsole
from cli.demo.recordings import demo_files
from cli.runs import rebuild
from cli.services.local_system import LocalSystem, local_system
from resources.object_store import ObjectStore
from resources.settings import Settings, load_settings
from tests.postgres_server import new_database, postgres_server
from tests.system.lakes import built_in_line, etags
from vitalake.arrivals.calendar import Partition
from vitalake.datasets.ecg import ECG

FIRST = date(2026, 1, 1)
SPEEDUP_OF_TWO = 1.5


@dataclass(frozen=True)
class Pass:
    """One backfill: seconds by the clock, CPU seconds of the code server with all runs, and what is in the lake."""

    wall_s: float
    cpu_s: float
    lake: dict[str, str]


def main() -> int:
    """1 if the bytes differ or a target is missed."""
    arguments = options(__doc__)
    arguments.add_argument("--days", type=int, default=32)
    arguments.add_argument("--at-once", type=int, nargs="+", default=[1, 2, 4])
    arguments.add_argument("--unchanged", type=int, default=8, help="days of the backfill with nothing to do")
    given = arguments.parse_args()
    days = [FIRST + timedelta(days=offset) for offset in range(given.days)]
    passes: dict[int, Pass] = {}
    with tempfile.TemporaryDirectory() as folder, postgres_server(durable=True) as postgres:
        home = Path(folder) / "home"
        for number, at_once in enumerate(given.at_once):
            os.environ["VITALAKE_POSTGRES_URL"] = new_database(postgres, f"dagster-{number}")
            os.environ["VITALAKE_MAX_CONCURRENT_RUNS"] = str(at_once)
            with local_system(home, print, module="tests.system.without_sensors") as system:
                settings = load_settings(home)
                if number == 0:
                    _fill(settings, days)
                _empty(settings)
                passes[at_once] = _backfill(system, settings, days)
                print(f"  {at_once} at once: {passes[at_once].wall_s:.1f} s", flush=True)
                if at_once == given.at_once[-1]:
                    unchanged = _backfill(system, settings, days[: given.unchanged])
                    in_line = built_in_line(settings, [day.isoformat() for day in days], "in-line")
    same = all(each.lake == in_line for each in [*passes.values(), unchanged])
    lines = _lines(passes, unchanged, given.unchanged, len(days))
    return report([line("backfill_same_bytes", len(in_line), "objects equal in all lakes", ok=same), *lines])


def _fill(settings: Settings, days: Sequence[date]) -> None:
    """Four recordings a day, some broken or in other formats."""
    raw = ObjectStore(settings, settings.raw_bucket)
    for file in demo_files(days[0], len(days), per_device=1):
        raw.put(file.key, file.data, expected=None)


def _empty(settings: Settings) -> None:
    lake = ObjectStore(settings, settings.lake_bucket)
    for table in ECG.all_tables:
        for item in lake.objects(f"{table.name}/"):
            lake.delete(item.key, expected=item.version)


def _backfill(system: LocalSystem, settings: Settings, days: Sequence[date]) -> Pass:
    code_server = psutil.Process(system.supervisor.pid("code-server") or 0)
    cpu_s, started = _cpu_s(code_server), time.perf_counter()
    if not rebuild(system.webserver_url, ECG, list(map(Partition, days)), PlainConsole(), wait=True):
        raise RuntimeError("the backfill failed")
    return Pass(time.perf_counter() - started, _cpu_s(code_server) - cpu_s, etags(settings))


def _cpu_s(process: psutil.Process) -> float:
    """Of the process, and of its children that have ended."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _lines(passes: dict[int, Pass], unchanged: Pass, some: int, days: int) -> list[dict[str, Any]]:
    lines = []
    for at_once, each in passes.items():
        ratio: dict[str, Any] = (
            {"times_one_at_a_time": round(passes[1].wall_s / each.wall_s, 2)} if 1 in passes else {}
        )
        what = f"s for {days} days, {at_once} at once"
        lines.append(line(f"backfill_{at_once}_at_once", each.wall_s, what, **ratio))
        lines.append(line(f"backfill_{at_once}_at_once_cpu", each.cpu_s / days, "s CPU a run"))
    if one := passes.get(1):
        for at_once, each in passes.items():
            # More than two at once share the cores with each other: how far that goes is the machine's to say.
            target = SPEEDUP_OF_TWO if at_once == 2 and (os.cpu_count() or 1) >= 2 else None
            if at_once > 1:
                lines.append(
                    line(f"backfill_speedup_{at_once}", one.wall_s / each.wall_s, "x one at a time", least=target)
                )
    at_once = list(passes)[-1]
    lines.append(line("backfill_unchanged", unchanged.wall_s / some, f"s a day, {at_once} at once"))
    lines.append(line("backfill_unchanged_cpu", unchanged.cpu_s / some, "s CPU a run"))
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
