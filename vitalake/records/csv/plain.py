"""A small block of CSV in which nothing is out of the ordinary, in a third of the time that Arrow needs to begin.

Belongs here: finding fields where neither quotes nor misfits are. Does not belong here: any other block
(`vitalake/records/csv/block.py`), which reads these as well, with the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

MAX_BYTES = 64 << 10
_NEWLINE = 10


def plain_columns(data: bytes, delimiter: str, width: int, wanted: Sequence[int]) -> dict[int, pa.Array] | None:
    """The columns, by position, string arrays with null where a field is empty; None: the block is not plain.

    Args:
        data: UTF-8; whole records.
        delimiter: between fields.
        width: fields of a record.
        wanted: positions of the columns to build.
    """
    import numpy as np
    import pyarrow as pa

    if len(data) > MAX_BYTES or width < 2 or any(mark in data for mark in (b'"', b"\r", b"\0")):
        return None
    found = np.frombuffer(data, np.uint8)
    newline = found == _NEWLINE
    ends = np.flatnonzero(newline | (found == ord(delimiter)))
    records, odd = divmod(len(ends), width)
    if odd or np.count_nonzero(newline) != records or not newline[ends[width - 1 :: width]].all():
        return None
    # Column by column, in numpy: a call of Arrow's lets other threads go first, and there are thousands of files.
    chosen = np.arange(len(ends)).reshape(records, width)[:, wanted].T.ravel()
    starts = np.concatenate(([0], ends[:-1] + 1))[chosen]
    lengths = ends[chosen] - starts
    offsets = np.zeros(len(chosen) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    texts = found[np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)]
    filled = np.packbits(lengths > 0, bitorder="little")
    buffers = [pa.py_buffer(filled), pa.py_buffer(offsets), pa.py_buffer(texts)]
    columns = pa.Array.from_buffers(pa.string(), len(chosen), buffers)
    return {place: columns.slice(number * records, records) for number, place in enumerate(wanted)}
