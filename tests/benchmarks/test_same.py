"""Contenders of a day on a real S3 server: what they leave agrees with ours, and a difference is loud."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pandas as pd
import pytest

from benchmarks.day import DAY, Bench, build, fill, prefix
from benchmarks.peers.floor import FLOOR, floor
from benchmarks.peers.handler import handle_all
from benchmarks.peers.loop import Looped
from benchmarks.peers.same import same_as_floor, same_as_handled, same_as_looped, same_samples_as_floor
from resources.object_store import ObjectStore
from resources.settings import Settings
from vitalake.arrivals.objects import ObjectInfo
from vitalake.datasets.ecg import ECG
from vitalake.lake.stages import load_table

pytestmark = pytest.mark.store


@pytest.fixture
def bench(settings: Settings, raw: ObjectStore, store: ObjectStore) -> Bench:
    """Three recordings, and what ours makes of them."""
    made = Bench(settings, raw, store)
    fill(raw, DAY, 0, 3)
    build(made, DAY)
    return made


@pytest.fixture
def items(bench: Bench) -> list[ObjectInfo]:
    return sorted(bench.raw.objects(prefix(DAY)), key=lambda item: item.key)


def handle(bench: Bench, items: Sequence[ObjectInfo]) -> None:
    handle_all(bench.settings.raw_bucket, items, bench.client(), bench.settings.lake_bucket)


def test_the_floor_and_ours_have_the_same_samples_and_numbers(bench: Bench, items: list[ObjectInfo]) -> None:
    floor(bench.raw, bench.lake, items)
    build(bench, DAY, FLOOR)
    same_as_floor(bench.lake, items)
    same_samples_as_floor(bench.lake, items)


def test_a_floor_that_read_less_is_no_floor(bench: Bench, items: list[ObjectInfo]) -> None:
    floor(bench.raw, bench.lake, items[:2])
    build(bench, DAY, FLOOR)
    for compare in (same_as_floor, same_samples_as_floor):
        with pytest.raises(AssertionError, match="floor: 2 recordings, which are not the 3"):
            compare(bench.lake, items)


def test_the_function_leaves_our_samples_scaled(bench: Bench, items: list[ObjectInfo]) -> None:
    handle(bench, items)
    same_as_handled(bench.lake, items)


def test_what_the_function_left_out_or_left_wrong_is_a_difference(bench: Bench, items: list[ObjectInfo]) -> None:
    handle(bench, items[:2])
    with pytest.raises(AssertionError, match="2 objects for 3"):
        same_as_handled(bench.lake, items)
    sink = io.BytesIO()
    pd.DataFrame({"MLII": [0.0, 1.0] * 1800}).to_parquet(sink)
    bench.lake.put(f"handled/{items[2].key}.parquet", sink.getvalue(), expected=None)
    with pytest.raises(AssertionError, match="handler: 1 of 3 differ"):
        same_as_handled(bench.lake, items)


def test_a_notebook_that_finds_other_beats_differs(bench: Bench, items: list[ObjectInfo]) -> None:
    found = load_table(bench.lake, ECG.table("ecg_features"), DAY).to_pylist()
    rows = {row["source_key"]: {"beats": row["beat_count"] + 1, "rmssd": row["rmssd_ms"] - 4} for row in found}
    same = [rows[item.key] for item in items]
    same_as_looped(bench.lake, items, Looped(1.0, same))
    for name in ("beats", "rmssd"):
        with pytest.raises(AssertionError, match=f": {name} is"):
            same_as_looped(bench.lake, items, Looped(1.0, [{**row, name: 3 * row[name]} for row in same]))
