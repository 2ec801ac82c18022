"""`vitalake quarantine`: what could not be used, why, and another try.

Belongs here: the commands `list`, `show` and `retry`. Does not belong here: asking the lake
(`vitalake/serving/quarantine_queries.py`), what rules mean (`cli/quarantine/remedies.py`), building days
(`cli/runs.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lake_connection import lake_connection
from cli.options import (
    DEFAULT_HOME,
    Home,
    NoWait,
    Yes,
    all_datasets,
    confirm,
    dataset_named,
    day,
    settings_of,
    stderr,
    stdout,
    unicode,
)
from cli.reachable import require_dagster
from resources.reachable import answers
from vitalake.escaping import printable

if TYPE_CHECKING:
    from rich.console import Console

    from resources.settings import Settings
    from vitalake.lake.dataset import Dataset
    from vitalake.serving.quarantine_queries import QuarantineRow

UNCHANGED = (
    "The same file under the same code is refused again. What changes the answer: another file under the same key\n"
    "(it is then read by itself), a new version of the code, an object that had changed while it was read (S00),\n"
    "or one that the store gives out by now (S18)."
)


class ListFormat(str, Enum):
    """How the list is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(no_args_is_help=True)
    commands.command("list")(list_refused)
    commands.command("show")(show)
    commands.command("retry")(retry)
    app.add_typer(commands, name="quarantine", help="What could not be used, why, and another try.")


def list_refused(
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    date: Annotated[str | None, typer.Option(help="Only this day, YYYY-MM-DD.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only this rule, e.g. S02.")] = None,
    form: Annotated[ListFormat, typer.Option("--format", help="How the list is written.")] = ListFormat.TABLE,
    limit: Annotated[int, typer.Option(min=1, help="Most rows that a table shows.")] = 50,
    home: Home = DEFAULT_HOME,
) -> None:
    """List what is in quarantine, newest day first.

    A table has one line for all records of an object of which one rule says the same; csv and json have them all,
    as `vitalake sql` writes them.

    Example: `vitalake quarantine list --dataset ecg --rule S02`
    """
    from cli.sql import result_table, results
    from vitalake.serving import quarantine_queries

    if dataset:
        dataset_named(dataset)
    on = day(date) if date else None
    with lake_connection(settings_of(home)) as connection:
        query = quarantine_queries.listing(dataset, on, rule, everything=form is not ListFormat.TABLE)
        if form is not ListFormat.TABLE:
            results.write_text(connection.sql(query), form.value)
            return
        console = stdout()
        table = connection.execute(query).to_arrow_table()
        if not table.num_rows:
            console.print("Nothing is in quarantine" + (" that fits." if dataset or date or rule else "."))
            return
        result_table.show_table(table.to_reader(), console, limit, shorten=False)
        console.print("One of them in full: vitalake quarantine show KEY")


def show(
    key: Annotated[
        str, typer.Argument(callback=unicode, help="Key of the object, or an end of it that no other has.")
    ],
    limit: Annotated[int, typer.Option(min=1, help="Most records of each rule that are shown.")] = 10,
    home: Home = DEFAULT_HOME,
) -> None:
    """Show everything that is known of one object in quarantine, or of its records, and what to do about it.

    Example: `vitalake quarantine show device=holter-01/12.mat`
    """
    from resources.object_store import ObjectStore
    from vitalake.serving import quarantine_queries

    settings, console = settings_of(home), stdout()
    with lake_connection(settings) as connection:
        found = quarantine_queries.matching(connection, key)
    if not found:
        _not_there(key)
    if len({item.key for item in found}) > 1:
        keys = list(dict.fromkeys(item.key for item in found))
        stderr().print(f"{printable(key)} fits {len(keys):,} objects; name more of it:")
        for each in keys[:10]:
            stderr().print(f"  {printable(each)}")
        raise typer.Exit(2)
    item, raw = found[0], ObjectStore(settings, settings.raw_bucket)
    facts = {
        "object": f"s3://{settings.raw_bucket}/{item.key}",
        "version": item.version.strip('"'),
        "size": f"{item.size_bytes:,} bytes",
        "uploaded": f"{item.uploaded_at:%Y-%m-%d %H:%M:%S} UTC",
        dataset_named(item.dataset).partition: f"{item.partition} of {item.dataset}",
        "first bytes": item.excerpt_hex,
        "now": quarantine_queries.state_now(raw, item),
        "last run": _last_run(settings, item),
    }
    for name, value in facts.items():
        if value is not None:
            console.print(f"{name:<12} {printable(value)}")
    for rule in dict.fromkeys(each.rule for each in found):
        _show_rule(console, dataset_named(item.dataset), [each for each in found if each.rule == rule], limit)


