"""Records of a block of CSV that are no rows, as columns, and a block that has very many of them.

Belongs here: their shape, and telling them from rows before Arrow sees them. Does not belong here: what is said
about them (`vitalake/records/csv/records.py`).

Arrow hands each of its misfits to a function in Python, which takes as long as reading a hundred fields. So where a
block has many, its records are counted out first: by its lines and delimiters outside of quotes; where quotes do
not fit, by Python's own module, which takes records and fields as Arrow does.
"""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from vitalake.records.csv.lines import CsvLines
from vitalake.records.csv.quotes import faults
from vitalake.records.csv.source import after_last_newline

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from vitalake.records.csv.lines import Bytes, Numbers

    Mask = npt.NDArray[np.bool_]

MANY = 1000
"""From so many misfits of a block on, counting its records out is sooner done."""
_PIECE_BYTES = 1 << 16
_CR, _LF, _QUOTE = b'\r\n"'


@dataclass(frozen=True)
class Misfits:
    """Records with too few or too many fields, or with a NUL byte, n of them.

    Attributes:
        index: the number of each among all records of the block, from 0, ascending, shape (n,).
        fields: how many each has, shape (n,).
        nul: which hold a NUL byte, shape (n,).
        filled: which are more than delimiters, shape (n,).
        text: one of them, as it stands in the block.
    """

    index: Numbers
    fields: Numbers
    nul: Mask
    filled: Mask
    text: Callable[[int], str]


class Places(NamedTuple):
    """Where records stand: the line on which each begins, from 0, and the newlines inside it, shapes (records,)."""

    first: Numbers
    inner: Numbers


@dataclass(frozen=True)
class Counted:
    """The records of a block, rows and misfits told apart.

    Attributes:
        rows: the bytes of those that are rows, each with its newline.
        index: which of all records they are, shape (rows,).
        misfits: the others.
        places: of all records.
        size_bytes: of all records; those of one inside which the block ends lie behind.
    """

    rows: bytes
    index: Numbers
    misfits: Misfits
    places: Places
    size_bytes: int


def counted(data: bytes, end: int, delimiter: str, width: int) -> Counted:
    """Tell rows from misfits.

    Args:
        data: UTF-8; whole lines, and behind them an end mark as `vitalake/records/csv/block.py` puts it.
        end: of the lines.
        delimiter: between fields.
        width: fields of a row.
    """
    import numpy as np

    view = np.frombuffer(data, np.uint8)
    lines, whole = CsvLines(view[:end]), end
    if (inside := _inside(view[:end], delimiter)) is None:
        fields, first, behind = _by_module(data, delimiter)
        whole = int(lines.starts[first[-1]]) if first[-1] < lines.count else end
        fields, first, behind = fields[:-1], first[:-1], behind[:-1]
        begin, stop = lines.starts[first], lines.ends[behind - 1] + 1
    else:
        behind = np.flatnonzero(~inside[lines.ends]) + 1
        first = np.append(0, behind)[:-1]
        filled = (behind > first + 1) | (lines.lengths[first] > 0)
        first, behind = first[filled], behind[filled]
        begin, stop = lines.starts[first], lines.ends[behind - 1] + 1
        before = np.zeros(end + 1, np.int32)
        np.cumsum((view[:end] == ord(delimiter)) & ~inside, dtype=np.int32, out=before[1:])
        fields = 1 + before[stop] - before[begin]
    nul = np.zeros(len(first), np.bool_)
    nul[np.searchsorted(begin, np.flatnonzero(view[:whole] == 0), "right") - 1] = True
    fits = (fields == width) & ~nul
    odd = np.flatnonzero(~fits)

    def text(number: int) -> str:
        return data[begin[odd[number]] : stop[odd[number]]].removesuffix(b"\n").removesuffix(b"\r").decode()

    length = stop[odd] - begin[odd] - 1
    length -= (length > 0) & (view[stop[odd] - 1] == _LF) & (view[np.maximum(stop[odd] - 2, 0)] == _CR)
    misfits = Misfits(odd, fields[odd], nul[odd], length != fields[odd] - 1, text)
    rows = between(view[:whole], begin[fits], stop[fits])
    return Counted(rows, np.flatnonzero(fits), misfits, Places(first, behind - first - 1), whole)


def _inside(data: Bytes, delimiter: str) -> Mask | None:
    """Which bytes are within quotes, shape (bytes,); None: not every quote is where quotes are by rights."""
    import numpy as np

    quote = data == _QUOTE
    if not quote.any():
        return np.zeros(len(data), np.bool_)
    _, turns = faults(data, delimiter)
    if turns[0].any() or turns.shape[1] % 2:
        return None
    inside: Mask = (np.cumsum(quote, dtype=np.uint8) & 1).view(np.bool_)
    return inside


def between(data: Bytes, begin: Numbers, stop: Numbers) -> bytes:
    """The bytes of some ranges, ascending and apart, put together."""
    import numpy as np

    if not len(begin):
        return b""
    edges = np.zeros(len(data) + 1, np.int8)
    begin, stop = begin[begin < stop], stop[begin < stop]
    edges[begin] += 1
    edges[stop] -= 1
    return data[np.cumsum(edges[:-1], dtype=np.int8).view(np.bool_)].tobytes()


def _by_module(data: bytes, delimiter: str) -> tuple[Numbers, Numbers, Numbers]:
    """Of each record its fields, the line on which it begins, from 0, and the one behind it, shapes (records,)."""
    import numpy as np

    fields, behind = array("q"), array("q")
    limit = csv.field_size_limit(len(data) + 1)
    try:
        reader = csv.reader(_lines(data), delimiter=delimiter)
        for record in reader:
            fields.append(len(record))
            behind.append(reader.line_num)
    finally:
        csv.field_size_limit(limit)
    found, ends = np.frombuffer(fields, np.int64), np.frombuffer(behind, np.int64)
    filled = found > 0  # the others are blank lines
    return found[filled], np.append(0, ends[:-1])[filled], ends[filled]


def _lines(data: bytes) -> Iterator[str]:
    """Lines as text, a piece of the data at a time; NUL, which older versions of the module refuse, as another."""
    at = 0
    while at < len(data):
        size = _PIECE_BYTES
        while not (cut := after_last_newline(data[at : at + size])) and at + size < len(data):
            size *= 2
        piece = data[at : at + cut] if cut else data[at:]
        yield from io.StringIO(piece.replace(b"\0", b"\1").decode(), newline="")
        at += len(piece)
