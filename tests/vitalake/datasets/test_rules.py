"""Rules and views of declared datasets on text that is not what it seems: blank, or with white space around it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import duckdb
import pytest

from tests.vitalake.scans import SCAN
from vitalake.datasets.entities import ENTITIES
from vitalake.datasets.entity_metrics import ENTITY_METRICS
from vitalake.datasets.entity_relationships import ENTITY_RELATIONSHIPS
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.lake.contents import RawObject, Refusal
from vitalake.lake.dataset import Dataset
from vitalake.pseudonyms import Pseudonyms

NOON = datetime(2025, 3, 2, 12, tzinfo=timezone.utc)
# Space, tab, line break, no-break space, em space, line separator, vertical tab, next line, zero width space.
NOTHING_TO_SEE = ["", " ", "\t", "\r\n", "\u00a0", "\u2003 ", "\u2028", "\v", "\x85", "\u200b"]


def read(dataset: Dataset, data: bytes) -> tuple[list[dict[str, Any]], list[Refusal]]:
    """The rows of the first table, and what is refused."""
    item = RawObject(f"{dataset.name}/a", "v1", len(data), NOON, data)
    parsed = list(dataset.parse([item], Pseudonyms(bytes(32))))
    found = dataset.tabulate([value for each in parsed for value in each.values])
    refusals = [refusal for each in parsed for refusal in each.refusals]
    return found.tables[dataset.tables[0].name].to_pylist(), [*refusals, *found.refusals]


@pytest.mark.parametrize("name", [None, *NOTHING_TO_SEE])
def test_a_name_that_nobody_can_see_is_warned_about(name: str | None) -> None:
    rows, refusals = read(
        RETINA, json.dumps([SCAN | {"patient_name": name}, SCAN | {"patient_name": " 李 "}]).encode()
    )
    assert not refusals
    assert [row["warnings"] for row in rows] == [["R06"], []]


def test_every_patient_with_a_scan_is_a_patient_with_the_newest_name_that_there_is() -> None:
    given: dict[str, list[str | None]] = {
        "P1": ["Ada Example", "Ada Newname"],
        "P2": ["Bea Example", None, "\t", "\u00a0"],
        "P3": [None],
        "P4": [*NOTHING_TO_SEE],
    }
    rows = [(patient, name) for patient, names in given.items() for name in names]
    [view] = RETINA.views
    with duckdb.connect() as connection:
        connection.execute(
            """CREATE TABLE retina_names (
                patient_id VARCHAR, patient_name VARCHAR, uploaded_at TIMESTAMPTZ, source_key VARCHAR,
                record_number BIGINT
            )"""
        )
        connection.executemany(
            "INSERT INTO retina_names VALUES ($1, $2, $3, 'a.json', $4)",
            [(*row, NOON, number) for number, row in enumerate(rows)],
        )
        found = connection.execute(f"FROM ({view.select}) ORDER BY patient_id").fetchall()
    assert found == [("P1", "Ada Newname"), ("P2", "Bea Example"), ("P3", None), ("P4", None)]


LINK = {"parent_id": "crm_1", "child_id": "crm_2", "type": "part of", "strength": "0.5"}
METRIC = {"entity_id": "crm_1", "metric": "net revenue", "date": "2025-03-01", "value": "5", "unit": " USD"}


@pytest.mark.parametrize("around", [" {}", "{} ", "{}\t", '"{}\n"', "\u00a0{}", "{}\u2003", "{}\x85"])
@pytest.mark.parametrize(
    ("dataset", "record", "field", "rule"),
    [
        *((ENTITY_RELATIONSHIPS, LINK, field, "L03") for field in ("parent_id", "child_id", "type")),
        *((ENTITY_METRICS, METRIC, field, "T02") for field in ("entity_id", "metric")),
    ],
)
def test_a_key_with_white_space_around_it_is_refused_as_it_would_join_nothing(
    dataset: Dataset, record: dict[str, str], field: str, rule: str, around: str
) -> None:
    odd = record | {field: around.format(record[field])}
    lines = [",".join(record), *(",".join(each.values()) for each in (record, odd, record))]
    rows, [refusal] = read(dataset, "\n".join(lines).encode())
    assert (refusal.rule, refusal.record_number) == (rule, 3)
    assert field in refusal.message
    assert len(rows) == 2


@pytest.mark.parametrize(
    "around", ["{}\u200b", "\ufeff{}", "{}\u00ad", "\u200e{}", "{}\u2060", "{}\ufe0f", "\u3164{}"]
)
@pytest.mark.parametrize(
    ("dataset", "record", "field"),
    [
        *((ENTITY_RELATIONSHIPS, LINK, field) for field in ("parent_id", "child_id", "type")),
        *((ENTITY_METRICS, METRIC, field) for field in ("entity_id", "metric")),
    ],
)
def test_a_key_with_what_nobody_sees_around_it_is_refused_with_the_character(
    dataset: Dataset, record: dict[str, str], field: str, around: str
) -> None:
    odd = record | {field: around.format(record[field])}
    lines = [",".join(record), *(",".join(each.values()) for each in (record, odd, record))]
    rows, [refusal] = read(dataset, "\n".join(lines).encode())
    assert (refusal.rule, refusal.record_number, len(rows)) == ("D08", 3, 2)
    assert refusal.message.startswith(f"{field} begins or ends with U+{ord(around.strip('{}')):04X} ")


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u00ad", "\u00a0"])
def test_what_nobody_sees_is_taken_from_around_an_id_of_an_entity(unseen: str) -> None:
    data = json.dumps([{"id": f"{unseen}7{unseen}", "company_name": f"Acme{unseen}"}]).encode()
    item = RawObject("entities/crm/a", "v1", len(data), NOON, data)
    values = [value for each in ENTITIES.parse([item], Pseudonyms(bytes(32))) for value in each.values]
    [row] = ENTITIES.tabulate(values).tables[ENTITIES.tables[0].name].to_pylist()
    assert (row["canonical_id"], row["name"]) == ("crm_7", "Acme")


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u00ad", "\u00a0", " "])
def test_what_nobody_sees_is_taken_from_around_any_text_that_is_no_key(unseen: str) -> None:
    data = f"Region,ID,InstanceType,Price (USD/h)\n{unseen}eu,1,m5{unseen},0.1\n".encode()
    [price], refusals = read(PRICING, data)
    assert (price["region"], price["instance_type"], refusals) == ("eu", "m5", [])
    [scan], refusals = read(RETINA, json.dumps([SCAN | {"diagnosis": f"{unseen}normal{unseen}"}]).encode())
    assert (scan["diagnosis"], scan["warnings"], refusals) == ("normal", [], [])
