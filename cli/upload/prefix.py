"""Where uploaded files go in the bucket: the folder of their dataset, day or hour, source and device.

Belongs here: the prefix of keys, from what a command is told, and what of that cannot be. Does not belong here: the
names that follow it (`cli/upload/files.py`, `cli/upload/pseudonymous_keys.py`), what a key means to the lake
(`vitalake/arrivals/keys.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import typer

from cli.options import partition_of
from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.escaping import printable

if TYPE_CHECKING:
    from datetime import datetime

    from vitalake.lake.dataset import Dataset

_PART = re.compile(r"[^/]{1,200}")


def upload_time(dataset: Dataset, date: str | None, calendar: Calendar, now: datetime) -> Partition:
    """The day or hour that files are uploaded to: the one that is named, else the present one.

    Raises:
        typer.BadParameter: it is none, or before the first day of the lake.
    """
    on = (
        partition_of(dataset, date)
        if date
        else Partition(now.date(), now.hour if calendar.unit == "hour" else None)
    )
    if on.day < calendar.first_day:
        raise typer.BadParameter(
            f"{on} is before {calendar.first_day}, the first day of the lake (VITALAKE_FIRST_DAY), so it would not "
            "be taken for the time of the files"
        )
    return on


def upload_prefix(dataset: Dataset, on: Partition, device: str | None, source: str | None) -> str:
    """What the keys of files begin with, up to and with a slash.

    Raises:
        typer.BadParameter: the device cannot be part of a key, or the source is no system of this dataset.
    """
    if device is not None and (not _PART.fullmatch(device) or device in (".", "..") or printable(device) != device):
        raise typer.BadParameter("a device id is one part of a key: no slash, nothing invisible, not empty")
    if source is not None:
        _check_source(dataset, source)
    folders = {"source": source, "device": device}
    return dataset.prefix + on.folder + "".join(f"{name}={value}/" for name, value in folders.items() if value)


def _check_source(dataset: Dataset, source: str) -> None:
    if dataset.name != "entities":
        raise typer.BadParameter(f"--source names the system of entities; {dataset.name} takes no notice of it")
    from vitalake.entities.mapping import system_mappings

    if source.lower() not in system_mappings():
        raise typer.BadParameter(f"{source!r} has no mapping; known: {', '.join(system_mappings())}")
