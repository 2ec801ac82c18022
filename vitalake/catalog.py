"""The SQL that turns Parquet in a bucket into views anybody can ask.

Belongs here: view definitions, generated from the declared columns or written out. Does not belong here: running
them (`resources/lake.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vitalake.arrivals import digest, objects_digest
from vitalake.dataset import Dataset, SqlView
from vitalake.parts import Inputs, Store
from vitalake.reconcile import Output, Sheets, reconcile
from vitalake.tables import Table

SEED_PARTITION = "1970-01-01"


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


def table_view(table: Table, bucket: str) -> SqlView:
    """The view of a stored table, `date` included."""
    files = quote(f"s3://{bucket}/{table.name}/date=*/part-*.parquet")
    select = f"SELECT * FROM read_parquet({files}, hive_partitioning = true, hive_types = {{'date': DATE}})"
    docs = {column.name: column.doc for column in table.columns} | {"date": "Partition: the day, in UTC."}
    return SqlView(table.name, select, table.doc, docs)


def seed(lake: Store, table: Table) -> None:
    """Keep one part without rows before the first day, so that the view has columns whatever is stored.

    It sorts first, and DuckDB takes the columns of a view from its first file.
    """

    def inputs() -> dict[int, Inputs]:
        return {0: Inputs(objects_digest([]), digest(str(table.columns)))}

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        return (Sheets([table]).close(needed) for needed in stale.values())

    reconcile(lake, SEED_PARTITION, [table], inputs, compute)


def views(datasets: Sequence[Dataset], bucket: str) -> list[SqlView]:
    """Every view of the lake over the Parquet in `bucket`, each after those that it builds on."""
    found = [table_view(table, bucket) for dataset in datasets for table in dataset.all_tables]
    union = " UNION ALL ".join(f"SELECT * FROM {dataset.quarantine_table.name}" for dataset in datasets)
    columns = {column.name: column.doc for column in datasets[0].quarantine_table.columns}
    found.append(SqlView("quarantine", union, "What could not be used, of every dataset, and why.", columns))
    for dataset in datasets:
        found += dataset.views
    return found
