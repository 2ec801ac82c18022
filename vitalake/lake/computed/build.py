"""A computed table brought in line with the tables that it reads, and its checks.

Belongs here: which parts it follows, calling the function or the SELECT, counting exceptions. Does not belong here:
the loop (`vitalake/lake/reconcile.py`), what a result must be (`vitalake/lake/computed/strict.py`), scheduling
(`pipeline_assets/computed_assets.py`).

A partition is one part, computed from all parts of the same partition of its sources, whose footers say what they
were built from; a table over all days is computed from every part of every day.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from vitalake.arrivals.calendar import Granularity, Partition
from vitalake.arrivals.fingerprints import digest, fingerprint
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import PermanentError
from vitalake.lake.computed.resolved import ComputedFrom
from vitalake.lake.dataset import Count
from vitalake.lake.parts import (
    INCOMPLETE,
    ConflictError,
    Inputs,
    Part,
    Store,
    fingerprint_of,
    load_part,
    parts_of_each,
    side_by_side,
)
from vitalake.lake.reconcile import Output, PartWriter, Progress, Report, reconcile
from vitalake.lake.stages import combined_digest, load_table, parts_to_combine
from vitalake.lake.tables import Table, partition_columns
from vitalake.lake.versions.code_version import code_digest

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_BATCH = 64 * 1024  # rows
_NAMED = 20  # keys in the details of a check
_ROOT = Path(__file__).resolve().parents[3]
Parts = Mapping[str, Sequence[Part | ObjectInfo]]


def compute_table(
    item: ComputedFrom, lake: Store, partition: str, progress: Progress
) -> tuple[Report, dict[str, str]]:
    """Compute a partition, or the table over all days, anew if any part that it reads has changed.

    Returns:
        What was done, and of each dataset the fingerprint of the raw objects that the partition is built from.

    Raises:
        PermanentError: the function failed, or what it gave is not as declared.
        ConflictError: another run kept writing the same part.
    """
    parts: dict[str, list[Part | ObjectInfo]] = {}
    built_from: dict[str, str] = {}

    def inputs() -> dict[int, Inputs]:
        if item.declared.whole:
            found = parts_to_combine(item, lake)
            parts.update({name: list(each) for name, each in found.items()})
            return {0: Inputs(combined_digest(found), code_digest(item.declared))}
        of_day = parts_of_each(lake, item.sources, partition)
        parts.update({name: list(dict(sorted(of_day[name].items())).values()) for name in item.sources})
        built_from.update(_fingerprints(item, of_day))
        return _inputs(item, of_day, built_from)

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        for needed in stale.values():
            writer = PartWriter(item.tables)
            writer.append({item.table.name: rows_of(item, _sources(item, lake, parts))})
            yield writer.close(needed)

    report = reconcile(lake, partition, item.tables, inputs, compute, progress)
    return report, built_from


def rows_of(item: ComputedFrom, sources: Mapping[str, pa.Table]) -> pa.Table:
    """The rows of a partition from those of its sources; none where no source has any: nobody is asked then."""
    from vitalake.lake.computed.strict import from_arrow, from_frame, in_order

    table, declared = item.table, item.declared
    if not any(rows.num_rows for rows in sources.values()):
        return table.from_rows([])
    if declared.sql is not None:
        rows = from_arrow(table, _selected(item, declared.sql, sources))
    else:
        rows = from_frame(table, _called(item, sources))
    return in_order(table, declared.key, rows)


def count_exceptions(item: ComputedFrom, lake: Store, partition: str) -> list[Count]:
    """Of each check of the table, how many rows of a partition are exceptions.

    Raises:
        PermanentError: DuckDB does not take a condition.
    """
    import duckdb

    if not item.declared.checks:
        return []
    counts = []
    key = ", ".join(f'"{name}"' for name in item.declared.key)
    with _database({item.table.name: load_table(lake, item.table, partition)}) as connection:
        for check in item.declared.checks:
            exceptions = f'FROM "{item.table.name}" WHERE NOT (\n{check.holds}\n)'
            try:
                [(bad,)] = connection.execute(f"SELECT count(*) {exceptions}").fetchall()
                query = f"SELECT {key} {exceptions} ORDER BY ALL LIMIT {_NAMED}"
                named = [] if item.declared.restricted else connection.execute(query).fetchall()
            except duckdb.Error as error:
                raise PermanentError(
                    f"{item.table.name}: DuckDB does not take the check {check.name!r}: {_said(error)}"
                ) from None
            [(total,)] = connection.execute(f'SELECT count(*) FROM "{item.table.name}"').fetchall()  # noqa: S608
            details: dict[str, int | float | str] = {", ".join(map(str, each)): "does not hold" for each in named}
            counts.append(Count(bad, total, details))
    return counts


def _fingerprints(item: ComputedFrom, parts: Mapping[str, Mapping[int, Part]]) -> dict[str, str]:
    """Dataset → what its tables here were built from; incomplete where they are not of the same raw objects."""
    of_dataset: defaultdict[str, set[str]] = defaultdict(set)
    for name in item.sources:
        of_dataset[item.dataset_of[name]].add(fingerprint_of(parts[name]))
    return {name: each.pop() if len(each) == 1 else INCOMPLETE for name, each in of_dataset.items()}


def _inputs(
    item: ComputedFrom, parts: Mapping[str, Mapping[int, Part]], built_from: Mapping[str, str]
) -> dict[int, Inputs]:
    read = []
    for name in item.sources:
        for index, part in sorted(parts[name].items()):
            if part.inputs is None:
                raise ConflictError(f"{part.key} is no part of ours; materialize {name} first")
            read.append(f"{name} {index} {part.inputs}")
    if not read:
        return {}
    unlike = sorted(name for name, each in built_from.items() if each == INCOMPLETE)
    objects = fingerprint(each for each in built_from.values() if each != INCOMPLETE)
    needed = Inputs(objects, digest(code_digest(item.declared), *read))
    return {0: needed.without(unlike)}


def _sources(item: ComputedFrom, lake: Store, parts: Parts) -> dict[str, pa.Table]:
    """What is read of each source: all its parts in order, `date` being the day of the folder."""
    import pyarrow as pa

    sources = {}
    for name, table in item.sources.items():
        columns = list(item.declared.sources[name])
        load = partial(_rows, lake, table, columns, item.unit_of[name])
        with side_by_side(len(parts[name])) as each:
            sources[name] = pa.concat_tables([_empty(table, columns, item.unit_of[name]), *each(load, parts[name])])
    return sources


def _empty(table: Table, columns: Sequence[str], unit: Granularity) -> pa.Table:
    import pyarrow as pa

    schema = table.arrow_schema().remove_metadata()
    if not table.whole:
        every = (*table.columns, *partition_columns(unit))
        schema = Table(table.name, table.doc, every, whole=True).arrow_schema()
    return pa.Table.from_batches([], schema).select(columns).replace_schema_metadata(None)


def _rows(
    lake: Store, table: Table, columns: Sequence[str], unit: Granularity, part: Part | ObjectInfo
) -> pa.Table:
    import pyarrow as pa

    from vitalake.lake.columns import array
    from vitalake.lake.tables import arrow_types

    stored = [name for name in columns if name in table.names]
    rows = load_part(lake, table, part, stored or table.names[:1])
    if len(stored) < len(columns):
        partition = Partition.of_folder(part.key)
        if partition is None:
            raise ConflictError(f"{part.key} is no part of ours; materialize {table.name} first")
        for column, value in zip(partition_columns(unit), (partition.day, partition.hour), strict=False):
            values = array([value] * rows.num_rows, arrow_types()[column.kind])
            rows = rows.append_column(pa.field(column.name, values.type, nullable=column.nullable), values)
    return rows.select(columns)


def _called(item: ComputedFrom, sources: Mapping[str, pa.Table]) -> object:
    """What the function gives for these rows. Raises PermanentError: it failed; with file and line."""
    from vitalake.lake.computed.frames import frame_of

    assert item.declared.compute is not None  # noqa: S101 - the declaration has a function or a SELECT
    frames = {name: frame_of(rows) for name, rows in sources.items()}
    try:
        return item.declared.compute(**frames)
    except Exception as error:
        raise PermanentError(f"{item.table.name}: {_failed(item.declared.compute, error)}") from (
            None if item.declared.restricted else error  # its text may quote what names people
        )


def _failed(function: Any, error: Exception) -> str:
    """Where a function failed: the last line of its own file, in words of ours; the error's text may quote rows."""
    file = inspect.getsourcefile(inspect.unwrap(function)) if hasattr(function, "__name__") else None
    frames = extract_tb(error.__traceback__)
    [*_, last] = [frame for frame in frames if frame.filename == file] or frames
    place = Path(last.filename)
    shown = place.relative_to(_ROOT).as_posix() if place.is_relative_to(_ROOT) else place.name
    name = getattr(function, "__name__", "the function")
    return f"{name} failed at {shown}, line {last.lineno}: {type(error).__name__} in `{last.line}`"


