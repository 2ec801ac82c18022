r"""CSV files to columns of strings, a block at a time.

Belongs here: the way through a file. Does not belong here: what comes of a block
(`vitalake/records/csv/records.py`), types and rules of values, which see the columns after this.

What holds of the format, as with Python's `csv` module and its defaults:
* A record ends with LF, CRLF or a lone CR outside quotes. Blank lines are no records, but count as lines; a line of
  spaces is a record, and so is one of empty fields in quotes.
* A quote opens a quoted field only at the very start of the field; elsewhere, also after a space, it is a character
  like any other. Inside a quoted field delimiters and newlines are text, and a doubled quote is one quote.
* Blanks after a closing quote belong to the field: `"a" ,` is `a `.
* An empty field is null, in quotes too. Spaces are kept, around names of the header they are not.

Unlike Python's module this one
* reads UTF-8 only (`vitalake/records/decoding/utf8.py` makes it of others), and refuses records with NUL bytes;
* refuses a record with text after a closing quote, and one with a line break inside of quotes and a quote out of
  place: most likely a quote is missing or there is one too many, and lines have run together or fallen apart
  (`vitalake/records/csv/quotes.py`);
* takes a quote that nothing closes for a missing one where most lines behind it are records; else it reaches to the
  end of the file;
* takes a line of delimiters alone for a blank one, as spreadsheets write it;
* drops columns without a name at the end of the header, and refuses what has a value there;
* refuses a header of several columns that comes again;
* reads a line `sep=;` before the header.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from vitalake.records.csv.header import read_header
from vitalake.records.csv.records import CsvRecords
from vitalake.records.csv.rows import CsvRows
from vitalake.records.csv.source import ChunkReader, after_last_newline
from vitalake.records.decoding.utf8 import UTF_8

BLOCK_BYTES = 8 << 20
MAX_RECORD_BYTES = 64 << 20
_QUOTED_BYTES = 2 << 20  # where more than one byte in six is a quote, each of which takes 50 bytes to look at


def read_csv(
    chunks: Iterable[bytes],
    declared: Sequence[str],
    required: Collection[str],
    ignored: Collection[str] = (),
    *,
    private: bool = False,
    delimiter: str | None = None,
    encoding: str = UTF_8,
) -> Iterator[CsvRows]:
    """Read a CSV file; each of its records is a row or refused, once.

    Memory is bounded by a few times `MAX_RECORD_BYTES`, mostly by a few times `BLOCK_BYTES`.

    Args:
        chunks: the file in UTF-8, cut anywhere.
        declared: names of the columns that are wanted.
        required: those of them that the header must have.
        ignored: names of columns that the file may have and nobody wants.
        private: the file is about people, so no message repeats a word of its header that is not declared.
        delimiter: between fields; None: it is found by the header.
        encoding: in which the file came, for messages.

    Yields:
        What was found in each block that has records.

    Raises:
        UnusableDataError: with the first block; S02, the file is no UTF-8 text; D01, the header is not as declared.
    """
    source = ChunkReader(chunks)
    held = source.read(BLOCK_BYTES)
    ended = len(held) < BLOCK_BYTES
    header = read_header(held, declared, required, ignored, private, delimiter)
    held, records = held[header.size_bytes :], CsvRecords(header, declared, encoding)
    stuck = False  # the last block ended inside the record that it began with
    while held or not ended:
        cut = len(held) if ended else after_last_newline(held)
        dense = 0
        if not stuck and len(held) > _QUOTED_BYTES and held.count(b'"') > len(held) // 6:
            dense = after_last_newline(held[:_QUOTED_BYTES])
            cut = dense or cut
        last = ended and cut == len(held)
        if cut:
            waits = not last and len(held) < MAX_RECORD_BYTES // 4
            found, unfinished = records.read(held, cut, last, waits)
            stuck = len(unfinished) >= cut
            held = unfinished + held[cut:]
            if len(found.lines) or found.refused:
                yield found
        if last:
            return
        if len(held) > MAX_RECORD_BYTES and not dense:
            yield records.refuse_rest(held, f"no end of the record within {MAX_RECORD_BYTES:,} bytes")
            return
        # A record that is longer than a block is read again with the next, which is therefore twice as large.
        size = max(BLOCK_BYTES, min(2 * len(held), MAX_RECORD_BYTES + BLOCK_BYTES))
        held = source.read(size, held)
        ended = len(held) < size
