"""One conversation with the lake: statements and the commands that begin with a dot.

Belongs here: what an input means, and errors in words. Does not belong here: reading inputs (`cli/sql/prompt.py`),
which statements are run (`cli/sql/readonly.py`), how a result looks (`cli/sql/result_table.py`,
`cli/sql/results.py`).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.options import stdout
from cli.reachable import START
from cli.sql.readonly import StatementRefusedError, judge
from cli.sql.result_table import show_table
from cli.sql.results import whole_file, write_parquet, write_text
from resources.reachable import answers
from vitalake.escaping import printable

if TYPE_CHECKING:
    import duckdb

    from resources.settings import Settings

HELP = """\
SELECT …;       a statement ends with a semicolon and may have several lines; what writes is refused
.tables         the tables and views, and what each holds
.schema TABLE   the columns of one, and what each means
.help           this
.quit           leave (or Ctrl-D); Ctrl-C stops a query or clears the input"""

ASK_FOR_HELP = (".help", "help", "?")  # people type what other prompts take

_TABLES = "SELECT view_name AS name, comment AS holds FROM duckdb_views() WHERE NOT internal ORDER BY name"
_SCHEMA = """SELECT column_name AS "column", data_type AS type, comment AS means
    FROM duckdb_columns() WHERE NOT internal AND lower(table_name) = lower(?) ORDER BY column_index"""


@dataclass(frozen=True)
class Session:
    """A connection and how its results are written."""

    connection: duckdb.DuckDBPyConnection
    settings: Settings
    form: str = "table"
    output: Path | None = None
    limit: int = 50
    exact: bool = False

    def run(self, text: str) -> str | None:
        """Carry out statements or one dot command; the error in words, None when all went well.

        Raises:
            KeyboardInterrupt: by Ctrl-C; the connection can be asked again.
        """
        import duckdb

        try:
            text.encode()
        except UnicodeEncodeError:
            return "the query is not UTF-8 text: save or type it as UTF-8"
        try:
            if text.strip().rstrip(";").lower() in ASK_FOR_HELP:
                stdout().print(HELP)
            elif text.lstrip().startswith("."):
                return self._command(text.strip().rstrip(";").split())
            else:
                with _stoppable(self.connection):
                    self._statements(text)
        except duckdb.InterruptException:
            return "interrupted"
        except (duckdb.Error, StatementRefusedError) as error:
            return self._explained(error)
        except RuntimeError as error:
            if isinstance(error.__cause__, KeyboardInterrupt):  # as DuckDB reports it
                raise error.__cause__ from None
            raise
        except BrokenPipeError:  # whoever read has seen enough
            raise
        except OSError as error:
            return f"cannot write {self.output or 'the result'}: {error.strerror or error}"
        return None

    def _statements(self, text: str) -> None:
        found = judge(text, self.settings.buckets)  # all of them, before the first runs
        shown = [statement for statement in found if statement.has_rows]
        for statement in found:
            if not statement.has_rows or (self.form != "table" and statement is not shown[-1]):
                self.connection.execute(statement.text)
            elif self.output is None:
                self._write(statement.text)
            else:
                with whole_file(self.output) as draft:
                    rows = self._write(statement.text, draft)
                print_rows(rows, self.output)

    def _write(self, query: str, path: Path | None = None) -> int:
        """Write to a file, or show; how many rows."""
        if self.form == "parquet" and path is not None:
            return write_parquet(self._result(query), path)
        with nullcontext() if path is None else path.open("w", encoding="utf-8", newline="") as file:
            if self.form != "table":
                return write_text(self._result(query), self.form, file, exact=self.exact)
            reader = self.connection.execute(query).to_arrow_reader(2048)
            return show_table(reader, stdout(file), self.limit)

    def _result(self, query: str) -> duckdb.DuckDBPyRelation:
        result: duckdb.DuckDBPyRelation | None = self.connection.sql(query)
        if result is None:
            raise StatementRefusedError("an EXPLAIN of a PIVOT is several statements, whose rows cannot be written")
        return result

    def _command(self, words: list[str]) -> str | None:
        if words[0] == ".tables":
            self._show(_TABLES)
        elif words[0] == ".schema" and len(words) == 2:
            name = words[1]
            if not self.connection.execute(_SCHEMA, [name]).fetchall():
                return f"there is no table {name}; .tables lists them"
            self._show(_SCHEMA, name)
        elif words[0] == ".schema":
            return "which table? e.g. .schema ecg_recordings"
        else:
            return f"there is no command {words[0]}; .help lists them"
        return None

    def _show(self, query: str, *values: str) -> None:
        show_table(
            self.connection.execute(query, list(values)).to_arrow_reader(2048), stdout(), 10_000, shorten=False
        )

    def _explained(self, error: Exception) -> str:
        endpoint = self.settings.s3_endpoint
        if endpoint and str(error).startswith(("IO Error", "HTTP Error")) and not answers(endpoint):
            return f"no S3 server answers at {endpoint}; {START}"
        if self.settings.restricted_bucket in str(error) and "403" in str(error):
            return f"what names people lies in {self.settings.restricted_bucket}, which your keys may not read"
        return str(error)


def print_rows(rows: int, output: Path) -> None:
    """Say what was written."""
    stdout().print(f"{rows:,} row{'s' * (rows != 1)} written to {printable(str(output))}")


@contextmanager
def _stoppable(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let Ctrl-C end every thread of a query. By itself DuckDB waits for the others, however long they take."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        connection.interrupt()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
