"""Declared fields and rules, from the bytes of files to rows and refusals."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.errors import PermanentError, UnusableDataError
from vitalake.lake.contents import RawObject, Refusal
from vitalake.lake.dataset import Dataset, Rule
from vitalake.pseudonyms import Pseudonyms
from vitalake.records.declare import csv_dataset, json_dataset
from vitalake.records.fields import Field, RecordTable

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
HEADER = "ID,Region,InstanceType,Price (USD/h),vCPU\n"
SCAN: dict[str, Any] = {
    "patient_id": "P1",
    "patient_name": "Ada Example",
    "scan_date": "2026-11-20",
    "retina_thickness_microns": 280,
    "optic_disc_cup_ratio": 0.35,
    "diagnosis": "glaucoma",
}


def read(dataset: Dataset, *files: bytes) -> tuple[dict[str, list[dict[str, Any]]], list[Refusal]]:
    """The rows of every table, and what is refused."""
    values: list[Any] = []
    refusals: list[Refusal] = []
    for number, data in enumerate(files):
        item = RawObject(f"{dataset.name}/{number}", f"v{number}", len(data), NOON, data)
        for parsed in dataset.parse([item], Pseudonyms(bytes(32))):
            values += parsed.values
            refusals += parsed.refusals
    found = dataset.tabulate(values)
    return {name: table.to_pylist() for name, table in found.tables.items()}, [*refusals, *found.refusals]


def scans(*records: Any) -> bytes:
    return json.dumps(records).encode()


def test_rows_of_many_files_say_where_each_comes_from() -> None:
    good = HEADER.encode() + b"1,eu,m5,0.1,2\n2,us,m5,0.2,4\n"
    tables, refusals = read(PRICING, good, HEADER.encode(), good)
    assert not refusals
    rows = tables["pricing_instances"]
    assert [(row["source_key"], row["record_number"], row["instance_id"]) for row in rows] == [
        ("pricing/0", 2, 1),
        ("pricing/0", 3, 2),
        ("pricing/2", 2, 1),
        ("pricing/2", 3, 2),
    ]
    assert rows[0]["price_usd_per_h"] == 0.1
    assert rows[0]["vcpu_count"] == 2
    assert rows[0]["network"] is None
    assert rows[0]["uploaded_at"] == NOON


def test_each_bad_row_is_refused_once_with_its_line_its_text_and_every_reason() -> None:
    body = "1,eu,m5,0.1,2\n2,,m5,x,2\n3,eu,m5,-1,0\n4,eu\n5,eu,m5,0.5,1\n"
    tables, refusals = read(PRICING, (HEADER + body).encode())
    assert [row["instance_id"] for row in tables["pricing_instances"]] == [1, 5]
    found = {refusal.record_number: (refusal.rule, refusal.message, refusal.text) for refusal in refusals}
    assert found == {
        3: ("D04", "Region is missing or blank; Price (USD/h) is not a number", "2,,m5,x,2"),
        4: ("P01", "Price (USD/h) is negative; vCPU is not above 0", "3,eu,m5,-1,0"),
        5: ("D03", "2 fields, expected 5", "4,eu"),
    }


def test_types_are_declared_and_not_guessed_from_the_first_rows() -> None:
    tables, _ = read(PRICING, (HEADER + "1,007,1,3,1\n").encode())
    [row] = tables["pricing_instances"]
    assert (row["region"], row["instance_type"], row["price_usd_per_h"]) == ("007", "1", 3.0)


def test_a_scan_goes_to_two_tables_and_its_name_to_one_of_them() -> None:
    tables, refusals = read(RETINA, scans(SCAN))
    assert not refusals
    [scan], [name] = tables["retina_scans"], tables["retina_names"]
    assert (scan["patient_id"], scan["scan_date"], scan["retina_thickness_microns"]) == (
        "P1",
        date(2026, 11, 20),
        280,
    )
    assert (name["patient_id"], name["patient_name"]) == ("P1", "Ada Example")
    assert "Ada" not in json.dumps(scan, default=str)
    assert scan["warnings"] == []


def test_a_scan_that_cannot_be_read_is_refused_without_its_text() -> None:
    tables, [refusal] = read(RETINA, b'[{"patient_id": "P1", "patient_id": "P2", "patient_name": "Ada"}]')
    assert (refusal.rule, refusal.record_number, refusal.text) == ("D02", 1, None)
    assert not any(tables.values())


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"patient_id": None}, "D04"),
        ({"patient_id": "  "}, "D04"),
        ({"patient_id": "no id at all"}, "R01"),
        ({"scan_date": "2026-11-22"}, "R02"),
        ({"scan_date": "20.11.2026"}, "D05"),
        ({"retina_thickness_microns": 49}, "R03"),
        ({"retina_thickness_microns": "280"}, "D05"),
        ({"optic_disc_cup_ratio": 1.01}, "R04"),
        ({"optic_disc_cup_ratio": None}, "D04"),
    ],
)
def test_a_scan_that_breaks_a_rule_is_refused_without_a_value_in_sight(change: dict[str, Any], rule: str) -> None:
    tables, [refusal] = read(RETINA, scans(SCAN, SCAN | change, SCAN))
    assert (refusal.rule, refusal.record_number, refusal.text) == (rule, 2, None)
    assert [row["record_number"] for row in tables["retina_scans"]] == [1, 3]
    for value in change.values():
        assert value is None or not str(value).strip() or str(value) not in refusal.message


@pytest.mark.parametrize(
    ("change", "rule"), [({"diagnosis": "odd"}, "R05"), ({"patient_name": ""}, "R06"), ({"operator": "x"}, "D06")]
)
def test_what_is_only_odd_is_warned_about(change: dict[str, Any], rule: str) -> None:
    tables, refusals = read(RETINA, scans(SCAN | change, SCAN))
    assert not refusals
    assert [row["warnings"] for row in tables["retina_scans"]] == [[rule], []]


def test_the_edges_of_a_rule_pass() -> None:
    edges: list[dict[str, Any]] = [
        {"scan_date": "2026-11-21"},
        {"retina_thickness_microns": 50},
        {"retina_thickness_microns": 1000},
        {"optic_disc_cup_ratio": 0},
        {"optic_disc_cup_ratio": 1},
    ]
    assert read(RETINA, scans(*(SCAN | edge for edge in edges)))[1] == []


def test_the_same_records_are_the_same_rows_however_they_are_sent() -> None:
    records = [SCAN, SCAN | {"patient_id": "P2"}]
    lines = b"\n".join(json.dumps(record).encode() for record in records)
    sent = [scans(*records), b"\xef\xbb\xbf" + scans(*records), lines, json.dumps(records, indent=2).encode()]
    found = [[row["patient_id"] for row in read(RETINA, data)[0]["retina_scans"]] for data in sent]
    assert found == [["P1", "P2"]] * 4
    assert [row["patient_id"] for row in read(RETINA, json.dumps(SCAN).encode())[0]["retina_scans"]] == ["P1"]


cells = st.sampled_from(["1", "eu", "m5", "0.1", "x", "", " ", '"', '"a\nb"', "é", "-1", "1,2", "\x00"]) | st.text(
    max_size=5
)
rows = st.lists(st.lists(cells, min_size=4, max_size=6).map(",".join), max_size=12)


@settings(deadline=None)
@given(rows)
def test_rows_in_are_rows_out_and_rows_refused(lines: list[str]) -> None:
    data = (HEADER + "\n".join(lines)).encode(errors="replace")
    tables, refusals = read(PRICING, data)
    numbers = [row["record_number"] for row in tables["pricing_instances"]]
    numbers += [refusal.record_number for refusal in refusals if refusal.record_number]
    assert len(numbers) == len(set(numbers))
    if b"\0" not in data and not {"D02", "D07"} & {refusal.rule for refusal in refusals}:
        expected = [row for row in csv.reader(io.StringIO(data.decode(), newline="")) if row][1:]
        if all(map(any, expected)):  # a line of delimiters alone is none, but quotes around nothing are a record
            assert len(numbers) == len(expected)


values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
records = st.lists(st.dictionaries(st.sampled_from([*SCAN, "more"]), values), max_size=8)


@settings(deadline=None)
@given(records)
def test_records_in_are_rows_out_and_records_refused(found: list[dict[str, Any]]) -> None:
    try:
        tables, refusals = read(RETINA, json.dumps(found).encode())
    except UnusableDataError:
        raise AssertionError from None
    numbers = [row["record_number"] for row in tables["retina_scans"]] + [each.record_number for each in refusals]
    assert sorted(number or 0 for number in numbers) == list(range(1, len(found) + 1))


@settings(deadline=None)
@given(st.binary(max_size=300) | st.builds(lambda a, b: HEADER.encode() + a + b, st.binary(), st.binary()))
def test_no_bytes_crash_the_reading(data: bytes) -> None:
    for dataset in (PRICING, RETINA):
        try:
            read(dataset, data)
        except UnusableDataError as error:
            assert error.rule in ("S02", "D01")


def stream(pieces: list[bytes]) -> Iterator[bytes]:
    yield from pieces


def test_a_stream_is_read_as_the_whole_is() -> None:
    whole = HEADER.encode() + b"".join(b"%d,eu,m5,0.1,2\n" % number for number in range(2000))
    item = RawObject("pricing/a", "v", len(whole), NOON, b"", stream([whole[:3], whole[3:9000], whole[9000:]]))
    parsed = list(PRICING.parse([item], Pseudonyms(bytes(32))))
    rows = PRICING.tabulate([value for each in parsed for value in each.values]).tables["pricing_instances"]
    assert rows.column("instance_id").to_pylist() == list(range(2000))


@pytest.mark.parametrize("personal", [False, True])
@pytest.mark.parametrize(
    "more", [{f"f{number}": number + 0.5 for number in range(100)}, {"note": "word " * 200}, {}], ids=len
)
def test_records_weigh_what_they_take_in_memory(more: dict[str, Any], personal: bool) -> None:
    """Also what nobody declared: where a refused record keeps its text, it is there until rows are laid out."""
    fields = (ID, replace(NOTE, personal=personal))
    tables = (RecordTable("things", "Things.", ("id", "note"), restricted=personal),)
    dataset = json_dataset("things", "Things.", "team:data", fields, tables)
    data = json.dumps([{"id": str(number)} | more for number in range(3000)]).encode()
    item = RawObject("things/0", "v", len(data), NOON, data)
    list(dataset.parse([item], Pseudonyms(bytes(32))))  # what is loaded once
    tracemalloc.start()
    kept = list(dataset.parse([item], Pseudonyms(bytes(32))))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    weight = sum(parsed.weight_bytes for parsed in kept)
    assert used / 1.2 < weight < 20 * used + len(data)


def test_a_rule_that_cannot_be_asked_fails_the_run_and_tells_no_value() -> None:
    rules = (Rule("X01", "CAST(patient_name AS INTEGER) > 0", "no number"),)
    fields = (Field("patient_name", "patient_name", "string", "Name.", personal=True),)
    tables = (RecordTable("things", "Things.", ("patient_name",), restricted=True),)
    dataset = json_dataset("things", "Things.", "team:data", fields, tables, rules=rules)
    with pytest.raises(PermanentError, match="X01") as failed:
        read(dataset, scans({"patient_name": "Ada"}))
    assert "Ada" not in str(failed.value)


@pytest.mark.parametrize("unseen", [" ", "\u200b", "\ufeff", "\u00a0\t\u2060", "\x1c\u00ad"])
def test_a_required_text_that_nobody_can_see_is_blank(unseen: str) -> None:
    things = csv_dataset("things", "Things.", "team:data", (ID, NOTE))
    tables, refusals = read(things, f"id,note\na{unseen},{unseen}\n{unseen},b\n".encode())
    assert [(row["id"], row["note"]) for row in tables["things"]] == [("a", None)]
    assert [(each.rule, each.record_number, each.message) for each in refusals] == [
        ("D04", 3, "id is missing or blank")
    ]


def test_a_table_that_names_people_must_be_restricted() -> None:
    fields = (Field("name", "name", "string", "Name.", personal=True),)
    with pytest.raises(ValueError, match="restricted"):
        csv_dataset("people", "People.", "team:data", fields)
    assert csv_dataset("people", "People.", "team:data", fields, restricted=True).tables[0].restricted


def test_reading_records_imports_no_pandas() -> None:
    """A second of CPU in every run, for nothing."""
    program = """