def _selected(item: ComputedFrom, sql: str, sources: Mapping[str, pa.Table]) -> pa.Table:
    import duckdb

    with _database(sources) as connection:
        try:
            return connection.execute(f"SELECT * FROM (\n{sql}\n)").to_arrow_reader(_BATCH).read_all()  # noqa: S608
        except duckdb.Error as error:
            raise PermanentError(f"{item.table.name}: DuckDB does not take its SELECT: {_said(error)}") from (
                None if item.declared.restricted else error
            )


def _database(tables: Mapping[str, pa.Table]) -> duckdb.DuckDBPyConnection:
    """A database of just these tables, which reaches nothing else and adds up in one order."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1, "python_enable_replacements": False})
    connection.execute("SET TimeZone = 'UTC'")
    for name, rows in tables.items():
        # As a stream: DuckDB imports pandas for a table.
        connection.register("rows of a source", rows.__arrow_c_stream__())
        connection.execute(f'CREATE TABLE "{name}" AS FROM "rows of a source"')
        connection.unregister("rows of a source")
    connection.execute("SET enable_external_access = false")
    return connection


def _said(error: Exception) -> str:
    """What DuckDB says of a statement; of a value that it could not use, only which kind of error that is."""
    import duckdb

    first = str(error).splitlines()[0]
    return first if isinstance(error, duckdb.ProgrammingError) else type(error).__name__
