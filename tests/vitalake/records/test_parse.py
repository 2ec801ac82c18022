"""Whole files, as programs in Europe and web services export them: rows, or refusals that add up."""

from __future__ import annotations

import gzip
import json
import unicodedata
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.vitalake.scans import SCAN
from vitalake.arrivals.partitions import PartLimits
from vitalake.datasets.entities import ENTITIES
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.errors import UnusableDataError
from vitalake.lake.contents import RawObject, Refusal
from vitalake.lake.dataset import Dataset
from vitalake.pseudonyms import Pseudonyms
from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field

NOON = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
FIELDS = (
    Field("Probe-Nr.", "sample_id", "string", "Sample.", required=True),
    Field("Entnahme", "taken_at", "timestamp", "When it was taken (UTC).", required=True),
    Field("Wert (µmol/l)", "value", "float64", "Concentration in µmol/l."),
    Field("Größe (cm)", "height_cm", "float64", "Height in cm."),
    Field("Kommentar", "note", "string", "Note."),
)
TABLE = """\
Probe-Nr.;Entnahme;Wert (µmol/l);Größe (cm);Kommentar
0011;24.11.2026 07:01;88,4;172,5;
0012;24.11.2026 07:01;<3,4;172,5;unter der Grenze
0013;24.11.2026 19:30;1.204,0;;dringend
0014;24.11.2026 09:15;95;181;"hämolytisch; wiederholen"
0015;29.03.2026 02:30;95;181;
0016;25.10.2026 02:30;95;181;
0017;25.10.2026 03:30;1.23;181;
"""
READ = [
    ("0011", datetime(2026, 11, 24, 6, 1, tzinfo=timezone.utc), 88.4, 172.5, None),
    ("0013", datetime(2026, 11, 24, 18, 30, tzinfo=timezone.utc), 1204.0, None, "dringend"),
    ("0014", datetime(2026, 11, 24, 8, 15, tzinfo=timezone.utc), 95.0, 181.0, "hämolytisch; wiederholen"),
]
REFUSED = {
    3: "Wert (µmol/l) is not a number with decimal sign ',' and thousands sign '.'",
    6: "Entnahme is a time that clocks in Europe/Berlin skip, as they go forward",
    7: "Entnahme is a time that clocks in Europe/Berlin show twice, as they go back: write it with its offset",
    8: "Wert (µmol/l) is not a number with decimal sign ',' and thousands sign '.'",
}


def samples(**more: Any) -> Dataset:
    return csv_dataset(
        "samples",
        "Samples as a laboratory exports them.",
        "team:data",
        FIELDS,
        key=("sample_id",),
        decimal_sign=",",
        thousands_sign=".",
        timestamp_formats=("%d.%m.%Y %H:%M",),
        time_zone="Europe/Berlin",
        **more,
    )


def read(dataset: Dataset, data: bytes, key: str = "x") -> tuple[list[dict[str, Any]], list[Refusal]]:
    """The rows of the first table, and what is refused, the whole object too."""
    item = RawObject(f"{dataset.name}/{key}", "v", len(data), NOON, data)
    values: list[Any] = []
    refusals: list[Refusal] = []
    try:
        for parsed in dataset.parse([item], Pseudonyms(bytes(32))):
            values += parsed.values
            refusals += parsed.refusals
    except UnusableDataError as error:
        refusals.append(Refusal(item.key, error.rule, error.message, None, error.record_count))
    found = dataset.tabulate(values)
    return found.tables[dataset.tables[0].name].to_pylist(), [*refusals, *found.refusals]


def as_read(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row[field.column] for field in FIELDS) for row in rows]


