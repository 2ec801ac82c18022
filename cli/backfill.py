"""`vitalake backfill`: build days or hours again, whether or not anything about them has changed.

Belongs here: the command, and which partitions of a range have something to build. Does not belong here: launching
and following (`cli/runs.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DEFAULT_HOME, Home, NoWait, Yes, confirm, dataset_named, partition_of, settings_of, stdout
from cli.reachable import require_dagster, require_store

if TYPE_CHECKING:
    from collections.abc import Collection

    from rich.console import Console

    from resources.settings import Settings
    from vitalake.arrivals.calendar import Partition
    from vitalake.lake.dataset import Dataset

_SHOWN = 40


@dataclass(frozen=True)
class Plan:
    """What a range of partitions holds.

    Args:
        objects: partition → number of its objects in the bucket.
        emptied: those that hold nothing now, but of which the lake still has rows.
        nothing: number of those of which neither bucket nor lake knows anything.
        waiting: number of objects of partitions that have not come yet.
    """

    objects: dict[Partition, int]
    emptied: list[Partition]
    nothing: int
    waiting: int

    @property
    def partitions(self) -> list[Partition]:
        """Those to build."""
        return sorted([*self.objects, *self.emptied])


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backfill")(backfill)


def backfill(
    dataset: Annotated[str, typer.Argument(help="Dataset to build, e.g. ecg or pricing.")],
    first: Annotated[
        str | None, typer.Option("--from", help="First day, YYYY-MM-DD, or hour, YYYY-MM-DDTHH.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day or hour, included.")] = None,
    outdated: Annotated[
        bool,
        typer.Option("--outdated", help="Only partitions of an older declaration or code."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    yes: Yes = False,
    no_wait: NoWait = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """Build days, or hours, of a dataset again, one run each.

    Sensors do this by themselves when objects change; a backfill is for new code, new rules or a doubt. Parts that
    are right already are left as they are, so it can be repeated at any time. Tables over all days, and copies
    elsewhere, follow by themselves.

    Example: `vitalake backfill ecg --from 2026-11-01 --to 2026-11-20 --dry-run`

    Of a dataset that is built by the hour: `--from 2026-11-20T05 --to 2026-11-20T07`, or whole days

    Example: `vitalake backfill pricing --outdated`
    """
    chosen = dataset_named(dataset)
    start = partition_of(chosen, first) if first else None
    end = partition_of(chosen, last, last=True) if last else None
    settings = settings_of(home)
    if not outdated and not (start and end):
        raise typer.BadParameter("say which days: --from and --to, or --outdated")
    if start and end and start > end:
        raise typer.BadParameter(f"--from {start} is after --to {end}")
    calendar = chosen.calendar(settings.first_day)
    beginning = calendar.of(settings.first_day)
    if end and end < beginning:
        raise typer.BadParameter(f"--to {end} is before {settings.first_day}, the first day of the lake")
    require_store(settings)
    console = stdout()
    only = _outdated(settings, chosen, console) if outdated else None
    if only is not None and not only:
        return
    start = max(start or min(only or ()), beginning)
    end = end or max(only or ())
    plan = plan_range(settings, chosen, start, end, only)
    show_plan(console, chosen, plan, start, end)
    if dry_run or not plan.partitions:
        return
    confirm(f"Build {_many(len(plan.partitions), chosen.partition)}?", yes=yes)
    from cli.runs import rebuild

    if not rebuild(require_dagster(settings), chosen, plan.partitions, console, wait=not no_wait):
        raise typer.Exit(1)


def _outdated(settings: Settings, dataset: Dataset, console: Console) -> set[Partition]:
    """The partitions that today's declaration and code would build otherwise; says how many these are."""
    from resources.build import lake_store, pseudonyms
    from vitalake.arrivals.calendar import Partition
    from vitalake.lake.versions.outdated import partition_versions

    found = partition_versions(dataset, lake_store(settings), pseudonyms(settings).key_id)
    console.print(
        f"{len(found.outdated):,} of {found.total:,} partitions of {dataset.name} are of an older declaration "
        "or code"
    )
    computed = [each.table.name for each in (*dataset.computed, *dataset.feeds) if not each.declared.whole]
    if computed:
        console.print(
            f"Tables that are computed from it are not looked at: {', '.join(sorted(computed))}. After a change of "
            f"these, build their {dataset.partition}s with --from and --to"
        )
    return {Partition.parse(partition) for partition in found.outdated}


def plan_range(
    settings: Settings,
    dataset: Dataset,
    start: Partition,
    end: Partition,
    only: Collection[Partition] | None = None,
) -> Plan:
    """What there is to build from `start` to `end`, both included; of these partitions `only` some."""
    from datetime import datetime, timezone

    from resources.build import lake_store
    from resources.catalog import stored_partitions
    from resources.object_store import ObjectStore
    from vitalake.arrivals.listing import arrived
    from vitalake.arrivals.partitions import by_partition
    from vitalake.lake.parquet import partition_prefix

    raw, lake = ObjectStore(settings, settings.raw_bucket), lake_store(settings)
    calendar = dataset.calendar(settings.first_day)
    span, newest = set(calendar.between(start, end)), calendar.newest(datetime.now(timezone.utc))
    listed = arrived(raw, dataset.prefix, calendar, span, dataset.group_objects)
    found = {each: sum(map(len, group)) for each, group in by_partition(listed, calendar).items()}
    objects = {each: count for each, count in found.items() if each <= newest}
    empty = span - found.keys()
    folders = [
        (each, partition_prefix(table.name, str(each)))
        for table in dataset.all_tables
        for each in stored_partitions(lake, table, dataset.partition) & empty
    ]
    # A server may go on listing a folder after the last object in it was deleted.
    emptied = sorted({each for each, folder in folders if lake.objects(folder)})
    waiting = sum(count for each, count in found.items() if each > newest)
    if only is not None:
        chosen = {each: count for each, count in objects.items() if each in only}
        return Plan(chosen, [each for each in emptied if each in only], 0, 0)
    return Plan(objects, emptied, len(span) - len(found.keys() | set(emptied)), waiting)


def show_plan(console: Console, dataset: Dataset, plan: Plan, start: Partition, end: Partition) -> None:
    """Say what would be built and what would not."""
    console.print(f"{dataset.name} from {start} to {end}:")
    unit, partitions = dataset.partition, plan.partitions
    for each in partitions[:_SHOWN]:
        count = plan.objects.get(each, 0)
        text = _many(count, "object") if count else "no objects any more: its rows are removed"
        console.print(f"  {each}  {text}")
    if len(partitions) > _SHOWN:
        console.print(f"  … and {_many(len(partitions) - _SHOWN, unit)} more")
    console.print(
        f"{_many(len(partitions), unit)} to build, {_many(sum(plan.objects.values()), 'object')}; "
        f"{_many(plan.nothing, unit)} with nothing"
    )
    if plan.waiting:
        console.print(f"{_many(plan.waiting, 'object')} in {unit}s that have not come yet, to be built then")
    if not partitions:
        console.print("There is nothing to build.")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
