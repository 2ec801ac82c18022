"""JSON to records: nothing that is broken passes silently, and one broken record does not take others along."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.entities.envelope import canonical, read_envelope
from vitalake.errors import UnusableDataError

ONE = {"id": 1, "name": "Aalborg Analytics"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def records_of(data: bytes) -> list[dict[str, Any]]:
    """Those that can be read."""
    return [record for block in read_envelope(data).records() for record in block.records]


def refused_of(data: bytes) -> list[tuple[int, str]]:
    """Number of each of the others, and why."""
    return [(each.number, each.message) for block in read_envelope(data).records() for each in block.refused]


@pytest.mark.parametrize(
    "data",
    [
        b'{"records": [{"id": 1, "name": "Aalborg Analytics"}], "metadata": {}}',
        b'\xef\xbb\xbf\n{"metadata": {"records": [2]}, "n": 5, "records": [{"id":1,"name":"Aalborg Analytics"}]}\n',
        b'[{"id": 1, "name": "Aalborg Analytics"}]',
        b'\xef\xbb\xbf  {"id" : 1,\r\n "name":"Aalborg Analytics"}\n',
    ],
    ids=["envelope", "envelope with BOM, records last", "array", "single record with BOM"],
)
def test_an_envelope_an_array_and_a_single_record_have_the_same_record(data: bytes) -> None:
    assert records_of(data) == [ONE]


def test_records_on_lines_are_read_and_a_bad_line_is_refused_alone() -> None:
    data = b'{"id": 1}\r\n{"id": 2, "records": 7}\n{"id": \n\n{"id": 4}'
    assert records_of(data) == [{"id": 1}, {"id": 2, "records": 7}, {"id": 4}]
    assert [number for number, _ in refused_of(data)] == [3]
    assert read_envelope(data).around == {}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "white space"),
        (b" \n", "white space"),
        (b"12", "no JSON of records"),
        (b'"records"', "no JSON of records"),
        (b"null", "no JSON of records"),
        (b'{"records": {"id": 1}}', "`records` is an object"),
        (b'{"records": 5}', "`records` is a number"),
        (b'{"records": [{"id": 1}', "does not end"),
        (b'{"records": [{"id": 1}]', "a comma or brace was expected"),
        (b'{"records": [{"id": 1}], }', "a key was expected"),
        (b'{"records": [{"id": 1}], "metadata": {"a": }}', "no JSON"),
        (b'{"records": [{"id": 1}], "metadata": }', "a value was expected"),
        (b'{"records": [{"id": 1}}', "a bracket closes what is not open"),
        (b'{"records": [{"id": 1}]}\n{"records": [{"id": 2}]}', "the object goes on"),
        (b"\xff\xfe[\x00]\x00", "UTF-16"),
        ("[{}]".encode("utf-16-le"), "UTF-16"),
        (b'{"records": [], "records": [{"id": 1}]}', "'records' is there twice"),
        (b'{"records": [{"id": 1}], "n": 1, "records": [{"id": 1}]}', "'records' is there twice"),
        (b'{"records": [], "metadata": {"sourceSystem": "crm", "sourceSystem": "erp"}}', "'sourceSystem'"),
    ],
)
def test_an_object_that_is_no_document_of_records_is_refused_whole(data: bytes, said: str) -> None:
    with pytest.raises(UnusableDataError, match="S02") as caught:
        records_of(data)
    assert said in caught.value.message


@pytest.mark.parametrize(
    "broken",
    [
        b'{"id": NaN}',
        b'{"id": [-Infinity]}',
        b'{"id": 1e999}',
        b'{"id": 1, "a": {"x": 1, "x": 2}}',
        b'{"id": 1, "id" : 1}',
        b'{"id": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"id": "\xff"}',
        b'{"id": "\xed\xa0\x80"}',
        b'{"id": ' + b"[" * 64 + b"]" * 64 + b"}",
        b"7",
    ],
)
def test_a_broken_record_is_refused_and_its_neighbours_are_read(broken: bytes) -> None:
    data = b'{"records": [{"id": 1}, ' + broken + b', {"id": 3}], "metadata": {"a": 1}}'
    assert records_of(data) == [{"id": 1}, {"id": 3}]
    assert [number for number, _ in refused_of(data)] == [2]
    assert read_envelope(data).around == {"metadata": {"a": 1}}


def test_a_figure_that_is_none_in_the_summary_costs_the_figure_and_not_the_records() -> None:
    data = b'{"records": [{"id": 1}], "summary": {"mean": NaN, "a": [1, {"b": "\\ud800"}], "c": {"d": 1, "d": 2}, '
    data += b'"e": 1e999, "f": ' + b"7" * 5000 + b', "g": ' + b"[" * 64 + b"]" * 64 + b'}, "x": 5}'
    envelope = read_envelope(data)
    summary = dict(envelope.section("summary"))
    del summary["g"]
    assert summary == {"mean": None, "a": [1, {"b": None}], "c": None, "e": None, "f": None}
    assert envelope.around["x"] == 5
    paths = [problem.partition(":")[0] for problem in envelope.problems]
    assert paths == ["summary.mean", "summary.?.?", "summary.?", "summary.?", "summary.?", "summary.?"]
    assert records_of(data) == [{"id": 1}]
    assert canonical(envelope.around)


def test_a_key_that_is_no_unicode_is_told_and_takes_no_other_field_along() -> None:
    data = b'{"records": [{"id": 1}], "summary\xe9": {}, "\\ud800": 1, "n": [{"\\ud800": 1, "?": 2, "\\udfff": 3}]}'
    envelope = read_envelope(data)
    assert envelope.around == {"summary?": {}, "?": 1, "n": [{"??": 1, "?": 2, "???": 3}]}
    assert [problem.partition(":")[0] for problem in envelope.problems] == ["?", "?", "?.?", "?.?"]
    assert records_of(data) == [{"id": 1}]
    assert canonical([envelope.around, list(envelope.problems)])


@pytest.mark.parametrize("levels", [1_000, 100_000])
def test_nesting_of_any_depth_around_the_records_costs_itself(levels: int) -> None:
    data = b'{"records": [{"id": 1}], "summary": ' + b"[" * levels + b"]" * levels + b"}"
    envelope = read_envelope(data)
    assert records_of(data) == [{"id": 1}]
    assert "64 levels" in envelope.problems[0]
    assert canonical(envelope.around)


def test_metadata_that_is_no_object_is_told() -> None:
    assert read_envelope(b'{"records": [], "metadata": 5}').problems == ("metadata: a number, not an object",)


OBJECTS = st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=5)
FORMS = st.sampled_from([(",", ":"), (" , ", " : "), (",", ": ")])


@given(OBJECTS, st.dictionaries(st.text(), JSON, max_size=3), FORMS, st.booleans(), st.booleans())
def test_any_export_is_read_as_pythons_own_reader_does_whichever_way_it_is_written(
    records: list[Any], around: dict[str, Any], separators: tuple[str, str], ascii_only: bool, first: bool
) -> None:
    around.pop("records", None)
    whole = {"records": records, **around} if first else {**around, "records": records}
    data = json.dumps(whole, separators=separators, ensure_ascii=ascii_only).encode()
    assert repr(records_of(data)) == repr(records)
    assert repr(read_envelope(data).around) == repr(around)
    assert json.loads(canonical(around)) == around


@given(st.binary(max_size=60) | st.lists(st.sampled_from(['{"records":[', '{"a":1}', '"a"', ":", ",", "{", "}", "[",
                                                           "]", "\\", '"', " ", "NaN", "1", "\ud800"]), max_size=30)
       .map(lambda tokens: "".join(tokens).encode("utf-8", "surrogatepass")))  # fmt: skip
def test_bytes_of_any_kind_are_read_or_refused(data: bytes) -> None:
    try:
        for record in records_of(data):
            assert json.loads(canonical(record)) == record
    except UnusableDataError as error:
        assert error.rule == "S02"
