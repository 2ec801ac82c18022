"""The lake as a notebook holds it: its tables with their meaning, rows as pandas frames, signals in millivolts.

Belongs here: `Lake`, over a connection to the catalog. Does not belong here: finding and opening that
(`vitalake.open`, `resources/notebook.py`), judging what strangers ask (`cli/sql/readonly.py`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from vitalake.errors import PermanentError, TransientError
from vitalake.escaping import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import duckdb
    import pandas as pd
    import pyarrow as pa

    from vitalake.serving.recording_signals import RecordingSignals

MOST_BYTES = 2 * 2**30
_ROWS = 2048
_LISTED = 10
Day: TypeAlias = "date | str"
Parameters: TypeAlias = "Sequence[Any] | Mapping[str, Any]"


@dataclass(frozen=True)
class LakeColumn:
    """One column of a table or view: its type in SQL, and what it means, with the unit."""

    kind: str
    doc: str


@dataclass(frozen=True)
class LakeTable:
    """A table or view of the lake: what it holds, and its columns by name."""

    name: str
    doc: str
    columns: Mapping[str, LakeColumn]

    def __str__(self) -> str:
        width = max(map(len, self.columns), default=0)
        lines = [f"  {name:{width}}  {each.kind:10}  {each.doc}" for name, each in self.columns.items()]
        return "\n".join([f"{self.name}: {self.doc}", *lines])


class Lake:
    """A lake to ask; `vitalake.open()` gives it. Use it in one thread, and close it or let a `with` do so.

    Whatever it gives as a frame has types that depend on the columns alone: integers are `Int64`, truth values
    `boolean`, numbers with a fraction `float64`, dates `datetime64` without a zone, timestamps in UTC, lists numpy
    arrays. What names people can be asked only by who may read the restricted bucket.

    Args:
        connection: to the catalog, ready to ask. It is this object's from now on.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._tables: dict[str, LakeTable] | None = None

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection itself, for all else that DuckDB can do: `lake.connection.register("mine", frame)`.

        It holds the keys of the settings and carries out whatever it is told, writing to the buckets included.
        """
        return self._connection

    @property
    def tables(self) -> Mapping[str, LakeTable]:
        """Every table and view by name, with its meaning and its columns: `print(lake.tables["ecg_features"])`."""
        if self._tables is None:
            with _errors_in_words():
                views = self._connection.execute(
                    "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY view_name"
                ).fetchall()
                columns = self._connection.execute(
                    "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() "
                    "WHERE NOT internal ORDER BY table_name, column_index"
                ).fetchall()
            of: dict[str, dict[str, LakeColumn]] = {name: {} for name, _ in views}
            for table, name, kind, doc in columns:
                if table in of:
                    of[table][name] = LakeColumn(kind, doc or "")
            self._tables = {name: LakeTable(name, doc or "", of[name]) for name, doc in views}
        return self._tables

    def df(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        where: str | None = None,
        parameters: Sequence[Any] = (),
        days: Day | tuple[Day, Day] | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> pd.DataFrame:
        """Rows of one table or view.

        Args:
            table: its name, e.g. "ecg_features".
            columns: those that are wanted, in this order; None: all. Leave out samples if you can.
            where: a condition in SQL, e.g. "heart_rate_bpm > ? AND lead_name = ?".
            parameters: the values of its question marks.
            days: one day, or the first and the last of several; only their files are read.
            most_bytes: more than this is refused, before memory is full; never cut off.

        Raises:
            PermanentError: there is no such table or column, the condition is none, or the rows are too many.
            TransientError: the store does not answer.
        """
        known = self._named(table)
        for name in columns or ():
            if name not in known.columns:
                raise PermanentError(f"{table} has no column {_unknown(name, known.columns)}")
        chosen = ", ".join(f'"{name}"' for name in columns) if columns is not None else "*"
        conditions, values = [f"({where}\n)"] if where else [], list(parameters)
        if days is not None:
            if "date" not in known.columns:
                raise PermanentError(f"{table} is not stored by day: leave out `days`")
            first, last = map(_day, days if isinstance(days, tuple) else (days, days))
            conditions.append(f"date BETWEEN DATE '{first}' AND DATE '{last}'")
        condition = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return self._frame(f'SELECT {chosen} FROM "{table}"{condition}', values, most_bytes)  # noqa: S608

    def sql(
        self, query: str, parameters: Parameters | None = None, *, most_bytes: int = MOST_BYTES
    ) -> pd.DataFrame:
        """The rows of one SELECT in DuckDB's SQL.

        Args:
            query: `?` or `$name` stand for values.
            parameters: these values, in order or by name.
            most_bytes: more than this is refused, before memory is full; never cut off.

        Raises:
            PermanentError: it is not one statement that reads, DuckDB does not understand it, or the rows are too
                many.
            TransientError: the store does not answer.
        """
        return self._frame(query, parameters, most_bytes)

    def signals_mv(self, recording: str) -> RecordingSignals:
        """The leads of one recording, whole, in mV, with their R peaks.

        Args:
            recording: its key, its id, or an end of its key that no other has.

        Raises:
            PermanentError: no recording is called so, or several are, or none of its leads is known in mV.
            TransientError: the store does not answer.
        """
        from vitalake.serving import quarantine_queries, recording_queries, recording_signals

        with _errors_in_words():
            found = recording_queries.matching(self._connection, recording)
            if len(found) > 1:
                keys = "".join(f"\n  {printable(item.key)}" for item in found[:_LISTED])
                raise PermanentError(
                    f"{printable(recording)} fits {len(found):,} recordings; name more of it, e.g. one of{keys}"
                )
            if not found:
                refused = quarantine_queries.matching(self._connection, recording)
                why = "; ".join(sorted({f"{row.rule} {row.message}" for row in refused})[:_LISTED])
                raise PermanentError(
                    f"{printable(recording)} is in quarantine: {printable(why)}"
                    if refused
                    else f"no recording has the id, or a key that ends with, {printable(recording)}"
                )
            signals = recording_signals.signals_mv(self._connection, found[0])
        if not signals.leads:
            raise PermanentError(
                f"none of the {signals.lead_count} leads of {printable(signals.source_key)} is known in mV: a gain "
                'is not known, or a signal is no ECG. What is stored is in lake.df("ecg_signals", …)'
            )
        return signals

    def close(self) -> None:
        """Let go of the catalog; a closed lake cannot be asked."""
        self._connection.close()

    def __enter__(self) -> Lake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<vitalake.Lake: .tables, .df(table), .sql(query), .signals_mv(recording)>"

    def _named(self, table: str) -> LakeTable:
        if table not in self.tables:
            raise PermanentError(f"there is no table {_unknown(table, self.tables)}")
        return self.tables[table]

    def _frame(self, query: str, parameters: Parameters | None, most_bytes: int) -> pd.DataFrame:
        from vitalake.lake.computed.frames import frame_of

        with _errors_in_words():
            kinds = [statement.type.name for statement in self._connection.extract_statements(query)]
            if kinds != ["SELECT"]:
                raise PermanentError(
                    f"one statement that reads is taken, not {' and '.join(kinds) or 'an empty text'}; for all "
                    "else there is lake.connection"
                )
            rows = self._connection.execute(query, _of_python(parameters)).to_arrow_reader(_ROWS)
            return frame_of(_collected(rows, most_bytes))


def _of_python(parameters: Parameters | None) -> Parameters | None:
    """The values as Python has them: what comes from a frame is numpy's, which DuckDB does not take."""
    import numpy as np

    def plain(value: object) -> object:
        return value.item() if isinstance(value, (np.integer, np.floating, np.bool_)) else value

    if isinstance(parameters, Mapping):
        return {name: plain(value) for name, value in parameters.items()}
    return None if parameters is None else [plain(value) for value in parameters]


def _collected(reader: pa.RecordBatchReader, most_bytes: int) -> pa.Table:
    import pyarrow as pa

    batches, size = [], 0
    for batch in reader:
        batches.append(batch)
        size += batch.nbytes
        if size > most_bytes:
            raise PermanentError(
                f"more than {most_bytes / 2**30:.3g} GiB: name the columns or days that you need, aggregate in "
                "SQL, or say with most_bytes how much you want"
            )
    return pa.Table.from_batches(batches, reader.schema)


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=3)
    return f"{printable(name)!r}; " + (f"near it: {', '.join(near)}" if near else f"there are {', '.join(known)}")


def _day(value: Day) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise PermanentError(f"{value!r} is no day; write it as 2026-11-20, or give a datetime.date") from None


@contextmanager
def _errors_in_words() -> Iterator[None]:
    """DuckDB's errors as ours: what can be tried again, and what is to be changed."""
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.HTTPException) as error:
        raise TransientError(f"the lake could not be asked, does the store run? {_said(error)}") from error
    except duckdb.Error as error:
        raise PermanentError(f"DuckDB: {_said(error)}") from error


def _said(error: Exception) -> str:
    return str(error).strip()
