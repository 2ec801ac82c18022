"""Keys of JSON records in other spellings: the same name, one that only looks so, or no record at all."""

from __future__ import annotations

from typing import Any

import pytest

from vitalake.errors import UnusableDataError
from vitalake.records.json.keys import RecordKeys

NAMES = ("id", "größe", "note")


def settled(
    *records: dict[str, Any], required: tuple[str, ...] = ("id",)
) -> tuple[list[Any], dict[int, UnusableDataError]]:
    keys = RecordKeys(NAMES, required)
    good, kept, unusable = keys.settled(records, keys.doubtful(records, range(len(records))))
    assert sorted([*kept, *unusable]) == list(range(len(records)))
    return good, unusable


def test_the_same_letters_are_the_same_key() -> None:
    given = {"id": 1, "gro\u0308\u00dfe": 2, "\ufeffnote ": "x", "other": 3}
    assert settled(given) == ([{"id": 1, "größe": 2, "note": "x", "other": 3}], {})
    assert "gro\u0308\u00dfe" in given, "the record that was read stays as it is"


@pytest.mark.parametrize(
    ("record", "rule", "said"),
    [
        ({"id": 1, "n\u043ete": "x"}, "D09", "U+043E CYRILLIC SMALL LETTER O"),
        ({"\uff49\uff44": 1, "note": "x"}, "D09", "'id'"),
        ({"\u0131d": 1, "note": "x"}, "D09", "U+0131 LATIN SMALL LETTER DOTLESS I"),
        ({"id": 1, "größe": 1, "gro\u0308\u00dfe": 2}, "D02", "two spellings"),
        ({"data": [{"id": 1}, {"id": 2}]}, "S02", "around 2 records"),
        ({"data": []}, "S02", "around 0 records"),
        ({"error": "gone"}, "S02", "with 'error'"),
        ({"id": [1, 2, 3], "note": ["a", "b", "c"]}, "S02", "each of 3 values"),
        ({"id": {"0": 1, "1": 2}, "note": {"0": "a", "1": "b"}}, "S02", "each of 2 values"),
    ],
)
def test_what_is_no_record_as_declared_is_refused_alone(record: dict[str, Any], rule: str, said: str) -> None:
    good, unusable = settled({"id": 1}, record, {"id": 2})
    assert good == [{"id": 1}, {"id": 2}]
    assert unusable[1].rule == rule
    assert said in unusable[1].message


def test_a_record_refused_with_others_inside_stands_for_them() -> None:
    _, unusable = settled({"value": [{"id": 1}, {"id": 2}]}, {"id": [1, 2, 3], "note": [1, 2, 3]})
    assert [error.record_count for error in unusable.values()] == [2, 3]


@pytest.mark.parametrize(
    "record",
    [
        {"id": 1, "visits": [{"id": 1, "note": "x"}, {"id": 2, "note": "y"}]},
        {"id": 1, "note": "x", "n\u043ete": "y"},
        {"id": 1, "données": 2},
        {"note": "only"},
        {"id": [1]},
        {},
    ],
)
def test_other_records_stay_as_they_are(record: dict[str, Any]) -> None:
    assert settled(record) == ([record], {})
