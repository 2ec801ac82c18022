"""Every record of a JSON object is read or refused, one by one, however large, broken or cut the object is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from vitalake.errors import UnusableDataError
from vitalake.records.json_reader import read_json

ROOT = Path(__file__).resolve().parents[3]
A, B = {"a": 1}, {"b": "ü"}
Numbered = list[tuple[int, Any]]


def read(data: bytes, cuts: tuple[int, ...] = (), **sizes: int) -> tuple[Numbered, Numbered]:
    """Number and record of the good ones, number and message of the others; each number is there once, in order."""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[begin:end] for begin, end in pairwise(edges)]
    good: Numbered = []
    refused: Numbered = []
    for block in read_json(iter(pieces), **sizes):
        assert block.first == len(good) + len(refused) + 1
        good += zip(block.numbers.tolist(), block.records, strict=True)
        refused += [(each.number, each.message) for each in block.refused]
        assert {each.rule for each in block.refused} <= {"D02"}
    assert sorted(number for number, _ in good + refused) == list(range(1, len(good) + len(refused) + 1))
    assert [number for number, _ in good] == sorted(number for number, _ in good)
    return good, refused


def numbers(found: Numbered) -> list[int]:
    return [number for number, _ in found]


def text_of(record: Any, indent: int | None = None, plain: bool = False) -> bytes:
    return json.dumps(record, indent=indent, ensure_ascii=plain).encode()


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


# Bad ones whose brackets match. SECRET stands for what may be personal.
BAD = {
    b'{"SECRET": NaN}': "NaN",
    b'{"SECRET": -Infinity}': "Infinity",
    b'{"SECRET": "\xff"}': "UTF-8",
    b'{"\xc3": "SECRET"}': "UTF-8",
    b'{"a": "SECRET\xed\xa0\x80"}': "UTF-8",
    b'{"a": "SECRET\\ud800"}': "surrogate",
    b'{"a": "\\udc00SECRET"}': "surrogate",
    b'{"SECRET": 1, "SECRET": 1}': "key twice",
    b'{"SECRET": "\\":", "SECRET" : ": "}': "key twice",
    b'{"a": {"b": [{"SECRET": 1, "\\u0053ECRET": 2}]}}': "key twice",
    b'{"a": ' + b"[" * 64 + b'"SECRET"' + b"]" * 64 + b"}": "64 levels",
    b'{"SECRET": ' * 65 + b"1" + b"}" * 65: "64 levels",
    b'{"a": ' + b"[" * 50_000 + b'"SECRET"' + b"]" * 50_000 + b"}": "64 levels",
    b'{"SECRET": 1e999}': "out of range",
    b'{"SECRET": ' + b"9" * 5000 + b"}": "out of range",
    b'{"SECRET": 01}': "byte 12",
    b'{"SECRET" 1}': "byte 10",
    b'{"SECRET": 1,}': "no valid JSON",
    b'{"a": "SECRET\x01"}': "no valid JSON",
    b'{"a": "SECRET\\x"}': "no valid JSON",
    b'{"SECRET": 1 "b": 2}': "no valid JSON",
    b'["SECRET"]': "an array",
    b'"SECRET"': "a string",
    b"123": "a number",
    b"true": "true or false",
    b"null": "null",
    b"SECRET": "no valid JSON",
}


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


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('{}[]",:\\\n'), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab:{"\\ü', max_size=3), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip
RECORDS = st.dictionaries(st.sampled_from(["id", "b", ":", '"', "{ü"]), VALUES, max_size=4)
CUTS = st.lists(st.integers(0, 400), max_size=6).map(tuple)
SHORT_BAD = [bad for bad in BAD if len(bad) < 100]


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, Numbered, list[int]]:
    """An object, its good records with their numbers, and the numbers of the bad ones."""
    layout = draw(st.sampled_from(["array", "lines", "joined"]))
    allowed = [bad for bad in SHORT_BAD if layout != "joined" or bad.startswith(b"{")]
    parts: list[Any] = draw(st.lists(RECORDS | st.sampled_from(allowed), min_size=1, max_size=12))
    if layout == "lines":
        parts = [A, *parts]
    indent = None if layout == "lines" else draw(st.sampled_from([None, 1]))
    plain = draw(st.booleans())
    texts = [part if isinstance(part, bytes) else text_of(part, indent, plain) for part in parts]
    blank = draw(st.sampled_from([b"", b" ", b"\r\n  "]))
    data = {
        "array": b"[" + blank + (blank + b"," + blank).join(texts) + blank + b"]" + blank,
        "lines": draw(st.sampled_from([b"\n", b"\r\n", b"\n \n"])).join(texts),
        "joined": b"".join(texts) if not blank else b" ".join(texts),
    }[layout]
    good = [(number, part) for number, part in enumerate(parts, 1) if not isinstance(part, bytes)]
    return data, good, [number for number, part in enumerate(parts, 1) if isinstance(part, bytes)]


@settings(max_examples=200, deadline=None)
@given(documents(), CUTS, st.integers(1, 300))
def test_every_record_is_read_or_refused_under_its_number(
    document: tuple[bytes, Numbered, list[int]], cuts: tuple[int, ...], block_bytes: int
) -> None:
    data, expected, bad = document
    good, refused = read(data, cuts, block_bytes=block_bytes)
    assert repr(good) == repr(expected)
    assert numbers(refused) == bad


@settings(max_examples=150, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=30), st.sampled_from(["[,]", "\n", ""]), st.data())
def test_where_pieces_are_cut_makes_no_difference(records: list[Any], layout: str, data: st.DataObject) -> None:
    """A piece is at most as large as a record may be, so small limits cut at every possible place."""
    texts = [text_of(record) for record in records]
    whole = b"[" + b", ".join(texts) + b"]" if layout == "[,]" else layout.encode().join(texts)
    least = max(map(len, texts)) + 1
    limit = data.draw(st.integers(least, least + 40) | st.integers(least, least * 8))
    assert repr(read(whole, max_record_bytes=limit)) == repr((list(enumerate(records, 1)), []))


def strict(text: bytes) -> Any:
    """The value of a JSON text as the standard library reads it, None where it must be refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("twice")
        return found

    def refuse(_: str) -> None:
        raise ValueError("constant")

    try:
        value = json.loads(text.decode(), object_pairs_hook=once, parse_constant=refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return None
    return value


@st.composite
def mutated(draw: st.DrawFn, layout: str) -> bytes:
    """An object in which some bytes were replaced, removed or put in."""
    records = draw(st.lists(RECORDS, min_size=1, max_size=6))
    texts = [text_of(record) for record in records]
    data = bytearray(b"[" + b",".join(texts) + b"]" if layout == "array" else layout.encode().join(texts))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        nasty = draw(
            st.sampled_from([*b'{}[]",:\\\n1aN \0\xff\xc3\xed']).map(lambda byte: bytes([byte]))
            | st.binary(max_size=3)
        )
        data[at : at + draw(st.integers(0, 2))] = nasty
    return bytes(data)


@settings(max_examples=250, deadline=None)
@given(mutated("array") | mutated("\n") | mutated("") | st.binary(max_size=60), CUTS, st.integers(1, 100))
@example(b'[{"a":"\\', (8,), 1)
def test_no_bytes_break_the_reader_and_chunks_make_no_difference(
    data: bytes, cuts: tuple[int, ...], size: int
) -> None:
    try:
        found = read(data)
    except UnusableDataError as error:
        assert error.rule == "S02"
        with pytest.raises(UnusableDataError, match=re.escape(str(error))):
            read(data, cuts)
        return
    for _, record in found[0]:
        json.dumps(record, ensure_ascii=False, allow_nan=False).encode()
    assert repr(read(data, cuts, block_bytes=size)) == repr(found)
    assert repr(read(data, tuple(range(len(data))))) == repr(found)


@settings(max_examples=200, deadline=None)
@given(mutated("array"))
def test_a_whole_array_is_read_as_the_standard_library_reads_it(data: bytes) -> None:
    value = strict(data)
    assume(isinstance(value, list))
    good, refused = read(data)
    assert repr(good) == repr([(at, each) for at, each in enumerate(value, 1) if isinstance(each, dict)])
    assert len(good) + len(refused) == len(value)


@settings(max_examples=200, deadline=None)
@given(mutated("\n"))
def test_each_line_is_read_as_the_standard_library_reads_it(data: bytes) -> None:
    lines = [line for line in data.split(b"\n") if line.strip()]
    assume(not any(re.search(rb"}\s*{", line) for line in lines))
    good, refused = read(b"{}\n" + data)
    values = [{}, *map(strict, lines)]
    assert repr(good) == repr([(at, each) for at, each in enumerate(values, 1) if isinstance(each, dict)])
    assert len(good) + len(refused) == len(values)


SHAPES = {
    "array": 'chain([b"[{}"], repeat(b\',{"id": 1, "name": "somebody", "size": 2.5}\' * 1000, 1500), [b"]"])',
    "lines": 'repeat(b\'{"id": 1, "name": "somebody", "size": 2.5}\\n\' * 1000, 1500)',
    "one string": 'chain([b\'[{"a": "\'], repeat(b"x" * 65536, 1000), [b\'"}, {}]\'])',
    "one line": 'chain([b\'{}\\n{"a": "\'], repeat(b"x" * 65536, 1000), [b\'"}\\n{}\'])',
    "no end of blanks": 'chain(repeat(b" " * 65536, 1000), [b"[]"])',
    "no end of brackets": 'repeat(b"[" * 65536, 1000)',
}
MEASURE = """
from itertools import chain, repeat
from vitalake.records.json_reader import read_json
import numpy
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
sum(len(block.records) for block in read_json(iter([b'[{"a":1}]'])))
before = peak()
count = sum(len(block.records) + len(block.refused) for block in read_json(%s))
print(count, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("shape", SHAPES)
def test_memory_does_not_grow_with_the_object(shape: str) -> None:
    """64 MB each; the kernel counts the peak of the process, in kB."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE % SHAPES[shape]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    count, grown = map(int, done.stdout.split())
    expected = {"array": 1_500_001, "lines": 1_500_000, "one string": 2, "one line": 3, "no end of blanks": 0}
    assert count == expected.get(shape, 1)
    assert grown < 60_000


def test_reading_begins_before_the_object_has_arrived() -> None:
    def endless() -> Iterator[bytes]:
        yield b'[{"a":1}'
        while True:
            yield b',{"a":1}' * 1000

    blocks = read_json(endless())
    assert next(blocks).records[:2] == [A, A]
    assert next(blocks).first > 1
