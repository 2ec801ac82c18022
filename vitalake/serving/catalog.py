"""The SQL that turns Parquet in a bucket into views anybody can ask.

Belongs here: view definitions, generated from the declared columns or written out. Does not belong here: running
them (`resources/catalog.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from vitalake.arrivals.calendar import Granularity
from vitalake.arrivals.fingerprints import digest, objects_digest
from vitalake.lake.dataset import Dataset, SqlView
from vitalake.lake.parquet import SEED_PARTITION, WHOLE, part_key, partition_prefix
from vitalake.lake.parts import ConflictError, Inputs, Store, listed_parts
from vitalake.lake.reconcile import Output, PartWriter, reconcile
from vitalake.lake.tables import Column, Table, partition_columns

QUARANTINE = "quarantine"  # the view over what no dataset could use
_SQL_TYPES = {"date": "DATE", "int32": "INTEGER"}  # of partition columns


def statements(view: SqlView) -> list[str]:
    """DDL that creates a view with its comments; names in quotes, since a word of SQL is a name too."""
    comments = [f'COMMENT ON COLUMN "{view.name}"."{name}" IS {quote(doc)}' for name, doc in view.columns.items()]
    return [
        f'CREATE OR REPLACE VIEW "{view.name}" AS {view.select}',
        f'COMMENT ON VIEW "{view.name}" IS {quote(view.doc)}',
        *comments,
    ]


def quote(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def table_view(table: Table, bucket: str, unit: Granularity = "day") -> SqlView:
    """The view of a stored table, `date` and `hour` included."""
    if table.whole:
        files = quote(f"s3://{bucket}/{partition_prefix(table.name, WHOLE)}part-*.parquet")
        return SqlView(table.name, f"SELECT * FROM read_parquet({files})", table.doc, _docs(table.columns))
    columns = partition_columns(unit)
    folders = "".join(f"{column.name}=*/" for column in columns)
    types = ", ".join(f"{quote(column.name)}: {_SQL_TYPES[column.kind]}" for column in columns)
    files = quote(f"s3://{bucket}/{table.name}/{folders}part-*.parquet")
    select = f"SELECT * FROM read_parquet({files}, hive_partitioning = true, hive_types = {{{types}}})"
    return SqlView(table.name, select, table.doc, _docs((*table.columns, *columns)))


def _docs(columns: Iterable[Column]) -> dict[str, str]:
    return {column.name: column.doc for column in columns}


def seed(lake: Store, table: Table, unit: Granularity = "day") -> None:
    """Keep one part without rows before the first day, so that the view has columns whatever is stored.

    It sorts first, and DuckDB takes the columns of a view from its first file. A table over all days has it only
    until it is computed.
    """
    needed = Inputs(objects_digest([]), digest(str(table.columns)))
    if table.whole:  # never over what was computed, also where that comes at this very moment
        if not listed_parts(lake, table.name, WHOLE):
            empty = PartWriter([table]).close(needed).parts[table.name].data
            with suppress(ConflictError):
                lake.put(part_key(table.name, WHOLE, 0), empty, expected=None)
        return

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        return (PartWriter([table]).close(each) for each in stale.values())

    partition = f"{SEED_PARTITION}T00" if unit == "hour" else SEED_PARTITION
    reconcile(lake, partition, [table], lambda: {0: needed}, compute)


def built_on(name: str, datasets: Sequence[Dataset]) -> frozenset[str]:
    """Every table and view that a view builds on, through others too, and itself; in lower case, as SQL has it."""
    selects = {view.name.lower(): view.select.lower() for dataset in datasets for view in dataset.views}
    found, todo = {name.lower()}, [name.lower()]
    while todo:
        words = set(re.findall(r"\w+", selects.get(todo.pop(), "")))
        todo += words & selects.keys() - found
        found |= words
    return frozenset(found)


def names_people(view: str, datasets: Sequence[Dataset]) -> bool:
    """Whether a table or view names people: it is restricted, or builds on what is."""
    restricted = {table.name.lower() for dataset in datasets for table in dataset.every_table if table.restricted}
    return not restricted.isdisjoint(built_on(view, datasets))


def views(datasets: Sequence[Dataset], bucket: str, restricted_bucket: str) -> list[SqlView]:
    """Every view of the lake over the Parquet in its two buckets, each after those that it builds on.

    Who may not read the restricted bucket gets an error from the views of what names people, and only from them.
    """
    found = [
        table_view(table, restricted_bucket if table.restricted else bucket, dataset.partition)
        for dataset in datasets
        for table in dataset.every_table
    ]
    units = {dataset.partition for dataset in datasets}
    # Of datasets by the day `hour` is null, where there is one by the hour.
    every = " UNION ALL BY NAME " if len(units) > 1 else " UNION ALL "
    union = every.join(f'SELECT * FROM "{dataset.quarantine_table.name}"' for dataset in datasets)
    columns = (*datasets[0].quarantine_table.columns, *partition_columns("hour" if "hour" in units else "day"))
    found.append(SqlView(QUARANTINE, union, "What could not be used, of every dataset, and why.", _docs(columns)))
    for dataset in datasets:
        found += dataset.views
    return found
