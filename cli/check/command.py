"""`vitalake check`: what would become of files, before they are uploaded.

Belongs here: the command, the keys that it assumes, its exit codes. Does not belong here: reading the files
(`cli/check/account.py`), what is shown (`cli/check/text.py`, `cli/check/document.py`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.ecg.command import MOST_SECONDS
from cli.ecg.picture_file import check_picture_path
from cli.options import DEFAULT_HOME, Home, all_datasets, settings_of, stderr, stdout, unicode
from cli.upload.files import files_below
from cli.upload.prefix import upload_prefix, upload_time
from vitalake.errors import PermanentError
from vitalake.escaping import json_text, printable

if TYPE_CHECKING:
    from cli.check.account import Account
    from cli.check.local_files import LocalListing
    from cli.check.recordings import CheckedRecording
    from vitalake.arrivals.calendar import Calendar
    from vitalake.lake.dataset import Dataset

_SHOWN_NUMBERS = 5  # of records that are refused for one reason
_WITH_PROGRESS_BYTES = 8 * 2**20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    paths: Annotated[
        list[Path], typer.Argument(help="Files, and folders with all that is below them.", exists=True)
    ],
    dataset: Annotated[
        str | None, typer.Option(help="Dataset that the files are for, e.g. ecg, retina or pricing.")
    ] = None,
    declaration: Annotated[
        Path | None,
        typer.Option(help="Python file that declares the dataset, installed or not.", exists=True, dir_okay=False),
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(
            help="Day they would be uploaded to, YYYY-MM-DD, or hour, YYYY-MM-DDTHH; default: now, in UTC."
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="Id of the device that the files are from.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Of entities: the system that exported them, e.g. crm.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            callback=unicode,
            help="Key under which the file arrives, or with a slash at its end what the keys of all begin with; "
            "default: as `vitalake upload` would name them.",
        ),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw an ECG into this PNG file, or several into this HTML file, too.")
    ] = None,
    lead: Annotated[list[str] | None, typer.Option(help="Draw only this lead of an ECG; may be repeated.")] = None,
    start: Annotated[
        float | None, typer.Option("--from", min=0, help="Draw an ECG from this second; default: its worst place.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1, max=MOST_SECONDS, help="Length drawn; default: all, 10 of a long one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document, for programs.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Most rows of each table that are shown.")] = 5,
    home: Home = DEFAULT_HOME,
) -> None:
    """Say what would become of files: rows by table, what is refused and why, warnings, and verdicts on ECGs.

    Nothing has to run, and nothing is uploaded or kept. The lake's own code reads the files, under the keys that
    `vitalake upload` would give them now. Files that make up one recording (.hea with .dat or .mat) are named
    together. Identifiers of people that the lake replaces become pseudonyms here too, by a key of this check alone.

    A declaration in a file of its own need not be installed; its rules and views are tried before any file is read.

    Exit codes: 0 everything would be in the lake's tables, whatever the verdict on an ECG; 1 a file or a record
    would be refused; 2 the declaration is wrong, or the command.

    Example: `vitalake check weights.csv --declaration my_dataset.py`

    Example: `vitalake check rest_01.hea rest_01.dat --dataset ecg --picture rest_01.png`

    Example: `vitalake check exports/ --dataset entities --source crm --json`
    """
    if picture is not None:
        from cli.check.picture import KINDS

        check_picture_path(picture, KINDS)
    from cli.check import document, text
    from cli.check.account import account_of
    from cli.check.declaration import declaration_of, faults_of
    from cli.check.local_files import listed
    from cli.check.recordings import has_recordings, recordings_of
    from cli.check.throwaway_pseudonyms import ThrowawayPseudonyms

    declared = declaration_of(dataset, declaration)
    chosen, now, first_day = declared.dataset, datetime.now(timezone.utc), settings_of(home).first_day
    if picture is not None and not has_recordings(chosen):
        raise typer.BadParameter(f"--picture draws ECGs, and {chosen.name} has none")
    sources, keys = _sources(chosen, paths, chosen.calendar(first_day), now, date, device, source, key)
    if not sources:
        raise PermanentError(f"nothing to check: no files below {', '.join(map(str, paths))}")
    listing = listed(sources, now)
    pseudonyms = ThrowawayPseudonyms(secrets.token_bytes(32))
    with faults_of(declared), _progress(listing) as advance:
        account = account_of(
            chosen, listing, first_day, pseudonyms, limit, _SHOWN_NUMBERS, advance, keep=has_recordings(chosen)
        )
    recordings = recordings_of(account, lead or [], start, seconds)
    assumed = [keys, *_assumed(account, now)]
    if declaration is not None and any(each.name == chosen.name for each in all_datasets()):
        assumed.append(f"{declaration} stands in for the dataset {chosen.name} that is installed")
    if as_json:
        typer.echo(json_text(document.document(account, recordings, assumed)))
    else:
        text.show_account(account, recordings, assumed, stdout())
    for file, reason in account.failed:
        stderr().print(f"failed: {printable(str(file))}: {reason}")
    if picture is not None:
        _draw(picture, recordings, quiet=as_json)
    if account.refused:
        raise typer.Exit(1)


def _sources(
    dataset: Dataset,
    paths: list[Path],
    calendar: Calendar,
    now: datetime,
    date: str | None,
    device: str | None,
    source: str | None,
    key: str | None,
) -> tuple[list[tuple[str, Path]], str]:
    """Files with the keys that they would have, and in words why these."""
    if key is None:
        on = upload_time(dataset, date, calendar, now)
        prefix = upload_prefix(dataset, on, device, source)
        words = f"the files are uploaded as {prefix}… (otherwise: --date, --device, --key)"
    elif date or device or source:
        raise typer.BadParameter("--key says everything about the key: leave out --date, --device and --source")
    elif not key.startswith(dataset.prefix):
        raise typer.BadParameter(
            f"the lake looks for {dataset.name} below {dataset.prefix}, so a key begins with that"
        )
    else:
        prefix, words = key, f"the files arrive as {key}" + "…" * key.endswith("/")
    found = [(each.key, each.content) for each in files_below(paths, prefix if prefix.endswith("/") else "")]
    sources = [(name, file) for name, file in found if isinstance(file, Path)]
    if prefix.endswith("/"):
        return sources, words
    if len(sources) > 1:
        raise typer.BadParameter(f"one key is for one file, and here are {len(sources):,}: end --key with a slash")
    return [(prefix, file) for _, file in sources], words


def _assumed(account: Account, now: datetime) -> Iterator[str]:
    """What the answer depends on, and nobody said."""
    yield f"they are uploaded now, at {now:%Y-%m-%d %H:%M:%S} UTC, which rules know as uploaded_at"
    if any(each.pseudonymised for each in account.tables.values()):
        yield "what is marked * is a pseudonym by a key of this check alone: in the lake it is another"
    computed = [item.table for item in (*account.dataset.computed, *account.dataset.feeds)]
    later = [*(table for item in account.dataset.combined for table in item.tables), *computed]
    if later:
        yield f"not computed here, as they need more than these files: {', '.join(table.name for table in later)}"


def _draw(picture: Path, recordings: Sequence[CheckedRecording], *, quiet: bool) -> None:
    from cli.check.picture import write_picture

    if not recordings:
        stderr().print(f"{printable(str(picture))} is not drawn: no recording can be read")
        return
    write_picture(picture, recordings)
    if not quiet:
        stdout().print(f"drawn to {printable(str(picture))}")


@contextmanager
def _progress(listing: LocalListing) -> Iterator[Callable[[int], None]]:
    """Something to call with bytes that are read: a bar on a terminal, where there is much to read."""
    console, total = stderr(), sum(item.size_bytes for item in listing.items)
    if not console.is_terminal or total < _WITH_PROGRESS_BYTES:
        yield lambda _: None
        return
    from rich import progress as bars

    columns = (bars.BarColumn(), bars.DownloadColumn(), bars.TransferSpeedColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("check", total=total)
        yield lambda size_bytes: bar.update(task, advance=size_bytes)
