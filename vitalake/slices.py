"""What was read, laid out in slices of bounded weight, each while the next one is read.

Belongs here: when a slice is full, and the thread that takes it. Does not belong here: reading
(`vitalake/reading.py`), or what laying out means.

Reading holds the interpreter; rules in DuckDB and the encoding of Parquet do not, and are a third of the time of a
large file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Generic, TypeVar

Found = TypeVar("Found")

SLICE_BYTES = 32 * 2**20  # of values; two slices are in memory at once. 12 leads of 10 s at 500 Hz weigh 240 kB


class Slices(Generic[Found]):
    """Slices of values in order, one at a time: the results too come in order, and in the thread that adds.

    Args:
        lay_out: what is done with the values of a slice, in another thread. What it raises is raised by a later
            `add`, or at the end.
        done: is given what it found.
    """

    def __init__(self, lay_out: Callable[[Sequence[Any]], Found], done: Callable[[Found], None]) -> None:
        self._lay_out = lay_out
        self._done = done
        self._values: list[Any] = []
        self._weight = 0
        self._under_way: Future[Found] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="slices")

    def add(self, values: Sequence[Any], weight_bytes: int) -> None:
        """Some more values, and what they weigh."""
        self._values += values
        self._weight += weight_bytes
        if self._weight >= SLICE_BYTES:
            self._next()

    def __enter__(self) -> Slices[Found]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._thread:
            if error is None:
                self._next()
                self._finish()

    def _next(self) -> None:
        self._finish()
        self._under_way = self._thread.submit(self._lay_out, self._values)
        self._values, self._weight = [], 0

    def _finish(self) -> None:
        if self._under_way is not None:
            self._done(self._under_way.result())
            self._under_way = None
