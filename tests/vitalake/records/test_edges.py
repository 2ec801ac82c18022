"""Characters that nobody sees, before and behind texts of a column."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.records.conditions import EDGE_CHARACTERS, without_edges
from vitalake.records.edges import edges_of, without_edges_in

UNSEEN = [
    "\ufeff",
    "\u200b",
    "\u00a0",
    "\u00ad",
    "\u200e",
    "\u202b",
    "\u2060",
    "\u2066",
    "\u3000",
    "\u180e",
    "\u3164",
]
UNSEEN += ["\x00", "\x85", "\u2028", "\ufe0f", "\U000e0001", "\u115f", "\u2800", "\u034f", " ", "\t"]


@pytest.mark.parametrize("sign", UNSEEN)
@pytest.mark.parametrize("form", ["{}a b", "a b{}", "{0}{0}a b{0}"])
def test_it_is_taken_away_or_told_by_its_code_point(sign: str, form: str) -> None:
    column = pa.array(["ä", form.format(sign), None, "", sign, "c"], pa.string())
    assert without_edges_in(column, empty_is_null=False).to_pylist() == ["ä", "a b", None, "", "", "c"]
    assert without_edges_in(column, empty_is_null=True).to_pylist()[4] is None
    [(said, mask)] = edges_of(column)
    assert mask.tolist() == [False, True, False, False, False, False]
    assert f"U+{ord(sign):04X}" in said


@pytest.mark.parametrize("text", ["ä", "李", "a\u200bb", "\u0601 1", "é\u0301", "🏳", "-", "a\u0600"])
def test_what_one_sees_or_what_stands_inside_stays(text: str) -> None:
    column = pa.array([text], pa.string())
    assert without_edges_in(column, empty_is_null=True) is column
    assert edges_of(column) == []


@given(st.lists(st.none() | st.text(st.sampled_from([*EDGE_CHARACTERS, *"abäß李 "]), max_size=6), max_size=6))
def test_a_column_is_treated_as_its_texts_are(texts: list[str | None]) -> None:
    column = pa.array([None, *texts, "x"], pa.string()).slice(1)
    expected = [None if text is None else without_edges(text) for text in [*texts, "x"]]
    assert without_edges_in(column, empty_is_null=False).to_pylist() == expected
