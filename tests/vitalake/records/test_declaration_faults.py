"""A wrong keyword and a missing comma of a declaration are told with what may be meant."""

from __future__ import annotations

import re
from typing import Any

import pytest

from vitalake.lake.dataset import Rule
from vitalake.records.declaration_faults import hint, missing_comma
from vitalake.records.declare import csv_dataset, json_dataset
from vitalake.records.fields import Field, RecordTable

FIELDS = (Field("a", "a", "string", "A.", required=True),)


@pytest.mark.parametrize(
    ("argument", "value", "said"),
    [
        ("decimal_sgin", ",", "csv_dataset has no argument 'decimal_sgin'; did you mean 'decimal_sign'?"),
        ("decimal", ",", "did you mean 'decimal_sign'?"),
        ("date_format", ("%d.%m.%Y",), "did you mean 'date_formats'?"),
        ("timezone", "UTC", "did you mean 'time_zone'?"),
        ("Encoding", "cp1252", "did you mean 'encoding'?"),
        ("partitions", "hour", "did you mean 'partition'?"),
        ("zzz", 1, "there are name, doc, owner, fields"),
        ("parse", None, "has no argument 'parse'"),
    ],
)
def test_a_wrong_keyword_is_told_with_the_one_that_is_meant(argument: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        csv_dataset("mine", "Mine.", "team:data", FIELDS, **{argument: value})
    assert str(caught.value).startswith("mine: ")


def test_json_datasets_have_no_such_forms() -> None:
    tables = (RecordTable("mine", "Mine.", ("a",)),)
    with pytest.raises(ValueError, match="json_dataset has no argument 'decimal_sign'"):
        json_dataset("mine", "Mine.", "team:data", FIELDS, tables, decimal_sign=",")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"fields": FIELDS[0]}, r"fields is a list; of one thing it is fields=(…,)"),
        ({"rules": Rule("X01", "true", "No.")}, r"rules is a list"),
        ({"ignored": "ab"}, r"ignored=('ab',), and a comma stands between two of them"),
        ({"key": "a"}, r"key=('a',)"),
        ({"fields": (("a", "a", "string", "A."),)}, "fields is a list of Field"),
        ({"date_formats": "%d.%m.%Y"}, "date_formats=('%d.%m.%Y',)"),
    ],
)
def test_one_thing_in_place_of_a_list_is_told(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        csv_dataset("mine", "Mine.", "team:data", **{"fields": FIELDS} | arguments)


SOURCE = """\
NAMES = ("a",
         "b"
         "c", "d")
"""


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (SOURCE, 3),
        ('x = ["a" "b", "c"]', 1),
        ('x = {"a", "b" \'c\'}', 1),
        ('x = f(ignored=("a", "ü" "b"))', 1),
        ('x = ("a" "b")', None),  # a long text in brackets; where a list is expected, it is refused as a text
        ('x = (("a" "b"), "c")', None),
        ('x = (\n    "a",\n    (\n        "b"\n        "c"\n    ),\n)', None),
        ('x = f("a" "b", 5)', None),
        ('x = ("a" "b", 5)', None),
        ('x = ("a", "b")', None),
        ("x = (", None),
    ],
)
def test_a_missing_comma_in_a_list_of_texts_is_told_by_its_line(source: str, line: int | None) -> None:
    said = missing_comma(source)
    assert (said is None) == (line is None)
    assert said is None or said.startswith(f"line {line}: ")


BEGIN = "from vitalake.lake.dataset import Rule\nfrom vitalake.records.fields import Field\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('Field("a", "a", "string", "A.", requierd=True)', "did you mean 'required'?"),
        ('Field("a", "a", kinds="string", doc="A.")', "did you mean 'kind'?"),
        ('Rule("X01", "true", "No.", warn=True)', "did you mean 'warns'?"),
        ('Field("a" "a", "string", "A.")', "on line 3 two texts stand side by side"),
        ('Field(\n    "a",\n    "a"\n    "string",\n    "A.",\n)', "on line 6 two texts stand side by side"),
        ('Rule("X01" "true", "No.")', "on line 3 two texts stand side by side"),
        ('Field("a", "a", "text", "A.")', ""),
        ("1 / 0", ""),
    ],
)
def test_an_error_of_a_declaration_is_told_with_what_is_meant(line: str, said: str) -> None:
    source = BEGIN + line
    try:
        exec(compile(source, "mine.py", "exec"), {})  # noqa: S102
    except Exception as error:
        found = hint(error, source)
        assert found.startswith(said) if said else found == ""
    else:
        raise AssertionError
