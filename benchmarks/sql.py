"""SQL over a year of recordings in the lake, beside DuckDB over one sorted local Parquet file of the same rows.

A million recordings in 365 days, written by the product's encoder as the parts that it would write, on a real S3
server; of the signals one day is whole, the others are stubs that only have to be passed over. A query is asked as
the first question of a connection (cold: opening it as `vitalake sql` does is in the time, starting Python is not),
then in turn with the local file by one that has asked it before (warm); the answers are compared before the times.
The local files are DuckDB's own, sorted by date and key. Setting up takes a minute on two idle cores and 0.4 GB of
disk.

    python -m benchmarks.sql [--recordings 1000000] [--days 365] [--repeats 15]
"""

from __future__ import annotations

import math
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.day import bench_buckets
from benchmarks.figures import line, options, report
from cli.demo.recordings import stored, strip_mv
from resources.build import lake_store
from resources.catalog import connect, publish
from resources.settings import Settings
from vitalake.datasets.declared import DATASETS
from vitalake.datasets.ecg import ECG
from vitalake.ecg.tables import RECORDINGS, SIGNALS
from vitalake.lake.parquet import encode, part_key
from vitalake.lake.tables import Table

FIRST_DAY = date(2025, 1, 1)
SAMPLES = 3600
STUB_ROWS = 10
MOST_MS = {"metadata": 300.0, "samples": 1000.0}
MOST_OVER_LOCAL = 1.5
WRITERS = 4
_COLD = 3

Part = tuple[date, int, int]
Row = tuple[Any, ...]


def queries(whole: date) -> dict[str, tuple[str, str]]:
    """Name → what kind of target it has, and the query; `whole` is the day whose signals are all there."""
    return {
        "year": (
            "metadata",
            "SELECT label, verdict, count(*), avg(duration_s) FROM ecg_recordings "
            "WHERE sampling_rate_hz = 360 AND verdict <> 'acceptable' GROUP BY ALL ORDER BY ALL",
        ),
        "weeks": (
            "metadata",
            f"SELECT date, count(*), count(DISTINCT device_id) FROM ecg_recordings "  # noqa: S608 (dates of ours)
            f"WHERE date BETWEEN '{whole - timedelta(days=27)}' AND '{whole}' AND verdict = 'unacceptable' "
            "GROUP BY ALL ORDER BY ALL",
        ),
        "cohort": (
            "metadata",
            "SELECT recording_id, source_key, uploaded_at FROM ecg_recordings "
            "WHERE label = 'AFIB' AND device_id = 'd0123' AND verdict <> 'unacceptable' ORDER BY ALL",
        ),
        "day_mean": (
            "samples",
            f"SELECT count(v), avg(v) FROM (SELECT unnest(samples) AS v FROM ecg_signals WHERE date = '{whole}')",  # noqa: S608
        ),
    }


