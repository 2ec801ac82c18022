"""What the checks that any dataset can declare count.

Belongs here: bad data, and the count. Does not belong here: what a run does with it (`tests/pipeline_assets`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pytest

from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.lake.checks import quarantined, readable, refused_records
from vitalake.lake.contents import RawObject
from vitalake.lake.dataset import Count, Dataset, Threshold
from vitalake.pseudonyms import Pseudonyms

SCANS = json.dumps([{"patient_id": f"P{number}", "scan_date": "2026-11-20"} for number in range(1000)]).encode()
PRICES = b"ID,Region,InstanceType,Price (USD/h),vCPU\n" + b"".join(
    b'%d,eu,"m5",1,2\n' % each for each in range(1000)
)


def rules_of(dataset: Dataset, data: bytes) -> list[str]:
    item = RawObject("a", "v", len(data), datetime(2026, 11, 20, 12, tzinfo=timezone.utc), data)
    return [refusal.rule for parsed in dataset.parse([item], Pseudonyms(bytes(32))) for refusal in parsed.refusals]


def test_objects_are_counted_once_and_records_by_rule() -> None:
    rows = [
        ("a", "D02", 1),
        ("a", "D02", 2_000_000_000),
        ("a", "S01", 1),
        ("b", "S16", 1),
        ("c", "D02", 2_000_000_000),
    ]
    columns = zip(("source_key", "rule", "record_count"), zip(*rows, strict=True), strict=True)
    kinds = {"source_key": pa.string(), "rule": pa.string(), "record_count": pa.int32()}
    refused = pa.table({name: pa.array(values, kinds[name]) for name, values in columns})
    good = pa.table({"source_key": ["a", "b", "c", "d"]})
    tables = {"raw_d": good, "t": good, "d_quarantine": pa.concat_tables([refused.slice(0, 2), refused.slice(2)])}
    objects = Count(2, 4, {"D02": 3, "S01": 1})
    records = Count(4_000_000_003, 4_000_000_007, {"D02": 4_000_000_001, "S01": 1, "S16": 1})
    assert quarantined("d", Threshold(0.02)).count(tables) == objects
    assert refused_records("d", "t", Threshold(0.02)).count(tables) == records
    tables["d_quarantine"] = refused.slice(0, 0)
    assert quarantined("d", Threshold(0.02)).count(tables) == Count(0, 4, {})
    assert refused_records("d", "t", Threshold(0.02)).count(tables) == Count(0, 4, {})


@pytest.mark.parametrize(
    ("dataset", "whole", "broken"),
    [
        (RETINA, SCANS, SCANS[:2000]),
        (PRICING, PRICES, PRICES + b'1000,eu,"m5, which is\n' + b"a kind of machine\n" * 1000),
    ],
)
def test_an_object_that_cannot_be_read_to_its_end_is_not_readable(
    dataset: Dataset, whole: bytes, broken: bytes
) -> None:
    refused = [
        (key, rule) for key, data in (("whole", whole), ("broken", broken)) for rule in rules_of(dataset, data)
    ]
    tables = {
        "raw_d": pa.table({"source_key": ["whole", "broken"]}),
        "d_quarantine": pa.table(
            {"source_key": [key for key, _ in refused], "rule": [rule for _, rule in refused]}
        ),
    }
    found = readable("d", Threshold(0.02)).count(tables)
    assert (found.bad, found.total, found.details) == (1, 2, {"D07": 1})


_EMPTY = """
import sys
import pyarrow as pa
from vitalake.datasets.declared import DATASETS
from vitalake.lake.parquet import decode, encode
for dataset in DATASETS:
    tables = {each.name: decode(encode(each, each.from_rows([]), "")) for each in dataset.all_tables}
    for kind in (lambda rows: rows, lambda rows: pa.Table.from_batches([], rows.schema)):
        for check in dataset.checks:
            check.count({name: kind(tables[name].select(columns)) for name, columns in check.columns.items()})
            assert "pandas" not in sys.modules, (dataset.name, check.name)
"""


def test_a_partition_without_rows_is_counted_without_the_import_of_pandas() -> None:
    """A second of CPU in every run, for nothing."""
    root = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", _EMPTY], cwd=root, check=True, timeout=120)
