"""JSON objects drawn at random, whole and damaged: no record is lost, and no bytes break the reader.

Belongs here: properties, with the standard library as the judge. Does not belong here: examples
(`test_json_reader`).
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.vitalake.records.json_reading import BAD, A, Numbered, numbers, read, text_of
from vitalake.errors import UnusableDataError

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
