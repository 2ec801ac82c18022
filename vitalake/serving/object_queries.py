"""What the lake holds of objects, by their keys.

Belongs here: counting the rows that come from an object, and keys that are nearly the one that was asked for. Does
not belong here: what is said about them (`cli/remove/command.py`), the bucket itself.
"""

# ruff: noqa: S608 - names are declared by datasets

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitalake.arrivals.calendar import Partition

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from vitalake.lake.dataset import Dataset


@dataclass(frozen=True)
class RowsOfObjects:
    """What the lake has of some objects.

    Args:
        partitions: those whose manifest names one of them, in order; empty where none was read yet.
        rows: table → rows that come from them, for each table with any; None where it may not be asked.
        quarantined: records in quarantine, an object that cannot be read being one.
    """

    partitions: tuple[Partition, ...]
    rows: dict[str, int | None]
    quarantined: int


def rows_of(connection: duckdb.DuckDBPyConnection, dataset: Dataset, keys: Sequence[str]) -> RowsOfObjects:
    """Count what comes from the objects with these keys. Raises duckdb.Error: the lake cannot be asked."""
    import duckdb

    by = "date, hour" if dataset.partition == "hour" else "date, NULL"
    theirs = "source_key IN (SELECT unnest(?))"
    manifest = f'SELECT DISTINCT {by} FROM "{dataset.raw_table.name}" WHERE {theirs} ORDER BY ALL'
    partitions = tuple(Partition(*row) for row in connection.execute(manifest, [list(keys)]).fetchall())
    days = sorted({each.day for each in partitions})
    rows: dict[str, int | None] = {}
    quarantined = 0
    for table in dataset.all_tables if days else ():
        if table.name == dataset.raw_table.name or "source_key" not in table.names:
            continue
        counted = "sum(record_count)" if table.name == dataset.quarantine_table.name else "count(*)"
        query = f'SELECT {counted} FROM "{table.name}" WHERE date IN (SELECT unnest(?)) AND {theirs}'
        try:
            [(count,)] = connection.execute(query, [days, list(keys)]).fetchall()
        except duckdb.Error:
            if not table.restricted:  # of what names people not everybody may know
                raise
            rows[table.name] = None
            continue
        if table.name == dataset.quarantine_table.name:
            quarantined = int(count or 0)
        elif count:
            rows[table.name] = count
    return RowsOfObjects(partitions, rows, quarantined)


def nearest(connection: duckdb.DuckDBPyConnection, datasets: Sequence[Dataset], key: str, most: int) -> list[str]:
    """The keys of objects that the lake knows which are nearest to one: those of the same file name first."""
    manifests = " UNION ALL ".join(f'SELECT source_key FROM "{each.raw_table.name}"' for each in datasets)
    query = f"""SELECT source_key FROM (SELECT DISTINCT source_key FROM ({manifests}))
        WHERE suffix(source_key, $name) OR jaro_winkler_similarity(source_key, $key) >= 0.8
        ORDER BY suffix(source_key, $name) DESC, jaro_winkler_similarity(source_key, $key) DESC, source_key
        LIMIT $most"""
    values = {"key": key, "name": f"/{key.rpartition('/')[2]}", "most": most}
    return [found for (found,) in connection.execute(query, values).fetchall()]
