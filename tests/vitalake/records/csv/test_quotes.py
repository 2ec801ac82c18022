"""A quote too few or too many costs its own record, and is told."""

from __future__ import annotations

import re
from itertools import accumulate

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.vitalake.records.csv_reading import MISSING_QUOTE, faults_of, read, refused_of, rows_of
from vitalake.records.csv import reader as csv_reader
from vitalake.records.csv.rows import RefusedLine


def test_a_missing_quote_costs_its_own_line_alone() -> None:
    lines = [f'{number},x,"text {number}"' for number in range(2, 10_002)]
    lines[500] = lines[500].removesuffix('"')
    found = read("\n".join(["a,b,c", *lines, ""]).encode(), ["a", "b", "c"])
    assert rows_of(found) == [
        (number, (f"{number}", "x", f"text {number}")) for number in range(2, 10_002) if number != 502
    ]
    assert refused_of(found) == [RefusedLine(502, "D02", MISSING_QUOTE, '502,x,"text 502', 1)]


def test_lines_around_a_broken_one_are_counted_each() -> None:
    """A CR before it and an LF behind it are two ends of lines, as if it stood between them still."""
    found = read(b'a,b\n\r1,""x\n\n4,5\n\r""y,\n\n\n6,7\n')
    assert faults_of(found) == [(3, "D02"), (7, "D02")]
    assert rows_of(found) == [(5, ("4", "5")), (10, ("6", "7"))]


