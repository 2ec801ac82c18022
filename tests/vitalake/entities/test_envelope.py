"""JSON to records: nothing that is broken passes silently, and one broken record does not take the others along."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.entities.envelope import canonical, fault_in, read_envelope
from vitalake.errors import UnusableDataError

ONE = {"id": 1, "name": "Aalborg Analytics"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "data",
    [
        b'{"records": [{"id": 1, "name": "Aalborg Analytics"}], "metadata": {}}',
        b'[{"id": 1, "name": "Aalborg Analytics"}]',
        b'\xef\xbb\xbf  {"id" : 1,\r\n "name":"Aalborg Analytics"}\n',
    ],
    ids=["envelope", "array", "single record with BOM"],
)
def test_an_envelope_an_array_and_a_single_record_have_the_same_record(data: bytes) -> None:
    assert read_envelope(data).records == [ONE]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "blanks"),
        (b" \n", "blanks"),
        (b"12", "a number"),
        (b'"records"', "a text"),
        (b"null", "null"),
        (b'{"records": {"id": 1}}', "`records` is an object"),
        (b'{"records": [{"id": 1}', "no JSON"),
        (b'[{"id": 1}] [{"id": 2}]', "no JSON"),
        (b"\xff\xfe[\x00]\x00", "UTF-16"),
        ("[{}]".encode("utf-16-le"), "UTF-16"),
        (b'{"records": [], "records": [{"id": 1}]}', "'records' is there twice"),
        (b'{"records": [], "metadata": {"sourceSystem": "crm", "sourceSystem": "erp"}}', "'sourceSystem'"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    ],
)
def test_an_object_that_is_no_document_of_records_is_refused_whole(data: bytes, said: str) -> None:
    with pytest.raises(UnusableDataError, match="S02") as caught:
        read_envelope(data)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b'{"id": NaN}', "NaN"),
        (b'{"id": [-Infinity]}', "Infinity"),
        (b'{"id": 1e999}', "too large"),
        (b'{"id": ' + b"7" * 5000 + b"}", "digits"),
        (b'{"id": 1, "a": {"x": 1, "x": 2}}', "'x' is there twice"),
        (b'{"id": 1, "id" : 1}', "'id' is there twice"),
        (b'{"id": "\\ud800"}', "no Unicode"),
        (b'{"\\udfff": 1}', "no Unicode"),
        (b'{"id": "\xff"}', "no Unicode"),
        (b'{"id": "\xed\xa0\x80"}', "no Unicode"),
        (b'{"id": ' + b"[" * 64 + b"]" * 64 + b"}", "64 levels"),
    ],
)
def test_a_broken_record_is_found_and_its_neighbours_are_read(broken: bytes, said: str) -> None:
    envelope = read_envelope(b'{"records": [{"id": 1}, ' + broken + b', {"id": 3}], "metadata": {"a": 1}}')
    faults = [fault_in(record) for record in envelope.records]
    assert faults[0] is faults[2] is None
    assert said in str(faults[1])
    assert envelope.records[2] == {"id": 3}


def test_64_levels_are_fine() -> None:
    (record,) = read_envelope(b'[{"id": ' + b"[" * 63 + b"]" * 63 + b"}]").records
    assert fault_in(record) is None


def test_a_figure_that_is_none_in_the_summary_costs_the_figure_and_not_the_records() -> None:
    envelope = read_envelope(
        b'{"records": [{"id": 1}], "summary": {"mean": NaN, "a": [1, {"b": "\\ud800"}]}, "x": 5}'
    )
    assert envelope.records == [{"id": 1}]
    assert envelope.around == {"summary": {"mean": None, "a": [1, {"b": None}]}, "x": 5}
    assert [problem.partition(":")[0] for problem in envelope.problems] == ["summary.mean", "summary.a.b"]


def test_metadata_that_is_no_object_is_told() -> None:
    assert read_envelope(b'{"records": [], "metadata": 5}').problems == ("metadata: a number, not an object",)


@given(st.lists(JSON, max_size=5), st.sampled_from([(",", ":"), (" , ", " : "), (",", ": ")]), st.booleans())
def test_any_json_is_read_as_pythons_own_reader_does_whichever_way_it_is_written(
    records: list[Any], separators: tuple[str, str], ascii_only: bool
) -> None:
    text = json.dumps({"records": records}, separators=separators, ensure_ascii=ascii_only)
    found = read_envelope(text.encode()).records
    assert repr(found) == repr(json.loads(text)["records"])
    assert [fault_in(record) for record in found] == [None] * len(records)
    assert [json.loads(canonical(record)) for record in found] == records


@given(st.binary(max_size=60) | st.lists(st.sampled_from(['{"a":1}', '"a"', ":", ",", "{", "}", "[", "]", "\\", '"',
                                                           " ", "NaN", "1", "\ud800"]), max_size=30)
       .map(lambda tokens: "".join(tokens).encode("utf-8", "surrogatepass")))  # fmt: skip
def test_bytes_of_any_kind_are_read_or_refused_as_python_reads_or_refuses_them(data: bytes) -> None:
    try:
        found = read_envelope(data)
    except UnusableDataError as error:
        assert error.rule == "S02"
        return
    json.loads(data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape"))
    assert isinstance(found.records, list)