@pytest.mark.parametrize(
    ("data", "more"),
    [
        (TABLE.encode(), {}),
        (TABLE.encode(), {"delimiter": ";"}),
        (TABLE.replace("\n", "\r\n").encode("cp1252"), {"encoding": "cp1252"}),
        (TABLE.encode("utf-16"), {"encoding": "utf-16"}),
        (TABLE.encode("utf-16-be"), {"encoding": "utf-16"}),
        (gzip.compress(TABLE.encode("latin-1")), {"encoding": "latin-1"}),
        (unicodedata.normalize("NFD", TABLE.partition("\n")[0]).encode() + TABLE[TABLE.index("\n") :].encode(), {}),
        (("\ufeff" + TABLE.replace("Kommentar", "Kommentar\u200b")).encode(), {}),
    ],
    ids=["utf-8", "delimiter", "cp1252", "utf-16", "utf-16 without mark", "gzip", "decomposed", "unseen"],
)
def test_a_european_export_is_typed_or_refused_row_by_row_by_its_line(data: bytes, more: dict[str, Any]) -> None:
    rows, refusals = read(samples(**more), data)
    assert as_read(rows) == READ
    assert {each.record_number: each.message for each in refusals} == REFUSED
    assert {each.rule for each in refusals} == {"D05"}


def test_what_spreadsheets_put_around_a_table_is_no_part_of_it() -> None:
    lines = TABLE.splitlines()
    data = "\r\n".join(["sep=;", lines[0] + ";;", lines[1] + ";;", lines[3] + ";;", ";;;;;;", lines[4] + ";;"])
    rows, refusals = read(samples(), data.encode())
    assert (as_read(rows), refusals) == (READ, [])
    assert [row["record_number"] for row in rows] == [3, 4, 6]


def test_bytes_that_the_encoding_lacks_refuse_their_row_alone() -> None:
    data = TABLE.encode("cp1252").replace(b"dringend", b"dr\x81ngend")
    rows, refusals = read(samples(encoding="cp1252"), data)
    assert as_read(rows) == [READ[0], READ[2]]
    assert [(each.rule, each.message) for each in refusals if each.record_number == 4] == [
        ("D02", "bytes that are no CP1252")
    ]
    rows, refusals = read(samples(encoding="utf-16"), TABLE.encode("utf-16") + b"\0")
    assert as_read(rows) == READ
    assert ("D02", 9) in [(each.rule, each.record_number) for each in refusals]


@pytest.mark.parametrize(
    ("data", "more", "rule", "said"),
    [
        (TABLE.encode("cp1252"), {}, "S02", "encoding='cp1252'"),
        (TABLE.encode(), {"delimiter": ","}, "D01", "the delimiter is declared as ','"),
        (b"sep=,\n" + TABLE.encode(), {"delimiter": ";"}, "D01", "says that the delimiter is ','"),
        (TABLE.replace("Größe", "Gr\u04e7ße").encode(), {}, "D01", "U+04E7 CYRILLIC SMALL LETTER O WITH DIAERESIS"),
        (TABLE.replace("µ", "\u03bc").encode(), {}, "D01", "looks like 'Wert (µmol/l)' but has U+03BC"),
        (TABLE.replace("-Nr", "\u2011Nr").encode(), {}, "D01", "U+2011 NON-BREAKING HYPHEN"),
        (b'[{"Probe-Nr.": "1"}]', {}, "D01", "looks like JSON"),
        (gzip.compress(TABLE.encode()), {"limits": PartLimits(object_bytes=300)}, "S01", "more than 300 bytes"),
    ],
)
def test_a_file_that_is_not_as_declared_says_what_is_odd(
    data: bytes, more: dict[str, Any], rule: str, said: str
) -> None:
    rows, [refusal] = read(samples(**more), data)
    assert (rows, refusal.rule) == ([], rule)
    assert said in refusal.message


def test_a_gzip_file_that_is_cut_off_leaves_no_row() -> None:
    line = b"1,eu,m5,0.1\n"
    data = gzip.compress(b"ID,Region,InstanceType,Price (USD/h)\n" + 1_000_000 * line)
    rows, [refusal] = read(PRICING, data[:-20])
    assert (rows, refusal.rule, refusal.record_number) == ([], "S02", None)
    assert len(read(PRICING, data)[0]) == 1_000_000


