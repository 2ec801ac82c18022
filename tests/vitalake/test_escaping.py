"""Each escape against every hostile text, and against whatever Hypothesis thinks of."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile_texts import HOSTILE, UNSEEN
from vitalake.errors import PermanentError, UnusableDataError
from vitalake.escaping import (
    bounded_line,
    json_text,
    markdown,
    printable,
    printable_lines,
    slack_text,
    spreadsheet_cell,
)

TEXTS = st.text(st.characters(), max_size=40) | st.sampled_from(list(HOSTILE.values()))
# Of what formulas are made, and what may stand before them.
FORMULAS = st.text(st.sampled_from("=+-@;,'\"\t\r\n a1＝－\u200b\ufeff"), max_size=12)
each_text = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


@each_text
def test_what_steers_or_hides_is_shown(text: str) -> None:
    assert not UNSEEN.search(printable(text))
    assert not UNSEEN.search(bounded_line(text))


@given(TEXTS)
def test_a_line_is_one_line_that_can_be_printed(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not UNSEEN.search(shown)
    assert len(shown.splitlines()) <= 1
    shown.encode()
    assert printable(shown) == shown


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Größe 5 µV, «naïve» — 心电图, Ωμέγα, שלום, [x] *y* 😀 C:\\temp"
    assert printable(text) == text == json_text(text)


def test_lines_stay_lines_and_a_bound_is_a_bound() -> None:
    assert printable_lines("a\nb\x1b\n") == "a\nb\\x1b\n"
    assert bounded_line("x" * 301) == "x" * 299 + "…"
    assert bounded_line("x" * 300) == "x" * 300
    assert len(bounded_line("\x1b" * 10_000_000, 50)) == 50


def test_an_error_of_ours_steers_no_terminal_and_keeps_what_is_stored() -> None:
    assert str(PermanentError("a\x1b[31m\nb")) == "a\\x1b[31m\nb"
    error = UnusableDataError("S02", "a\x1bb")
    assert (str(error), error.message) == ("S02: a\\x1bb", "a\x1bb")


@given(st.recursive(TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_json_says_the_same_without_anything_unseen(value: object) -> None:
    for indent in (None, 1):
        shown = json_text(json.dumps(value, ensure_ascii=False, indent=indent))
        assert json.loads(shown) == value
        assert not UNSEEN.search(shown.replace("\n", ""))
        shown.encode()


@given(TEXTS)
def test_markdown_is_one_code_span_with_the_text_in_it(text: str) -> None:
    shown = markdown(text)
    fence = re.match("`+", shown)
    assert fence is not None
    inside = shown[fence.end() : -fence.end()]
    assert shown.endswith(fence[0])
    assert inside.strip(" ") == printable(text).strip(" ")
    # By CommonMark a span ends at the first run of as many backticks as it began with.
    assert fence[0] not in re.findall("`+", inside)
    assert inside[:1] == " " == inside[-1:]


def test_slack_text_is_escaped_and_fits() -> None:
    assert slack_text("<!channel> & <http://x|y>") == "&lt;!channel&gt; &amp; &lt;http://x|y&gt;"
    assert slack_text("x" * 10, 10) == "x" * 10
    assert slack_text("x" * 11, 10) == "x" * 9 + "…"
    assert slack_text("&&&", 14) == "&amp;&amp;…"
    assert slack_text("&&&", 10) == "&amp;…"
    assert slack_text("𝄞" * 6, 10) == "𝄞" * 4 + "…"


@pytest.mark.parametrize("name", [*(name for name in HOSTILE if "formula" in name), "command", "plus", "minus"])
def test_no_cell_begins_with_a_formula(name: str) -> None:
    assert spreadsheet_cell(HOSTILE[name]) != HOSTILE[name]
    assert "'" in spreadsheet_cell(HOSTILE[name])


@given(FORMULAS)
@settings(max_examples=500)
def test_cells_of_any_separator_begin_with_no_formula_and_the_text_can_be_had_again(text: str) -> None:
    cell = spreadsheet_cell(text)
    for begun in re.split("[;\t\r\n]", cell):
        assert not re.match('[\\s"\u200b\ufeff]*[=+\\-@＝－]', begun)
    assert without_guard(cell) == text


def without_guard(cell: str) -> str:
    """The documented way back: what would be a formula loses one apostrophe."""
    skipped = "[\\s\"'\u200b\ufeff]*"
    return re.sub(rf"(?:^|(?<=[;\t\r\n]))'(?='*[\t\r]|{skipped}[=+\-@＝－])", "", cell)


@pytest.mark.parametrize(
    "text", ["", "a=b", "2026-01-05", "ecg/date=2026-01-05/a.mat", "'quoted'", "a; b", "—", "5 - 3"]
)
def test_ordinary_cells_stay_as_they_are(text: str) -> None:
    assert spreadsheet_cell(text) == text
