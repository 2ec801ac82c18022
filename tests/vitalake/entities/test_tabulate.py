"""Objects to rows: each record ends in a row or in quarantine."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vitalake.entities.samples import as_json, erp_export, legacy_export, read, ten_customers
from vitalake.datasets.entities import ENTITIES
from vitalake.entities.tables import EXPORTS, RECORDS
from vitalake.errors import UnusableDataError
from vitalake.pseudonyms import Pseudonyms


def test_the_file_of_ten_customers_gives_ten_entities_and_not_one() -> None:
    found = read({"entities/demo.json": ten_customers()})
    assert [row["canonical_id"] for row in found.rows] == [f"crm_CUST{n:03}" for n in range(1, 11)]
    assert len({row["quality_score"] for row in found.rows}) > 1
    assert {row["entity_type"] for row in found.rows} == {"large_enterprise", "medium_business", "small_business"}
    assert json.loads(found.rows[4]["attributes"])["address"] == {"country": "PT"}
    assert json.loads(found.private_rows[4]["attributes"])["address"] == {"city": "Évora", "country": "PT"}
    (export,) = found.export_rows
    assert (export["record_count"], export["usable_count"], export["reconciled"]) == (10, 10, True)
    assert export["summary_unchecked"] == ["summary.?"]
    told = {name: dict(ten_customers()[name]) for name in ("metadata", "summary")}
    [(envelope, key)] = [(row["envelope"], row["source_key"]) for row in found.envelope_rows]
    assert (json.loads(envelope), key) == (told, "entities/demo.json")
    del told["metadata"]["schema"], told["summary"]["churnRisk"]
    assert json.loads(export["envelope"]) == told


def test_objects_of_several_systems_are_laid_out_in_order_each_with_its_source() -> None:
    found = read({"entities/e.json": erp_export(), "entities/legacy/l.json": legacy_export()})
    assert [(row["canonical_id"], row["source_version"], row["record_number"]) for row in found.rows] == [
        ("erp_7001", "v0", 1),
        ("erp_7002", "v0", 2),
        ("legacy_L-1", "v1", 1),
        ("legacy_L-2", "v1", 2),
    ]
    assert [row["export_id"] for row in found.export_rows] == ["31", None]


def test_records_on_lines_are_entities_and_a_bad_line_is_refused_alone() -> None:
    lines = b"\n".join(map(as_json, [*legacy_export(), "no record", *legacy_export()]))
    found = read({"entities/legacy/l.json": lines})
    assert [(row["canonical_id"], row["record_number"]) for row in found.rows] == [
        ("legacy_L-1", 1),
        ("legacy_L-2", 2),
        ("legacy_L-1", 4),
        ("legacy_L-2", 5),
    ]
    assert [(each.rule, each.record_number) for each in found.refusals] == [("D02", 3)]
    assert [(row["record_count"], row["envelope"]) for row in found.export_rows] == [(5, None)]


def test_an_export_without_a_source_system_is_quarantined_with_all_its_records() -> None:
    found = read({"entities/l.json": legacy_export(), "entities/m.json": {"records": [], "metadata": {}}})
    assert found.rows == found.export_rows == []
    assert [(each.rule, each.record_number, each.record_count) for each in found.refusals] == [
        ("E01", None, 2),
        ("E01", None, 1),
    ]


def test_a_refused_record_is_told_by_number_without_its_text_and_its_neighbours_stay() -> None:
    data = b'{"metadata": {"sourceSystem": "legacy", "recordCount": 3}, "records": [{"id": 1, "name": "a"}, '
    data += b'{"id": 2, "name": "\\ud800", "x": NaN}, {"id": 3, "name": "c"}, {"id": 4, "x": "y"}]}'
    found = read({"entities/x.json": data})
    assert [row["record_number"] for row in found.rows] == [1, 3]
    assert [(each.rule, each.record_number) for each in found.refusals] == [("D02", 2), ("E04", 4)]
    assert [each.text for each in found.refusals] == [None, None]
    (export,) = found.export_rows
    counts = ("declared_count", "record_count", "usable_count", "quarantined_count")
    assert [export[name] for name in counts] == [3, 4, 2, 2]


@pytest.mark.parametrize("key", [b'"summary\xe9"', b'"\\ud800"'])
def test_an_odd_key_around_the_records_costs_neither_the_export_nor_its_reconciliation(key: bytes) -> None:
    data = b'{"records": [{"id": 1, "name": "a"}], "metadata": {"recordCount": 99}, ' + key + b': {"x": 1}}'
    found = read({"entities/crm/x.json": data})
    assert [row["canonical_id"] for row in found.rows] == ["crm_1"]
    assert found.refusals == []
    (export,) = found.export_rows
    assert (export["record_count"], export["reconciled"]) == (1, False)
    assert len(export["problems"]) == 1
    assert {"x": 1} in json.loads(found.envelope_rows[0]["envelope"]).values()


def test_an_export_of_many_pieces_keeps_its_numbers_and_has_one_row() -> None:
    count = 2**15 + 1  # of small records, a block of the reader has so many
    found = read({"entities/legacy/x.json": [{"id": n, "name": f"name {n}"} for n in range(count)]})
    assert found.records.column("record_number").to_pylist() == list(range(1, count + 1))
    assert [row["usable_count"] for row in found.export_rows] == [count]


def test_a_private_attribute_that_changes_is_another_content_and_nobody_can_try_all_of_them() -> None:
    def digests(*records: dict[str, Any], key: bytes = b"one key" * 3) -> list[str]:
        named = [{"id": number, "name": "Acme"} | record for number, record in enumerate(records)]
        found = read({"entities/legacy/x.json": named}, pseudonyms=Pseudonyms(key))
        return [row["content_sha256"] for row in found.rows]

    phone, other = {"contact": {"phone": "0655551234"}}, {"contact": {"phone": "0655551235"}}
    one, another, again, without, shared = digests(phone, other, phone, {}, {"country": "DK"})
    assert one == again
    assert len({one, another, without, shared}) == 4
    # Whoever has no key can compute what everybody sees, and nothing else.
    assert digests(phone, {}, {"country": "DK"}, key=b"another" * 3)[1:] == [without, shared]
    assert digests(phone, key=b"another" * 3) != [one]
    plain = json.dumps(["Acme", None, None, None, "{}", json.dumps(phone, separators=(",", ":"))])
    assert one != hashlib.sha256(plain.replace(", ", ",").encode()).hexdigest()


def test_of_what_an_export_says_of_itself_everybody_sees_what_is_known_and_can_be_used() -> None:
    metadata = {"sourceSystem": "CRM", "exportId": "Ann Smith", "dataVersion": "1.4 by Ann", "recordCount": "two"}
    around = {"metadata": metadata | {"by": "Ann", "exportDate": "Ann"}, "summary": {"Ann": 1, "totalRevenue": "0"}}
    found = read({"entities/x.json": {"records": [{"id": 1, "name": "a"}], "note": "Ann"} | around})
    [export], [envelope] = found.export_rows, found.envelope_rows
    assert json.loads(export["envelope"]) == {
        "metadata": {"sourceSystem": "CRM"},
        "summary": {"totalRevenue": "0"},
    }
    assert "Ann" not in str(export)
    assert (export["export_id"], export["data_version"], len(export["problems"])) == (None, None, 4)
    assert json.loads(envelope["envelope"]) == {"note": "Ann"} | around


A, B = {"id": 1, "name": "a"}, {"id": 2, "name": "b"}


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        ("reconciled", {"metadata": {"recordCount": 2}}, {"metadata": {"recordCount": 3}}),
        ("reconciled", {"summary": {"totalRevenue": 0}}, {"summary": {"totalRevenue": 5}}),
        ("described", {"metadata": {"exportDate": "2026-11-20"}}, {"metadata": {"exportDate": "today"}}),
        ("repeated", {"records": [A, B]}, {"records": [A, B, {"id": "1 ", "name": "c"}]}),
    ],
)
def test_each_check_fails_on_bad_exports_and_on_no_others(check: str, good: Any, bad: Any) -> None:
    (declared,) = (each for each in ENTITIES.checks if each.name == check)
    for number, content in enumerate((good, bad)):
        found = read({"entities/crm/x.json": {"records": [A, B]} | content})
        tables = {RECORDS.name: found.records, EXPORTS.name: found.exports}
        read_by_it = {table: tables[table].select(columns) for table, columns in declared.columns.items()}
        assert declared.count(read_by_it).bad == number


nasty = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.sampled_from(["1,200,000", "\ud800", "a\0b", "NaN", 10**30, -0.0, 1e308, "Acme Ltd", 7]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("id", "customer_id", "name", "businessName", "revenue", "annual_revenue", "employees", "industry", "x")
ERP_KEYS = ("financials", "hrData", "sector")
records = st.dictionaries(st.sampled_from(KEYS + ERP_KEYS), nasty, max_size=8)
likely = st.builds(lambda record, number: {"id": number, "name": "Acme"} | record, records, st.integers(0, 3))
around = st.dictionaries(
    st.sampled_from(["sourceSystem", "recordCount", "exportDate", "exportId", "totalRevenue", "averageRevenue"]),
    nasty,
)


@settings(max_examples=150)
@given(st.lists(likely | records | nasty, max_size=6), around, around, st.sampled_from(["crm", "erp", "sap"]))
def test_records_in_are_rows_out_and_quarantined(
    given_records: list[Any], metadata: dict[str, Any], summary: dict[str, Any], system: str
) -> None:
    whole = {"records": given_records, "metadata": metadata, "summary": summary}
    data = json.dumps(whole).encode()  # NaN, Infinity and halves of surrogate pairs as they come
    found = read({f"entities/{system}/x.json": data})
    unknown = [each for each in found.refusals if each.record_number is None]
    if unknown:
        assert [each.record_count for each in unknown] == [max(len(given_records), 1)]
        assert found.rows == found.export_rows == []
        return
    numbers = [row["record_number"] for row in found.rows] + [each.record_number for each in found.refusals]
    assert sorted(filter(None, numbers)) == list(range(1, len(given_records) + 1))
    (export,) = found.export_rows
    assert export["usable_count"] == len(found.rows)
    assert export["record_count"] == export["usable_count"] + export["quarantined_count"] == len(given_records)
    for row in found.rows:
        parts = [row[name] for name in ("quality_score", "completeness", "validity", "consistency")]
        assert all(0 <= part <= 100 for part in parts)
        assert row["revenue"] is None or row["revenue"] >= 0


@settings(max_examples=150)
@given(st.data())
def test_damaged_bytes_are_refused_or_read_and_never_anything_else(data: st.DataObject) -> None:
    whole = bytearray(as_json(erp_export()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        found = read({"entities/x.json": bytes(whole)})
    except UnusableDataError as error:
        assert error.rule == "S02"
    else:
        assert len(found.rows) + sum(each.record_count for each in found.refusals) >= 1


def test_reading_and_laying_out_does_not_import_pandas() -> None:
    """Half a second of every run."""
    code = "from tests.vitalake.entities.samples import *; read({'entities/x.json': ten_customers()})"
    code += "\nimport sys; print('pandas' in sys.modules, 'duckdb' in sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == ["False", "True"]
