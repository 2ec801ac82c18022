"""`vitalake status`: how the system is, at a glance or as JSON.

Belongs here: the command and how it looks. Does not belong here: finding out (`cli/status/health.py`).
"""

from __future__ import annotations

import json
import time
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DEFAULT_HOME, Home, all_datasets, settings_of, stdout
from vitalake.arrivals.calendar import ONE
from vitalake.escaping import json_text, printable

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from cli.status.health import Health
    from vitalake.serving.dataset_counts import DatasetCounts

EXIT_TROUBLE = 1
EXIT_NOT_RUNNING = 3
_COLOURS = {"SUCCESS": "green", "FAILURE": "red", "CANCELED": "yellow"}


class StatusFormat(str, Enum):
    """How the answer is written."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(
    form: Annotated[StatusFormat, typer.Option("--format", help="How the answer is written.")] = StatusFormat.TABLE,
    counts: Annotated[
        bool, typer.Option(help="Count what every dataset holds, which lists the whole bucket.")
    ] = True,
    home: Home = DEFAULT_HOME,
) -> None:
    """Say what runs, which sensors fail, what was built last, what every dataset holds and what it waits for.

    Exit codes: 0 all works, 1 something does not (a row of trouble), 3 nothing runs.

    Example: `vitalake status --format json`

    Example: `vitalake status --no-counts`, to watch a system
    """
    from dataclasses import asdict

    from cli.status.health import check_health

    health = check_health(settings_of(home), all_datasets() if counts else [])
    console = stdout()
    if form is StatusFormat.JSON:
        typer.echo(json_text(json.dumps(asdict(health), indent=1, default=str, ensure_ascii=False)))
    elif health.running:
        _show(console, health)
    else:
        console.print(f"Not running, with its state in {health.home} ({_size(health.home_bytes)}).")
        for name, service in health.services.items():
            console.print(f"  {name:<11} {service.detail}")
        console.print("Start it with `make run` or `vitalake up`, or name another folder with --home.")
    if not health.running:
        raise typer.Exit(EXIT_NOT_RUNNING)
    if not all(service.works for service in health.services.values()):
        raise typer.Exit(EXIT_TROUBLE)


def _show(console: Console, health: Health) -> None:
    from rich.text import Text

    for name, service in health.services.items():
        sign = ("ok      ", "green") if service.works else ("trouble ", "red")
        console.print(Text.assemble(f"{name:<11} ", sign, printable(service.detail)))
    console.print(f"{'home':<11} {_size(health.home_bytes)} in {printable(health.home)}")
    for name, counts in health.datasets.items():
        console.print(f"\n{name}", style="bold")
        for label, text in _facts(name, counts).items():
            console.print(f"  {label:<11} {text}")
    if health.runs:
        console.print("\nlast runs", style="bold")
        width = max(len(run["job"]) for run in health.runs)
        wide = max(11, *(len(run["partition"] or "") for run in health.runs))
    for run in health.runs:
        state, age_s = run["status"], time.time() - (run["ended_at"] or run["began_at"]).timestamp()
        when = f"{_age(age_s)} ago" if run["ended_at"] else f"for {_age(age_s)}"
        colour = _COLOURS.get(state, "cyan")
        words = f"{run['job']:<{width}} {run['partition'] or '—':<{wide}} {when:<12} {run['link']}"
        console.print(Text.assemble("  ", (f"{state.lower():<9} ", colour), printable(words)))


def _facts(name: str, counts: DatasetCounts) -> dict[str, str]:
    waiting = (
        f"; {counts.waiting:,} more wait for {ONE[counts.partition]} that has not come yet"
        if counts.waiting
        else ""
    )
    facts = {"objects": f"{counts.objects:,}{_newest(counts.newest_upload_at)}{waiting}"}
    if counts.versions and counts.versions.outdated:
        facts["versions"] = (
            f"{len(counts.versions.outdated):,} of {counts.versions.total:,} partitions are of an older "
            f"declaration or code; SQL reads them as they are (vitalake backfill {name} --outdated)"
        )
    lake = counts.lake
    if lake is None:
        return facts | {"lake": "cannot be asked"}
    facts["processed"] = "all of them"
    if lake.unprocessed and lake.unprocessed_since:
        since = _age(time.time() - lake.unprocessed_since.timestamp())
        facts["processed"] = (
            f"all but {lake.unprocessed:,}; the oldest of these came {since} ago{_newest(lake.newest_processed_at)}"
        )
    facts["rows"] = f"{lake.rows:,} in {lake.table}"
    if lake.verdicts:
        facts["rows"] += f": {_counts(lake.verdicts)}"
    if lake.warned:
        facts["rows"] += f"; {lake.warned:,} with a warning"
    facts["quarantine"] = f"{sum(lake.quarantine.values()):,}"
    if lake.quarantine:
        facts["quarantine"] += f": {_counts(lake.quarantine)} (vitalake quarantine list)"
    return facts


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def _newest(at: datetime | None) -> str:
    return f", the newest {_age(time.time() - at.timestamp())} old" if at else ""


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.0f} MB"
