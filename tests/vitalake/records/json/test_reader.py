"""Every record of a JSON object is read or refused, one by one, however it is laid out, broken or too large.

Belongs here: examples. Does not belong here: objects drawn at random (`test_json_reader_generated`), or what comes
in pieces without end (`test_json_reader_streams`).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.vitalake.records.json_reading import BAD, A, B, numbers, read, text_of
from vitalake.errors import UnusableDataError
from vitalake.records.json.reader import read_json


@pytest.mark.parametrize(
    "data",
    [
        text_of([A, B]),
        text_of([A, B], indent=4).replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf \n[" + text_of(A) + b"\t,\r\n" + text_of(B) + b"\n]\n",
        text_of(A) + b"\n" + text_of(B),
        b"\n" + text_of(A) + b"\r\n  \r\n\r\n" + text_of(B) + b"\r\n",
        b"\xef\xbb\xbf" + text_of(A) + text_of(B),
        text_of(A, indent=2) + b"\n" + text_of(B, indent=2),
        b'{"a"\n:\n1}\n\n' + text_of(B) + b"\n",
        text_of(A) + b"\r" + text_of(B),
    ],
)
def test_records_are_read_however_they_are_laid_out(data: bytes) -> None:
    assert read(data) == ([(1, A), (2, B)], [])


@pytest.mark.parametrize("data", [b"{}", b"[{}]", b"{\n}", b" {} "])
def test_one_object_is_one_record(data: bytes) -> None:
    assert read(data) == ([(1, {})], [])


def test_an_empty_array_has_no_records() -> None:
    assert list(read_json(iter([b" [\n] "]))) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "white space"),
        (b" \r\n\t", "white space"),
        (b"\xef\xbb\xbf", "white space"),
        (b"null", "expected an array"),
        (b"12", "expected an array"),
        (b'"a"\n"b"', "expected an array"),
        (b"patient_id,diagnosis\nP1,none\n", "expected an array"),
        ('[{"a": 1}]'.encode("utf-16"), "UTF-16"),
        ('[{"a": 1}]'.encode("utf-16-be"), "UTF-16"),
        (b"PK\x03\x04\0\0", "no JSON|no text"),
    ],
)
def test_what_is_no_json_of_records_is_said_to_be_none(data: bytes, said: str) -> None:
    with pytest.raises(UnusableDataError, match=f"^S02: .*({said})"):
        list(read_json(iter([data])))


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad[:30].decode("latin-1"))
def test_a_bad_record_is_refused_alone_and_its_values_are_not_told(bad: bytes) -> None:
    a, b = text_of(A), text_of(B)
    layouts = [b"[" + b",".join([a, bad, b]) + b"]", b"\n".join([a, bad, b])]
    layouts += [b"[" + bad + b"," + a + b", " + b + b"]"]
    layouts += [bad + b"\n" + a + b"\n" + b] if not bad.startswith(b"[") else []  # that begins an array
    layouts += [a + bad + b] if bad.startswith(b"{") else []
    for data in layouts:
        good, refused = read(data)
        assert [record for _, record in good] == [A, B]
        assert len(refused) == 1
        assert BAD[bad] in refused[0][1]
        assert "SECRET" not in refused[0][1]


def test_what_only_looks_bad_is_read() -> None:
    records = [
        {"a": ': ":\\', ":": [":", " :"], " :": {"a": 1, "b": {"a": 2}}},
        {"a": json.loads("[" * 63 + "]" * 63), "{": "}[{"},
        {"big": 12345678901234567890123456789, "time": "12:30:00", "smile": "\U0001f600", "nul": "\0"},
    ]
    for layout in (text_of(records, plain=True), text_of(records, indent=1), b"".join(map(text_of, records))):
        assert read(layout) == (list(enumerate(records, 1)), [])


@pytest.mark.parametrize(
    ("data", "kept", "position"),
    [
        (b'[{"a":1},{"b":', 1, 14),
        (b'[{"a":1},{"b":"2', 1, 16),
        (b'[{"a":1}', 1, 8),
        (b'[{"a":1},', 1, 9),
        (b'[{"a":1} {"b":2},{"c":3}]', 1, 9),
        (b'[{"a":1},]', 1, 9),
        (b'[{"a":1},,{"b":2}]', 1, 9),
        (b'[{"a":1},{"b":[}]},{"c":3}]', 1, 9),
        (b'[{"a":1}][{"b":2}]', 1, 9),
        (b"[", 0, 1),
        (b"[" * 2_000_000, 0, 1),
        (b'{"a":1}{"b":', 1, 12),
        (b'{"a":1}{"b":2},{"c":3}', 2, 14),
    ],
)
def test_what_follows_a_break_is_one_refusal_with_its_position(data: bytes, kept: int, position: int) -> None:
    good, refused = read(data)
    assert numbers(good) == list(range(1, kept + 1))
    assert numbers(refused) == [kept + 1]
    assert refused[0][1].endswith(f"at byte {position} of the object")


def test_a_broken_line_takes_no_other_line_with_it() -> None:
    lines = [
        b'{"a":',
        b'{"a":1}',
        b'"b":2}',
        b'{"a":1}{',
        b"[{",
        b'{"a":"',
        b'{"a":1}, {"b":2}',
        b'{"a":1}}',
        b'{"b":"',
    ]
    good, refused = read(b"\n".join(lines))
    assert good == [(2, A)]
    assert numbers(refused) == [1, *range(3, 10)]


def test_a_line_may_hold_several_objects() -> None:
    good, refused = read(b'{"a":1}\n{"a":1} {"b":NaN}{"a":1}\n{"a":1}')
    assert good == [(1, A), (2, A), (4, A), (5, A)]
    assert numbers(refused) == [3]


@pytest.mark.parametrize("inside", ['"' + "x" * 3000 + '"', '"' + '\\"' * 3000 + '"', "[" + "{}," * 3000 + "1]"])
@pytest.mark.parametrize("layout", ["[{},{},{}]", "{}\n{}\n{}", "{} {}{}"])
def test_a_record_that_is_too_large_is_refused_alone(inside: str, layout: str) -> None:
    data = layout.replace("{}", "%s") % ('{"a":1}', '{"big":' + inside + "}", '{"b":"ü"}')
    for cuts in [(), tuple(range(0, 12000, 7))]:
        good, refused = read(data.encode(), cuts, max_record_bytes=2000)
        assert good == [(1, A), (3, B)]
        assert numbers(refused) == [2]
        assert "larger than 2,000 bytes" in refused[0][1]


@pytest.mark.parametrize("layout", ["array", "pretty", "lines", "joined", "nested"])
def test_bad_ones_among_many_are_found_in_objects_of_many_pieces(layout: str) -> None:
    records: list[dict[str, Any]] = [
        {"id": at, "name": f"N{at}: x", "at": "2026-11-20T12:00:00"} for at in range(30_000)
    ]
    if layout == "nested":
        records = [record | {"in": [{"id": 1}, {"id": {"id": 2}}]} for record in records]
    bad = {7: b'{"id": NaN}', 8: b'{"id": 1, "id": 2}', 15_000: b'{"id": "\xff"}', 29_999: b'{"id": "\\ud800"}'}
    texts = [bad.get(at, text_of(record, 2 if layout == "pretty" else None)) for at, record in enumerate(records)]
    separator = {"lines": b"\n", "joined": b""}.get(layout, b", ")
    data = separator.join(texts) if layout in ("lines", "joined") else b"[" + separator.join(texts) + b"]"
    good, refused = read(data, (1, 70_000))
    assert good == [(at + 1, record) for at, record in enumerate(records) if at not in bad]
    assert numbers(refused) == [at + 1 for at in bad]
