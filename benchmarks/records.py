"""Rows a second of CSV and JSON from listed objects to committed Parquet, beside those who do it otherwise.

Same S3 server, same objects, one run. Ours applies every type and rule and writes quarantine. Beside it stand, for
many small objects, a loop that loads one at a time (`benchmarks/peers/one_object.py`), and for one large object a
plain `COPY` of DuckDB (`benchmarks/peers/duckdb_copy.py`) on as many cores as it likes. The memory is that of a
process of its own that reads one array, and of files of nothing but bad records.

    python -m benchmarks.records [--objects 1000] [--large-mb 1000] [--refused-mb 21]
"""

from __future__ import annotations

import logging
import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.day import DAY, Bench, Cost, bench_buckets, build, cost
from benchmarks.figures import line, options, report
from benchmarks.peers.duckdb_copy import connected, copy_csv, copy_json
from benchmarks.peers.one_object import load_csv, load_json
from benchmarks.records_data import large_csv, large_json, small, wrong_csv_lines
from benchmarks.records_memory import read_apart
from benchmarks.records_refused import MEMORY_MB, refused
from resources.build import lake_store
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.lake.dataset import Dataset
from vitalake.lake.stages import load_table

ROWS = 99
COPIED_BYTES = 100_000_000
OVER_LOOP = 10.0
OF_DUCKDB = 0.5
_COPIED, _WRONG, _ARRAY, _FEW = "2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"  # days


@dataclass(frozen=True)
class Kind:
    """A dataset, and a column of numbers with its name in the files, by which results are compared."""

    name: str
    dataset: Dataset
    column: str
    field: str


CSV = Kind("csv", PRICING, "vcpu_count", "vCPU")
JSON = Kind("json", RETINA, "retina_thickness_microns", "retina_thickness_microns")


def main() -> int:
    """1 if a figure misses its target."""
    arguments = options(__doc__)
    arguments.add_argument("--objects", type=int, default=1000, help=f"of {ROWS} records, each of CSV and JSON")
    arguments.add_argument(
        "--large-mb", type=int, default=1000, help="size of the array whose memory is measured; 0: none"
    )
    arguments.add_argument(
        "--refused-mb", type=int, default=21, help="size of the files of nothing but bad records; 0: none"
    )
    given = arguments.parse_args()
    logging.disable(logging.WARNING)
    missed = 0
    # Each with a server of its own: one that has just taken a gigabyte is busy with it for a while.
    parts: list[Callable[[Bench], Iterator[dict[str, Any]]]] = [lambda bench: _rows(bench, given.objects)]
    if given.refused_mb:
        parts.insert(0, lambda bench: refused(bench, given.refused_mb))
    if given.large_mb:
        parts.insert(0, lambda bench: _memory(bench, given.large_mb))
    for figures in parts:
        with bench_buckets() as bench:
            missed |= report(figures(replace(bench, lake=lake_store(bench.settings))))
    return missed


def _rows(bench: Bench, count: int) -> Iterator[dict[str, Any]]:
    small(bench, _FEW, 3, ROWS)
    for kind in (CSV, JSON):
        build(bench, _FEW, kind.dataset)  # what is imported once, and a bucket's first object
    small(bench, DAY, count, ROWS)
    for kind in (CSV, JSON):
        yield from _beside_loop(bench, kind, count)
    for kind, put in ((CSV, large_csv), (JSON, large_json)):
        key = f"{kind.dataset.prefix}date={_COPIED}/large.{kind.name}"
        yield from _beside_duckdb(bench, kind, key, put(bench, key, COPIED_BYTES))
    rows = large_csv(bench, f"pricing/date={_WRONG}/wrong.csv", COPIED_BYTES, wrong_csv_lines)
    yield from _rates("records_csv_large_with_wrong_values", rows, cost(lambda: build(bench, _WRONG, PRICING)))


