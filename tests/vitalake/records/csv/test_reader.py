"""Every record of a CSV file is a row or refused, once, with its line."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.vitalake.records.csv_reading import MISSING_QUOTE, WIDE, by_python, faults_of, read, refused_of, rows_of
from vitalake.errors import UnusableDataError
from vitalake.records.csv import reader as csv_reader
from vitalake.records.csv.reader import read_csv
from vitalake.records.csv.rows import RefusedLine


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a,b\n1,2\n3,4\n", [(2, ("1", "2")), (3, ("3", "4"))]),
        (b"a,b\r\n1,2\r\n3,4", [(2, ("1", "2")), (3, ("3", "4"))]),
        (b"a,b\r1,2\r\r3,4\r", [(2, ("1", "2")), (4, ("3", "4"))]),
        (b"\xef\xbb\xbf a , b\n1, 2", [(2, ("1", " 2"))]),
        (b'\xef\xbb\xbf"a","b"\n1,2', [(2, ("1", "2"))]),
        (b"\n\r\na,b\n\n\n1,2\n", [(6, ("1", "2"))]),
        (b"b;a\n2;1,5\n", [(2, ("1,5", "2"))]),
        (b"a\tb\n1\t2\n", [(2, ("1", "2"))]),
        (b"a|b\n1|2\n", [(2, ("1", "2"))]),
        (b'a,b\n,\n"",2\n"",""\n,,,\n,\r\n ,', [(3, (None, "2")), (4, (None, None)), (7, (" ", None))]),
        (b'a,b\n"x\n\ny","p""q"\n\n3,4\n', [(2, ("x\n\ny", 'p"q')), (6, ("3", "4"))]),
        (b'a,b\n5" x 4",c"\n3,4\n', [(2, ('5" x 4"', 'c"')), (3, ("3", "4"))]),
        (b'a,b\n"x" , "4"\n"p\nq"\t,"" \n', [(2, ("x ", ' "4"')), (3, ("p\nq\t", " "))]),
        (b'b\ta\n"x" \t"y"\n', [(2, ("y", "x "))]),
        (b"a,b\n", []),
        (b"a,b", []),
    ],
)
def test_records_become_rows_with_their_lines(data: bytes, rows: object) -> None:
    found = read(data)
    assert rows_of(found) == rows
    assert not refused_of(found)


@pytest.mark.parametrize("data", [b'"' * 40_000, b'"a",' * 10_000, b'x"' * 20_000 + b"\n3,4\n"])
def test_a_line_of_quotes_that_does_not_end_is_refused(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    for name, size in (("BLOCK_BYTES", 2000), ("MAX_RECORD_BYTES", 8000), ("_QUOTED_BYTES", 500)):
        monkeypatch.setattr(csv_reader, name, size)
    found = read(b"a,b\n1,2\n" + data)
    assert rows_of(found) == [(2, ("1", "2"))]
    assert faults_of(found) == [(3, "D07")]


def test_a_file_of_one_column_may_hold_empty_fields_in_quotes() -> None:
    found = read(b'a\n1\n\n""\n"x\n"\n4,5\n"', ["a"])
    assert rows_of(found) == [(2, ("1",)), (4, (None,)), (5, ("x\n",))]
    assert faults_of(found) == [(7, "D03"), (8, "D07")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_columns_without_a_name_at_the_end_are_dropped_unless_they_hold_a_value(end: bytes) -> None:
    found = read(end.join([b"a,b, ,", b"1,2,,", b",,,", b'"1\n","2",,x', b"3,4", b'5,6,"",']))
    assert rows_of(found) == [(2, ("1", "2")), (7, ("5", "6"))]
    assert refused_of(found) == [
        RefusedLine(4, "D03", "a value in a column that has no name", '"1\n","2",,x'),
        RefusedLine(6, "D03", "2 fields, expected 4", "3,4"),
    ]


@pytest.mark.parametrize("begin", [b"sep=;\r\n", b'\xef\xbb\xbf"sep=;"\n', b"SEP=;\n", b"sep=;\n;;\n"])
def test_a_first_line_may_name_the_delimiter(begin: bytes) -> None:
    found = read(begin + b"a;b,c\n1;2,3\n", ["a", "b,c"])
    assert rows_of(found) == [(begin.count(b"\n") + 2, ("1", "2,3"))]
    assert rows_of(read(b"sep=\t\na\tb\n1\t2\n")) == [(3, ("1", "2"))]
    assert rows_of(read(b"sep=,\na,b\n1,2\n")) == [(3, ("1", "2"))]


def test_columns_that_are_ignored_are_not_built_and_absent_ones_are_null() -> None:
    found = read(b'skip,a,b\n"x\ny",1,2\n\0,3,4\n5,6,7\n', ["b", "optional", "a"], ["skip"])
    assert [list(block.columns) for block in found] == [["b", "optional", "a"]]
    assert rows_of(found) == [(2, ("2", None, "1")), (5, ("7", None, "6"))]
    assert faults_of(found) == [(4, "D02")]


def test_short_and_long_rows_are_refused_with_what_was_found() -> None:
    found = read(b'a,b\n1\n"2\n",3\n4,"5\n6",\n7,8\n')
    assert refused_of(found) == [
        RefusedLine(2, "D03", "1 fields, expected 2", "1"),
        RefusedLine(5, "D03", "3 fields, expected 2", '4,"5\n6",'),
    ]
    assert rows_of(found) == [(3, ("2\n", "3")), (7, ("7", "8"))]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("header", [b"a,b", b" a ,b ", b'"a","b"', b"a,b,", b"a,c,b", b'c,b,"a",'])
def test_a_header_that_comes_again_is_no_row(header: bytes, mark: bytes) -> None:
    """As in files that were put one behind the other."""
    row = b"b" + b",b" * header[:-1].count(b",") + b"," * header.endswith(b",")
    data = header + b"\n" + row + b"\n" + mark + header + b"\n" + row + b"\n" + mark + header
    found = read(data, ["a", "b"], ["c"])
    assert [line for line, _ in rows_of(found)] == [2, 4]
    text = (mark + header).decode()
    assert refused_of(found) == [RefusedLine(line, "D03", "the header again", text) for line in (3, 5)]


def test_what_only_resembles_the_header_is_a_row() -> None:
    lines = [b"a,x,b", b"A,c,b", b'"""a""",c,b', b"a,c,", b"ab,c,b", b"b,c,a", b"a,,b"]
    found = read(b"a,c,b\n" + b"\n".join(lines), ["a", "b"], ["c"])
    assert [line for line, _ in rows_of(found)] == list(range(2, 9))
    assert not refused_of(found)
    assert [values for _, values in rows_of(read(b"a\nx\na\n", ["a"]))] == [("x",), ("a",)]


def test_bytes_that_are_no_text_cost_their_record_only() -> None:
    found = read(b'a,b\n1,\xe9\n\xff\n"x\n\0",2\n\xed\xa0\x80,3\n\xc3\xa4,\xef\xbf\xbd\n')
    assert [(each.line, each.rule, each.message, each.text) for each in refused_of(found)] == [
        (2, "D02", "bytes that are no UTF-8", "1,\ufffd"),
        (3, "D02", "bytes that are no UTF-8", "\ufffd"),
        (4, "D02", "a NUL byte", '"x\n\0",2'),
        (6, "D02", "bytes that are no UTF-8", "\ufffd\ufffd\ufffd,3"),
    ]
    assert rows_of(found) == [(7, ("ä", "\ufffd"))]


@pytest.mark.parametrize("text", ["4", "4\n\nSir, hello\nI came\nand saw", "4 ", '4\n5,""6\n7,8'])
def test_a_text_in_which_the_file_is_cut_off_takes_the_rest(text: str) -> None:
    found = read(f'a,b\n1,2\n\n3,"{text}'.encode())
    assert rows_of(found) == [(2, ("1", "2"))]
    message = "a quote that nothing closes: nothing is read from here on"
    lines = len(re.findall("[^\n]+", text))
    assert refused_of(found) == [RefusedLine(4, "D07", message, f'3,"{text}', lines)]


def test_a_record_without_an_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 100)
    monkeypatch.setattr(csv_reader, "MAX_RECORD_BYTES", 1000)
    taken = 0

    def endless(piece: bytes) -> Iterator[bytes]:
        nonlocal taken
        yield b'a,b\n1,2\n3,"'
        while True:
            taken += 1
            yield piece

    for piece in (b"4\n" * 10, b"4" * 20):
        taken = 0
        found = list(read_csv(endless(piece), ["a", "b"], ["a"]))
        assert rows_of(found) == [(2, ("1", "2"))]
        assert faults_of(found) == [(3, "D07")]
        assert taken < 100


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_long_file_is_the_same_however_it_is_cut(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(7)
    fields = ["1", "", '"x,y"', f'"p{end}{end}q"', 'a "b"', '"d""d"', "é" * 40, f'"{"long" * 200}"']
    lines = [",".join(rng.choices(fields, k=rng.choice([1, 2, 2, 2, 2, 3]))) for _ in range(2000)]
    data = ("a,b" + end + end.join(lines) + end).encode()
    whole = read(data)
    expected, run_together = by_python(data)
    assert rows_of(whole) == [
        (line, tuple(each or None for each in fields))
        for line, fields in expected
        if len(fields) == 2 and line not in run_together
    ]
    assert [(each.line, each.rule) for each in refused_of(whole)] == [
        (line, "D02" if line in run_together else "D03")
        for line, fields in expected
        if len(fields) != 2 or line in run_together
    ]
    for block, chunk in [(200, 7), (333, WIDE), (5000, 4096)]:
        monkeypatch.setattr(csv_reader, "BLOCK_BYTES", block)
        monkeypatch.setattr(csv_reader, "_QUOTED_BYTES", block // 4)
        cut = read(data, chunk=chunk)
        assert len(cut) > 3
        assert rows_of(cut) == rows_of(whole)
        assert refused_of(cut) == refused_of(whole)


PIECES = st.sampled_from(
    [
        *(bytes([each]) for each in b',,,"""\n\n\ra1 ;\t\\\'\0\xff\xe9\x0b\x1c\x85'),
        *(b"\r\n", b'""', b"1,2\n", b'x,"y\nz"\n', b"\xc3\xa9", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xed\xa0\x80"),
    ]
)


