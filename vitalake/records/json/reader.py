"""JSON objects as records, a block at a time, however large the object is.

Belongs here: which kind of JSON an object is, and the loop over its pieces. Does not belong here: what is checked
of a record (`record.py`), or what its fields mean.

Read as records are:

* an array of objects, however it is laid out;
* lines: an object on each line. A line that is none is refused alone. They are taken for lines where the first one
  is an object, or is broken and another begins one;
* objects one after the other, on one line or over many: one, pretty-printed ones, or those of a delivery stream
  that puts nothing between them.

A bad record of an array, or among objects one after the other, is refused alone where its brackets match (NaN
inside, bytes that are not UTF-8, a comma too many) and what separates records follows it. Otherwise nobody can tell
where the next one begins: what was read before is kept, and the rest is one refusal (D07) with the position. So it
is with an array that has no end, as of an upload that broke off.

Integers of any size stay what they are; numbers with a fraction or an exponent are the nearest double.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from vitalake.errors import UnusableDataError
from vitalake.lake.refusals import RefusalBudget
from vitalake.records.decoding.file_kinds import marked_encoding
from vitalake.records.json.block import JsonBlock, JsonRecords
from vitalake.records.json.lines import JsonLines
from vitalake.records.json.nesting import Nesting, NestingError
from vitalake.records.json.record import UnusableRecordError, record_of
from vitalake.records.json.sequence import JsonSequence
from vitalake.records.json.window import JsonWindow

BLOCK_BYTES = 4 << 20
MAX_RECORD_BYTES = 1 << 20
_BLOCK_RECORDS = 1 << 15  # a small record takes ten times its bytes once it is decoded
_BOM = b"\xef\xbb\xbf"
_OBJECT, _ARRAY = b"{["


def read_json(
    chunks: Iterator[bytes],
    names: Collection[str] = (),
    /,
    block_bytes: int = BLOCK_BYTES,
    max_record_bytes: int = MAX_RECORD_BYTES,
) -> Iterator[JsonRecords]:
    """Reads the records of an object; how it is cut into chunks makes no difference.

    Every record is among the good or among the refused ones (D02): those that are no object, no valid JSON or no
    UTF-8, have a key twice or half a surrogate pair, are nested deeper than 64 levels, or are too large. What is
    too large and stands around records, or is an array of them, is refused with their number (S02). Where nobody
    can tell one from the next, the rest of the object is refused as one (D07).

    Args:
        chunks: the object in UTF-8, its bytes in order.
        names: declared keys, by which records are known.
        block_bytes: about how much of the object makes a block; less where its records are small.
        max_record_bytes: larger records are refused, and not kept in memory.

    Raises:
        UnusableDataError: S02, this is no JSON of a kind that holds records.
    """
    window = JsonWindow(chunks)
    reader = _reader_of(window, max_record_bytes, names)
    number, more, told = 1, True, RefusalBudget()
    while more:
        block, begin = JsonBlock(number, told, names), window.offset
        while more and window.offset - begin < block_bytes and block.next_number - number < _BLOCK_RECORDS:
            more = reader.step(window, block)
        if block.next_number > number:
            number = block.next_number
            yield block.done(window.offset - begin)


def _reader_of(window: JsonWindow, max_bytes: int, names: Collection[str]) -> JsonLines | JsonSequence:
    """The way to read an object, from how it begins."""
    window.ensure(4)
    if marked_encoding(window.data[:4]) or b"\0" in window.data[:2]:
        raise UnusableDataError("S02", "this is UTF-16, UTF-32 or no text at all: expected JSON in UTF-8")
    if window.data.startswith(_BOM):
        window.at = len(_BOM)
    if not window.skip_blank():
        raise UnusableDataError("S02", "the object holds nothing but white space: expected JSON")
    window.ensure(MAX_RECORD_BYTES)
    head = window.data[window.at : window.at + MAX_RECORD_BYTES]
    if head[0] == _ARRAY:
        return JsonSequence(max_bytes, True, names)
    if head[0] == _OBJECT:
        return JsonLines(max_bytes) if _has_lines(head) else JsonSequence(max_bytes, False, names)
    if any(_is_record(line) for line in head.split(b"\n") if line.lstrip().startswith(b"{")):
        return JsonLines(max_bytes)
    raise UnusableDataError("S02", "the object is no JSON of records: expected an array of objects, or objects")


def _has_lines(head: bytes) -> bool:
    """Whether an object that begins with `{` has its records on lines."""
    first, _, others = head.partition(b"\n")
    try:
        end, ended = Nesting().follow(head, 0)
    except NestingError:
        end, ended = len(head), False
    if ended and end <= len(first):
        return not first[end:].lstrip().startswith(b"{")
    return others.lstrip().startswith(b"{") and not (ended and _is_record(head[:end]))


def _is_record(text: bytes) -> bool:
    try:
        record_of(text)
    except UnusableRecordError:
        return False
    return True
