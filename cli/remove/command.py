"""`vitalake remove`: delete objects of the raw bucket, after saying what goes with them.

Belongs here: the command and what it says. Does not belong here: the requests (`cli/remove/bucket_object.py`),
asking the lake (`vitalake/serving/object_queries.py`).
"""

from __future__ import annotations

import difflib
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lake_connection import lake_connection
from cli.options import DEFAULT_HOME, Home, Yes, all_datasets, confirm, settings_of, stdout, unicode
from cli.reachable import require_store
from cli.remove import bucket_object
from vitalake.errors import PermanentError
from vitalake.escaping import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from types_boto3_s3 import S3Client

    from cli.remove.bucket_object import BucketObject, Versioning
    from resources.settings import Settings
    from vitalake.arrivals.calendar import Partition
    from vitalake.arrivals.objects import ObjectInfo
    from vitalake.lake.dataset import Dataset
    from vitalake.serving.object_queries import RowsOfObjects

_NEAREST = 5
_SHOWN = 10
_SIBLINGS = 10_000  # of a folder, among which a key is looked for
_LEFT: dict[Versioning, str] = {
    "kept": "the bucket keeps versions: the content stays as an earlier version, and can be had back",
    "suspended": "the bucket's versioning is suspended: only versions from before that are kept",
    "none": "the bucket keeps no versions: it is gone for good",
    "unknown": "whether the bucket keeps versions is not known (s3:GetBucketVersioning is denied)",
}


@dataclass(frozen=True)
class Removal:
    """One object to delete, and what hangs on it.

    Args:
        found: the object.
        dataset: whose it is.
        partitions: those that the lake has it in; where it was not read yet, the one that it will be in.
        others: keys of the objects that make one recording with it.
        rows: what the lake has of it, or of the whole recording.
    """

    found: BucketObject
    dataset: Dataset
    partitions: tuple[Partition, ...]
    others: tuple[str, ...]
    rows: RowsOfObjects


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("remove")(remove)