@settings(max_examples=1500, deadline=None)
@given(
    width=st.integers(1, 3),
    head=st.sampled_from([b"", b"\xef\xbb\xbf", b"\n\r\n"]),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    body=st.one_of(st.lists(PIECES, max_size=60).map(b"".join), st.binary(max_size=60)),
    block=st.sampled_from([16, 40, 8 << 20]),
    chunk=st.sampled_from([1, 13, WIDE]),
)
@example(width=1, head=b"", end=b"\r", body=b'\n"\r"\n\r\r\n",', block=16, chunk=1)
def test_every_record_is_a_row_or_refused_once(
    width: int, head: bytes, end: bytes, body: bytes, block: int, chunk: int
) -> None:
    names = ["a", "b", "c"][:width]
    data = head + ",".join(names).encode() + end + body
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_reader, "BLOCK_BYTES", block)
        patch.setattr(csv_reader, "_QUOTED_BYTES", block // 4)
        found = read(data, names, chunk=chunk)
    rows, refused = rows_of(found), refused_of(found)
    expected, run_together = by_python(data)
    assume(not run_together)
    assume(not any(each.message.startswith(MISSING_QUOTE) for each in refused))  # in doubt; examples are above
    assert sorted([line for line, _ in rows] + [each.line for each in refused]) == [line for line, _ in expected]
    assert [each.line for each in refused] == sorted(each.line for each in refused)
    by_line = dict(expected)
    assert len(by_line) == len(expected)
    for line, values in rows:
        assert list(values) == [value or None for value in by_line[line]]
    for each in refused:
        fields = by_line[each.line]
        nasty = any("\ufffd" in field for field in fields)
        endless = each.line == expected[-1][0] and "nothing closes" in each.message
        assert each.rule == ("D07" if endless else "D02" if nasty else "D03")
        assert each.rule != "D03" or len(fields) != width


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=40), st.lists(PIECES, max_size=30).map(b"".join)))
def test_any_bytes_are_read_or_unusable(data: bytes) -> None:
    try:
        read(data, ["a", "1"])
    except UnusableDataError as error:
        assert error.rule in {"D01", "S02"}


