"""`vitalake upload`: files and folders into the raw bucket, again and again with the same result.

Belongs here: the command, its keys and what it says. Does not belong here: sending (`cli/upload.py`).
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DEFAULT_HOME, Home, dataset_named, day, printable, settings_of, stderr, stdout
from cli.running import require_store
from cli.upload import files_below, upload_all

if TYPE_CHECKING:
    from datetime import date

    from resources.settings import Settings

_DEVICE = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("upload")(upload)


def upload(
    paths: Annotated[
        list[Path], typer.Argument(help="Files, and folders with all that is below them.", exists=True)
    ],
    dataset: Annotated[str, typer.Option(help="Dataset that the files belong to, e.g. ecg.")],
    date: Annotated[
        str | None, typer.Option(help="Day of the recordings, YYYY-MM-DD; default: today in UTC.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Id of the device that recorded them.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=128, help="Uploads side by side.")] = 16,
    home: Home = DEFAULT_HOME,
) -> None:
    """Upload recordings: files, and folders with their structure.

    What is there already with the same content is skipped, so an upload that was interrupted goes on where it
    stopped when the same command is given again. Other content under the same name replaces what is there.
    Hidden files inside folders are left out.

    Example: `vitalake upload recordings/ --dataset ecg --device holter-01 --date 2026-11-20`
    """
    from datetime import datetime, timezone

    prefix = f"{dataset_named(dataset).name}/"
    today = datetime.now(timezone.utc).date()
    on = day(date) if date else today
    settings = settings_of(home)
    _check_day(on, today, settings)
    if device is not None and (not _DEVICE.fullmatch(device) or device in (".", "..")):
        raise typer.BadParameter("a device id is one part of a key: no slash, no control characters, not empty")
    prefix += f"date={on}/" + (f"device={device}/" if device else "")
    sources = files_below(paths, prefix)
    console, trouble = stdout(), stderr()
    if not sources:
        console.print(f"Nothing to upload: no files below {printable(', '.join(map(str, paths)))}.", markup=False)
        return
    require_store(settings)
    command = printable(_command(paths, dataset, on, device, workers, home))
    console.print(f"{_files(len(sources))} to s3://{settings.raw_bucket}/{printable(prefix)}", markup=False)
    try:
        sent = upload_all(settings, sources, console, workers=workers)
    except BaseException:
        trouble.print(f"Stopped. What is there stays; go on with:\n  {command}", markup=False)
        raise
    for file, reason in sent.failed:
        trouble.print(f"failed: {printable(file)}: {reason}", markup=False)
    console.print(
        f"{sent.uploaded:,} uploaded, {sent.skipped:,} skipped (already there), {len(sent.failed):,} failed"
    )
    if sent.failed:
        trouble.print(f"When that is mended, go on with:\n  {command}", markup=False)
        raise typer.Exit(1)


def _check_day(on: date, today: date, settings: Settings) -> None:
    from datetime import timedelta

    if on < settings.first_day:
        raise typer.BadParameter(
            f"{on} is before {settings.first_day}, the first day of the lake (VITALAKE_FIRST_DAY), so it would not "
            "be taken for the day of the recordings"
        )
    if on > today + timedelta(days=1):
        stderr().print(f"{on} has not come yet: the recordings wait in the bucket until then.")


def _files(count: int) -> str:
    return f"{count:,} file{'s' * (count != 1)}"


def _command(paths: list[Path], dataset: str, on: date, device: str | None, workers: int, home: Path) -> str:
    """The command that goes on with this upload, on any day."""
    words = ["vitalake", "upload", *map(str, paths), "--dataset", dataset, "--date", str(on)]
    words += ["--device", device] if device else []
    words += ["--workers", str(workers)] if workers != 16 else []
    words += ["--home", str(home)] if home != DEFAULT_HOME else []
    return shlex.join(words)
