"""The header of a CSV file among its rows, as where files were put one behind the other.

Belongs here: finding it. Does not belong here: what becomes of such a row (`vitalake/records/csv/records.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from vitalake.lake.columns import array, numbers, truth
from vitalake.records.csv.header import CsvHeader
from vitalake.records.csv.lines import text_of

if TYPE_CHECKING:
    import pyarrow as pa

_MARK = "\ufeff"
_AROUND = f' \t"{_MARK}\xa0'  # around a name as Arrow reads it: behind the mark, a quote is a character to it


class RepeatedHeader:
    """Looks for a header of several columns; in a file of one column every line is a record."""

    def __init__(self, header: CsvHeader, places: Sequence[int]) -> None:
        self._header = header
        self._places = places if len(header.fields) > 1 else ()  # of columns that have a name and are built
        last = places[-1]
        names = {header.fields[last], header.spelled[last]}
        if last == 0:
            names |= {form.format(name) for name in names for form in (_MARK + "{}", _MARK + '"{}"')}
        self._lengths = [len(name.encode()) for name in names]

    def among(self, columns: Mapping[int, pa.Array], text: Callable[[int], bytes]) -> list[int]:
        """Numbers of the rows that are the header, behind a byte order mark or not.

        Args:
            columns: by place, string arrays (rows,).
            text: a row as it stands in the file.
        """
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self._places:
            return []
        offsets, _ = text_of(columns[self._places[-1]])
        lengths = offsets[1:] - offsets[:-1]
        # None in most blocks, and then nothing else is asked.
        rows = np.flatnonzero(reduce(or_, (lengths == length for length in self._lengths)))
        for place in reversed(self._places):
            if len(rows):
                values = pc.utf8_trim(columns[place].take(numbers(rows, pa.int64())), _AROUND)
                name = array([self._header.fields[place].strip(_AROUND)], pa.string())
                rows = rows[truth(pc.is_in(values, value_set=name))]
        return [row for row in rows.tolist() if self._is(text(row))]

    def _is(self, record: bytes) -> bool:
        reader = csv.reader([record.decode().removeprefix(_MARK)], delimiter=self._header.delimiter)
        try:
            names = [name.strip() for name in next(reader)]
        except csv.Error:  # a field that is too long for a name
            return False
        return names == [name.strip() for name in self._header.spelled]
