"""`vitalake ecg`: look at one recording.

Belongs here: the command `show`. Does not belong here: asking the lake (`vitalake/serving/recording_queries.py`),
which part is shown (`cli/ecg/view.py`), drawing in text (`cli/ecg/text.py`) or as a page
(`vitalake/ecg/pictures/report_page.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.ecg.picture_file import check_picture_path, write_whole
from cli.lake_connection import lake_connection
from cli.options import DEFAULT_HOME, Home, settings_of, stderr, stdout, unicode
from vitalake.escaping import printable

if TYPE_CHECKING:
    import duckdb

    from vitalake.serving.recording_queries import RecordingRow

MOST_SECONDS = 60
_LISTED = 10


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(no_args_is_help=True)
    commands.command("show")(show)
    app.add_typer(commands, name="ecg", help="Look at one recording.")


def show(
    key: Annotated[
        str,
        typer.Argument(callback=unicode, help="Key of the recording, an end of it that no other has, or its id."),
    ],
    lead: Annotated[list[str] | None, typer.Option(help="Only this lead; may be repeated.")] = None,
    start: Annotated[
        float | None,
        typer.Option("--from", min=0, help="Begin at this second; default: the worst 10 s of a long recording."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1, max=MOST_SECONDS, help="Length shown; default: all, 10 of a long one.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Draw a page into this PNG file instead.")] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Draw a recording: its leads with R peaks, its verdict in words, and each measure beside its limits.

    In a terminal the leads are drawn as text; a pipe gets the table of measures only.

    Example: `vitalake ecg show three-minutes.mat --from 80 --seconds 30`

    Example: `vitalake ecg show rest_01.hea --lead II --lead V5 --output sheet.png`
    """
    if output is not None:
        check_picture_path(output, {".png": "PNG"})
    from cli.ecg.view import view_of
    from vitalake.ecg.pictures.ecg_grid import verdict_text
    from vitalake.serving import recording_queries

    with lake_connection(settings_of(home)) as connection:
        found = recording_queries.matching(connection, key)
        if len(found) != 1:
            _not_one(connection, key, found)
        [item] = found
        view = view_of(connection, item, lead or [], start, seconds)
    verdict, reasons = item.facts["verdict"], tuple(item.facts["reasons"])
    if output is not None:
        from vitalake.ecg.pictures.report_page import report_page_png

        page = report_page_png(item.key, view.facts, verdict, reasons, view.strips, view.measures, view.start_s)
        write_whole(output, page)
        stdout().print(f"{len(view.strips)} of {item.facts['lead_count']} leads drawn to {printable(str(output))}")
        return
    from cli.ecg import text

    console = stdout()
    console.print(printable(item.key), style="bold")
    console.print(verdict_text(verdict, reasons), style=text.STYLES[verdict])
    for line in view.facts:
        console.print(printable(line))
    console.print()
    if text.can_draw(console):
        text.show_strips(view.strips, console)
        console.print()
    text.show_measures([strip.title for strip in view.strips], view.measures, console)


def _not_one(connection: duckdb.DuckDBPyConnection, key: str, found: list[RecordingRow]) -> None:
    """Say why this key names no recording, or too many, and end."""
    from vitalake.serving import quarantine_queries

    say = stderr()
    if found:
        say.print(f"{printable(key)} fits {len(found):,} recordings; name more of it:")
        for item in found[:_LISTED]:
            say.print(f"  {printable(item.key)}")
        raise typer.Exit(2)
    if quarantine_queries.matching(connection, key):
        say.print(f"{printable(key)} is in quarantine; see `vitalake quarantine show {printable(key)}`")
    else:
        say.print(
            f"no recording has a key that ends with {printable(key)}; "
            "`vitalake quarantine show KEY` says whether and why an object was refused"
        )
    raise typer.Exit(1)
