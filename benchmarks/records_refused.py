"""Files of nothing but bad records for `benchmarks/records.py`: what they cost beside a good one of the same size.

Belongs here: the kinds of them, and the two figures. Does not belong here: the process that reads one
(`benchmarks/records_memory.py`), good files (`benchmarks/records_data.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from benchmarks.day import Bench, line
from benchmarks.records_data import CSV_HEADER, large_csv, large_json
from benchmarks.records_memory import read_apart
from vitalake.dataset import Dataset
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA

MEMORY_MB = 500
OF_GOOD = 3.0
_FIRST_DAY = date(2026, 10, 1)
_SCAN = b'{"patient_id":"P1","scan_date":"2026-11-20","retina_thickness_microns":%d,"optic_disc_cup_ratio":0.3}'
# What stands before the bad records, one of them, and what stands behind.
_KINDS: dict[str, tuple[Dataset, bytes, bytes, bytes]] = {
    **{
        name: (PRICING, CSV_HEADER.encode(), row, b"")
        for name, row in {
            "csv: too few fields": b"x,,,,\n",
            "csv: of the wrong type": b"x,,,,,,,,,\n",
            "csv: three rules": b"1,eu-west-1,,m5.large,-1,0,0,,,\n",
            "csv: NUL bytes": b"1,eu-west-1,,m5\0large,1,1,1,,,\n",
            "csv: in quotes": b'"x",,,,\n',
        }.items()
    },
    **{
        name: (RETINA, b"[" + record, b"," + record, b"]")
        for name, record in {
            "json: a number": b"1",
            "json: NaN": b'{"patient_id":NaN}',
            "json: of the wrong type": b'{"patient_id":1}',
            "json: a rule": _SCAN % 1,
        }.items()
    },
    "json: NaN on lines": (RETINA, _SCAN % 280 + b"\n", b'{"patient_id":NaN}\n', b""),
}


def refused(bench: Bench, size_mb: int) -> Iterator[dict[str, Any]]:
    """The most memory that one takes, and the most time beside a good file; to be called while little is loaded."""
    size = size_mb * 1_000_000
    days = (str(_FIRST_DAY + timedelta(days=number)) for number in range(len(_KINDS) + 4))
    good: dict[str, float] = {}
    for dataset, put in 2 * ((PRICING, large_csv), (RETINA, large_json)):  # the better of two
        day = next(days)
        put(bench, f"{dataset.prefix}date={day}/good", size)
        seconds = read_apart(bench.settings, dataset, day)[2]
        good[dataset.name] = min(seconds, good.get(dataset.name, seconds))
    memory: dict[str, float] = {}
    time: dict[str, float] = {}
    for name, (dataset, before, bad, behind) in _KINDS.items():
        day = next(days)
        count = max(1, (size - len(before)) // len(bad))
        bench.raw.put(f"{dataset.prefix}date={day}/bad", before + bad * count + behind, expected=None)
        memory[name], rows, seconds = read_apart(bench.settings, dataset, day)
        assert rows == int(name.endswith("on lines"))
        time[name] = seconds / good[dataset.name]
    worst = max(memory, key=lambda name: memory[name])
    yield line("records_refused_memory", memory[worst], "MB", most=MEMORY_MB, worst=worst, file_mb=size_mb)
    worst = max(time, key=lambda name: time[name])
    each = {name: round(ratio, 2) for name, ratio in time.items()}
    yield line("records_refused_time", time[worst], "× a good file's", most=OF_GOOD, worst=worst, each=each)