def scans(count: int) -> list[dict[str, Any]]:
    return [SCAN | {"patient_id": f"P{number}"} for number in range(count)]


@pytest.mark.parametrize("count", [3, 20_000])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    "around",
    [
        lambda records: {"data": records},
        lambda records: {"@odata.context": "x", "value": records},
        lambda records: {"resourceType": "Bundle", "entry": [{"resource": each} for each in records]},
        lambda records: {"result": {"items": records, "next": None}},
        lambda records: [{"records": records}],
        lambda records: [records],
    ],
)
def test_a_wrapper_is_refused_as_a_whole_with_the_number_of_its_records(
    around: Any, count: int, indent: int
) -> None:
    rows, refusals = read(RETINA, json.dumps(around(scans(count)), indent=indent).encode())
    assert rows == []
    assert [(each.rule, each.record_count) for each in refusals] == [("S02", count)]
    assert f"around {count:,} records, where a record was expected" in refusals[0].message
    assert "patient_id" in refusals[0].message
    assert "Ada" not in refusals[0].message


def test_a_wrapper_among_records_takes_none_of_them_with_it() -> None:
    lines = [scans(1)[0], {"data": scans(4)}, scans(1)[0]]
    for data in (json.dumps(lines), "\n".join(map(json.dumps, lines))):
        rows, refusals = read(RETINA, data.encode())
        assert [row["record_number"] for row in rows] == [1, 3]
        assert [(each.rule, each.record_number, each.record_count) for each in refusals] == [("S02", 2, 4)]


def test_a_key_in_other_letters_is_the_key_or_refuses_the_record() -> None:
    odd = {("d\u0456agnosis" if name == "diagnosis" else name): value for name, value in SCAN.items()}
    rows, [refusal] = read(RETINA, json.dumps([SCAN, odd]).encode())
    assert [row["warnings"] for row in rows] == [[]]
    assert (refusal.rule, refusal.record_number) == ("D09", 2)
    assert "U+0456 CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I" in refusal.message


RECORDS = [{"id": number, "company_name": "Acme", "annual_revenue": 5} for number in range(4)]


@pytest.mark.parametrize(
    ("export", "count"),
    [
        ({"metadata": {"sourceSystem": "crm"}, "data": RECORDS}, 4),
        ({"metadata": {"sourceSystem": "crm"}, "Records": RECORDS}, 4),
        ({"items": RECORDS}, 4),
        ({"export": {"records": RECORDS}}, 4),
        ({"metadata": {"sourceSystem": "crm"}}, 1),
        ({"metadata": {"sourceSystem": "crm"}, "record": []}, 1),
    ],
)
def test_an_export_whose_records_are_called_otherwise_is_refused_naming_them(export: Any, count: int) -> None:
    for data in (json.dumps(export).encode(), gzip.compress(json.dumps(export, indent=1).encode())):
        rows, [refusal] = read(ENTITIES, data)
        assert (rows, refusal.rule, refusal.record_count) == ([], "S02", count)
        assert "no `records`" in refusal.message


def test_an_entity_with_others_inside_is_one_and_a_wrapped_export_is_none() -> None:
    rows, refusals = read(ENTITIES, json.dumps(RECORDS[0] | {"contacts": [{"id": 1}, {"id": 2}]}).encode(), "crm/x")
    assert (len(rows), refusals) == (1, [])
    rows, [refusal] = read(ENTITIES, json.dumps([{"metadata": {}, "records": RECORDS}]).encode(), "crm/x")
    assert (rows, refusal.rule, refusal.record_count) == ([], "S02", 4)
    rows, [refusal] = read(
        ENTITIES, json.dumps([{"id": 1, "company_name": "Acme", "\u0430nnual_revenue": 6}]).encode(), "crm/x"
    )
    assert (rows, refusal.rule) == ([], "D09")