def main() -> int:
    """1 if a figure misses its target."""
    arguments = options(__doc__)
    arguments.add_argument("--recordings", type=int, default=1_000_000)
    arguments.add_argument("--days", type=int, default=365)
    arguments.add_argument("--repeats", type=int, default=15)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name, bench_buckets() as bench:
        folder = Path(name)
        settings = bench.settings.model_copy(update={"home": folder / "home"})
        whole = FIRST_DAY + timedelta(days=given.days // 2)
        parts = _parts(given.days, math.ceil(given.recordings / given.days))
        local = _fill(settings, parts, whole, folder)
        print(f"  {len(parts)} parts, {sum(part[2] for part in parts):,} recordings", flush=True)
        return report(
            each
            for query, (kind, sql) in queries(whole).items()
            for each in _figures(settings, local, query, kind, sql, given.repeats)
        )


def _figures(
    settings: Settings, local: duckdb.DuckDBPyConnection, name: str, kind: str, sql: str, repeats: int
) -> Iterator[dict[str, Any]]:
    cold, rows = min((_first(settings, sql) for _ in range(min(repeats, _COLD))), key=lambda found: found[0])
    expected = local.execute(sql).fetchall()
    if not _same(rows, expected):
        raise AssertionError(f"{name}: the lake answers {rows[:3]}…, the local file {expected[:3]}…")
    with connect(settings) as lake:
        _timed(lake, sql)
        # In turn, so that whatever else the machine does weighs on both; the best, because that only ever adds.
        turns = [(_timed(lake, sql)[:2], _timed(local, sql)[:2]) for _ in range(repeats)]
    (warm, warm_cpu), (beside, beside_cpu) = (
        tuple(min(turn[side][unit] for turn in turns) for unit in range(2)) for side in range(2)
    )
    yield line(f"sql_{name}_cold", cold, "ms, a new connection's first question", most=MOST_MS[kind])
    yield line(f"sql_{name}_warm", warm, "ms", most=MOST_MS[kind])
    yield line(f"sql_{name}_warm_cpu", warm_cpu, "ms CPU")
    yield line(f"sql_{name}_local", beside, "ms")
    yield line(f"sql_{name}_local_cpu", beside_cpu, "ms CPU")
    yield line(f"sql_{name}_over_local", warm / beside, "× the local file's time, warm", most=MOST_OVER_LOCAL)


def _first(settings: Settings, sql: str) -> tuple[float, list[Row]]:
    """Milliseconds from opening a connection to the answer, and the answer."""
    started = time.perf_counter()
    with connect(settings) as lake:
        rows = lake.execute(sql).fetchall()
        return (time.perf_counter() - started) * 1e3, rows


def _timed(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[float, float, list[Row]]:
    """Milliseconds by the clock, milliseconds of CPU of this process, and the answer."""
    wall, cpu = time.perf_counter(), _cpu_s()
    rows = connection.execute(sql).fetchall()
    return (time.perf_counter() - wall) * 1e3, (_cpu_s() - cpu) * 1e3, rows


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _same(one: list[Row], other: list[Row]) -> bool:
    """Equal rows in equal order; fractions may differ in how they were summed. Empty answers prove nothing."""

    def equal(a: object, b: object) -> bool:
        return math.isclose(a, b, rel_tol=1e-9) if isinstance(a, float) and isinstance(b, float) else a == b

    pairs = zip(one, other, strict=True)
    return len(one) == len(other) > 0 and all(all(map(equal, a, b)) for a, b in pairs)


def _parts(days: int, a_day: int) -> list[Part]:
    """Day, index and rows of every part, as `vitalake.arrivals.partitions.cut` would cut them."""
    most = ECG.limits.part_objects
    return [
        (FIRST_DAY + timedelta(days=day), first // most, min(most, a_day - first))
        for day in range(days)
        for first in range(0, a_day, most)
    ]


def _fill(settings: Settings, parts: list[Part], whole: date, folder: Path) -> duckdb.DuckDBPyConnection:
    """Publish the lake, fill both tables, and open the local files under the same names."""
    lake = lake_store(settings)
    publish(settings, lake, DATASETS)
    rng = np.random.default_rng(1)
    strips = np.stack([stored(strip_mv("clean", rng)).ravel()[:SAMPLES].astype(np.int32) for _ in range(100)])
    stubs = [(day, index, rows if day == whole else min(rows, STUB_ROWS)) for day, index, rows in parts]
    tables: list[tuple[Table, Callable[[Part], pa.Table], list[Part]]] = [
        (RECORDINGS, _recordings, parts),
        (SIGNALS, lambda part: _signals(part, strips), stubs),
    ]
    local = duckdb.connect()
    for table, make, which in tables:

        def put(part: Part, table: Table = table, make: Callable[[Part], pa.Table] = make) -> pa.Table:
            rows = make(part)
            lake.put(part_key(table.name, str(part[0]), part[1]), encode(table, rows, "bench"), expected=None)
            return rows.append_column("date", pa.array([part[0]] * len(rows)))

        with ThreadPoolExecutor(WRITERS) as pool:
            everything = pa.concat_tables(pool.map(put, which))
        file = folder / f"{table.name}.parquet"
        local.register("everything", everything)
        local.execute(f"COPY (FROM everything ORDER BY date, source_key) TO '{file}'")
        local.unregister("everything")
        local.execute(f"CREATE VIEW {table.name} AS FROM '{file}'")
    return local


def _recordings(part: Part) -> pa.Table:
    """Rows of `ecg_recordings`, different in every part and the same in every run."""
    day, index, n = part
    rng = np.random.default_rng([day.toordinal(), index])
    number = np.arange(n) + index * ECG.limits.part_objects
    device = [f"d{i:04d}" for i in rng.integers(0, 200, n)]
    label = rng.choice(["NSR", "AFIB", "PVC", "LBBBB", "APB"], n, p=[0.6, 0.15, 0.1, 0.1, 0.05])
    verdict = rng.choice(["acceptable", "marginal", "unacceptable"], n, p=[0.85, 0.1, 0.05])
    rate = rng.choice([250.0, 360.0, 500.0], n, p=[0.2, 0.7, 0.1])
    duration = rng.choice([10.0, 30.0, 60.0], n)
    at = np.datetime64(day, "us") + np.sort(rng.integers(0, 86_400_000_000, n)).astype("timedelta64[us]")
    given: dict[str, Any] = {
        "recording_id": _hex(rng, n, 20),
        "source_key": [
            f"ecg/date={day}/device={d}/{kind}/{i:06d}.mat"
            for d, kind, i in zip(device, label, number, strict=True)
        ],
        "source_version": _hex(rng, n, 32),
        "companion_keys": [[]] * n,
        "size_bytes": rng.integers(7000, 9000, n),
        "uploaded_at": pa.array(at, pa.timestamp("us", tz="UTC")),
        "content_sha256": _hex(rng, n, 64),
        "file_format": ["MATLAB v4"] * n,
        "device_id": device,
        "subject_id": [f"p1_{digits}" for digits in _hex(rng, n, 24)],
        "label": label,
        "record": (100 + number % 134).astype(str),
        "fragment": (number % 1000).astype(np.int32),
        "lead_count": np.ones(n, np.int32),
        "lead_names": [["MLII"]] * n,
        "ecg_lead_count": np.ones(n, np.int32),
        "sampling_rate_hz": rate,
        "sample_count": (rate * duration).astype(np.int32),
        "duration_s": duration,
        "verdict": verdict,
        "reasons": _some(rng, n, ["Q03", "Q06", "Q08"]),
        "rules_verdict": verdict,
        "assumed": [["gain"]] * n,
        "warnings": _some(rng, n, ["S09", "S11"]),
        "warning_texts": _some(rng, n, ["offset of 3 mV", "header given twice"]),
        "rules_version": ["3"] * n,
    }
    return RECORDINGS.from_columns({name: given.get(name, [None] * n) for name in RECORDINGS.names})


def _signals(part: Part, strips: npt.NDArray[np.int32]) -> pa.Table:
    """Rows of `ecg_signals`: strips with noise of their own, and a number for every measure."""
    day, index, n = part
    rng = np.random.default_rng([day.toordinal(), index, 1])
    samples = strips[rng.integers(0, len(strips), n)] + rng.integers(-3, 4, (n, SAMPLES), np.int32)
    recordings = _recordings(part)
    given: dict[str, Any] = {c.name: rng.random(n) for c in SIGNALS.columns if c.kind == "float64"}
    given |= {
        name: recordings[name] for name in ("recording_id", "source_key", "verdict", "reasons", "rules_verdict")
    }
    given |= {name: np.zeros(n, np.int32) for name in ("lead_index", "lead_group", "window_count")}
    given |= {
        "lead_name": ["MLII"] * n,
        "signal_kind": ["ecg"] * n,
        "kind_reason": ["its label names an ECG"] * n,
        "unit": ["mV"] * n,
        "sampling_rate_hz": np.full(n, 360.0),
        "samples": pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32) * SAMPLES, samples.ravel()),
        "r_peaks": [list(range(100, SAMPLES, 300))] * n,
        "unusable_s": [[]] * n,
    }
    return SIGNALS.from_columns({name: given.get(name, [None] * n) for name in SIGNALS.names})


def _hex(rng: np.random.Generator, n: int, digits: int) -> list[str]:
    text = rng.bytes(n * digits // 2).hex()
    return [text[first : first + digits] for first in range(0, len(text), digits)]


def _some(rng: np.random.Generator, n: int, words: list[str]) -> list[list[str]]:
    """A list with one of the words in every fifth row, else empty."""
    return [[words[i % len(words)]] if i < len(words) * 2 else [] for i in rng.integers(0, len(words) * 10, n)]


if __name__ == "__main__":
    raise SystemExit(main())
