"""The current entities, out of all records, by the same SQL as the view `entities_current`.

Belongs here: asking those views of a table in memory. Does not belong here: what the views say (`sql/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vitalake.entities.golden import matches_and_golden
from vitalake.entities.tables import RECORDS, VIEWS

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = [
    "canonical_id",
    "source_system",
    "name",
    "revenue",
    "employees",
    "industry",
    "quality_score",
    "content_sha256",
    "exported_at",
    "exported_at_has_time",
    "source_key",
    "record_number",
    "uploaded_at",
]


def current(records: pa.Table) -> pa.Table:
    """The newest version of each entity.

    Args:
        records: rows of `entities_records` of all days, with at least `COLUMNS`.
    """
    import duckdb

    with duckdb.connect(config={"temp_directory": ""}) as connection:
        # As a stream: DuckDB imports pandas to look whether a table is a frame.
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("arriving", records.__arrow_c_stream__())
        connection.execute(f"CREATE TABLE {RECORDS.name} AS FROM arriving")
        for view in VIEWS:
            connection.execute(f"CREATE VIEW {view.name} AS {view.select}")
        return connection.execute("FROM entities_current ORDER BY canonical_id").to_arrow_table()


def combine(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """`entities_matches` and `entities_golden` from all records."""
    return matches_and_golden(current(tables[RECORDS.name]))
