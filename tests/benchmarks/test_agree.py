"""Comparing what two ways found: a difference is loud, and what is within the tolerance is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.peers.agree import agree

OURS: dict[str, dict[str, Any]] = {
    "a": {"samples": [1, 2, 3], "rate": 61.5, "verdict": "acceptable", "reasons": ["Q01"], "rr": None},
    "b": {"samples": [4, 5, 6], "rate": float("nan"), "verdict": "marginal", "reasons": [], "rr": 0.8},
}
WITHIN = {"samples": 0.0, "rate": 0.5, "verdict": 0.0, "reasons": 0.0, "rr": 0.0}


def changed(key: str, **values: Any) -> dict[str, dict[str, Any]]:
    return {**OURS, key: {**OURS[key], **values}}


def test_rows_within_the_tolerance_agree_whatever_holds_the_numbers() -> None:
    agree("peer", OURS, changed("a", samples=np.array([1, 2, 3], np.int16), rate=62.0), WITHIN)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("samples", [1, 2, 4]),
        ("samples", [1, 2]),
        ("samples", None),
        ("rate", 62.1),
        ("rate", float("nan")),
        ("verdict", "marginal"),
        ("reasons", []),
        ("rr", 0.8),
    ],
)
def test_a_difference_is_named(column: str, value: Any) -> None:
    with pytest.raises(AssertionError, match=f"peer: 1 of 2 differ; a: {column} is"):
        agree("peer", OURS, changed("a", **{column: value}), WITHIN)


@pytest.mark.parametrize("theirs", [{"a": OURS["a"]}, {**OURS, "c": OURS["b"]}, {"a": OURS["a"], "c": OURS["b"]}])
def test_a_recording_that_only_one_has_is_a_difference(theirs: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(AssertionError, match=f"peer: 2 .* {len(theirs)} .*of one only"):
        agree("peer", OURS, theirs, WITHIN)


def test_nothing_does_not_agree_with_nothing() -> None:
    with pytest.raises(AssertionError, match="0 of theirs"):
        agree("peer", {}, {}, WITHIN)


@pytest.mark.parametrize(("wrong", "agreed"), [(5, True), (6, False)])
def test_a_share_may_differ_and_no_more(wrong: int, agreed: bool) -> None:
    ours = {str(n): {"beats": 10} for n in range(20)}
    theirs = {str(n): {"beats": 12 if n < wrong else 11} for n in range(20)}
    if agreed:
        agree("peer", ours, theirs, {"beats": 1.0}, share=0.75)
    else:
        with pytest.raises(AssertionError, match="6 of 20 differ"):
            agree("peer", ours, theirs, {"beats": 1.0}, share=0.75)