def _show_rule(console: Console, dataset: Dataset, found: list[QuarantineRow], limit: int) -> None:
    """What one rule refused of an object, and what to do about it."""
    from cli.quarantine.remedies import remedy

    rule, told = found[0].rule, remedy(dataset, found[0].rule)
    console.print(f"\n{'rule':<12} {rule}: {told.meaning}")
    for item in found[:limit]:
        where = "found" if item.record_number is None else f"record {item.record_number:,}"
        console.print(f"{where:<12} {printable(item.message)}")
        if item.record_text is not None:
            console.print(f"{'':<12} {printable(item.record_text)}")
    more = sum(item.record_count for item in found) - len(found[:limit])
    if more:
        console.print(f"{'':<12} … and {more:,} more of this rule")
    console.print(f"{'to do':<12} {told.fix}")


def retry(
    keys: Annotated[
        list[str] | None, typer.Argument(callback=unicode, help="Keys, or ends of keys.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything in quarantine.")] = False,
    rule: Annotated[str | None, typer.Option(help="Everything that this rule refused, e.g. S00.")] = None,
    yes: Yes = False,
    no_wait: NoWait = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """Build the days, or hours, of these objects again.

    The same file under the same code is refused again. A new file under the same key needs no retry: it is found
    and read within seconds. So this is for new code, new rules, for an object that was restored or opened to us
    (S18), and for a doubt.

    Example: `vitalake quarantine retry --rule S02`
    """
    if sum((bool(keys), everything, rule is not None)) != 1:
        raise typer.BadParameter("say what to retry: keys, or --all, or --rule RULE")
    from cli.runs import rebuild
    from vitalake.serving import quarantine_queries

    settings, console = settings_of(home), stdout()
    with lake_connection(settings) as connection:
        chosen: set[QuarantineRow] = set()
        for key in keys or [""]:
            fitting = {
                item
                for item in quarantine_queries.matching(connection, key)
                if rule is None or rule.upper() == item.rule
            }
            if key and not fitting:
                _not_there(key)
            chosen |= fitting
    if not chosen:
        console.print("Nothing is in quarantine that fits.")
        return
    built = {(item.dataset, item.partition) for item in chosen}
    units = {dataset_named(name).partition for name, _ in built}
    unit = min(units) if len(units) == 1 else "partition"
    console.print(f"{_records(chosen):,} in quarantine, of {len(built):,} {unit}{'s' * (len(built) != 1)}.")
    console.print(UNCHANGED)
    url = require_dagster(settings)
    confirm(f"Build these {unit}s again?", yes=yes)
    good = True
    for dataset in all_datasets():
        of_dataset = sorted(partition for name, partition in built if name == dataset.name)
        good = (not of_dataset or rebuild(url, dataset, of_dataset, console, wait=not no_wait)) and good
    if not no_wait:
        with lake_connection(settings) as connection:
            still = chosen & set(quarantine_queries.matching(connection, ""))
        console.print(f"{_records(still):,} of {_records(chosen):,} are still in quarantine.")
    if not good:
        raise typer.Exit(1)


def _records(found: Iterable[QuarantineRow]) -> int:
    return sum(item.record_count for item in found)


def _not_there(key: str) -> None:
    stderr().print(f"{printable(key)} is not in quarantine; `vitalake quarantine list` shows what is")
    raise typer.Exit(1)


def _last_run(settings: Settings, item: QuarantineRow) -> str | None:
    from cli.runs import last_runs

    url = settings.webserver_url
    if not url or not answers(url):
        return None
    runs = last_runs(url.rstrip("/"), 1, f"{item.dataset}_job", str(item.partition))
    return f"{runs[0]['status'].lower()}, {runs[0]['link']}" if runs else None