def remove(
    keys: Annotated[
        list[str], typer.Argument(callback=unicode, help="Whole keys of objects, no ends and no patterns.")
    ],
    yes: Yes = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """Delete objects of the raw bucket, such as files that no dataset can use.

    Says first what goes with them, and asks. Where there is no terminal to ask on, nothing is deleted without
    `--yes`. The tables follow by themselves.

    Example: `vitalake remove ecg/date=2026-11-20/device=holter-01/12.mat`
    """
    from resources.aws import s3_client

    settings, console = settings_of(home), stdout()
    require_store(settings)
    client = s3_client(settings)
    # One object may be named in several ways.
    named = [_removal(settings, client, key) for key in keys]
    removals = [*{each.found.key: each for each in named}.values()]
    kept = bucket_object.versioning(client, settings.raw_bucket)
    for each in removals:
        _say_what_goes(console, settings, each)
    console.print(f"\n{'versions':<12} {_LEFT[kept]}")
    count = f"{len(removals):,} object{'s' * (len(removals) != 1)}"
    confirm(f"Delete {count} of s3://{settings.raw_bucket}?", yes=yes, undone="nothing was deleted")
    for each in removals:
        marker = bucket_object.delete(client, settings.raw_bucket, each.found)
        console.print(f"deleted      {printable(each.found.key)}")
        if marker:
            console.print(f"{'to undo':<12} {printable(_undoing(settings, each.found, marker))}")
    _say_what_comes(console, settings, removals)


def _removal(settings: Settings, client: S3Client, key: str) -> Removal:
    """What a key names; an error that names the nearest keys where it names nothing."""
    from vitalake.arrivals.partitions import partition_of
    from vitalake.serving import object_queries

    key = key.removeprefix(f"s3://{settings.raw_bucket}/")
    dataset = next((each for each in all_datasets() if key.startswith(each.prefix)), None)
    item = bucket_object.find(client, settings.raw_bucket, key) if dataset else None
    if dataset is None or item is None:
        raise _not_there(settings, key)
    bundle = _bundle(settings, dataset, item)
    names = [each.key for each in bundle]
    with lake_connection(settings) as connection:
        rows = object_queries.rows_of(connection, dataset, names)
    partition = partition_of(bundle, dataset.calendar(settings.first_day))
    others = tuple(name for name in names if name != item.listed_key)
    return Removal(item, dataset, rows.partitions or (partition,), others, rows)


def _bundle(settings: Settings, dataset: Dataset, item: BucketObject) -> tuple[ObjectInfo, ...]:
    """The objects that are read together with one, itself included."""
    from resources.object_store import ObjectStore
    from vitalake.arrivals.bundles import bundles
    from vitalake.arrivals.folder_markers import uploads
    from vitalake.arrivals.objects import ObjectInfo

    alone = (ObjectInfo(item.listed_key, item.etag, item.size_bytes, item.uploaded_at),)
    if dataset.group_objects is None:
        return alone
    _, siblings = ObjectStore(settings, settings.raw_bucket).folders(f"{item.listed_key.rpartition('/')[0]}/")
    found = bundles(uploads(siblings), dataset.group_objects)
    return next((each for each in found if item.listed_key in [one.key for one in each]), alone)


def _not_there(settings: Settings, key: str) -> PermanentError:
    """That there is no such object, with the keys that may have been meant."""
    from resources.object_store import ObjectStore
    from vitalake.serving import object_queries

    datasets = all_datasets()
    lines = [f"there is no object {printable(key)} in s3://{settings.raw_bucket}; nothing was deleted"]
    if not key.startswith(tuple(each.prefix for each in datasets)):
        folders = ", ".join(each.prefix for each in datasets)
        lines = [f"{printable(key)} is of no dataset: their keys begin with {folders}; nothing was deleted"]
    elif {"*", "?"} & {*key}:
        lines.append("A key is taken as it is, and stands for no other: name each object.")
    folder = f"{key.rpartition('/')[0]}/"
    _, siblings = ObjectStore(settings, settings.raw_bucket).folders(folder) if folder != "/" else ([], [])
    near = difflib.get_close_matches(key, [each.key for each in siblings[:_SIBLINGS]], n=_NEAREST)
    with lake_connection(settings) as connection:
        known = object_queries.nearest(connection, datasets, key, _NEAREST)
    if key in known:
        lines.append("The lake still has rows of it, which go when its day is built again.")
    if near := [each for each in dict.fromkeys([*near, *known]) if each != key][:_NEAREST]:
        lines += ["Nearest to it are:", *(f"  {printable(each)}" for each in near)]
    return PermanentError("\n".join(lines))


def _say_what_goes(console: Console, settings: Settings, removal: Removal) -> None:
    """One object, and what of the lake comes from it."""
    item, dataset, rows = removal.found, removal.dataset, removal.rows
    built = ", ".join(map(str, removal.partitions))
    facts = [
        ("object", f"s3://{settings.raw_bucket}/{item.key}"),
        ("version", item.etag.strip('"')),
        ("size", f"{item.size_bytes:,} bytes"),
        ("uploaded", f"{item.uploaded_at:%Y-%m-%d %H:%M:%S} UTC"),
        (dataset.partition, f"{built} of {dataset.name}" + ("" if rows.partitions else ", not read yet")),
    ]
    facts += [(name, _rows(count)) for name, count in rows.rows.items()]
    if rows.quarantined:
        facts.append((dataset.quarantine_table.name, _rows(rows.quarantined)))
    if rows.partitions and not rows.rows and not rows.quarantined:
        facts.append(("rows", "none come from it"))
    if above := _computed(dataset):
        facts.append(("computed", f"{', '.join(above)}: anew, without it"))
    if removal.others:
        facts.append(("belongs to", f"{len(removal.others):,} other objects, one recording with it, which stay:"))
        facts += [("", each) for each in removal.others[:_SHOWN]]
        if len(removal.others) > _SHOWN:
            facts.append(("", f"… and {len(removal.others) - _SHOWN:,} more"))
        facts.append(("", "the recording's rows go with any of them, and the others wait in quarantine"))
    width = max(len(name) for name, _ in facts) + 1
    console.print("")
    for name, value in facts:
        console.print(f"{name:<{max(width, 12)}} {printable(value)}")


def _computed(dataset: Dataset) -> list[str]:
    """What is computed from all days of a dataset, or copied elsewhere."""
    tables = [table.name for each in dataset.combined for table in each.tables]
    tables += [each.table.name for each in (*dataset.computed, *dataset.feeds)]
    return [*tables, *(sink.name for sink in dataset.sinks)]


def _rows(count: int | None) -> str:
    if count is None:
        return "may not be asked"
    return f"{count:,} row{'s' * (count != 1)}"


def _undoing(settings: Settings, item: BucketObject, marker: str) -> str:
    endpoint = ["--endpoint-url", settings.s3_endpoint] if settings.s3_endpoint else []
    words = ["aws", "s3api", "delete-object", "--bucket", settings.raw_bucket, "--key", item.key]
    return shlex.join([*words, "--version-id", marker, *endpoint])


def _say_what_comes(console: Console, settings: Settings, removals: Sequence[Removal]) -> None:
    """When the tables follow, and how to hurry them."""
    minutes = -(-settings.sweep_interval_seconds // 60)
    console.print(
        "A sensor builds their partitions again, without them: those that are being uploaded to within seconds, "
        f"older ones after the next sweep, which begins every {minutes:,} minute{'s' * (minutes != 1)}. To hurry:"
    )
    built = {(each.dataset.name, str(day)) for each in removals for day in each.partitions}
    for name, day in sorted(built)[:_SHOWN]:
        console.print(f"  vitalake backfill {name} --from {day} --to {day}")
