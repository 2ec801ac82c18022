"""The floor: the least that anybody has to do with a day of recordings, and that much through our mechanism.

Belongs here: the straight-line script, and a dataset that computes the very same columns. Does not belong here:
what is compared (`benchmarks/throughput.py`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from resources.object_store import ObjectStore
from vitalake.arrivals.objects import ObjectInfo
from vitalake.lake.contents import Parsed, RawObject, Tabulated
from vitalake.lake.dataset import Dataset
from vitalake.lake.tables import Column, Table
from vitalake.pseudonyms import Pseudonyms

HEADER_BYTES = 24  # of a MATLAB v4 file with one variable called val
PART = 1000
_NUMBERS = ("peak_to_peak", "std", "low", "high")


def floor(raw: ObjectStore, lake: ObjectStore, items: Sequence[ObjectInfo]) -> None:
    """Concurrent gets, the plainest parse, one spectrum and cheap statistics, one Parquet put a thousand."""
    for number, first in enumerate(range(0, len(items), PART)):
        some = items[first : first + PART]
        bodies = [data for _item, data in raw.get_many(some) if isinstance(data, bytes)]
        x = np.stack([np.frombuffer(data, "<i2", offset=HEADER_BYTES) for data in bodies])
        table = pa.table({"key": [item.key for item in some], "samples": list(x.astype(np.int32)), **_measures(x)})
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd")
        lake.put(f"floor/part-{number:05d}.parquet", sink.getvalue(), expected=None)


def _measures(x: npt.NDArray[np.int16]) -> Mapping[str, npt.NDArray[np.float32]]:
    mv = (x.astype(np.float32) - 1024) / 200
    power = np.abs(np.fft.rfft(mv - mv.mean(axis=1, keepdims=True), axis=1)) ** 2
    total = power.sum(axis=1)
    return {
        "peak_to_peak": np.ptp(mv, axis=1),
        "std": mv.std(axis=1),
        "low": power[:, :10].sum(axis=1) / total,
        "high": power[:, 400:].sum(axis=1) / total,
    }


TABLE = Table(
    "floor_recordings",
    "What the floor writes.",
    (
        Column("key", "string", "Key of the object."),
        Column("samples", "list<int32>", "Samples as stored."),
        *(Column(name, "float64", "As the floor computes it.") for name in _NUMBERS),
    ),
)


def _parse(objects: Sequence[RawObject], _pseudonyms: Pseudonyms) -> Iterator[Parsed]:
    (item,) = objects
    x = np.frombuffer(item.data, "<i2", offset=HEADER_BYTES)
    yield Parsed(((item.key, x),), weight_bytes=x.nbytes)


def _tabulate(values: Sequence[Any]) -> Tabulated:
    if not values:
        return Tabulated({TABLE.name: TABLE.from_rows([])})
    x = np.stack([samples for _, samples in values])
    offsets = pa.array(np.arange(len(x) + 1, dtype=np.int32) * x.shape[1])
    samples = pa.ListArray.from_arrays(offsets, pa.array(x.astype(np.int32).ravel()))
    columns = {"key": [key for key, _ in values], "samples": samples}
    measures = {name: pa.array(column.astype(np.float64)) for name, column in _measures(x).items()}
    return Tabulated({TABLE.name: TABLE.from_columns({**columns, **measures})})


# Its objects are those of the ECG dataset; its tables have names of their own.
class _SamePrefix(Dataset):
    @property
    def prefix(self) -> str:
        return "ecg/"


FLOOR = _SamePrefix(
    "floor", "The floor's measures, through our mechanism.", "team:bench", _parse, _tabulate, (TABLE,)
)
