"""The rows of a query's result, as they come.

Belongs here: an error of the query told from one of writing. Does not belong here: writing rows
(`cli/sql/results.py`, `cli/sql/result_table.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def rows(result: duckdb.DuckDBPyRelation) -> Iterator[tuple[Any, ...]]:
    """What the query gives, a few thousand rows at a time; Ctrl-C ends it. Raises duckdb.Error: the query broke."""
    import duckdb

    try:
        while some := result.fetchmany(2048):
            yield from some
    except duckdb.Error as error:
        raise _broken(error) from error


def batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The same as Arrow has it.

    Raises:
        duckdb.Error: the query broke. pyarrow raises OSError then, as it does where a file cannot be written.
    """
    import pyarrow as pa

    try:
        yield from reader
    except (OSError, pa.ArrowException) as error:
        raise _broken(error) from error


def _broken(error: Exception) -> duckdb.Error:
    import duckdb

    said = str(error).rpartition("\nError: ")[2]  # before it, that DuckDB cannot go on
    if said.startswith("INTERRUPT"):  # by another thread of the query, whose error was not the first to arrive
        said = "the query broke, and DuckDB does not say why: put SET threads = 1; before it to see the error"
    return duckdb.Error(said)


def rows_of(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """Rows as Python's values. Raises duckdb.DataError where Python has no such value."""
    return zip(*map(_values, batch.schema.names, batch.columns), strict=True)


def _values(name: str, column: pa.Array[Any]) -> list[Any]:
    import duckdb

    try:
        values: list[Any] = column.to_pylist()
    except OverflowError as error:
        raise duckdb.DataError(
            f"column {name!r} has a date or time beyond the years 1 to 9999, which cannot be shown: "
            "cast it to text (::VARCHAR), or write it with --format parquet"
        ) from error
    return values
