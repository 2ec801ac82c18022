"""Physical lines of a block of CSV, and on which of them each record begins.

Belongs here: finding and counting lines. Does not belong here: finding records (`vitalake/records/csv/block.py`),
whose work this does not repeat: where a record holds newlines is known from its values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[np.int64]
    Bytes = npt.NDArray[np.uint8]

_LF, _CR = 10, 13


@dataclass(frozen=True)
class CsvLines:
    """The lines of bytes that end with a newline, numbered from 0."""

    data: Bytes

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return line_count(self.data)

    @cached_property
    def ends(self) -> Numbers:
        """Positions of their last bytes, shape (lines,)."""
        return line_ends(self.data)

    @cached_property
    def starts(self) -> Numbers:
        """Positions of their first bytes, shape (lines,)."""
        import numpy as np

        return np.append(0, self.ends + 1)[:-1]

    @cached_property
    def lengths(self) -> Numbers:
        """Bytes of each without its newline, shape (lines,)."""
        import numpy as np

        length = self.ends - self.starts
        returns: Numbers = (length > 0) & (self.data[np.maximum(self.ends - 1, 0)] == _CR)
        return length - returns

    def between(self, first: int, stop: int) -> Bytes:
        """Those from the first to before the other, shape (bytes,)."""
        begin = self.starts[first] if first < len(self.starts) else len(self.data)
        return self.data[begin : self.starts[stop] if stop < len(self.starts) else len(self.data)]


def line_ends(data: Bytes) -> Numbers:
    """Where lines end (LF, CRLF or a lone CR): the positions of their last bytes, shape (lines,)."""
    import numpy as np

    ends = data == _LF
    returns = np.flatnonzero(data == _CR)
    if len(returns):
        after = np.append(data[1:], np.uint8(0))[returns]
        ends[returns[after != _LF]] = True
    return np.flatnonzero(ends)


def line_count(data: Bytes) -> int:
    """How many lines end in it: as many as `line_ends(data)` has, sooner."""
    import numpy as np

    if (data == _CR).any():
        return len(line_ends(data))
    return int(np.count_nonzero(data == _LF))


def first_lines(lines: CsvLines, inner: Numbers, inner_blank: Numbers) -> Numbers:
    """The line on which each record begins, counted from 0, shape (records,).

    Each line that is not blank belongs to exactly one record, so records are dealt out over these.

    Args:
        lines: of whole records, and blank ones between them.
        inner: newlines inside each record, shape (records,).
        inner_blank: how many of them stand directly after another one: blank lines inside the record.
    """
    import numpy as np

    if not len(inner):
        return np.empty(0, np.int64)
    used = np.cumsum(1 + inner - inner_blank)
    found: Numbers = np.flatnonzero(lines.lengths)[np.concatenate([[0], used[:-1]])]
    return found


def inner_newlines(columns: Iterable[pa.Array], count: int) -> tuple[Numbers, Numbers]:
    """Newlines inside the values of each row, and how many of them follow another directly, shapes (count,)."""
    import numpy as np

    every, doubled = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for column in columns:
        offsets, data = text_of(column)
        at = np.flatnonzero((data == _LF) | (data == _CR))
        if not len(at):
            continue
        row = np.searchsorted(offsets, at, "right") - 1
        joined = (row[1:] == row[:-1]) & (at[1:] == at[:-1] + 1)  # to the one before, in the same value
        second = np.append(False, joined & (data[at[:-1]] == _CR) & (data[at[1:]] == _LF))  # the LF of a CRLF
        every += np.bincount(row[~second], minlength=count)
        doubled += np.bincount(row[np.append(False, joined) & ~second], minlength=count)
    return every, doubled


def text_of(column: pa.Array) -> tuple[Numbers, Bytes]:
    """Where the values of a column of strings begin and the last ends, shape (n + 1,), and their bytes."""
    import numpy as np

    _, offsets, values = column.buffers()
    if not len(column) or values is None:
        return np.zeros(len(column) + 1, np.int64), np.empty(0, np.uint8)
    here = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    return here - here[0], np.frombuffer(values, np.uint8)[here[0] : here[-1]]
