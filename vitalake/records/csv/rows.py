"""What the CSV reader gives: rows, and what it refuses.

Belongs here: these shapes. Does not belong here: how a file becomes them (`vitalake/records/csv/reader.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vitalake.lake.contents import MAX_TEXT
from vitalake.records.csv.block import joined
from vitalake.records.csv.header import CsvHeader

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa


@dataclass(frozen=True, order=True)
class RefusedLine:
    """A record that cannot be read, or lines of which nobody can tell where their records end.

    Attributes:
        line: physical line on which it starts, from 1.
        rule: D02, it has bytes that are no UTF-8, a NUL byte, or quotes that do not fit; D03, it has too few or too
            many fields, or is the header again; D07, it has no end, and so nothing behind it is read.
        message: what was found, without values of the record.
        text: the record as it arrived, cut at `MAX_TEXT` characters.
        count: for how many records this stands: lines, where records cannot be told apart.
    """

    line: int
    rule: str
    message: str
    text: str
    count: int = 1


@dataclass(frozen=True)
class CsvRows:
    """Records of one block of a file.

    Attributes:
        lines: physical line on which each row starts, from 1, shape (n,).
        columns: by declared name, string arrays of shape (n,), null where the field is empty or the file has no
            such column.
        refused: the other records of the block, in the order of the file.
        header: of the file.
        size_bytes: of the block.
    """

    lines: npt.NDArray[np.int64]
    columns: Mapping[str, pa.Array]
    refused: Sequence[RefusedLine]
    header: CsvHeader
    size_bytes: int

    def slice(self, begin: int, count: int) -> CsvRows:
        """Some of the rows, without what is refused; nothing is copied. Named as pyarrow names the like."""
        columns = {name: column.slice(begin, count) for name, column in self.columns.items()}
        return replace(self, lines=self.lines[begin : begin + count], columns=columns, refused=())

    def text(self, row: int) -> str:
        """A row as a line of CSV, cut at `MAX_TEXT` characters: put together again from its declared columns."""
        columns = (self.columns[name] for name in self.header.names if name in self.columns)
        return joined((column[row].as_py() for column in columns), self.header.delimiter)[:MAX_TEXT]
