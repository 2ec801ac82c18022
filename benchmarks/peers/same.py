"""What the contenders of a day have in common with us, compared key by key.

Belongs here: which keys, samples and measures two ways both have, and how far apart they may be. Does not belong
here: times (`benchmarks/throughput.py`), comparing rows (`benchmarks/peers/agree.py`).

Keys are compared of all recordings, values of fifty spread over the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.day import DAY
from benchmarks.peers.agree import agree
from benchmarks.peers.floor import FLOOR
from benchmarks.peers.loop import Looped
from resources.object_store import ObjectStore
from vitalake.arrivals.objects import ObjectInfo
from vitalake.datasets.ecg import ECG
from vitalake.lake.parquet import decode
from vitalake.lake.stages import load_table

SAMPLE = 50
_FLOOR = {"samples": 0.0, "peak_to_peak": 1e-6, "std": 1e-6, "low": 1e-5, "high": 1e-5}  # mV, and shares of power
_SCALED = 1e-12
# Where NeuroKit2 puts a beat at the edge of a strip elsewhere than we do, there is one more or less.
_BEATS, _BEATS_SHARE = 1.0, 0.95
_RMSSD_MS, _RMSSD_SHARE = 5.0, 0.7


def same_as_floor(lake: ObjectStore, items: Sequence[ObjectInfo]) -> None:
    """Our mechanism with the floor's measures wrote what the floor did, numbers in single precision."""
    ours, theirs = load_table(lake, FLOOR.tables[0], DAY), _floor(lake)
    _all_there("floor", ours, theirs, items)
    agree("floor", _rows(ours, items), _rows(theirs, items), _FLOOR)


def same_samples_as_floor(lake: ObjectStore, items: Sequence[ObjectInfo]) -> None:
    """Ours has the floor's recordings, their samples as stored, and features of each."""
    ours, theirs = _ecg(lake, "ecg_signals", "samples"), _floor(lake)
    _all_there("floor", ours, theirs, items)
    _all_there("floor", _ecg(lake, "ecg_features"), theirs, items)
    agree("floor", _rows(ours, items), _rows(theirs, items), {"samples": 0.0})


def same_as_handled(lake: ObjectStore, items: Sequence[ObjectInfo]) -> None:
    """The function left one object for each recording, with our samples scaled to 0 … 1."""
    left = {item.key for item in lake.objects("handled/")}
    wanted = {f"handled/{item.key}.parquet" for item in items}
    assert left == wanted, f"handler: {len(left)} objects for {len(wanted)} recordings"
    some = _spread(items)
    ours = _rows(_ecg(lake, "ecg_signals", "samples"), some)
    theirs = {item.key: decode(lake.get(f"handled/{item.key}.parquet")) for item in some}
    agree(
        "handler",
        {key: {"x": _scaled(np.array(row["samples"]))} for key, row in ours.items()},
        {key: {"x": table.column("MLII").to_numpy()} for key, table in theirs.items()},
        {"x": _SCALED},
    )


def same_as_looped(lake: ObjectStore, items: Sequence[ObjectInfo], looped: Looped) -> None:
    """The notebook found as many beats as we did, or one more or less, and mostly the same variability."""
    ours = _rows(_ecg(lake, "ecg_features", "beat_count", "rmssd_ms"), items, len(items))
    named = {key: {"beats": row["beat_count"], "rmssd": row["rmssd_ms"]} for key, row in ours.items()}
    theirs = {item.key: row for item, row in zip(items, looped.rows, strict=True)}
    agree("loop", named, theirs, {"beats": _BEATS}, share=_BEATS_SHARE)
    agree("loop", named, theirs, {"rmssd": _RMSSD_MS}, share=_RMSSD_SHARE)


def _all_there(who: str, ours: pa.Table, theirs: pa.Table, items: Sequence[ObjectInfo]) -> None:
    keys = sorted(item.key for item in items)
    for name, table in (("ours", ours), (who, theirs)):
        found = sorted(table.column("key").to_pylist())
        assert found == keys, f"{name}: {len(found)} recordings, which are not the {len(keys)} listed"


def _rows(table: pa.Table, items: Sequence[ObjectInfo], count: int = SAMPLE) -> dict[str, dict[str, Any]]:
    wanted = pa.array([item.key for item in _spread(items, count)])
    return {row["key"]: row for row in table.filter(pc.is_in(table.column("key"), wanted)).to_pylist()}


def _spread(items: Sequence[ObjectInfo], count: int = SAMPLE) -> Sequence[ObjectInfo]:
    return items[:: max(1, len(items) // count)]


def _floor(lake: ObjectStore) -> pa.Table:
    return pa.concat_tables(decode(lake.get(item.key)) for item in lake.objects("floor/"))


def _ecg(lake: ObjectStore, table: str, *columns: str) -> pa.Table:
    return load_table(lake, ECG.table(table), DAY, ["source_key", *columns]).rename_columns(["key", *columns])


def _scaled(samples: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    low, high = samples.min(), samples.max()
    return np.asarray((samples - low) / (high - low), dtype=np.float64)
