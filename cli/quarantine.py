"""`vitalake quarantine`: what could not be used, why, and another try.

Belongs here: the commands `list`, `show` and `retry`. Does not belong here: asking the lake
(`cli/refused.py`), what rules mean (`cli/remedies.py`), building days (`cli/runs.py`).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    DEFAULT_HOME,
    Home,
    NoWait,
    Yes,
    all_datasets,
    confirm,
    day,
    printable,
    settings_of,
    stderr,
    stdout,
)
from cli.running import answers, require_dagster

if TYPE_CHECKING:
    from cli.refused import Refused
    from resources.settings import Settings

UNCHANGED = (
    "The same file under the same code is refused again. What changes the answer: another file under the same key\n"
    "(it is then read by itself), a new version of the code, or an object that had changed while it was read (S00)."
)


class Format(str, Enum):
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
    form: Annotated[Format, typer.Option("--format", help="How the list is written.")] = Format.TABLE,
    limit: Annotated[int, typer.Option(min=1, help="Most rows that a table shows.")] = 50,
    home: Home = DEFAULT_HOME,
) -> None:
    """List what is in quarantine, newest day first.

    Example: `vitalake quarantine list --dataset ecg --rule S02`
    """
    from cli import refused, results

    on = day(date) if date else None
    with refused.asking(settings_of(home)) as connection:
        reader = refused.listed(connection, dataset, on, rule, everything=form is not Format.TABLE)
        if form is not Format.TABLE:
            results.write_text(reader, form.value)
            return
        console = stdout()
        table = reader.read_all()
        if not table.num_rows:
            console.print("Nothing is in quarantine" + (" that fits." if dataset or date or rule else "."))
            return
        results.show_table(table.to_reader(), console, limit, shorten=False)
        console.print("One of them in full: vitalake quarantine show KEY")


def show(
    key: Annotated[str, typer.Argument(help="Key of the object, or an end of it that no other has.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Show everything that is known of one object in quarantine, and what to do about it.

    Example: `vitalake quarantine show device=holter-01/12.mat`
    """
    from cli import refused
    from cli.remedies import REMEDIES, UNKNOWN

    settings, console = settings_of(home), stdout()
    with refused.asking(settings) as connection:
        found = refused.matching(connection, key)
    if not found:
        _not_there(key)
    if len({item.key for item in found}) > 1:
        stderr().print(f"{printable(key)} fits {len(found):,} objects; name more of it:", markup=False)
        for item in found[:10]:
            stderr().print(f"  {printable(item.key)}", markup=False)
        raise typer.Exit(2)
    for item in found:
        remedy = REMEDIES.get(item.rule, UNKNOWN)
        facts = {
            "object": f"s3://{settings.raw_bucket}/{item.key}",
            "version": item.version.strip('"'),
            "size": f"{item.size_bytes:,} bytes",
            "uploaded": f"{item.uploaded_at:%Y-%m-%d %H:%M:%S} UTC",
            "day": f"{item.day} of {item.dataset}",
            "record": None if item.record_number is None else str(item.record_number),
            "first bytes": item.excerpt_hex,
            "rule": f"{item.rule}: {remedy.meaning}",
            "found": item.message,
            "to do": remedy.fix,
            "now": refused.state_now(settings, item),
            "last run": _last_run(settings, item),
        }
        for name, value in facts.items():
            if value is not None:
                console.print(f"{name:<12} {printable(value)}", markup=False)


def retry(
    keys: Annotated[list[str] | None, typer.Argument(help="Keys, or ends of keys.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything in quarantine.")] = False,
    rule: Annotated[str | None, typer.Option(help="Everything that this rule refused, e.g. S00.")] = None,
    yes: Yes = False,
    no_wait: NoWait = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """Build the days of these objects again.

    The same file under the same code is refused again. A new file under the same key needs no retry: it is found
    and read within seconds. So this is for new code, new rules, and for a doubt.

    Example: `vitalake quarantine retry --rule S02`
    """
    if sum((bool(keys), everything, rule is not None)) != 1:
        raise typer.BadParameter("say what to retry: keys, or --all, or --rule RULE")
    from cli import refused
    from cli.runs import rebuild

    settings, console = settings_of(home), stdout()
    with refused.asking(settings) as connection:
        chosen: set[Refused] = set()
        for key in keys or [""]:
            fitting = {item for item in refused.matching(connection, key) if rule in (None, item.rule)}
            if key and not fitting:
                _not_there(key)
            chosen |= fitting
    if not chosen:
        console.print("Nothing is in quarantine that fits.")
        return
    console.print(f"{len(chosen):,} in quarantine, of {len({(item.dataset, item.day) for item in chosen}):,} days.")
    console.print(UNCHANGED)
    url = require_dagster(settings)
    confirm("Build these days again?", yes=yes)
    good = True
    for dataset in all_datasets():
        days = sorted({item.day for item in chosen if item.dataset == dataset.name})
        good = (not days or rebuild(url, dataset, days, console, wait=not no_wait)) and good
    if not no_wait:
        with refused.asking(settings) as connection:
            still = chosen & set(refused.matching(connection, ""))
        console.print(f"{len(still):,} of {len(chosen):,} are still in quarantine.")
    if not good:
        raise typer.Exit(1)


def _not_there(key: str) -> None:
    stderr().print(f"{printable(key)} is not in quarantine; `vitalake quarantine list` shows what is", markup=False)
    raise typer.Exit(1)


def _last_run(settings: Settings, item: Refused) -> str | None:
    from cli.runs import last_runs

    url = settings.webserver_url
    if not url or not answers(url):
        return None
    runs = last_runs(url.rstrip("/"), 1, f"{item.dataset}_job", item.day.isoformat())
    return f"{runs[0]['status'].lower()}, {runs[0]['link']}" if runs else None
