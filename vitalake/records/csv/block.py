r"""A block of CSV to columns of strings.

Belongs here: the reading of one block. Does not belong here: how a file is cut into blocks and what is reported of
them (`vitalake/records/csv/reader.py`).

Arrow's parser alone decides where records and fields end, also whether the block ends inside a record: an end mark
is put after it, which is a record of its own outside quotes, and inside them closes the quote and makes the record
too long. Either way Arrow hands it back, with the text of the record that it belongs to.
"""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from vitalake.lake.columns import numbers
from vitalake.records.csv.lines import text_of
from vitalake.records.csv.misfits import MANY, Misfits, Places, counted
from vitalake.records.csv.plain import plain_columns

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

NO_UTF8 = "\0\ufffd"
"""What stands for bytes that are no UTF-8: it holds a NUL, so that one search finds all records with such bytes."""
_REPLACEMENT = "\ufffd"


class _Misfit(NamedTuple):
    record: int
    fields: int
    text: str


class _ManyError(Exception):
    """There are `MANY` misfits."""


@dataclass(frozen=True)
class CsvBlock:
    """A block of CSV that was read.

    Attributes:
        columns: by position in the header, string arrays (rows,), null where the field is empty.
        index: which of all records of the block each row is, from 0, shape (rows,).
        misfits: the other records.
        data: the bytes of all these records, with a newline at the end, shape (bytes,).
        unfinished: those of the record inside which the block ends; it is not counted.
        quoted: some field may hold newlines; then there are all columns.
        places: where all records stand, if that is known.
    """

    columns: dict[int, pa.Array]
    index: npt.NDArray[np.int64]
    misfits: Misfits
    data: npt.NDArray[np.uint8]
    unfinished: bytes
    quoted: bool
    places: Places | None = None


def parse(pieces: Iterable[bytes | memoryview], delimiter: str, width: int, wanted: Sequence[int]) -> CsvBlock:
    """Read a block.

    Args:
        pieces: put together they begin where a record begins, and end with a newline.
        delimiter: between fields.
        width: fields of a record.
        wanted: positions of the columns to build, at least one; there may be more than these.
    """
    import numpy as np

    data = utf8(b"".join(pieces))
    if (plain := plain_columns(data, delimiter, width, wanted)) is not None:
        index = np.arange(len(next(iter(plain.values()))), dtype=np.int64)
        return CsvBlock(plain, index, _misfits([], delimiter), np.frombuffer(data, np.uint8), b"", quoted=False)
    if b'"' in data or b"\0" in data:
        wanted = range(width)
    end = len(data)
    data += b'"' + delimiter.encode() * width  # the end mark
    try:
        return _parsed_together(data, end, delimiter, width, wanted, MANY)
    except _ManyError:
        block = _counted_out(data, end, delimiter, width, wanted)
        # Sooner slow than wrong, should Arrow ever see another record than was counted.
        return block or _parsed_together(data, end, delimiter, width, wanted, end)


def _parsed_together(
    data: bytes, end: int, delimiter: str, width: int, wanted: Sequence[int], many: int
) -> CsvBlock:
    """Rows and misfits as Arrow tells them apart; `_ManyError` where so many are none."""
    import numpy as np
    import pyarrow as pa

    table, met = _parsed(data, delimiter, width, wanted, many)
    rows, records = table.num_rows, table.num_rows + len(met) - 1
    whole = end
    if met and met[-1].record == records:
        whole -= len(met.pop().text.encode()) - (len(data) - end)
    else:  # of one column the mark is a row like any other, and the last
        rows -= 1
    index = np.arange(records, dtype=np.int64)
    if met:
        index = np.delete(index, [misfit.record for misfit in met])
    columns = {int(name): _one(table.column(name))[:rows] for name in table.column_names}
    if b"\0" in data and len(broken := _with_nul(columns.values(), rows)):
        if len(broken) >= many:
            raise _ManyError
        for row in broken.tolist():
            met.append(_Misfit(int(index[row]), width, _as_record(columns, row, delimiter)))
        met.sort(key=lambda misfit: misfit.record)
        kept = np.delete(np.arange(rows), broken)
        columns = {position: column.take(numbers(kept, pa.int64())) for position, column in columns.items()}
        index = index[kept]
    text = np.frombuffer(data, np.uint8, whole)
    return CsvBlock(columns, index, _misfits(met, delimiter), text, data[whole:end], b'"' in data[:end])


