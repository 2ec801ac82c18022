"""From fields and rules to a `Dataset`: record-shaped data, in CSV or JSON, needs no code of its own.

Belongs here: putting the pieces together. Does not belong here: any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from vitalake.arrivals.calendar import ONE, Granularity
from vitalake.arrivals.partitions import PartLimits
from vitalake.lake.checks import readable, refused_records, repeated_keys, warned
from vitalake.lake.contents import Parsed
from vitalake.lake.dataset import Dataset, Rule, SqlView, Threshold, Trend
from vitalake.lake.tables import Table, partition_columns, repeated
from vitalake.records.csv_format import CsvFormat
from vitalake.records.declaration_faults import refuse_no_list, refuse_unknown_argument
from vitalake.records.fields import Field, RecordTable, names_people
from vitalake.records.judge import judged
from vitalake.records.parse import parse_csv, parse_json

# Streams of any size; of many small objects as many as are read at once for ECG.
LIMITS = PartLimits(object_bytes=8 * 2**30, whole_bytes=16 * 2**20)


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
    *,
    decimal_sign: str = ".",
    thousands_sign: str = "",
    date_formats: tuple[str, ...] = (),
    timestamp_formats: tuple[str, ...] = (),
    time_zone: str = "UTC",
    encoding: str = "utf-8",
    delimiter: str | None = None,
    two_digit_years_from: int | None = None,
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
        decimal_sign: how files write numbers, days, times and text, this and those that follow; see `CsvFormat`.
        thousands_sign: see there.
        date_formats: see there.
        timestamp_formats: see there.
        time_zone: see there.
        encoding: see there.
        delimiter: see there.
        two_digit_years_from: see there.
        more: any other argument of `Dataset`, such as ``processed_within``, or ``partition="hour"``.

    Raises:
        ValueError: the declaration cannot be meant so; the message says what to change.
    """
    refuse_unknown_argument(csv_dataset, f"{name}: csv_dataset", more)
    refuse_no_list(name, fields=(fields, Field), rules=(rules, Rule), key=(key, str), ignored=(ignored, str))
    try:
        written = CsvFormat(
            decimal_sign,
            thousands_sign,
            date_formats,
            timestamp_formats,
            time_zone,
            encoding,
            delimiter,
            two_digit_years_from,
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    tables = (RecordTable(table or name, doc, tuple(field.column for field in fields), restricted),)
    parse = partial(parse_csv, ignored=ignored, written=written)
    return _dataset(name, doc, owner, fields, tables, key, rules, parse, more, written)


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
    refuse_unknown_argument(json_dataset, f"{name}: json_dataset", more)
    refuse_no_list(name, fields=(fields, Field), tables=(tables, RecordTable), rules=(rules, Rule), key=(key, str))
    return _dataset(name, doc, owner, fields, tables, key, rules, parse_json, more)


def _dataset(
    name: str,
    doc: str,
    owner: str,
    fields: tuple[Field, ...],
    tables: tuple[RecordTable, ...],
    key: tuple[str, ...],
    rules: tuple[Rule, ...],
    parse: Callable[..., Iterator[Parsed]],
    more: dict[str, Any],
    written: CsvFormat | None = None,
) -> Dataset:
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
    limits = more.pop("limits", LIMITS)
    views = (*(_current_and_superseded(stored[0], key, unit) if key else ()), *more.pop("views", ()))
    return Dataset(
        name=name,
        doc=doc,
        owner=owner,
        parse=partial(parse, fields=fields, private=names_people(fields, tables), most_bytes=limits.object_bytes),
        tabulate=partial(
            judged, fields=fields, rules=rules, tables=stored, key=key, written=written or CsvFormat()
        ),
        tables=stored,
        views=views,
        rules=rules,
        checks=(*checks, *more.pop("checks", ())),
        trends=(_records_by_day(name, first), *more.pop("trends", ())),
        limits=limits,
        **more,
    )


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
