r"""CSV files to columns of strings, a block at a time.

Belongs here: the way through a file, and what is reported of its records. Does not belong here: types and rules of
values, which see the columns after this.

What holds of the format, as with Python's `csv` module and its defaults:
* A record ends with LF, CRLF or a lone CR outside quotes. Blank lines are no records, but count as lines; a line of
  spaces is a record.
* A quote opens a quoted field only at the very start of the field; elsewhere, also after a space, it is a character
  like any other. Inside a quoted field delimiters and newlines are text, and a doubled quote is one quote.
* Text after a closing quote belongs to the field: `"a"b"c"` is `ab"c"`.
* An empty field is null, in quotes too. Spaces are kept, around names of the header they are not.
* A quote that nothing closes reaches to the end of the file.

Unlike Python's module this one reads UTF-8 only, and refuses records with NUL bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from vitalake.columns import array
from vitalake.dataset import MAX_TEXT
from vitalake.records.csv_block import NO_UTF8, Block, Misfit, joined, parse
from vitalake.records.csv_header import CsvHeader, read_header
from vitalake.records.csv_lines import first_lines, inner_newlines, line_count
from vitalake.records.csv_source import Source, after_last_newline

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

BLOCK_BYTES = 8 << 20
MAX_RECORD_BYTES = 64 << 20


class RefusedLine(NamedTuple):
    """A record that cannot be read.

    Attributes:
        line: physical line on which it starts, from 1.
        rule: D02, it has bytes that are no UTF-8, a NUL byte, or no end; D03, it has too few or too many fields.
        message: what was found, without values of the record.
        text: the record as it arrived, cut at `MAX_TEXT` characters.
    """

    line: int
    rule: str
    message: str
    text: str


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

    def text(self, row: int) -> str:
        """A row as a line of CSV, cut at `MAX_TEXT` characters: put together again from its declared columns."""
        columns = (self.columns[name] for name in self.header.fields if name in self.columns)
        return joined((column[row].as_py() for column in columns), self.header.delimiter)[:MAX_TEXT]


def read_csv(
    chunks: Iterable[bytes],
    declared: Sequence[str],
    required: Collection[str],
    ignored: Collection[str] = (),
    *,
    private: bool = False,
) -> Iterator[CsvRows]:
    """Read a CSV file; each of its records is a row or refused, once.

    Memory is bounded by a few times `MAX_RECORD_BYTES`, mostly by a few times `BLOCK_BYTES`.

    Args:
        chunks: the file, cut anywhere.
        declared: names of the columns that are wanted.
        required: those of them that the header must have.
        ignored: names of columns that the file may have and nobody wants.
        private: the file is about people, so no message repeats a word of its header that is not declared.

    Yields:
        What was found in each block that has records.

    Raises:
        UnusableDataError: with the first block; S02, the file is no UTF-8 text; D01, the header is not as declared.
    """
    source = Source(chunks)
    held = source.read(BLOCK_BYTES)
    ended = len(held) < BLOCK_BYTES
    header = read_header(held, declared, required, ignored, private)
    held, reader = held[header.size_bytes :], _Reader(header, declared)
    while held or not ended:
        cut = len(held) if ended else after_last_newline(held)
        if cut:
            found, unfinished = reader.read(held, cut, ended)
            held = unfinished + held[cut:]
            if len(found.lines) or found.refused:
                yield found
        if ended:
            return
        if len(held) > MAX_RECORD_BYTES:
            yield reader.refuse_rest(held)
            return
        # A record that is longer than a block is read again with the next, which is therefore twice as large.
        size = max(BLOCK_BYTES, min(2 * len(held), MAX_RECORD_BYTES + BLOCK_BYTES))
        held = source.read(size, held)
        ended = len(held) < size


class _Reader:
    """Reads the blocks of one file, one after the other."""

    def __init__(self, header: CsvHeader, declared: Sequence[str]) -> None:
        self._header = header
        self._line = header.line_count + 1  # on which the next block begins
        places = {name: place for place, name in enumerate(header.fields)}
        self._places = {name: places.get(name) for name in declared}
        self._wanted = [place for place in self._places.values() if place is not None] or [0]

    def read(self, data: bytes, end: int, last: bool) -> tuple[CsvRows, bytes]:
        """The records of a block that ends after a newline or with the file, and the bytes of one that it cuts."""
        added = b"" if data.endswith((b"\n", b"\r"), 0, end) else b"\n"
        block = parse(
            (memoryview(data)[:end], added), self._header.delimiter, len(self._header.fields), self._wanted
        )
        lines = self._lines(block)
        at = lines[[misfit.record for misfit in block.misfits]].tolist() if block.misfits else []
        refused = [self._refused(misfit, line) for misfit, line in zip(block.misfits, at, strict=True)]
        if last and block.unfinished:
            refused.append(self._endless(block.unfinished.removesuffix(added), "a quote that nothing closes"))
        return self._rows(lines[block.index], block.columns, refused, end), block.unfinished

    def refuse_rest(self, data: bytes) -> CsvRows:
        """Of a record that is too long; `data` is how it begins."""
        import numpy as np

        message = f"no end of the record within {MAX_RECORD_BYTES:,} bytes"
        return self._rows(np.empty(0, np.int64), {}, [self._endless(data, message)], 0)

    def _lines(self, block: Block) -> npt.NDArray[np.int64]:
        """The line on which each record of a block begins; counts its lines."""
        import numpy as np
        import pyarrow as pa

        here, found = self._line, line_count(block.data)
        self._line += found
        count = len(block.index) + len(block.misfits)
        if found == count:  # no blank line, and no record of several
            return np.arange(here, here + count)
        inner, blank = np.zeros((2, count), np.int64)
        if block.quoted:
            inner[block.index], blank[block.index] = inner_newlines(block.columns.values(), len(block.index))
        if block.quoted and block.misfits:
            index = [misfit.record for misfit in block.misfits]
            texts = array([misfit.text for misfit in block.misfits], pa.string())
            inner[index], blank[index] = inner_newlines([texts], len(index))
        return here + first_lines(block.data, inner, blank)

    def _refused(self, misfit: Misfit, line: int) -> RefusedLine:
        if "\0" not in misfit.text:
            message = f"{misfit.fields:,} fields, expected {len(self._header.fields):,}"
            return RefusedLine(line, "D03", message, misfit.text[:MAX_TEXT])
        message = "bytes that are no UTF-8" if NO_UTF8 in misfit.text else "a NUL byte"
        return RefusedLine(line, "D02", message, misfit.text.replace(NO_UTF8, "\ufffd")[:MAX_TEXT])

    def _endless(self, data: bytes, message: str) -> RefusedLine:
        text = data[: 4 * MAX_TEXT].decode("utf-8", "replace").replace(NO_UTF8, "\ufffd")
        return RefusedLine(self._line, "D02", f"{message}: nothing is read from here on", text[:MAX_TEXT])

    def _rows(
        self,
        lines: npt.NDArray[np.int64],
        columns: Mapping[int, pa.Array],
        refused: Sequence[RefusedLine],
        size_bytes: int,
    ) -> CsvRows:
        import pyarrow as pa

        found = {
            name: pa.nulls(len(lines), pa.string()) if place is None or place not in columns else columns[place]
            for name, place in self._places.items()
        }
        return CsvRows(lines, found, refused, self._header, size_bytes)
