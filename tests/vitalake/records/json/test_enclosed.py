"""Records inside a value that is none itself are counted, however it is laid out and cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.records.json.enclosed import EnclosedRecords, enclosed_in

NAMES = ("id", "name", "größe")


def scans(count: int) -> list[dict[str, Any]]:
    return [
        {"id": number, "name": 'a "quoted", \\ [name] {', "more": [{"x": 1}, {"x": 2}]} for number in range(count)
    ]


AROUND: list[tuple[Any, int]] = [
    ({"data": scans(5)}, 5),
    ({"value": scans(5), "@odata.nextLink": "x"}, 5),
    ({"resourceType": "Bundle", "id": "b", "entry": [{"resource": each} for each in scans(5)]}, 5),
    ({"pages": [{"records": scans(2)}, {"records": scans(3)}]}, 5),
    ({"hits": {"total": 9, "hits": [{"_source": each} for each in scans(5)]}}, 5),
    ({"by_id": {each["id"]: each for each in scans(5)}}, 5),
    ({"data": scans(1)[0]}, 1),
    ([scans(5)], 5),
    ({"meta": [{"a": 1}], "data": [{"a": 1}, {"a": 2}, {"a": 3}]}, 3),
    ({"columns": ["id"], "data": [[1], [2], [3]]}, 3),
    ({"a": {"größe": 1}, "b": {"größe": 2}}, 2),
    ({"data": []}, 0),
    ({"error": "no such thing"}, 0),
    ({}, 0),
    (scans(1)[0], 0),
    ({"id": 1, "visits": [{"id": 1}, {"id": 2}]}, 0),
    ("text", 0),
]


@pytest.mark.parametrize(("value", "count"), AROUND)
@pytest.mark.parametrize("indent", [None, 2])
def test_as_many_are_told_as_there_are(value: Any, count: int, indent: int | None) -> None:
    for plain in (True, False):
        text = json.dumps(value, indent=indent, ensure_ascii=plain).encode()
        assert enclosed_in(text, NAMES).count == count
        for size in (1, 3, 50):
            found = EnclosedRecords(NAMES)
            for at in range(0, len(text), size):
                found.feed(text[at : at + size])
            assert found.count == count


def test_where_no_key_is_declared_nobody_can_tell() -> None:
    assert enclosed_in(json.dumps({"data": scans(5)}).encode(), ()).count == 0


def test_a_long_text_among_them_is_not_kept() -> None:
    found = EnclosedRecords(NAMES)
    found.feed(b'{"blob": "')
    for _ in range(100):
        found.feed(b'x\\"{[' * 20_000 + b"\\")
        found.feed(b'"')
    assert len(found._rest) < 2000
    found.feed(b'", "data": [{"id": 1}, {"id": 2}]}')
    assert found.count == 2


@given(st.binary(max_size=100) | st.text('{}[]",:\\ai', max_size=60).map(str.encode), st.integers(1, 9))
def test_any_bytes_can_be_counted(data: bytes, size: int) -> None:
    found = EnclosedRecords(NAMES)
    for at in range(0, len(data), size):
        found.feed(data[at : at + size])
    assert found.count >= 0
    assert found.message()


def test_a_message_has_no_word_of_the_file_but_usual_ones() -> None:
    said = enclosed_in(json.dumps({"Ann Example": 1, "data": scans(5), "metadata": 1}).encode(), NAMES).message()
    assert "an object with 'data', 'metadata' around 5 records" in said
    assert "'id', 'name', 'größe'" in said
    assert "Ann" not in said
    assert "a FHIR bundle" in enclosed_in(b'{"resourceType": "Bundle", "entry": [{"id": 1}]}', NAMES).message()