def _memory(bench: Bench, large_mb: int) -> Iterator[dict[str, Any]]:
    """Before anything else: see `read_apart`."""
    records = large_json(bench, f"retina/date={_ARRAY}/array.json", large_mb * 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    peak, rows, _ = read_apart(bench.settings, RETINA, _ARRAY)
    assert rows + _refused(bench, RETINA, _ARRAY) == records
    assert peak > before, "this is what the process began with, not what it needed"
    yield line("records_memory_peak", peak, "MB", most=MEMORY_MB, array_mb=large_mb, records=records)


def _beside_loop(bench: Bench, kind: Kind, count: int) -> Iterator[dict[str, Any]]:
    """The better of two, of both."""
    raw, target = bench.settings.raw_bucket, bench.settings.lake_bucket
    keys = sorted(item.key for item in bench.raw.objects(f"{kind.dataset.prefix}date={DAY}/"))
    assert len(keys) == count
    s3 = bench.client()
    tables = {
        "scans": ("patient_id", "scan_date", "retina_thickness_microns", "optic_disc_cup_ratio", "diagnosis"),
        "names": ("patient_id", "patient_name"),
    }
    loops: dict[str, Callable[[], None]] = {
        "csv": lambda: load_csv(s3, raw, keys, target),
        "json": lambda: load_json(s3, raw, keys, target, tables),
    }
    ours, theirs = _best(lambda: _anew(bench, kind.dataset, DAY)), _best(loops[kind.name])
    files = {"csv": "loaded/pricing/**/*.parquet", "json": "loaded/scans/**/*.json"}[kind.name]
    _compare(bench, kind, DAY, files, kind.field, count * ROWS)
    yield from _rates(f"records_{kind.name}", count * ROWS, ours)
    yield from _rates(f"records_{kind.name}_loop", count * ROWS, theirs)
    name = f"records_{kind.name}_over_loop"
    yield line(name, theirs.wall_s / ours.wall_s, "× the loop's rows/s", least=OVER_LOOP)
    yield line(f"{name}_cpu", theirs.cpu_s / ours.cpu_s, "× its rows a second of CPU")


def _beside_duckdb(bench: Bench, kind: Kind, key: str, rows: int) -> Iterator[dict[str, Any]]:
    """The better of two, of both."""
    target = f"copied/{kind.name}.parquet"
    copy = copy_csv if kind is CSV else copy_json
    theirs = _best(lambda: copy(bench.settings, key, target))
    ours = _best(lambda: _anew(bench, kind.dataset, _COPIED))
    _compare(bench, kind, _COPIED, target, kind.field, rows)
    yield from _rates(f"records_{kind.name}_large", rows, ours)
    yield from _rates(f"records_{kind.name}_large_duckdb", rows, theirs)
    name = f"records_{kind.name}_of_duckdb"
    yield line(name, theirs.wall_s / ours.wall_s, "× DuckDB's rows/s", least=OF_DUCKDB)
    yield line(f"{name}_cpu", theirs.cpu_s / ours.cpu_s, "× its rows a second of CPU")


def _anew(bench: Bench, dataset: Dataset, day: str) -> None:
    for table in dataset.all_tables:
        for item in bench.lake.objects(f"{table.name}/date={day}/"):
            bench.lake.delete(item.key, expected=item.version)
    build(bench, day, dataset)


def _best(work: Callable[[], object]) -> Cost:
    return min((cost(work) for _ in range(2)), key=lambda spent: spent.wall_s)


def _compare(bench: Bench, kind: Kind, day: str, files: str, column: str, rows: int) -> None:
    """Both have every row, ours those that break a rule in quarantine, and the same sum over one column."""
    table = load_table(bench.lake, kind.dataset.tables[0], day, [kind.column])
    assert table.num_rows + _refused(bench, kind.dataset, day) == rows
    with connected(bench.settings) as connection:
        found = f"FROM 's3://{bench.settings.lake_bucket}/{files}'"
        query = f'SELECT count(*), sum(CAST("{column}" AS BIGINT)) {found}'
        assert connection.execute(query).fetchone() == (rows, sum(table.column(0).to_pylist()))


def _refused(bench: Bench, dataset: Dataset, day: str) -> int:
    counts = load_table(bench.lake, dataset.quarantine_table, day, ["record_count"]).column(0)
    return sum(counts.to_pylist())


def _rates(name: str, rows: int, spent: Cost) -> Iterator[dict[str, Any]]:
    yield line(name, rows / spent.wall_s, "rows/s", rows=rows)
    yield line(f"{name}_cpu", rows / spent.cpu_s, "rows a second of CPU")


if __name__ == "__main__":
    raise SystemExit(main())
