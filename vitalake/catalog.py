"""The SQL that turns Parquet in a bucket into views anybody can ask.

Belongs here: view definitions, generated from the declared columns or written out. Does not belong here: running
them (`resources/lake.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from vitalake.dataset import Dataset, SqlView
from vitalake.tables import SQL_TYPES, Table


def statements(view: SqlView) -> list[str]:
    """DDL that creates a view with its comments."""
    comments = [f"COMMENT ON COLUMN {view.name}.{name} IS {quote(doc)}" for name, doc in view.columns.items()]
    return [
        f"CREATE OR REPLACE VIEW {view.name} AS {view.select}",
        f"COMMENT ON VIEW {view.name} IS {quote(view.doc)}",
        *comments,
    ]


def quote(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def all_tables(dataset: Dataset) -> list[Table]:
    """Every table that a dataset stores."""
    derived = [item.table for item in dataset.derived]
    return [dataset.raw_table, *dataset.tables, dataset.quarantine_table, *derived]


def table_view(table: Table, bucket: str, *, stored: bool) -> SqlView:
    """The view of a stored table, `date` included; typed and empty as long as nothing is stored."""
    if stored:
        select = (
            f"SELECT * FROM read_parquet({quote(f's3://{bucket}/{table.name}/date=*/part-*.parquet')}, "
            "hive_partitioning = true, hive_types = {'date': DATE})"
        )
    else:
        nulls = [f"NULL::{SQL_TYPES[column.kind]} AS {column.name}" for column in table.columns]
        select = f"SELECT {', '.join([*nulls, 'NULL::DATE AS date'])} WHERE false"
    docs = {column.name: column.doc for column in table.columns} | {"date": "Partition: the day, in UTC."}
    return SqlView(table.name, select, table.doc, docs)


def views(datasets: Sequence[Dataset], bucket: str, stored: Collection[str]) -> list[SqlView]:
    """Every view of the lake, in an order in which each finds what it builds on.

    Args:
        datasets: the declarations.
        bucket: where the Parquet is.
        stored: names of the tables that have at least one part.
    """
    found = [
        table_view(table, bucket, stored=table.name in stored)
        for dataset in datasets
        for table in all_tables(dataset)
    ]
    union = " UNION ALL ".join(f"SELECT * FROM {dataset.quarantine_table.name}" for dataset in datasets)
    columns = {column.name: column.doc for column in datasets[0].quarantine_table.columns}
    found.append(SqlView("quarantine", union, "What could not be used, of every dataset, and why.", columns))
    for dataset in datasets:
        found += dataset.views
    return found
