"""A file of nothing but bad records costs no more than one of good ones, and each record is accounted for."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vitalake.records.csv_reading import read as read_csv_file
from tests.vitalake.records.csv_reading import refused_of, rows_of
from tests.vitalake.records.refused_apart import NOON, Files, read_apart
from tests.vitalake.scans import SCAN
from vitalake.arrivals.objects import ObjectInfo
from vitalake.datasets.entities import ENTITIES
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.lake import parquet, reading
from vitalake.lake.contents import RawObject, Refusal
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import Inputs
from vitalake.lake.refusals import LISTED
from vitalake.pseudonyms import Pseudonyms
from vitalake.records.csv import block
from vitalake.records.json import nesting, record, sequence
from vitalake.records.json import reader as json_reader
from vitalake.records.json.record import decoder_of

MOST_MB = 500
PRICES = b"ID,Region,InstanceType,Price (USD/h),vCPU\n"
# A record, and whether it is refused by more than one reason does not matter: it is one.
ROWS = {
    "too many fields": b"x,,,,,,,,,\n",
    "too few": b"x\n",
    "no value of its type": b"x,,,,\n",
    "a rule": b"1,e,m,-1,1\n",
    "all at once": b" ,\xc2\xa0,,x,x\n",
    "a NUL byte": b"1,e,m\0,1,\n",
    "no UTF-8": b"\xff\n",
    "text behind quotes, amid": b'1,"a"b,m,1,a longer row of a price list\n',
    "quotes and too few": b'"x"\n',
    "text behind quotes": b'"a"b"\n',
    "the header": PRICES,
    "lone CR": b"x\r",
}
RECORDS = {
    "a number": b"1",
    "an array": b"[{}]",
    "an empty object": b"{}",
    "NaN": b'{"a":NaN}',
    "a key twice": b'{"a":1,"a":1}',
    "a text": b'"a text where an object is due"',
    "NaN inside": b'{"a":[{"b":{"c":NaN}}]}',
    "too deep": b'{"a":"a text of some length","b":%b%b}' % (b"[" * 66, b"]" * 66),
    "a rule": json.dumps(SCAN | {"retina_thickness_microns": 1}).encode(),
}
AROUND = {
    "an array": (b"[", b",", b"]"),
    "lines": (json.dumps(SCAN).encode() + b"\n", b"\n", b""),
}


def csv_of(row: bytes, count: int) -> bytes:
    return PRICES + row * count


def json_of(record: bytes, count: int, around: str = "an array") -> bytes:
    before, between, after = AROUND[around]
    return before + between.join([record] * count) + after


@pytest.mark.parametrize(
    "kind", ["too many fields", "no value of its type", "all at once", "quotes and too few", "text behind quotes"]
)
def test_a_csv_file_of_bad_rows_takes_no_more_memory_than_a_run_has(tmp_path: Path, kind: str) -> None:
    count = 21_000_000 // len(ROWS[kind])
    (tmp_path / "a").write_bytes(csv_of(ROWS[kind], count))
    found = read_apart("pricing", tmp_path / "a")
    assert (found["rows"], found["refused"], found["quarantine"]) == (0, count, LISTED)
    assert found["peak_mb"] < MOST_MB


@pytest.mark.parametrize(("kind", "around"), [("a number", "an array"), ("NaN", "an array"), ("NaN", "lines")])
def test_a_json_file_of_bad_records_takes_no_more_memory_than_a_run_has(
    tmp_path: Path, kind: str, around: str
) -> None:
    count = 20_000_000 // (len(RECORDS[kind]) + 1)
    (tmp_path / "a").write_bytes(json_of(RECORDS[kind], count, around))
    found = read_apart("retina", tmp_path / "a")
    assert (found["rows"], found["refused"], found["quarantine"]) == (int(around == "lines"), count, LISTED)
    assert found["peak_mb"] < MOST_MB


def test_many_files_of_bad_rows_take_no_more_memory_than_one(tmp_path: Path) -> None:
    """Each has its thousand rows in quarantine, with their texts."""
    count, files = LISTED + 10, 150
    paths = [tmp_path / f"{number:03}" for number in range(files)]
    for path in paths:
        path.write_bytes(csv_of(b"x," + b"y" * 480 + b",,,\n", count))
    found = read_apart("pricing", *paths)
    assert (found["refused"], found["quarantine"]) == (files * count, files * LISTED)
    assert found["peak_mb"] < MOST_MB


def refusals_of(dataset: Dataset, data: bytes) -> Iterator[Refusal]:
    item = RawObject(f"{dataset.name}/a", "v", len(data), NOON, data)
    for parsed in dataset.parse([item], Pseudonyms(bytes(32))):
        yield from parsed.refusals
        yield from dataset.tabulate(list(parsed.values)).refusals


MANY = 3 * LISTED
CASES: dict[str, tuple[Dataset, bytes, int]] = {
    **{f"csv: {kind}": (PRICING, csv_of(row, MANY), MANY) for kind, row in ROWS.items()},
    **{
        f"{around}: {kind}": (RETINA, json_of(record, MANY, around), MANY)
        for kind, record in RECORDS.items()
        for around in AROUND
    },
    **{
        f"entities: {kind}": (
            ENTITIES,
            b'{"metadata":{"sourceSystem":"crm"},"records":' + json_of(record, MANY) + b"}",
            MANY,
        )
        for kind, record in RECORDS.items()
    },
}


@pytest.mark.parametrize("case", CASES)
def test_no_more_refusals_are_put_into_words_than_have_a_row(case: str) -> None:
    dataset, data, count = CASES[case]
    made = list(refusals_of(dataset, data))
    rules = {refusal.rule for refusal in made}
    blocks = 2  # one of each stands for its others
    assert len(made) <= (LISTED + blocks) * len(rules)
    assert sum(refusal.record_count for refusal in made) == count
    assert all(refusal.record_count == 1 for refusal in made[:LISTED])
    numbers = [refusal.record_number or 0 for refusal in made[:LISTED]]
    assert numbers == list(range(numbers[0], numbers[0] + LISTED))


@pytest.mark.parametrize("kind", ["a number", "NaN", "a key twice", "NaN inside", "too deep"])
def test_an_array_of_bad_records_is_decoded_a_few_times_at_most(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded, followed = [], []

    class Counting:
        def __init__(self, kind: Any) -> None:
            self._decoder = decoder_of(kind)

        def decode(self, text: bytes) -> Any:
            decoded.append(len(text))
            return self._decoder.decode(text)

    class CountingNesting(nesting.Nesting):
        def follow(self, data: bytes, at: int) -> tuple[int, bool]:
            followed.append(at)
            return super().follow(data, at)

    monkeypatch.setattr(record, "decoder_of", Counting)
    monkeypatch.setattr(sequence, "decoder_of", Counting)
    monkeypatch.setattr(sequence, "Nesting", CountingNesting)
    data = json_of(RECORDS[kind], 10 * LISTED)
    assert sum(block.refused_count for block in json_reader.read_json(iter([data]))) == 10 * LISTED
    assert sum(decoded) < 4 * len(data)
    assert kind == "too deep" or len(followed) < LISTED // 10


def test_rules_that_take_turns_have_a_thousand_rows_each(tmp_path: Path) -> None:
    rows = [b"x,e,m,1,1\n", b"1,,m,1,1\n", b"1,e,m,-1,1\n", b"1,e,m,1,0\n", b"x\n", b"\0\n", b"1,e,m,1,1\n"]
    (tmp_path / "a").write_bytes(PRICES + b"".join(rows) * MANY)
    item = ObjectInfo(str(tmp_path / "a"), "v", (tmp_path / "a").stat().st_size, NOON)
    output, news = reading.read_part(PRICING, Files(), [item], Pseudonyms(bytes(32)), Inputs("", ""))
    found = parquet.decode(output.parts["pricing_quarantine"].data).to_pylist()
    assert Counter(row["rule"] for row in found) == dict.fromkeys(
        ("D05", "D04", "P01", "P02", "D03", "D02"), LISTED
    )
    for number, rule in enumerate(("D05", "D04", "P01", "P02", "D03", "D02")):
        of_rule = [row for row in found if row["rule"] == rule]
        assert [row["record_number"] for row in of_rule] == [2 + number + 7 * each for each in range(LISTED)]
        assert [row["record_count"] for row in of_rule] == [1] * (LISTED - 1) + [MANY - LISTED + 1]
    assert output.parts["pricing_instances"].rows == MANY
    assert {row["rule"]: row["record_count"] for row in news} == dict.fromkeys(
        ("D05", "D04", "P01", "P02", "D03", "D02"), MANY
    )


def test_quarantine_in_slices_is_what_it_is_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = []
    for number, rows in enumerate((b"x,,,,\n" * 30, b"1,e,m,1,1\n" * 9, b"x\n" * 30 + b"1,e,m,-1,1\n" * 30, b"")):
        path = tmp_path / str(number)
        path.write_bytes(PRICES + rows if rows else rows)
        items.append(ObjectInfo(str(path), "v", path.stat().st_size, NOON))

    def read() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        output, news = reading.read_part(PRICING, Files(), items, Pseudonyms(bytes(32)), Inputs("", ""))
        tables = [parquet.decode(output.parts[name].data) for name in ("pricing_quarantine", "pricing_instances")]
        return tables[0].to_pylist(), tables[1].to_pylist(), news

    whole = read()
    monkeypatch.setattr(reading, "SLICE_BYTES", 2000)
    assert read() == whole
    assert len(whole[0]) == 91


pieces = st.sampled_from(
    [
        b"1,2\n",
        b"3\n",
        b"4,5,6\n",
        b",\n",
        b",,\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"7\0,8\n",
        b"\xff,9\n",
        b"a,b\n",
        b"\xef\xbb\xbf",
        b'"x",y\n',
        b'"x\ny"\n',
        b'"x\n\ny",z\n',
        b'"p"q,1\n',
        b'"""",1\n',
        b'5" ,1\n',
        b'"',
        b'"\0",1\n',
        b"\xc3\xa9,\n",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces, max_size=40).map(b"".join), st.integers(1, 3))
def test_records_that_are_counted_out_are_those_that_arrow_takes_for_records(body: bytes, width: int) -> None:
    names = ["a", "b", "c"][:width]
    data = ",".join(names).encode() + b"\n" + body
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "MANY", sys.maxsize)
        by_arrow = read_csv_file(data, names)
        patch.setattr(block, "MANY", 1)
        counted = read_csv_file(data, names)
    assert rows_of(counted) == rows_of(by_arrow)
    assert refused_of(counted) == refused_of(by_arrow)
