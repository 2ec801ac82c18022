"""Intervals that draw whole groups, and folds that no group crosses."""

from __future__ import annotations

import numpy as np

from benchmarks.model.intervals import intervals, over_repeats
from benchmarks.model.validation import BALANCED, Scored


def scored(right: list[float], group: list[str]) -> Scored:
    return Scored(np.array(right, dtype=np.float64), np.array(group), np.ones(len(right)))


def every(one: Scored) -> dict[str, Scored]:
    names = {"share", *(name for pair in BALANCED.values() for name in pair)}
    return dict.fromkeys(names, one)


def test_copies_make_an_interval_no_narrower() -> None:
    alone = scored([1.0] * 30 + [0.0] * 10, [str(n) for n in range(40)])
    copied = scored(alone.right.tolist() * 9, alone.group.tolist() * 9)
    counted = scored(copied.right.tolist(), [str(n) for n in range(360)])
    width = [high - low for low, high in (intervals(every(each))["share"] for each in (alone, copied, counted))]
    assert width[0] == width[1] > 2 * width[2]


def test_nothing_wrong_in_few_items_leaves_an_open_end() -> None:
    low, high = intervals(every(scored([0.0] * 45, [str(n) for n in range(45)])))["share"]
    assert low == 0
    assert 0.07 < high < 0.09


def test_repeats_are_averaged_item_by_item_and_not_counted_as_more_items() -> None:
    first, second = scored([1, 0], ["a", "b"]), scored([0, 0], ["a", "b"])
    merged = over_repeats([{"share": first}, {"share": second}])["share"]
    assert merged.right.tolist() == [0.5, 0.0]
    assert merged.share == 0.25
