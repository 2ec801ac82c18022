"""Time of steps: a step within another is not counted twice, threads count, and a step never used is told."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.steps import profiled

BUSY_S = 0.1


def _busy() -> None:
    started = time.thread_time()
    while time.thread_time() - started < BUSY_S:
        pass


class Work:
    @staticmethod
    def inner() -> None:
        _busy()

    @staticmethod
    def outer() -> None:
        _busy()
        Work.inner()
        Work.inner()

    @staticmethod
    def unused() -> None:
        """Nobody calls it."""


def in_two_threads() -> float:
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda _: Work.outer(), range(2)):
            pass
    return 1.5


def test_each_step_has_its_own_time_of_all_threads() -> None:
    result, spent = profiled({"inner": [(Work, "inner")], "outer": [(Work, "outer")]}, in_two_threads)
    assert result == 1.5
    assert spent["inner"] >= 4 * BUSY_S > 3 * BUSY_S > spent["outer"] >= 2 * BUSY_S


def test_a_step_in_which_nothing_is_done_is_an_error() -> None:
    with pytest.raises(AssertionError, match="nothing was done in a step"):
        profiled({"outer": [(Work, "outer")], "unused": [(Work, "unused")]}, in_two_threads)
