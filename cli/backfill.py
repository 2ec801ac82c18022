"""`vitalake backfill`: build days again, whether or not anything about them has changed.

Belongs here: the command, and which days of a range have something to build. Does not belong here: launching and
following (`cli/runs.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DEFAULT_HOME, Home, NoWait, Yes, confirm, dataset_named, day, settings_of, stdout
from cli.reachable import require_dagster, require_store

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from rich.console import Console

    from resources.settings import Settings
    from vitalake.lake.dataset import Dataset

_DAYS_SHOWN = 40


@dataclass(frozen=True)
class Plan:
    """What a range of days holds.

    Args:
        objects: day → number of its objects in the bucket.
        emptied: days that hold nothing now, but of which the lake still has rows.
        nothing: number of days of which neither bucket nor lake knows anything.
        waiting: number of objects of days that have not come yet.
    """

    objects: dict[date, int]
    emptied: list[date]
    nothing: int
    waiting: int

    @property
    def days(self) -> list[date]:
        """The days to build."""
        return sorted([*self.objects, *self.emptied])


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backfill")(backfill)


def backfill(
    dataset: Annotated[str, typer.Argument(help="Dataset to build, e.g. ecg or pricing.")],
    first: Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, YYYY-MM-DD, included.")] = None,
    outdated: Annotated[
        bool,
        typer.Option("--outdated", help="Only days of an older declaration or code."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    yes: Yes = False,
    no_wait: NoWait = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """Build days of a dataset again, one run a day.

    Sensors do this by themselves when objects change; a backfill is for new code, new rules or a doubt. Parts that
    are right already are left as they are, so it can be repeated at any time. Tables over all days, and copies
    elsewhere, follow by themselves.

    Example: `vitalake backfill ecg --from 2026-11-01 --to 2026-11-20 --dry-run`

    Example: `vitalake backfill pricing --outdated`
    """
    chosen, start, end = dataset_named(dataset), first and day(first), last and day(last)
    settings = settings_of(home)
    if not outdated and not (start and end):
        raise typer.BadParameter("say which days: --from and --to, or --outdated")
    if start and end and start > end:
        raise typer.BadParameter(f"--from {start} is after --to {end}")
    if end and end < settings.first_day:
        raise typer.BadParameter(f"--to {end} is before {settings.first_day}, the first day of the lake")
    require_store(settings)
    console = stdout()
    only = _outdated_days(settings, chosen, console) if outdated else None
    if only is not None and not only:
        return
    start = max(start or min(only or ()), settings.first_day)
    end = end or max(only or ())
    plan = plan_days(settings, chosen, start, end, only)
    show_plan(console, chosen, plan, start, end)
    if dry_run or not plan.days:
        return
    confirm(f"Build {_many(len(plan.days), 'day')}?", yes=yes)
    from cli.runs import rebuild

    if not rebuild(require_dagster(settings), chosen, plan.days, console, wait=not no_wait):
        raise typer.Exit(1)


def _outdated_days(settings: Settings, dataset: Dataset, console: Console) -> set[date]:
    """The days that today's declaration and code would build otherwise; says how many these are."""
    from resources.build import lake_store, pseudonyms
    from vitalake.lake.versions.outdated import partition_versions

    found = partition_versions(dataset, lake_store(settings), pseudonyms(settings).key_id)
    console.print(
        f"{len(found.outdated):,} of {found.total:,} partitions of {dataset.name} are of an older declaration "
        "or code"
    )
    return {day(partition[:10]) for partition in found.outdated}


def plan_days(
    settings: Settings, dataset: Dataset, start: date, end: date, only: Collection[date] | None = None
) -> Plan:
    """What there is to build from `start` to `end`, both included; of these days `only` some."""
    from datetime import datetime, timedelta, timezone

    from resources.build import lake_store
    from resources.object_store import ObjectStore
    from vitalake.arrivals.keys import date_in_key
    from vitalake.arrivals.listing import arrived
    from vitalake.arrivals.partitions import by_partition

    raw, lake = ObjectStore(settings, settings.raw_bucket), lake_store(settings)
    span = {start + timedelta(days=offset) for offset in range((end - start).days + 1)}
    tomorrow = datetime.now(timezone.utc).date() + timedelta(days=1)
    listed = arrived(raw, dataset.prefix, settings.first_day, span, dataset.group_objects)
    found = {each: sum(map(len, group)) for each, group in by_partition(listed, settings.first_day).items()}
    objects = {each: count for each, count in found.items() if each <= tomorrow}
    folders = [folder for table in dataset.all_tables for folder in lake.folders(f"{table.name}/")[0]]
    candidates = [(date_in_key(folder), folder) for folder in folders]
    # A server may go on listing a folder after the last object in it was deleted.
    emptied = sorted({each for each, folder in candidates if each in span - found.keys() and lake.objects(folder)})
    waiting = sum(count for each, count in found.items() if each > tomorrow)
    if only is not None:
        chosen = {each: count for each, count in objects.items() if each in only}
        return Plan(chosen, [each for each in emptied if each in only], 0, 0)
    return Plan(objects, emptied, len(span) - len(found.keys() | set(emptied)), waiting)


def show_plan(console: Console, dataset: Dataset, plan: Plan, start: date, end: date) -> None:
    """Say what would be built and what would not."""
    console.print(f"{dataset.name} from {start} to {end}:")
    for each in plan.days[:_DAYS_SHOWN]:
        count = plan.objects.get(each, 0)
        text = _many(count, "object") if count else "no objects any more: its rows are removed"
        console.print(f"  {each}  {text}")
    if len(plan.days) > _DAYS_SHOWN:
        console.print(f"  … and {_many(len(plan.days) - _DAYS_SHOWN, 'day')} more")
    console.print(
        f"{_many(len(plan.days), 'day')} to build, {_many(sum(plan.objects.values()), 'object')}; "
        f"{_many(plan.nothing, 'day')} with nothing"
    )
    if plan.waiting:
        console.print(f"{_many(plan.waiting, 'object')} in days that have not come yet, to be built then")
    if not plan.days:
        console.print("There is nothing to build.")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
