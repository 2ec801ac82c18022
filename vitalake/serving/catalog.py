"""The SQL that turns Parquet in a bucket into views anybody can ask.

Belongs here: view definitions, generated from the declared columns or written out. Does not belong here: running
them (`resources/catalog.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from vitalake.arrivals.calendar import Granularity
from vitalake.lake.dataset import Dataset, SqlView
from vitalake.lake.parquet import WHOLE, part_key
from vitalake.lake.parts import ConflictError, Inputs, Store, listed_parts
from vitalake.lake.reconcile import Output, reconcile
from vitalake.lake.tables import Column, Kind, Table, partition_columns
from vitalake.lake.versions.changed_declaration import require_readable, seed_inputs, seed_part, seed_partition

QUARANTINE = "quarantine"  # the view over what no dataset could use
DUCKDB_TYPES: Mapping[Kind, str] = {
    "string": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "list<string>": "VARCHAR[]",
    "list<int32>": "INTEGER[]",
    "list<float64>": "DOUBLE[]",
}
_NAMED_CHARS = {"date": 10, "hour": 2}


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
    """The view of a stored table, `date` and `hour` included.

    Columns are read by name, as declared: a part that was written without one gives nulls, one that has it under a
    former name that, and one of a narrower kind is cast (docs/adr/0018). DuckDB takes no declared columns together
    with partitions by folder, so day and hour are read from the file's name; it prunes by that just as well.
    """
    by = () if table.whole else partition_columns(unit)
    folders = f"{WHOLE}/" if table.whole else "".join(f"{column.name}=*/" for column in by)
    files = quote(f"s3://{bucket}/{table.name}/{folders}part-*.parquet")
    stored = ", ".join(
        f"'{each.name}': {{name: '{each.name}', type: '{DUCKDB_TYPES[each.kind]}', default_value: NULL}}"
        for each in table.stored_columns
    )
    columns = [selected(column) for column in table.columns]
    columns += [f"{_named(each)} AS {each.name}" for each in by]
    options = f"schema = MAP {{{stored}}}, filename = true, hive_partitioning = false"
    select = f"SELECT {', '.join(columns)} FROM read_parquet({files}, {options})"
    return SqlView(table.name, select, table.doc, _docs((*table.columns, *by)))


def _named(column: Column) -> str:
    """What a file's name says of its partition; a pattern would take twice the time to pass a file by."""
    start = f"/{column.name}="
    value = f"substr(filename, strpos(filename, {quote(start)}) + {len(start)}, {_NAMED_CHARS[column.name]})"
    return f"CAST({value} AS {DUCKDB_TYPES[column.kind]})"


def selected(column: Column) -> str:
    """A column as a SELECT has it, under whichever name a part does."""
    names = ", ".join(f'"{name}"' for name in (column.name, *column.formerly))
    return f'coalesce({names}) AS "{column.name}"' if column.formerly else names


def _docs(columns: Iterable[Column]) -> dict[str, str]:
    return {column.name: column.doc for column in columns}


def seed(lake: Store, table: Table, unit: Granularity = "day") -> None:
    """Keep one part without rows before the first day, so that there is something to read whatever is stored.

    It sorts first, where Spark looks for the columns. A table over all days has it only until it is computed.

    Raises:
        DeclarationRefusedError: older parts cannot be read as the table is declared now.
    """
    if table.whole:  # never over what was computed, also where that comes at this very moment
        if not listed_parts(lake, table.name, WHOLE):
            with suppress(ConflictError):
                lake.put(part_key(table.name, WHOLE, 0), seed_part(table).data, expected=None)
        return

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        require_readable(lake, [table], unit)
        return (Output({table.name: seed_part(table)}) for _ in stale)

    reconcile(lake, seed_partition(unit), [table], lambda: {0: seed_inputs(table)}, compute)


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
    # By name: of datasets by the day `hour` is null, where there is one by the hour.
    union = " UNION ALL BY NAME ".join(f'SELECT * FROM "{dataset.quarantine_table.name}"' for dataset in datasets)
    columns = (*datasets[0].quarantine_table.columns, *partition_columns("hour" if "hour" in units else "day"))
    found.append(SqlView(QUARANTINE, union, "What could not be used, of every dataset, and why.", _docs(columns)))
    for dataset in datasets:
        found += dataset.views
    return found
