"""`vitalake upload`: files and folders into the raw bucket, again and again with the same result.

Belongs here: the command and what it says. Does not belong here: sending (`cli/upload/files.py`), where files go
(`cli/upload/prefix.py`).
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DEFAULT_HOME, Home, dataset_named, settings_of, stderr, stdout
from cli.reachable import require_store
from cli.upload.files import files_below, upload_all
from cli.upload.prefix import upload_prefix, upload_time
from cli.upload.pseudonymous_keys import pseudonymous
from vitalake.escaping import printable
from vitalake.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from resources.settings import Settings
    from vitalake.arrivals.calendar import Partition


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("upload")(upload)


def upload(
    paths: Annotated[
        list[Path], typer.Argument(help="Files, and folders with all that is below them.", exists=True)
    ],
    dataset: Annotated[str, typer.Option(help="Dataset that the files belong to, e.g. ecg, retina or pricing.")],
    date: Annotated[
        str | None,
        typer.Option(help="Day of the data, YYYY-MM-DD, or hour, YYYY-MM-DDTHH; default: now, in UTC."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="Id of the device that the files are from.")] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Of entities: the system that exported them, e.g. crm, unless the files say it."),
    ] = None,
    pseudonymous_names: Annotated[
        bool,
        typer.Option(
            "--pseudonymous-names", help="Give each object a pseudonym of its file's path for a name. Not for WFDB."
        ),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=128, help="Uploads side by side.")] = 16,
    home: Home = DEFAULT_HOME,
) -> None:
    """Upload files, and folders with their structure: s3://BUCKET/DATASET/date=DAY/[hour=HH/][device=ID/]FILE.

    What is there already with the same content is skipped, so an upload that was interrupted goes on where it
    stopped when the same command is given again. Other content under the same name replaces what is there.
    Hidden files inside folders are left out. Nothing is looked into: what cannot be read ends in quarantine.

    Keys are published: the names of files and folders, and the device's id, are seen by everybody who may read the
    lake, and in alerts, logs and the web UI. They must name no person. Where files are called after people, give
    --pseudonymous-names: a file's path becomes a pseudonym, by this system's key (VITALAKE_PSEUDONYM_KEY), the same
    every time. Which is which is said here and nowhere else.

    Example: `vitalake upload recordings/ --dataset ecg --device holter-01 --date 2026-11-20`

    Example: `vitalake upload ward-3/ --dataset ecg --pseudonymous-names`

    Example: `vitalake upload prices.csv --dataset pricing`

    Example: `vitalake upload customers.json --dataset entities --source crm`
    """
    from datetime import datetime, timezone

    chosen = dataset_named(dataset)
    now, settings = datetime.now(timezone.utc), settings_of(home)
    calendar = chosen.calendar(settings.first_day)
    on = upload_time(chosen, date, calendar, now)
    if on > calendar.newest(now):
        stderr().print(f"{on} has not come yet: the files wait in the bucket until then.")
    prefix = upload_prefix(chosen, on, device, source)
    sources = files_below(paths, prefix)
    if pseudonymous_names:
        sources = pseudonymous(sources, prefix, Pseudonyms(_secret(settings)))
    console, trouble = stdout(), stderr()
    if not sources:
        console.print(f"Nothing to upload: no files below {printable(', '.join(map(str, paths)))}.")
        return
    require_store(settings)
    command = printable(_command(paths, dataset, on, device, source, pseudonymous_names, workers, home))
    console.print(f"{_files(len(sources))} to s3://{settings.raw_bucket}/{printable(prefix)}")
    for each in sources if pseudonymous_names else ():
        console.print(f"  {each.key.removeprefix(prefix)}  {printable(str(each.content))}")
    try:
        sent = upload_all(settings, sources, console, workers=workers, limit_bytes=chosen.limits.object_bytes)
    except BaseException:
        trouble.print(f"Stopped. What is there stays; go on with:\n  {command}")
        raise
    for file, reason in sent.failed:
        trouble.print(f"failed: {printable(file)}: {reason}")
    console.print(
        f"{sent.uploaded:,} uploaded, {sent.skipped:,} skipped (already there), {len(sent.failed):,} failed"
    )
    if sent.failed:
        trouble.print(f"When that is mended, go on with:\n  {command}")
        raise typer.Exit(1)


def _files(count: int) -> str:
    return f"{count:,} file{'s' * (count != 1)}"


def _secret(settings: Settings) -> bytes:
    key = settings.pseudonym_key
    return b"" if key is None else key.get_secret_value().encode()


def _command(
    paths: list[Path],
    dataset: str,
    on: Partition,
    device: str | None,
    source: str | None,
    pseudonymous_names: bool,
    workers: int,
    home: Path,
) -> str:
    """The command that goes on with this upload, on any day."""
    words = ["vitalake", "upload", *map(str, paths), "--dataset", dataset, "--date", str(on)]
    words += ["--device", device] if device else []
    words += ["--source", source] if source else []
    words += ["--pseudonymous-names"] if pseudonymous_names else []
    words += ["--workers", str(workers)] if workers != 16 else []
    words += ["--home", str(home)] if home != DEFAULT_HOME else []
    return shlex.join(words)
