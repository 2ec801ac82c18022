"""What several commands share: the state folder, the choice of a dataset, both consoles, the question for consent.

Belongs here: options with one meaning everywhere. Does not belong here: what a command does with them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, TypeVar

import typer

from vitalake.errors import PermanentError

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

    from resources.settings import Settings
    from vitalake.arrivals.calendar import Partition
    from vitalake.lake.dataset import Dataset

DEFAULT_HOME = Path(".vitalake")
_PIPE_WIDTH = 10_000  # nobody looks at a pipe's width: lines are not broken there

Home = Annotated[Path, typer.Option("--home", envvar="VITALAKE_HOME", help="State folder of the local system.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the runs to end.")]


def settings_of(home: Path) -> Settings:
    """The settings of the system in `home`; a value that cannot be used is a PermanentError that names it."""
    from resources.home import settings_in

    return settings_in(home)


def dataset_named(name: str) -> Dataset:
    """The declared dataset of this name; a usage error that lists the known ones otherwise."""
    known = {dataset.name: dataset for dataset in all_datasets()}
    if name not in known:
        raise typer.BadParameter(f"unknown dataset {name!r}; known: {', '.join(sorted(known))}")
    return known[name]


def all_datasets() -> tuple[Dataset, ...]:
    """Every dataset that is declared."""
    from vitalake.datasets.declared import DATASETS

    return DATASETS


T = TypeVar("T", str, list[str], None)


def unicode(value: T) -> T:
    """Keys as they are; a usage error for what a shell gives that is no UTF-8."""
    keys: Sequence[str] = [value] if isinstance(value, str) else value or []
    for key in keys:
        try:
            key.encode()
        except UnicodeEncodeError:
            raise typer.BadParameter("it is not UTF-8 text, as every key is") from None
    return value


def day(text: str) -> date:
    """A calendar day as ``YYYY-MM-DD``; a usage error otherwise."""
    from datetime import datetime

    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day; write it as YYYY-MM-DD, e.g. 2026-11-20") from None


def partition_of(dataset: Dataset, text: str, *, last: bool = False) -> Partition:
    """A day, or an hour, of a dataset; a usage error otherwise. Of a day of hours the first one, or the `last`."""
    from vitalake.arrivals.calendar import Partition

    try:
        found = Partition.parse(text)
    except ValueError:
        if dataset.partition == "day":
            return Partition(day(text))
        raise typer.BadParameter(
            f"{text!r} is neither an hour nor a day; write it as YYYY-MM-DDTHH, e.g. 2026-11-20T05"
        ) from None
    if dataset.partition == "hour":
        return found if found.hour is not None else Partition(found.day, 23 if last else 0)
    if found.hour is not None:
        raise typer.BadParameter(f"{dataset.name} is built by the day; write {found.day}")
    return found


def stdout(file: IO[str] | None = None) -> Console:
    """Where results go; a pipe and a file get them unbroken and without colours."""
    from cli.console import PlainConsole

    return PlainConsole(file=file, width=None if (file or sys.stdout).isatty() else _PIPE_WIDTH)


def stderr() -> Console:
    """Where trouble and progress go."""
    from cli.console import PlainConsole

    return PlainConsole(stderr=True, soft_wrap=True)


def confirm(question: str, *, yes: bool, undone: str = "nothing was started") -> None:
    """Ask unless told not to; ends the command (exit 1) on a no, and where there is nobody to ask (exit 2).

    `undone` says what did not happen then.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise PermanentError(f"{undone}: there is no terminal to confirm on; pass --yes")
    typer.confirm(question, abort=True)
