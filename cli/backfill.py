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
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD, included.")],
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
    """
    chosen, start, end = dataset_named(dataset), day(first), day(last)
    settings = settings_of(home)
    if start > end:
        raise typer.BadParameter(f"--from {start} is after --to {end}")
    if end < settings.first_day:
        raise typer.BadParameter(f"--to {end} is before {settings.first_day}, the first day of the lake")
    require_store(settings)
    console = stdout()
    plan = plan_days(settings, chosen, max(start, settings.first_day), end)
    show_plan(console, chosen, plan, start, end)
    if dry_run or not plan.days:
        return
    confirm(f"Build {_many(len(plan.days), 'day')}?", yes=yes)
    from cli.runs import rebuild

    if not rebuild(require_dagster(settings), chosen, plan.days, console, wait=not no_wait):
        raise typer.Exit(1)


def plan_days(settings: Settings, dataset: Dataset, start: date, end: date) -> Plan:
    """What there is to build from `start` to `end`, both included."""
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
