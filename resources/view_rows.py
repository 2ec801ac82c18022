"""A view of the lake, read once, for whoever delivers it elsewhere.

Belongs here: one consistent reading of a view, whether its key is one, and the SQL that puts its values in forms
that every target understands. Does not belong here: the targets, or what a delivery is (`vitalake/sinks.py`).

The rows lie in a temporary table of DuckDB, which moves to disk what exceeds its memory. So the key is checked on
the very rows that are delivered, S3 is read once, and comparing and sorting need no memory of Python's.
"""

# ruff: noqa: S608 - names are declared by datasets, and quoted

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vitalake.errors import PermanentError, TransientError
from vitalake.sinks import Sink

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH_ROWS = 10_000
_MEMORY = "512MB"
_TABLE = "temp.delivered_view"

# The condition under which a target can hold a value, given its SQL and its type; None: in any case.
Keeps = Callable[[str, str], "str | None"]


def finite(value: str, kind: str) -> str | None:
    """JSON has no NaN and no infinity."""
    return f"isfinite({value})" if kind in ("double", "float") else None


class ViewRows:
    """The rows of a sink's view as they are now, behind a connection of its own.

    Raises:
        PermanentError: there is no such view or key column, or the key names two rows alike, or is null.
        TransientError: the rows could not be read.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, sink: Sink) -> None:
        self.sink = sink
        self._connection = connection
        with reading(sink.view):
            connection.execute(f"SET memory_limit = '{_MEMORY}'")
            connection.execute("SET preserve_insertion_order = false")
            connection.execute(f"CREATE OR REPLACE TEMP TABLE delivered_view AS FROM {name(sink.view)}")
        self._check_key()

    @cached_property
    def types(self) -> dict[str, Any]:
        """DuckDB's types of the columns, by name, in order."""
        relation = self._connection.table(_TABLE)
        return dict(zip(relation.columns, relation.types, strict=True))

    def __len__(self) -> int:
        return int(self.ask(f"SELECT count(*) FROM {_TABLE}")[0])

    def ask(self, sql: str) -> tuple[Any, ...]:
        """The only row of a query; ``{rows}`` stands for the table of the rows."""
        with reading(self.sink.view):
            found = self._connection.execute(sql.replace("{rows}", _TABLE)).fetchone()
        return found or ()

    def stream(self, sql: str) -> pa.RecordBatchReader:
        """The rows of a query in Arrow batches; nothing else can be asked meanwhile."""
        with reading(self.sink.view):
            return self._connection.execute(sql.replace("{rows}", _TABLE)).to_arrow_reader(BATCH_ROWS)

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """The same, with errors of reading in the project's terms."""
        batches = iter(self.stream(sql))
        while True:
            with reading(self.sink.view):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def run(self, sql: str) -> None:
        """A statement without an answer, e.g. one that makes a temporary table of one's own."""
        with reading(self.sink.view):
            self._connection.execute(sql.replace("{rows}", _TABLE))

    def add(self, table: str, rows: pa.Table) -> None:
        """Append rows to a temporary table of one's own."""
        self._connection.register("added", rows)
        self._connection.execute(f"INSERT INTO {table} FROM added")
        self._connection.unregister("added")

    def plain(self, keeps: Keeps) -> dict[str, str]:
        """By column, SQL of its value in a form that JSON has too: null where it cannot be kept."""
        return {column: _plain(name(column), type_, keeps) for column, type_ in self.types.items()}

    def json(self, keeps: Keeps) -> str:
        """SQL of a row as one JSON object, columns in order, always valid JSON."""
        packed = ", ".join(f"{name(column)} := {sql}" for column, sql in self.plain(keeps).items())
        return f"to_json(struct_pack({packed}))::VARCHAR"

    def count_lost(self, keeps: Keeps) -> int:
        """How many values cannot be kept."""
        each = (_lost(name(column), type_, keeps) for column, type_ in self.types.items())
        counts = " + ".join(count for count in each if count)
        return int(self.ask(f"SELECT sum({counts}) FROM {_TABLE}")[0] or 0) if counts else 0

    def _check_key(self) -> None:
        key, view = self.sink.key, self.sink.view
        if missing := set(key) - self.types.keys():
            raise PermanentError(f"{view} has no column {sorted(missing)}: correct the key of {self.sink.name}")
        columns = ", ".join(map(name, key))
        null = " OR ".join(f"{name(column)} IS NULL" for column in key)
        [nulls] = self.ask(f"SELECT count(*) FROM {_TABLE} WHERE {null}")
        alike, rows = self.ask(
            "SELECT count(*), coalesce(sum(n), 0) FROM "
            f"(SELECT count(*) AS n FROM {_TABLE} GROUP BY {columns} HAVING n > 1)"
        )
        if alike or nulls:
            raise PermanentError(
                f"{view}: {alike} keys ({', '.join(key)}) name {rows} rows, {nulls} rows have none; nothing was "
                "delivered. Make the view say which row counts, or correct the sink's key"
            )


def name(text: str) -> str:
    """A quoted SQL identifier."""
    return '"' + text.replace('"', '""') + '"'


@contextmanager
def reading(view: str) -> Iterator[None]:
    """What goes wrong while a view is read, in the project's terms."""
    import duckdb

    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise PermanentError(f"the catalog has no {view}, or an old one: materialize `lake`") from error
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        if getattr(error, "status_code", 0) in (401, 403):
            raise PermanentError(f"{view}: access to the Parquet denied; check the AWS credentials") from error
        # The store did not answer, or a part was replaced while it was read.
        raise TransientError(f"{view} could not be read ({type(error).__name__})") from error


def _plain(value: str, type_: Any, keeps: Keeps, depth: int = 0) -> str:
    kind, inner = str(type_.id), f"v{depth}"
    if kind == "list":
        return f"list_transform({value}, lambda {inner}: {_plain(inner, _element(type_), keeps, depth + 1)})"
    if kind == "struct":
        fields = [f"{name(n)} := {_plain(f'{value}.{name(n)}', t, keeps, depth)}" for n, t in type_.children]
        return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({', '.join(fields)}) END"
    form = _form(value, kind)
    condition = keeps(value, kind)
    return f"CASE WHEN {condition} THEN {form} END" if condition else form


def _form(value: str, kind: str) -> str:
    if kind in ("timestamp with time zone", "timestamp_tz"):
        return f"strftime({value} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    if kind == "timestamp":
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%f')"
    if kind == "blob":
        return f"base64({value})"
    if kind in _AS_THEY_ARE:
        return value
    return f"CAST({value} AS VARCHAR)"  # dates are ISO; all else as DuckDB says it


def _lost(value: str, type_: Any, keeps: Keeps, depth: int = 0) -> str | None:
    kind, inner = str(type_.id), f"v{depth}"
    if kind == "list":
        of_one = _lost(inner, _element(type_), keeps, depth + 1)
        return of_one and f"coalesce(list_sum(list_transform({value}, lambda {inner}: {of_one})), 0)"
    if kind == "struct":
        counts = [_lost(f"{value}.{name(n)}", t, keeps, depth) for n, t in type_.children]
        return " + ".join(count for count in counts if count) or None
    condition = keeps(value, kind)
    return f"CAST(coalesce(NOT ({condition}), false) AS INTEGER)" if condition else None


def _element(type_: Any) -> Any:
    return type_.children[0][1]


_AS_THEY_ARE = {
    *("boolean", "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger"),
    *("ubigint", "uhugeint", "float", "double", "decimal"),
}