def _counted_out(data: bytes, end: int, delimiter: str, width: int, wanted: Sequence[int]) -> CsvBlock | None:
    """The same where there are many misfits; None: Arrow takes the rows otherwise than they were counted."""
    import numpy as np
    import pyarrow as pa

    found = counted(data, end, delimiter, width)
    columns = {place: pa.nulls(0, pa.string()) for place in wanted}
    if found.rows:
        table, met = _parsed(found.rows, delimiter, width, wanted, MANY)
        if met or table.num_rows != len(found.index):
            return None
        columns = {int(name): _one(table.column(name)) for name in table.column_names}

    def text(number: int) -> str:
        """Of one that only a NUL byte keeps from being a row, put together again, as of a row."""
        said = found.misfits.text(number)
        if '"' not in said or found.misfits.fields[number] != width:
            return said
        alone, _ = _parsed(said.encode() + b"\n", delimiter, width, range(width), MANY)
        return _as_record({int(name): _one(alone.column(name)) for name in alone.column_names}, 0, delimiter)

    misfits = replace(found.misfits, text=text)
    whole = found.size_bytes
    records = np.frombuffer(data, np.uint8, whole)
    quoted = b'"' in data[:end]
    return CsvBlock(columns, found.index, misfits, records, data[whole:end], quoted, found.places)


def _misfits(met: Sequence[_Misfit], delimiter: str) -> Misfits:
    import numpy as np

    return Misfits(
        np.asarray([each.record for each in met], np.int64),
        np.asarray([each.fields for each in met], np.int64),
        np.asarray(["\0" in each.text for each in met], np.bool_),
        np.asarray([bool(each.text.strip(delimiter)) for each in met], np.bool_),
        lambda number: met[number].text,
    )


def _as_record(columns: Mapping[int, pa.Array], row: int, delimiter: str) -> str:
    return joined((column[row].as_py() for column in columns.values()), delimiter)


def utf8(data: bytes) -> bytes:
    """The same bytes, with `NO_UTF8` in place of those that are no UTF-8."""
    import numpy as np
    import pyarrow as pa

    if data.isascii():
        return data
    ends = np.array([0, len(data)], np.int32)
    try:  # several times as fast as decoding
        pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(ends), pa.py_buffer(data)]).validate(full=True)
    except pa.ArrowInvalid:
        mark = _REPLACEMENT.encode()  # where the file has it itself, it is text
        parts = (part.decode("utf-8", "replace").replace(_REPLACEMENT, NO_UTF8) for part in data.split(mark))
        return mark.join(part.encode() for part in parts)
    return data


def joined(values: Iterable[str | None], delimiter: str) -> str:
    """Values as a record of CSV, without a newline at its end."""
    out = io.StringIO()
    # Only the characters that end its lines are quoted inside of fields.
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(values)
    return out.getvalue()[:-2]


def _parsed(
    data: bytes, delimiter: str, width: int, wanted: Sequence[int], many: int
) -> tuple[pa.Table, list[_Misfit]]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    met: list[_Misfit] = []

    def skip(row: Any) -> str:
        if len(met) == many:
            return "error"
        met.append(_Misfit(row.number - 1, row.actual_columns, row.text))
        return "skip"

    if data.startswith(BOM_UTF8):  # Arrow takes one away wherever it is called: here it is text
        data = BOM_UTF8 + data
    names = [str(position) for position in range(width)]
    options = (
        # Only without threads Arrow numbers the rows that it hands back, and they gain nothing here. All is one
        # block to Arrow: it does not cut records itself.
        arrow_csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
        arrow_csv.ParseOptions(delimiter=delimiter, invalid_row_handler=skip),
        arrow_csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=[names[position] for position in wanted],
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    try:  # of small files sooner than read_csv, of large ones as fast
        return arrow_csv.open_csv(pa.BufferReader(data), *options).read_all(), met
    except pa.ArrowInvalid:
        if len(met) < many:
            raise
        raise _ManyError from None


def _with_nul(columns: Iterable[pa.Array], rows: int) -> npt.NDArray[np.int64]:
    """Which rows hold a NUL byte."""
    import numpy as np

    found = np.zeros(rows, np.bool_)
    for column in columns:
        offsets, data = text_of(column)
        found[np.searchsorted(offsets, np.flatnonzero(data == 0), "right") - 1] = True
    return np.flatnonzero(found)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
