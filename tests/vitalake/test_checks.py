"""What the checks that any dataset can declare count.

Belongs here: bad data, and the count. Does not belong here: what a run does with it (`tests/pipeline_assets`).
"""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pyarrow as pa
import pytest

from vitalake.checks import readable
from vitalake.dataset import Dataset, RawObject, Threshold
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.pseudonyms import Pseudonyms

SCANS = json.dumps([{"patient_id": f"P{number}", "scan_date": "2026-11-20"} for number in range(1000)]).encode()
PRICES = b"ID,Region,InstanceType,Price (USD/h),vCPU\n" + b"".join(
    b'%d,eu,"m5",1,2\n' % each for each in range(1000)
)


def rules_of(dataset: Dataset, data: bytes) -> list[str]:
    item = RawObject("a", "v", len(data), datetime(2026, 11, 20, 12, tzinfo=timezone.utc), data)
    return [refusal.rule for parsed in dataset.parse([item], Pseudonyms(bytes(32))) for refusal in parsed.refusals]


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
