"""What a catalog file on this machine says of itself: what it was made of, and the views it has.

Belongs here: reading a file that may be broken, of other code, or not there. Does not belong here: writing one, or
asking it (`resources/catalog.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from vitalake.lake.dataset import Dataset
from vitalake.serving.catalog import quote

MADE_OF = "vitalake_made_of"  # a macro: SHOW TABLES does not list it
_VIEWS = "SELECT view_name, sql, comment FROM duckdb_views() WHERE database_name = 'found' AND NOT internal"
_DOCS = """SELECT table_name, column_name, comment FROM duckdb_columns()
    WHERE database_name = 'found' AND NOT internal AND comment IS NOT NULL"""


def made_of(catalog: Path) -> str | None:
    """What a catalog says it was made of; None where it does not say so or cannot be read."""
    import duckdb

    try:
        # Attached, since `connect` would give what another connection of this process still has open.
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH {quote(str(catalog))} AS found (READ_ONLY)")
            [(said,)] = connection.execute(f"SELECT found.{MADE_OF}()").fetchall()
    except duckdb.Error:
        return None
    return str(said)


def views_as_published(catalog: Path, datasets: Sequence[Dataset]) -> dict[str, list[str]]:
    """View of these datasets → the statements that make it as it is in a catalog, none where it is not there."""
    import duckdb

    found: dict[str, list[str]] = {}
    for dataset in datasets:
        found |= {table.name: [] for table in dataset.every_table} | {view.name: [] for view in dataset.views}
    with suppress(duckdb.Error), duckdb.connect() as connection:
        connection.execute(f"ATTACH {quote(str(catalog))} AS found (READ_ONLY)")
        for name, select, doc in connection.execute(_VIEWS).fetchall():
            if name in found:
                found[name] = [select, f'COMMENT ON VIEW "{name}" IS {quote(doc or "")}']
        for name, column, doc in connection.execute(_DOCS).fetchall():
            if name in found:
                found[name].append(f'COMMENT ON COLUMN "{name}"."{column}" IS {quote(doc)}')
    return found
