"""A view as a PostgreSQL table, brought in line in one transaction: readers see the old rows or the new ones.

Belongs here: everything that speaks PostgreSQL: the target, staging, the merge, and errors. Does not belong here:
PostgreSQL's types (`resources/sinks/postgres_types.py`), when a view is delivered (`vitalake/lake/sinks.py`).

The table belongs to the delivery: what is in it and not in the view is deleted. Rows that are equal are not
touched, not even locked: `ON CONFLICT DO UPDATE … WHERE` alone would lock, and so write, each of them.
"""

# ruff: noqa: S608 - names are declared by datasets, and quoted

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from resources.sinks.postgres_types import KEY_BYTES, PgColumn, columns_of, holds, indexes
from resources.sinks.view_rows import ViewRows, name
from vitalake.errors import PermanentError, TransientError
from vitalake.lake.sinks import Delivery, Progress

if TYPE_CHECKING:
    import pyarrow as pa

_LOCK_WITHIN = "60s"
_STAGE = "vitalake_stage"
_LONGEST_NAME = 63
_BAD_KEY = "key with a NUL character or a time without end, which PostgreSQL cannot hold"
_LONG_KEY = f"key of more than {KEY_BYTES:,} bytes, which no index of PostgreSQL takes"
_ADVICE = {
    "42501": "the role lacks a right: it has to create schemas and tables, or own the schema",
    "3D000": "the database does not exist: create it",
    "3F000": "the schema does not exist and cannot be made: create it",
    "42P07": "something else has the table's name: drop or rename it",
    "42809": "something else has the table's name: drop or rename it",
    "22021": "the database's encoding cannot hold the text: use one in UTF-8",
}
# Connection lost, server starting or stopping, out of resources, deadlock, lock or statement timeout; and two
# deliveries that make one schema at once.
_PASSES = ("08", "53", "57", "40", "55", "23505")


class PostgresTable:
    """The tables of one schema, each named as its view.

    Args:
        url: ``postgresql://user:password@host/database``; never part of an error.
        schema: made if there is none.
    """

    def __init__(self, url: str, schema: str = "vitalake") -> None:
        self._url = url
        self._schema = schema

    def deliver(self, view: ViewRows, progress: Progress) -> Delivery:
        """Bring the table in line with the rows as they are now; make it if there is none.

        Raises:
            PermanentError: the table that is there has other columns, or the database refuses.
            TransientError: it does not answer, or another delivery has the table for long.
        """
        columns, key = columns_of(view.types), view.sink.key
        for text in (self._schema, view.sink.view, *(column.name for column in columns)):
            if len(text.encode()) > _LONGEST_NAME:
                raise PermanentError(f"{text}: PostgreSQL cuts names at {_LONGEST_NAME} bytes; use a shorter one")
        named = [column for column in columns if column.name in key]
        held, fits = holds(named), f"{holds(named)} AND {indexes(named)}"
        rows, good, fit = view.ask(
            f"SELECT count(*), count(*) FILTER ({held}), count(*) FILTER ({fits}) FROM {{rows}}"
        )
        refused = {_BAD_KEY: rows - good, _LONG_KEY: good - fit}
        lost = view.total(column.lost for column in columns)
        with self._transaction() as ask:
            self._prepare(ask, view.sink.view, columns, key)
            picked = ", ".join(f"{column.select} AS {name(column.name)}" for column in columns)
            stream = view.stream(f"SELECT {picked} FROM {{rows}} WHERE {fits}")
            ask.copy(_counted(stream, fit, progress))
            ask(f"ANALYZE pg_temp.{_STAGE}")
            written, deleted = self._merge(ask, view.sink.view, columns, key)
        return Delivery(
            rows,
            written,
            deleted,
            unchanged=fit - written,
            refused=rows - fit,
            not_representable=lost,
            reasons=tuple(f"{count} x {reason}" for reason, count in refused.items() if count),
        )

    @contextmanager
    def _transaction(self) -> Iterator[_Ask]:
        """One transaction, committed at the end, or nothing at all."""
        import adbc_driver_manager
        import adbc_driver_postgresql.dbapi as postgres

        try:
            with postgres.connect(_patient(self._url)) as connection, connection.cursor() as cursor:
                yield _Ask(cursor)
                connection.commit()
        except adbc_driver_manager.Error as error:  # its text holds values of rows, or the address
            raise _explained(error, self._schema) from None

    def _prepare(self, ask: _Ask, table: str, columns: Sequence[PgColumn], key: Sequence[str]) -> None:
        """One delivery at a time; the table, made or verified; and an empty staging table."""
        ask(f"SET LOCAL lock_timeout = '{_LOCK_WITHIN}'")
        ask(f"SELECT pg_advisory_xact_lock(hashtextextended({_quoted(f'{self._schema}.{table}')}, 0))::text")
        target = f"{name(self._schema)}.{name(table)}"
        declared = ", ".join(
            f"{name(column.name)} {column.type}{' NOT NULL' if column.name in key else ''}" for column in columns
        )
        there = self._columns(ask, table)
        if not there:
            if not ask(f"SELECT 1 FROM pg_namespace WHERE nspname = {_quoted(self._schema)}"):
                ask(f"CREATE SCHEMA {name(self._schema)}")
            ask(f"CREATE TABLE {target} ({declared}, PRIMARY KEY ({', '.join(map(name, key))}))")
        else:
            self._verify(ask, table, columns, key, there)
        staged = ", ".join(f"{name(column.name)} {column.staged}" for column in columns)
        ask(f"CREATE TEMP TABLE {_STAGE} ({staged}) ON COMMIT DROP")

    def _verify(
        self, ask: _Ask, table: str, columns: Sequence[PgColumn], key: Sequence[str], there: dict[str, str]
    ) -> None:
        declared = {column.name: column.type for column in columns}
        differ = sorted(
            f"{column} is {there.get(column, 'not there')}, declared {declared.get(column, 'not at all')}"
            for column in there.keys() | declared.keys()
            if there.get(column) != declared.get(column)
        )
        found = ask(
            "SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
            "AND a.attnum = ANY (i.indkey) WHERE i.indisprimary AND i.indrelid = " + self._oid(table)
        )
        if {column for (column,) in found} != set(key):
            differ.append(f"its primary key is not ({', '.join(key)})")
        if differ:
            raise PermanentError(
                f"{self._schema}.{table} is not as the view is: {'; '.join(differ)}. Drop the table, or rename it: "
                "the next delivery makes it anew"
            )

    def _columns(self, ask: _Ask, table: str) -> dict[str, str]:
        return dict(
            ask(
                "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attnum > 0 "
                f"AND NOT attisdropped AND attrelid = {self._oid(table)} ORDER BY attnum"
            )
        )

    def _oid(self, table: str) -> str:
        return f"to_regclass({_quoted(f'{name(self._schema)}.{name(table)}')})"

    def _merge(self, ask: _Ask, table: str, columns: Sequence[PgColumn], key: Sequence[str]) -> tuple[int, int]:
        """Write what differs and delete what the view lacks; how many rows of each."""
        target = f"{name(self._schema)}.{name(table)}"
        others = [column for column in columns if column.name not in key]
        names = ", ".join(name(column.name) for column in columns)
        same_key = " AND ".join(f"t.{name(column)} = s.{name(column)}" for column in key)
        staged = f"(SELECT {', '.join(column.cast for column in columns)} FROM pg_temp.{_STAGE}) s"
        new = f"t.{name(key[0])} IS NULL"
        conflict = "NOTHING"
        if others:
            mine, theirs, excluded = (
                f"ROW({', '.join(f'{side}.{name(column.name)}' for column in others)})"
                for side in ("t", "s", "EXCLUDED")
            )
            new += f" OR {mine} IS DISTINCT FROM {theirs}"
            updates = ", ".join(f"{name(column.name)} = EXCLUDED.{name(column.name)}" for column in others)
            conflict = f"UPDATE SET {updates} WHERE {mine} IS DISTINCT FROM {excluded}"
        written = ask.count(
            f"INSERT INTO {target} AS t ({names}) SELECT s.* FROM {staged} LEFT JOIN {target} t ON {same_key} "
            f"WHERE {new} ON CONFLICT ({', '.join(map(name, key))}) DO {conflict}"
        )
        deleted = ask.count(f"DELETE FROM {target} t WHERE NOT EXISTS (SELECT 1 FROM {staged} WHERE {same_key})")
        return written, deleted


