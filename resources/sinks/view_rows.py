"""A view of the lake, read once, for whoever delivers it elsewhere.

Belongs here: one consistent reading of a view, whether its key is one, and the SQL that puts its values in forms
that every target understands. Does not belong here: the targets, or what a delivery is (`vitalake/lake/sinks.py`).

The rows lie in a temporary table of DuckDB, which moves to disk what exceeds its memory. So the key is checked on
the very rows that are delivered, S3 is read once, and comparing and sorting need no memory of Python's.
"""

# ruff: noqa: S608 - names are declared by datasets, and quoted

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from vitalake.errors import PermanentError, TransientError
from vitalake.lake.sinks import Sink

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH_ROWS = 10_000
_MEMORY = "512MB"
_TABLE = "temp.delivered_view"

# The condition under which a target can hold a value, given its SQL and its type; None: in any case.
Keeps = Callable[[str, str], "str | None"]
# The form in which it goes there.
Form = Callable[[str, str], str]


class SinkValue(NamedTuple):
    """A value as a target holds it.

    Args:
        sql: of the value in its form, null where it cannot be kept.
        lost: SQL of how many values in it cannot be kept; None: never any.
    """

    sql: str
    lost: str | None


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
        return {column: each.sql for column, each in self._kept(keeps).items()}

    def json(self, keeps: Keeps) -> str:
        """SQL of a row as one JSON object, columns in order, always valid JSON."""
        packed = ", ".join(f"{name(column)} := {sql}" for column, sql in self.plain(keeps).items())
        return f"to_json(struct_pack({packed}))::VARCHAR"

    def count_lost(self, keeps: Keeps) -> int:
        """How many values cannot be kept."""
        return self.total(each.lost for each in self._kept(keeps).values())

    def total(self, counts: Iterable[str | None]) -> int:
        """The sum over all rows of what some SQL counts in each."""
        said = " + ".join(count for count in counts if count)
        return int(self.ask(f"SELECT sum({said}) FROM {_TABLE}")[0] or 0) if said else 0

    def _kept(self, keeps: Keeps) -> dict[str, SinkValue]:
        return {column: sink_value(name(column), type_, keeps, as_json) for column, type_ in self.types.items()}

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


def sink_value(value: str, type_: Any, keeps: Keeps, form: Form, depth: int = 0) -> SinkValue:
    """A value of any type, as far as it can be kept: lists and structs lose no more than the parts that cannot."""
    kind, inner = str(type_.id), f"v{depth}"
    if kind == "list":
        each = sink_value(inner, type_.children[0][1], keeps, form, depth + 1)
        lost = each.lost and f"coalesce(list_sum(list_transform({value}, lambda {inner}: {each.lost})), 0)"
        return SinkValue(
            value if each.sql == inner else f"list_transform({value}, lambda {inner}: {each.sql})", lost
        )
    if kind == "struct":
        fields = {name(n): sink_value(f"{value}.{name(n)}", t, keeps, form, depth) for n, t in type_.children}
        packed = ", ".join(f"{field} := {part.sql}" for field, part in fields.items())
        lost = " + ".join(part.lost for part in fields.values() if part.lost) or None
        return SinkValue(f"CASE WHEN {value} IS NOT NULL THEN struct_pack({packed}) END", lost)
    if kind not in _KNOWN:  # the rest as DuckDB says it
        value, kind = f"CAST({value} AS VARCHAR)", "varchar"
    condition, sql = keeps(value, kind), form(value, kind)
    if condition is None:
        return SinkValue(sql, None)
    return SinkValue(
        f"CASE WHEN {condition} THEN {sql} END", f"CAST(coalesce(NOT ({condition}), false) AS INTEGER)"
    )


def as_json(value: str, kind: str) -> str:
    """A value of a plain type in a form that JSON has too."""
    if kind in ("timestamp with time zone", "timestamp_tz"):
        return f"strftime({value} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    if kind == "timestamp":
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%f')"
    if kind == "blob":
        return f"base64({value})"
    return f"CAST({value} AS VARCHAR)" if kind == "date" else value  # dates are ISO


_KNOWN = {
    *("boolean", "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger"),
    *("ubigint", "uhugeint", "float", "double", "decimal"),
    *("date", "timestamp", "timestamp with time zone", "timestamp_tz", "blob"),
}
