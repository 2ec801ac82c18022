"""The prompt of `vitalake sql`: reading inputs until somebody leaves.

Belongs here: the line editor, its keys and history. Does not belong here: what an input means
(`cli/sql/session.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.options import stdout
from cli.sql.session import ASK_FOR_HELP, Session
from vitalake.errors import PermanentError

if TYPE_CHECKING:
    from prompt_toolkit.key_binding import KeyBindings

_LEAVE = (".quit", ".exit", "quit", "exit", r"\q")  # people type what other prompts take


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
    console.print(f"{session.settings.catalog_path}, read-only. .help helps, .quit leaves.")
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
            console.print(trouble, style="red")


def is_complete(text: str) -> bool:
    """Whether Enter ends this input: it is empty, a dot command, or a statement with its semicolon."""
    text = text.strip()
    return not text or text.startswith(".") or text.endswith(";") or text.lower() in (*_LEAVE, *ASK_FOR_HELP)


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
