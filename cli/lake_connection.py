"""The lake, asked by a command: a connection whose errors are ours.

Belongs here: this connection. Does not belong here: what is asked (`vitalake/serving/`), `vitalake sql`, which
shows the errors of DuckDB as they are (`cli/sql/session.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.reachable import require_store
from vitalake.errors import TransientError

if TYPE_CHECKING:
    import duckdb

    from resources.settings import Settings


@contextmanager
def lake_connection(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the lake, whose errors are ours. Raises PermanentError, TransientError."""
    import duckdb

    from resources.catalog import connect

    require_store(settings)
    try:
        with connect(settings) as connection:
            yield connection
    except duckdb.Error as error:
        raise TransientError(f"the lake could not be asked: {str(error).splitlines()[0]}") from error
