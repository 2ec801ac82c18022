"""From fields and rules to a `Dataset`: record-shaped data, in CSV or JSON, needs no code of its own.

Belongs here: putting the pieces together. Does not belong here: any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from vitalake.arrivals.calendar import ONE, Granularity
from vitalake.arrivals.partitions import PartLimits
from vitalake.lake.checks import readable, refused_records, repeated_keys, warned
from vitalake.lake.contents import Parsed, RawObject, Refusal
from vitalake.lake.dataset import Dataset, Rule, SqlView, Threshold, Trend
from vitalake.lake.tables import Table, partition_columns, repeated
from vitalake.records.fields import Field, RecordTable, names_people
from vitalake.records.judge import ObjectRecords, judged

if TYPE_CHECKING:
    from vitalake.pseudonyms import Pseudonyms

# Streams of any size; of many small objects as many as are read at once for ECG.
LIMITS = PartLimits(object_bytes=8 * 2**30, whole_bytes=16 * 2**20)
# In memory, about: a JSON value and its copy in a column, or a record around its values; and for a byte of JSON a
# text with its copy, or what whole records take (1 to 6, mostly; of small lists and objects in them up to 28).
_CELL_BYTES, _TEXT_FACTOR, _WHOLE_FACTOR = 100, 2, 5
# Of CSV, twice its bytes; of rows with little in them, what a row and a field of it take however little that is.
_ROW_BYTES, _FIELD_BYTES = 64, 12
_PIECE_ROWS = 1 << 17  # a block of such rows is judged in pieces


def csv_dataset(
    name: str,
    doc: str,
    owner: str,
    fields: tuple[Field, ...],
    table: str | None = None,
    key: tuple[str, ...] = (),
    rules: tuple[Rule, ...] = (),
    ignored: tuple[str, ...] = (),
    restricted: bool = False,
    **more: Any,
) -> Dataset:
    """A dataset of CSV files, each with a header, in one table.

    Args:
        name: the dataset, and the folder of its objects in the raw bucket.
        doc: what it is.
        owner: who answers for it, e.g. ``"team:data"``.
        fields: the columns that a file may have. Others are refused, but for `ignored`.
        table: name of the table; default: `name`.
        key: columns that identify a thing. With it there are the views ``<table>_current``, the newest row of each
            by upload and line, and ``<table>_superseded``, the older ones.
        rules: what must hold of every row.
        ignored: columns of files that nobody wants.
        restricted: whether the table names people.
        more: any other argument of `Dataset`, such as ``processed_within``, or ``partition="hour"``.

    Raises:
        ValueError: the declaration cannot be meant so; the message says what to change.
    """
    _refuse_text(name, "ignored", ignored)
    tables = (RecordTable(table or name, doc, tuple(field.column for field in fields), restricted),)
    parse = partial(_parse_csv, fields, ignored, names_people(fields, tables))
    return _dataset(name, doc, owner, fields, tables, key, rules, parse, more)


def json_dataset(
    name: str,
    doc: str,
    owner: str,
    fields: tuple[Field, ...],
    tables: tuple[RecordTable, ...],
    key: tuple[str, ...] = (),
    rules: tuple[Rule, ...] = (),
    **more: Any,
) -> Dataset:
    """A dataset of JSON files: an array, a single object, or an object on each line, all with the same fields.

    As `csv_dataset`, but for `tables`: which of the fields go to which table, each with one row a record.
    """
    parse = partial(_parse_json, fields, names_people(fields, tables))
    return _dataset(name, doc, owner, fields, tables, key, rules, parse, more)


def _dataset(
    name: str,
    doc: str,
    owner: str,
    fields: tuple[Field, ...],
    tables: tuple[RecordTable, ...],
    key: tuple[str, ...],
    rules: tuple[Rule, ...],
    parse: Any,
    more: dict[str, Any],
) -> Dataset:
    _refuse_text(name, "key", key)
    if again := repeated(field.column for field in fields):
        raise ValueError(f"{name}: two fields have the column {', '.join(again)}; give each a column of its own")
    named = {field.column for field in fields if field.personal}
    if open_to_all := [table.name for table in tables if named & set(table.columns) and not table.restricted]:
        raise ValueError(f"{name}: {', '.join(open_to_all)} names people, so it must be restricted")
    for field in (field for field in fields if field.column in key):
        if not field.required or field.personal:
            raise ValueError(f"{name}: {field.column} is in the key, so it must be required, and name nobody")
    if unknown := set(key) - set(tables[0].columns):
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} in the key is no column of {tables[0].name}")
    unit: Granularity = more.get("partition", "day")
    stored = tuple(table.declared(fields) for table in tables)
    first = stored[0].name
    checks = [
        readable(name, Threshold(warn=0.02, block=0.5)),
        refused_records(name, first, Threshold(warn=0.02, block=0.5)),
        warned(first, Threshold(warn=0.05)),
    ]
    if key:
        once = f"Each key comes once {ONE[unit]}; of several rows the newest is current."
        checks.append(repeated_keys(first, key, Threshold(warn=0.0), doc=once))
    views = (*(_current_and_superseded(stored[0], key, unit) if key else ()), *more.pop("views", ()))
    return Dataset(
        name=name,
        doc=doc,
        owner=owner,
        parse=parse,
        tabulate=partial(judged, fields=fields, rules=rules, tables=stored),
        tables=stored,
        views=views,
        rules=rules,
        checks=(*checks, *more.pop("checks", ())),
        trends=(_records_by_day(name, first), *more.pop("trends", ())),
        limits=more.pop("limits", LIMITS),
        **more,
    )


def _refuse_text(name: str, argument: str, value: object) -> None:
    """A text is a sequence too, of its letters."""
    if isinstance(value, str):
        raise ValueError(f"{name}: {argument} is a list of names; of one name it is {argument}=({value!r},)")


def _parse_csv(
    fields: Sequence[Field], ignored: Sequence[str], private: bool, objects: Sequence[RawObject], _: Pseudonyms
) -> Iterator[Parsed]:
    from vitalake.lake.refusals import RefusalBudget
    from vitalake.records.csv.reader import read_csv

    (item,) = objects
    told = RefusalBudget()
    names, required = [field.name for field in fields], [field.name for field in fields if field.required]
    for rows in read_csv(item.chunks(), names, required, ignored, private=private):
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


def _parse_json(
    fields: Sequence[Field], private: bool, objects: Sequence[RawObject], _: Pseudonyms
) -> Iterator[Parsed]:
    from vitalake.lake.refusals import RefusalBudget
    from vitalake.records.json.reader import read_json

    (item,) = objects
    told = RefusalBudget()
    names = [field.name for field in fields]
    whole = not private  # for the text of what is refused
    cells, factor = (len(names) + 1, _WHOLE_FACTOR) if whole else (len(names), _TEXT_FACTOR)
    for found in read_json(item.chunks()):
        refusals = tuple(
            Refusal(item.key, each.rule, each.message, each.number, each.count, each.text if whole else None)
            for each in found.refused
        )
        records = found.records
        there = set().union(*records)
        values = {name: _values(records, name) if name in there else [None] * len(records) for name in names}
        text, more = partial(_json_text, records if whole else ()), _with_more(records, values)
        batch = ObjectRecords(item.key, item.version, item.uploaded_at, found.numbers, values, text, more, told)
        yield Parsed((batch,), refusals, max(len(records) * cells * _CELL_BYTES, found.size_bytes * factor))


def _json_text(records: Sequence[dict[str, Any]], row: int) -> str:
    import json

    return json.dumps(records[row], ensure_ascii=False)


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


def _records_by_day(name: str, table: str) -> Trend:
    return Trend(
        f"{name}: records by day",
        f"""SELECT date, sum(good), sum(warned), sum(refused) FROM (
            SELECT date, 0 AS good, 0 AS warned, sum(record_count) AS refused
            FROM "{name}_quarantine" WHERE date >= $1 GROUP BY date
            UNION ALL
            SELECT date, count(*) FILTER (len(warnings) = 0), count(*) FILTER (len(warnings) > 0), 0
            FROM "{table}" WHERE date >= $1 GROUP BY date
        ) GROUP BY date ORDER BY date""",
        _draw_records,
    )


def _draw_records(rows: list[tuple[Any, ...]]) -> bytes:
    from vitalake.charts.records_over_time import records_over_time

    return records_over_time(rows)


def _current_and_superseded(table: Table, key: Iterable[str], unit: Granularity) -> tuple[SqlView, SqlView]:
    docs = {column.name: column.doc for column in (*table.columns, *partition_columns(unit))}
    rank = f"""row_number() OVER (
    PARTITION BY {", ".join(f'"{column}"' for column in key)}
    ORDER BY uploaded_at DESC, source_key DESC, record_number DESC
)"""
    return (
        SqlView(
            f"{table.name}_current",
            f'SELECT * FROM "{table.name}" QUALIFY {rank} = 1',
            f"The newest row of each {' and '.join(key)}: by upload, then by line.",
            docs,
        ),
        SqlView(
            f"{table.name}_superseded",
            f'SELECT * FROM "{table.name}" QUALIFY {rank} > 1',
            f"The rows that a newer one of the same {' and '.join(key)} replaces in `{table.name}_current`.",
            docs,
        ),
    )