class _Ask:
    """Statements on one cursor. Every answer is read to its end: else the driver may not begin a transaction."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def __call__(self, sql: str) -> list[Any]:
        self._cursor.execute(sql)
        found: list[Any] = self._cursor.fetchall()
        return found

    def count(self, sql: str) -> int:
        """Rows that a statement wrote."""
        self._cursor.execute(sql)
        return int(self._cursor.rowcount)

    def copy(self, stream: pa.RecordBatchReader) -> None:
        """COPY a stream of Arrow batches into the staging table."""
        # Named as what it is: the driver looks for other tables in `public`.
        self._cursor.adbc_ingest(_STAGE, stream, mode="append", db_schema_name="pg_temp")


def _counted(stream: pa.RecordBatchReader, rows: int, progress: Progress) -> pa.RecordBatchReader:
    import pyarrow as pa

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        for batch in stream:
            yield batch
            done += batch.num_rows
            progress(done, rows)

    return pa.RecordBatchReader.from_batches(stream.schema, batches())


def _patient(url: str) -> str:
    """The URL with an end to waiting for a connection, unless it says one."""
    return url if "connect_timeout" in url else f"{url}{'&' if '?' in url else '?'}connect_timeout=10"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _explained(error: Any, where: str) -> TransientError | PermanentError:
    """An error of the driver in the project's terms; of its text nothing is repeated."""
    state = error.sqlstate or ""
    text = str(error)
    if "password authentication failed" in text or "no pg_hba.conf entry" in text:
        return PermanentError(f"{where}: PostgreSQL refuses the user or the password; check the URL")
    if re.search(r'FATAL:  database ".*" does not exist', text):
        state = "3D000"  # before there is a connection, the driver has no state
    if state in _ADVICE:
        return PermanentError(f"{where}: {_ADVICE[state]} (SQLSTATE {state})")
    if not state or state.startswith(_PASSES):
        return TransientError(f"{where}: PostgreSQL did not answer as it should ({state or 'no connection'})")
    return PermanentError(f"{where}: PostgreSQL refused (SQLSTATE {state}); look it up in the server's log")