@pytest.mark.parametrize(
    ("data", "rule", "said"),
    [
        (b"", "D01", "there is no header"),
        (b"\n\n", "D01", "there is no header"),
        (b"a\n1\n", "D01", "lacks 'b'"),
        (b"a,b,a\n", "D01", "repeats 'a'"),
        (b"a,b,c,d\n", "D01", "2 undeclared columns: 'c', 'd'"),
        (b"a,,b,\n", "D01", "1 undeclared columns: ''"),
        (b"sep=;\na,b\n", "D01", "none of the 1 fields"),
        (b"a,b," + b"x" * 1000 + b"\n", "D01", "'" + "x" * 40 + "…'"),
        (b"a,b," + b",".join(b"%d" % n for n in range(300)), "D01", "'9' and 290 more"),
        (b'a,b,"' + b"x\n" * 600_000 + b'"\n', "D01", "cannot be read"),
        (b"a,b" + b"\n" * 2_000_000, "", ""),
        (b"\n" * 2_000_000 + b"a,b", "D01", "does not end within 1,048,576 bytes"),
        ("a,b\n".encode("utf-16"), "S02", "UTF-16"),
        ("a,b\n".encode("utf-16-be"), "S02", "NUL"),
        ("a,b\n".encode("utf-32"), "S02", "UTF-32"),
        (b"a,\xfc\n", "S02", "no UTF-8"),
        (b"\x1f\x8b\x08\0\0\0", "S02", "NUL"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(data: bytes, rule: str, said: str) -> None:
    if not rule:
        assert not read(data)
        return
    with pytest.raises(UnusableDataError) as caught:
        read(data)
    assert caught.value.rule == rule
    assert said in caught.value.message
    assert len(caught.value.message) < 300


def test_values_of_a_file_without_a_header_are_not_told() -> None:
    with pytest.raises(UnusableDataError) as caught:
        read(b"Jane Doe,1970\nJohn Roe,1980\n")
    assert caught.value.rule == "D01"
    assert "Jane" not in caught.value.message
    assert "'a', 'b'" in caught.value.message


def test_the_text_of_a_row_reads_as_the_row() -> None:
    (found,) = read(b'b;a\n"x;y";" p""q\n"\n;2\n')
    assert [found.text(0), found.text(1)] == ['"x;y";" p""q\n"', ";2"]


def test_enormous_fields_are_read_and_texts_are_cut() -> None:
    field = b"x" * (20 << 20)
    found = read(b"a,b\n1," + field + b"\n" + field + b"\n3,4\n")
    assert [(line, len(values[1] or "")) for line, values in rows_of(found)] == [(2, len(field)), (4, 1)]
    assert [(each.line, each.rule, len(each.text)) for each in refused_of(found)] == [(3, "D03", 500)]
    assert len(next(block for block in found if len(block.lines)).text(0)) == 500


def test_a_long_record_full_of_quotes_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "_QUOTED_BYTES", 100)
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 400)
    field = b'""\n' * 1000
    found = read(b'a,b\n1,2\n3,"' + field + b'"\n4,5\n')
    assert [(line, values[0], len(values[1] or "")) for line, values in rows_of(found)] == [
        (2, "1", 1),
        (3, "3", 2000),
        (1004, "4", 1),
    ]
    assert not refused_of(found)


def test_reading_does_not_load_pandas() -> None:
    code = (
        "import sys; from vitalake.records.csv.reader import read_csv\n"
        "assert not {'numpy', 'pyarrow'} & set(sys.modules)\n"
        "data = b'a,b,c\\n1,\\n\\n\"x\\ny\",2,3\\n\\0,5,6\\n\\xe4,8,9\\n1,2,3\\n'\n"
        "(found,) = read_csv([data], ['a', 'b', 'd'], ['a'], ['c'])\n"
        "assert (len(found.lines), len(found.refused)) == (2, 3)\n"
        "found.text(0)\n"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