@pytest.mark.parametrize("size", [8 << 20, 1000])
def test_a_quote_missing_in_the_last_quoted_field_costs_its_own_line_alone(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", size)
    lines = ['1,"Doe, Jane"', '2,"Smith, Jo', *(f"{number},x" for number in range(3, 2000)), "short"]
    found = read("\r\n".join(["a,b", *lines]).encode())
    assert rows_of(found) == [(2, ("1", "Doe, Jane")), *((line, (f"{line - 1}", "x")) for line in range(4, 2001))]
    assert refused_of(found) == [
        RefusedLine(3, "D02", MISSING_QUOTE, '2,"Smith, Jo', 1),
        RefusedLine(2001, "D03", "1 fields, expected 2", "short", 1),
    ]


@pytest.mark.parametrize(
    ("body", "rows", "refused"),
    [
        # A quote too many ends a field early: the line is refused, and what is left of its text.
        (b'1,"Dear "Bob\nSir, hello"\n2,"ok"\n', [(4, "2", "ok")], [(2, "D02", 2)]),
        (b'1,"Dear "Bob\nSir,\n\n""x"", y\nhello, z"\n2,w\n', [(7, "2", "w")], [(2, "D02", 4)]),
        (b'"1\n2 "x\nSir, hello"\n2,y\n', [(5, "2", "y")], [(2, "D02", 3)]),
        (b'1,"Dear "Bob\nSir, hello"\n"2\n","x\ny"\n', [(4, "2\n", "x\ny")], [(2, "D02", 2)]),
        (b'1,"Dear "Bob\n",x\n2,y\n3,z\n', [(4, "2", "y"), (5, "3", "z")], [(2, "D02", 1), (3, "D02", 1)]),
        # No line breaks: the line alone, and never for quotes amid a field without.
        (b'1,"x" y\n2,"z"\n3,5"\n', [(3, "2", "z"), (4, "3", '5"')], [(2, "D02", 1)]),
        (b'1,"x" y\n2,5" x\n"3" 4,z\n', [(3, "2", '5" x')], [(2, "D02", 1), (4, "D02", 1)]),
        (b'5" ""x,"y"\n5","x"y\n5,"x" "y"\n', [(2, '5" ""x', "y")], [(3, "D02", 1), (4, "D02", 1)]),
        # The next quote is far: what lies between are lines like any others, also short and blank ones.
        (b'1,"x\n2,y\n\n3\n4,"z"\n', [(3, "2", "y"), (6, "4", "z")], [(2, "D02", 1), (5, "D03", 1)]),
        # It opens an empty field, or one with line breaks or delimiters.
        (b'1,"x\n2,""\n3,"y"\n', [(3, "2", None), (4, "3", "y")], [(2, "D02", 1)]),
        (b'1,"x\n2,"y\n\ny"\n3,z\n', [(3, "2", "y\n\ny"), (6, "3", "z")], [(2, "D02", 1)]),
        (b'1,"x\n2,", y"\n3,z\n', [(3, "2", ", y"), (4, "3", "z")], [(2, "D02", 1)]),
        (b'1,"x\r\n"2",y\r\n3,z', [(3, "2", "y"), (4, "3", "z")], [(2, "D02", 1)]),
        # The record that lacks it has a line break itself, or another one follows.
        (b'"1\n1","x\n2,"y"\n', [(4, "2", "y")], [(2, "D02", 2)]),
        (b'1,"x\n2,"y\n3,"z"\n', [(4, "3", "z")], [(2, "D02", 2)]),
        # Text with line breaks behind which more text follows: its lines are no records, whatever they look like.
        (b'1,"Sir,\n\nI came, saw\nbye" x\n2,y\n', [(6, "2", "y")], [(2, "D02", 3)]),
        (b'5",x\n1,"y\nz"\n5" x,"y\nz"\n', [(2, '5"', "x"), (3, "1", "y\nz")], [(5, "D02", 2)]),
        # What is quoted strictly, but only because a later field begins with a comma or a quote.
        (b'1,"x\n2,",\ny"\n3,z\n', [(5, "3", "z")], [(2, "D02", 3)]),
        (b'1,"x\n2,"""\ny"\n3,z\n', [(5, "3", "z")], [(2, "D02", 3)]),
        # Strictly quoted but too long, as ever.
        (b'1,"x\ny",2\n3,"4"\n', [(4, "3", "4")], [(2, "D03", 1)]),
    ],
)
def test_lines_that_a_quote_has_run_together_are_told_apart_or_refused(
    body: bytes, rows: object, refused: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (8 << 20, 16):  # a block that ends before it is clear waits for the next
        monkeypatch.setattr(csv_reader, "BLOCK_BYTES", size)
        found = read(b"a,b\n" + body)
        assert [(line, *values) for line, values in rows_of(found)] == rows
        assert [(each.line, each.rule, each.count) for each in refused_of(found)] == refused


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'


TEXTS = st.text(st.sampled_from('ab" ,'), max_size=4)
# Line breaks beside quotes, or beside delimiters: a text with both can look like records of another file, as can
# one that begins with a quote and a line break. What is made of such is said by the examples above.
BROKEN_TEXTS = st.one_of(
    *(
        st.lists(st.text(st.sampled_from(letters), min_size=1, max_size=3), min_size=2, max_size=3).map("\n".join)
        for letters in ('ab"', "ab,")
    )
).filter(lambda text: not text.startswith('"\n'))


@settings(max_examples=400, deadline=None)
@given(
    values=st.lists(st.tuples(*[st.one_of(TEXTS, TEXTS, BROKEN_TEXTS)] * 4), min_size=2, max_size=8),
    plain=st.sets(st.integers(0, 31)),
    where=st.integers(0, 10_000),
    delete=st.booleans(),
    size=st.sampled_from([8 << 20, 60]),
)
@example([("", "", "a,\na,,", ",,\na"), ("", "", "", "")], {0}, 290, False, 8 << 20)
def test_one_quote_too_few_or_too_many_never_mixes_records_or_loses_one_silently(
    values: list[tuple[str, ...]], plain: set[int], where: int, delete: bool, size: int
) -> None:
    """Each record is there as it was, or a refusal covers one of its lines; only that with the quote may differ."""
    records: list[str] = []
    for number, fields in enumerate(values):
        each = [str(number), *fields]
        quoted = [
            field if 4 * number + place in plain and not re.search('[",\n]', field) else _quoted(field)
            for place, field in enumerate(each)
        ]
        records.append(",".join(quoted) + "\n")
    text = "".join(records)
    places = [at for at, letter in enumerate(text) if letter == '"'] if delete else list(range(len(text)))
    assume(places)
    at = places[where % len(places)]
    changed = text[:at] + ("" if delete else '"') + text[at + delete :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_reader, "BLOCK_BYTES", size)
        found = read(("n,a,b,c,d\n" + changed).encode(), list("nabcd"))
    starts = list(accumulate((record.count("\n") for record in records), initial=2))
    covered: set[int] = set()
    for refusal in refused_of(found):
        covered |= {refusal.line + below for below in range(refusal.text.count("\n") + 1)}
        if refusal.rule == "D07":
            covered |= set(range(refusal.line, starts[-1] + 1))
    rows = dict(rows_of(found))
    remains: set[int] = set()
    for number, (record, begin, end) in enumerate(zip(records, starts, starts[1:], strict=False)):
        row = rows.pop(begin, None)
        whole = row == tuple(field or None for field in (str(number), *values[number]))
        edited = sum(map(len, records[:number])) <= at <= sum(map(len, records[: number + 1]))
        touched = bool(covered & set(range(begin, end)))
        if row is None:
            assert touched
        elif not whole:
            assert edited
            assert all((field or "").replace('"', "") in record.replace('"', "") for field in row)
        if not whole:
            # What is left of the text with the quote may look like records, and so may lines of a text with quotes
            # only where a field may begin or end.
            begins_fields = any("\n" in field and re.search('[,\n]("|$)', field) for field in values[number])
            remains |= set(range(begin, end)) if begins_fields or edited else set()
    assert rows.keys() <= remains, "no row begins within another record"
