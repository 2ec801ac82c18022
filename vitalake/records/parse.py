"""Objects of a dataset of records to batches of records, as their declaration says that they are written.

Belongs here: the way from an object's bytes to what is judged. Does not belong here: the readers (`csv/`, `json/`),
types and rules (`judge.py`), putting a dataset together (`declare.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from vitalake.lake.contents import Parsed, RawObject, Refusal
from vitalake.lake.refusals import RefusalBudget
from vitalake.pseudonyms import Pseudonyms
from vitalake.records.csv_format import CsvFormat
from vitalake.records.decoding.utf8 import utf8_chunks
from vitalake.records.fields import Field
from vitalake.records.judge import ObjectRecords

# In memory, about: a JSON value and its copy in a column, or a record around its values; and for a byte of JSON a
# text with its copy, or what whole records take (1 to 6, mostly; of small lists and objects in them up to 28).
_CELL_BYTES, _TEXT_FACTOR, _WHOLE_FACTOR = 100, 2, 5
# Of CSV, twice its bytes; of rows with little in them, what a row and a field of it take however little that is.
_ROW_BYTES, _FIELD_BYTES = 64, 12
_PIECE_ROWS = 1 << 17  # a block of such rows is judged in pieces


def parse_csv(
    objects: Sequence[RawObject],
    _: Pseudonyms,
    *,
    fields: Sequence[Field],
    private: bool,
    most_bytes: int,
    ignored: Sequence[str],
    written: CsvFormat,
) -> Iterator[Parsed]:
    """The records of a CSV file, a block at a time.

    Args:
        objects: one.
        fields: declared ones.
        private: the files are about people, so no message or text repeats their words.
        most_bytes: that a file may have when it is unpacked.
        ignored: names of columns that nobody wants.
        written: how the files are written.

    Raises:
        UnusableDataError: the object cannot be used.
    """
    from vitalake.records.csv.reader import read_csv  # a dataset loads the reader of its own format only

    (item,) = objects
    told = RefusalBudget()
    names, required = [each.name for each in fields], [each.name for each in fields if each.required]
    chunks = utf8_chunks(item.chunks(), "CSV", most_bytes, written.encoding)
    how = {"private": private, "delimiter": written.delimiter, "encoding": written.encoding}
    for rows in read_csv(chunks, names, required, ignored, **how):  # type: ignore[arg-type]
        refusals = tuple(
            Refusal(item.key, each.rule, each.message, each.line, each.count, None if private else each.text)
            for each in rows.refused
        )
        yield Parsed((), refusals)
        row_bytes = max(2 * rows.size_bytes / max(len(rows.lines), 1), _ROW_BYTES + _FIELD_BYTES * len(names))
        for begin in range(0, len(rows.lines), _PIECE_ROWS):
            piece = rows.slice(begin, _PIECE_ROWS)
            source = item.key, item.version, item.uploaded_at
            batch = ObjectRecords(*source, piece.lines, piece.columns, piece.text, told=told)
            yield Parsed((batch,), (), int(len(piece.lines) * row_bytes))


def parse_json(
    objects: Sequence[RawObject], _: Pseudonyms, *, fields: Sequence[Field], private: bool, most_bytes: int
) -> Iterator[Parsed]:
    """The records of a JSON object, a block at a time; as `parse_csv`."""
    from vitalake.records.json.keys import RecordKeys
    from vitalake.records.json.reader import read_json

    (item,) = objects
    names, required = [each.name for each in fields], {each.name for each in fields if each.required}
    told, keys = RefusalBudget(), RecordKeys(names, required)
    whole = not private  # for the text of what is refused
    cells, factor = (len(names) + 1, _WHOLE_FACTOR) if whole else (len(names), _TEXT_FACTOR)
    for block in read_json(utf8_chunks(item.chunks(), "JSON", most_bytes), names):
        refusals = [
            Refusal(item.key, each.rule, each.message, each.number, each.count, each.text if whole else None)
            for each in block.refused
        ]
        records, numbers = block.records, block.numbers
        values = _columns(records, names)
        more = _with_more(records, values)
        alone = block.first == 1 and len(records) == 1  # perhaps not one of many, but one around many
        if odd := keys.doubtful(records, [0] if alone else more):
            records, kept, unusable = keys.settled(records, odd)
            for at, error in unusable.items():
                about = error.rule, error.message, int(numbers[at]), error.record_count
                refusals.append(Refusal(item.key, *about, _json_text(block.records, at) if whole else None))
            numbers, values = numbers[kept], _columns(records, names)
            more = _with_more(records, values)
        text = partial(_json_text, records if whole else ())
        batch = ObjectRecords(item.key, item.version, item.uploaded_at, numbers, values, text, more, told)
        weight = max(len(records) * cells * _CELL_BYTES, block.size_bytes * factor)
        yield Parsed((batch,), tuple(refusals), weight)


def _columns(records: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    there = set().union(*records)
    return {name: _values(records, name) if name in there else [None] * len(records) for name in names}


def _values(records: Sequence[dict[str, Any]], name: str) -> list[Any]:
    """One field of each record, None where it is not there; all have it, mostly."""
    try:
        return list(map(itemgetter(name), records))
    except KeyError:
        return [record.get(name) for record in records]


def _with_more(records: Sequence[dict[str, Any]], values: dict[str, list[Any]]) -> list[int]:
    """Positions of the records that have fields beside these; quickly none, as there mostly are."""
    there = sum(len(column) - column.count(None) for column in values.values())
    if sum(map(len, records)) == there:
        return []
    return [position for position, record in enumerate(records) if not record.keys() <= values.keys()]


def _json_text(records: Sequence[dict[str, Any]], row: int) -> str:
    return json.dumps(records[row], ensure_ascii=False)
