"""Slices: bounded, in order, one at a time, while others are read; and what goes wrong in one is not lost."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from vitalake.slices import Slices


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitalake.slices.SLICE_BYTES", 20)


def test_slices_are_laid_out_in_order_and_their_results_come_to_who_adds() -> None:
    found: list[tuple[list[int], bool]] = []
    mine = threading.get_ident()

    def lay_out(values: Sequence[Any]) -> list[int]:
        assert threading.get_ident() != mine
        return list(values)

    with Slices(lay_out, lambda values: found.append((values, threading.get_ident() == mine))) as slices:
        for number in range(5):
            slices.add([number], 10)
    assert found == [([0, 1], True), ([2, 3], True), ([4], True)]


def test_the_next_slice_is_read_while_one_is_laid_out_and_no_further() -> None:
    go, under_way = threading.Event(), threading.Semaphore(0)
    laid_out: list[int] = []

    def lay_out(values: Sequence[Any]) -> None:
        under_way.release()
        assert go.wait(60)
        laid_out.extend(values)

    with Slices(lay_out, lambda _: None) as slices:
        slices.add([0], 20)
        assert under_way.acquire(timeout=60)
        slices.add([1], 10)
        assert laid_out == []
        threading.Timer(0.1, go.set).start()
        slices.add([2], 10)  # the slice is full: the one before has to be done
        assert laid_out == [0]
    assert laid_out == [0, 1, 2]


@pytest.mark.parametrize("last", [10, 20])
def test_what_laying_out_raises_is_raised_to_who_adds(last: int) -> None:
    def lay_out(values: Sequence[Any]) -> None:
        raise MemoryError(f"for {values}")

    with pytest.raises(MemoryError, match=r"for \[0\]"), Slices(lay_out, lambda _: None) as slices:
        slices.add([0], last)


def test_what_reading_raises_ends_it() -> None:
    found: list[Any] = []
    with pytest.raises(OSError, match="gone"), Slices(list, found.append) as slices:
        slices.add([0], 20)
        raise OSError("gone")
    assert found == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("slices")]
