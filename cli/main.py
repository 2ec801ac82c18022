"""The program `vitalake`: its commands, and how errors become messages and exit codes.

Belongs here: which commands there are. Does not belong here: what one does, each in a module of its own. Those
import heavy libraries inside functions, so that `vitalake --help` is there at once.
"""

from __future__ import annotations

import os
import sys
import traceback

import typer

from cli import backfill, ddl_command, up
from cli.check import command as check_command
from cli.ecg import command as ecg_command
from cli.quarantine import command as quarantine
from cli.remove import command as remove_command
from cli.sql import command as sql
from cli.status import command as status
from cli.upload import command as upload_command
from vitalake.errors import PermanentError, TransientError
from vitalake.escaping import printable, printable_lines

EXIT_PART = 1
EXIT_PERMANENT = 2
EXIT_TRANSIENT = os.EX_TEMPFAIL
EXIT_INTERRUPTED = 130
# Of Click, or of the Click that newer versions of Typer bring.
_ClickError: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="vitalake",
    help="From files in a bucket to trustworthy SQL: recordings, scans, price lists, business records.",
    epilog="Begin with: vitalake up --demo — then, in another terminal: vitalake upload FOLDER --dataset ecg",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with local values would show keys and data
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    up,
    check_command,
    upload_command,
    sql,
    ecg_command,
    backfill,
    quarantine,
    remove_command,
    status,
    ddl_command,
):
    module.register(app)


def main() -> None:
    """Run one command. Exit codes: 1 part of it failed, 2 set-up or usage, 75 try again later, 130 interrupted."""
    try:
        sys.exit(app(standalone_mode=False))
    except _ClickError as error:  # its words repeat arguments, which may be names of files
        from typer.rich_utils import rich_format_error

        error.message = printable(error.message)  # type: ignore[attr-defined]
        rich_format_error(error)  # type: ignore[arg-type]
        sys.exit(EXIT_PERMANENT)
    except typer.Abort:
        _end("stopped", EXIT_PART)
    except PermanentError as error:
        _end(str(error), EXIT_PERMANENT)
    except TransientError as error:
        _end(f"{error}\nTry again later; `vitalake status` says what runs.", EXIT_TRANSIENT)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception:  # a fault of ours; what it quotes must not reach the terminal either
        _end(f"this is a fault of the program\n{traceback.format_exc()}", EXIT_PART)


def _end(message: str, code: int) -> None:
    sys.stderr.write(f"vitalake: {printable_lines(message)}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
