"""One conversation with the lake: statements and the commands that begin with a dot, and the prompt for them.

Belongs here: what an input means, and errors in words. Does not belong here: how a result looks (`cli/results.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.options import stdout
from cli.results import show_table, write_file, write_text
from cli.running import START, answers
from vitalake.errors import PermanentError

if TYPE_CHECKING:
    import duckdb
    from prompt_toolkit.key_binding import KeyBindings

    from resources.settings import Settings

HELP = """\
SELECT …;       a statement ends with a semicolon and may have several lines
.tables         the tables and views, and what each holds
.schema TABLE   the columns of one, and what each means
.help           this
.quit           leave (or Ctrl-D); Ctrl-C stops a query or clears the input"""

# People type what other prompts take.
_LEAVE = (".quit", ".exit", "quit", "exit", r"\q")
_HELP = (".help", "help", "?")

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

    def run(self, text: str) -> str | None:
        """Carry out statements or one dot command; the error in words, None when all went well."""
        import duckdb

        try:
            if text.strip().rstrip(";").lower() in _HELP:
                stdout().print(HELP, markup=False)
                return None
            if text.lstrip().startswith("."):
                return self._command(text.strip().rstrip(";").split())
            self._statements(text)
        except duckdb.InterruptException:
            return "interrupted"
        except duckdb.Error as error:
            return self._explained(error)
        except OSError as error:
            if self.output is None:
                raise
            return f"cannot write {self.output}: {error.strerror or error}"
        return None

    def _statements(self, text: str) -> None:
        found = self.connection.extract_statements(text)
        shown = [statement for statement in found if _gives_rows(statement)]
        for statement in found:
            result = self.connection.execute(statement)
            if statement not in shown or (self.form != "table" and statement is not shown[-1]):
                continue
            reader = result.to_arrow_reader(2048)
            if self.output is not None:
                rows = write_file(reader, self.form, self.output, self.limit)
                print_rows(rows, self.output)
            elif self.form == "table":
                show_table(reader, stdout(), self.limit)
            else:
                write_text(reader, self.form)

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

    def _explained(self, error: duckdb.Error) -> str:
        endpoint = self.settings.s3_endpoint
        if endpoint and type(error).__name__ in ("IOException", "HTTPException") and not answers(endpoint):
            return f"no S3 server answers at {endpoint}; {START}"
        if self.settings.restricted_bucket in str(error) and "403" in str(error):
            return f"what names people lies in {self.settings.restricted_bucket}, which your keys may not read"
        return str(error)


def prompt(session: Session, history: Path) -> None:
    """Read and carry out until the end. Raises PermanentError when the history cannot be kept."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.lexers import PygmentsLexer
    from pygments.lexers.sql import SqlLexer  # type: ignore[import-untyped]

    try:
        history.touch(mode=0o600)
    except OSError as error:
        raise PermanentError(f"cannot keep the history in {history}: {error.strerror}") from error
    reader: PromptSession[str] = PromptSession(
        history=FileHistory(str(history)),
        multiline=True,
        key_bindings=_enter_ends_statements(),
        lexer=PygmentsLexer(SqlLexer),
        auto_suggest=AutoSuggestFromHistory(),
        reserve_space_for_menu=0,
        prompt_continuation="     ... ",
    )
    console = stdout()
    console.print(f"{session.settings.catalog_path}, read-only. .help helps, .quit leaves.", markup=False)
    while True:
        try:
            text = reader.prompt("vitalake> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text.rstrip("; ").lower() in _LEAVE:
            return
        if not text.strip("; \n"):
            continue
        try:
            trouble = session.run(text)
        except KeyboardInterrupt:
            trouble = "interrupted"
        if trouble:
            console.print(trouble, style="red", markup=False)


def is_complete(text: str) -> bool:
    """Whether Enter ends this input: it is empty, a dot command, or a statement with its semicolon."""
    text = text.strip()
    return not text or text.startswith(".") or text.endswith(";") or text.lower() in (*_LEAVE, *_HELP)


def print_rows(rows: int, output: Path) -> None:
    """Say what was written."""
    stdout().print(f"{rows:,} row{'s' * (rows != 1)} written to {output}", markup=False)


def _enter_ends_statements() -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def enter(event: Any) -> None:
        buffer = event.current_buffer
        if is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return keys


def _gives_rows(statement: Any) -> bool:
    return any(kind.name == "QUERY_RESULT" for kind in statement.expected_result_type)
