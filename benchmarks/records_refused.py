"""Files of nothing but bad records for `benchmarks/records.py`: what they cost beside a good one of the same size.

Belongs here: the kinds of them, and the two figures. Does not belong here: the process that reads one
(`benchmarks/records_memory.py`), good files (`benchmarks/records_data.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from benchmarks.day import Bench
from benchmarks.figures import line
from benchmarks.records_data import CSV_HEADER, large_csv, large_json
from benchmarks.records_memory import read_apart
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.lake.dataset import Dataset

MEMORY_MB = 500
OF_GOOD = 3.0
_FIRST_DAY = date(2026, 10, 1)
_SCAN = b'{"patient_id":"P1","scan_date":"2026-11-20","retina_thickness_microns":%d,"optic_disc_cup_ratio":0.3}'
_LONG_SCAN = (
    b'{"patient_id":"%b","patient_name":"Ada Example","scan_date":"2026-11-20","retina_thickness_microns":%b,'
    b'"optic_disc_cup_ratio":0.3,"diagnosis":"glaucoma"}'
)
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
    # As long as good ones, and no two alike: each has its number.
    **{
        name: (PRICING, CSV_HEADER.encode(), row + b",EBS only,Linux,Up to 10 Gigabit\n", b"")
        for name, row in {
            "csv: text behind quotes": b'%d,"eu-west"-1,Compute optimised,m5.large,1.5,4,10',
            "csv: a quote not closed": b'%d,eu-west-1,"Compute optimised,m5.large,1.5,4,10',
        }.items()
    },
    **{
        name: (RETINA, b"[" + record % 0, b"," + record, b"]")
        for name, record in {
            "json: a text for a number": _LONG_SCAN % (b"P%d", b'"thick"'),
            "json: a field missing": _LONG_SCAN.replace(b'"scan_date":"2026-11-20",', b"") % (b"P%d", b"280"),
            "json: a key twice": _LONG_SCAN % (b"P%d", b'280,"retina_thickness_microns":280'),
            "json: NaN inside": _LONG_SCAN % (b"P%d", b'280,"layers":[{"inner":{"microns":NaN}}]'),
            "json: texts": b'"P%d, 2026-11-20, a retina of 280 microns, a ratio of 0.3, glaucoma, and more"',
        }.items()
    },
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
        bench.raw.put(
            f"{dataset.prefix}date={day}/bad", before + _many(bad, size - len(before)) + behind, expected=None
        )
        memory[name], rows, seconds = read_apart(bench.settings, dataset, day)
        assert rows == int(name.endswith("on lines"))
        time[name] = seconds / good[dataset.name]
    worst = max(memory, key=lambda name: memory[name])
    yield line("records_refused_memory", memory[worst], "MB", most=MEMORY_MB, worst=worst, file_mb=size_mb)
    worst = max(time, key=lambda name: time[name])
    each = {name: round(ratio, 2) for name, ratio in time.items()}
    yield line("records_refused_time", time[worst], "× a good file's", most=OF_GOOD, worst=worst, each=each)


def _many(record: bytes, size: int) -> bytes:
    """A record again and again up to a size, with its number where it has a place for one."""
    if b"%d" not in record:
        return record * max(1, size // len(record))
    return b"".join([record % number for number in range(1_000_000, 1_000_000 + size // len(record % 1_000_000))])