import sys
from datetime import datetime, timezone
from vitalake.lake.dataset import RawObject
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.pseudonyms import Pseudonyms
noon = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
prices, scans = (text.encode() for text in sys.argv[1:])
for dataset, data in ((PRICING, prices), (RETINA, scans)):
    parsed = dataset.parse([RawObject("a", "1", len(data), noon, data)], Pseudonyms(bytes(32)))
    found = dataset.tabulate([value for each in parsed for value in each.values])
    list(found.refusals)
    tables = dict(found.tables)
    tables[dataset.quarantine_table.name] = dataset.quarantine_table.from_rows([])
    tables[dataset.raw_table.name] = dataset.raw_table.from_rows([])
    for check in dataset.checks:
        check.count(tables)
print("pandas" in sys.modules)
"""
    data = [HEADER + "1,eu,m5,0.1,2\n2,,m5,x,2\n", scans(SCAN, SCAN | {"diagnosis": "odd"}).decode()]
    argv = [sys.executable, "-c", program, *data]
    done = subprocess.run(argv, check=True, timeout=120, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"required": False}, "required"),
        ({"required": True, "personal": True}, "nobody"),
        ({"column": "x"}, "no column"),
    ],
)
def test_a_key_that_would_lose_rows_or_tell_names_is_refused(changes: dict[str, Any], why: str) -> None:
    """Rows without a key would replace each other, and repeated keys are named in a check."""
    field = replace(Field("id", "id", "string", "Id.", required=True), **changes)
    with pytest.raises(ValueError, match=why):
        csv_dataset("things", "Things.", "team:data", (field,), key=("id",), restricted=True)


def test_a_column_date_of_a_file_is_kept_under_another_name() -> None:
    fields = (Field("date", "scanned_on", "date", "Day of the scan."),)
    tables, refusals = read(csv_dataset("things", "Things.", "team:data", fields), b"date\n2025-03-02\n")
    assert not refusals
    assert [row["scanned_on"] for row in tables["things"]] == [date(2025, 3, 2)]


def test_a_dataset_with_a_key_keeps_its_own_sentence() -> None:
    field = Field("id", "id", "string", "Id.", required=True)
    found = csv_dataset("things", "Things that are.", "team:data", (field,), key=("id",))
    assert (found.doc, found.tables[0].doc) == ("Things that are.", "Things that are.")


ID, NOTE = Field("id", "id", "string", "Id.", required=True), Field("note", "note", "string", "Note.")


@pytest.mark.parametrize(
    ("declare", "why"),
    [
        (lambda: csv_dataset("things", "Things.", "team:data", (ID, replace(NOTE, column="id"))), "column id"),
        (lambda: csv_dataset("things", "Things.", "team:data", (ID,), key="id"), r"key=\('id',\)"),  # type: ignore[arg-type]
        (lambda: csv_dataset("things", "Things.", "team:data", (ID,), ignored="b"), r"ignored=\('b',\)"),  # type: ignore[arg-type]
        (lambda: csv_dataset("things", "Things.", "team:data", (ID,), table="my things"), "table 'my things'"),
        (lambda: in_tables(RecordTable("things", "Things.", ("id", "nota"))), "no field has the column nota"),
        (lambda: in_tables(RecordTable("things", "Things.", ("id", "id"))), "column id is declared twice"),
        (lambda: in_tables(RecordTable("things", "Things.", ("note",)), key=("id",)), "id in the key.*of things"),
    ],
)
def test_what_cannot_be_meant_so_is_refused_where_it_is_declared(declare: Callable[[], Dataset], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        declare()


def in_tables(*tables: RecordTable, key: tuple[str, ...] = ()) -> Dataset:
    return json_dataset("things", "Things.", "team:data", (ID, NOTE), tables, key)


def test_the_header_of_a_file_about_people_is_not_repeated() -> None:
    fields = (
        Field("patient_id", "patient_id", "string", "Id.", required=True),
        Field("patient_name", "patient_name", "string", "Name.", personal=True),
    )
    people = csv_dataset("people", "People.", "team:data", fields, restricted=True)
    for data in (b'patient_id,"patient_name\n1,Anna Schmidt\n', b"patient_id,Anna Schmidt,Anna Schmidt\n"):
        with pytest.raises(UnusableDataError) as refused:
            read(people, data)
        assert refused.value.rule == "D01"
        assert "Anna" not in refused.value.message


def test_of_a_restricted_table_nothing_is_told_in_the_words_of_a_file_whether_a_field_is_personal_or_not() -> None:
    """Of price lists the text and the unknown columns are told: they help."""
    table = RecordTable("things", "Things.", ("id", "note"), restricted=True)
    lines = b"id,note\n1,Anna Schmidt,1951\n,Anna Schmidt\n"
    records = b'[{"id": "1", "note": 5, "Anna Schmidt": "Anna"}, {"id": "1", "note": NaN, "Anna Schmidt": "Anna"}]'
    datasets = {
        lines: csv_dataset("things", "Things.", "team:data", (ID, NOTE), restricted=True),
        records: json_dataset("things", "Things.", "team:data", (ID, NOTE), (table,)),
    }
    for data, dataset in datasets.items():
        assert dataset.names_people
        _, refusals = read(dataset, data)
        assert len(refusals) == 2
        assert {refusal.text for refusal in refusals} == {None}
        assert "Anna" not in str(refusals)
    with pytest.raises(UnusableDataError) as refused:
        read(datasets[lines], b"id,Anna Schmidt\n1,2\n")
    assert refused.value.message == "the header has 1 undeclared columns"
