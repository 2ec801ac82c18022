"""`vitalake ecg`: look at one recording.

Belongs here: the command `show`, and which part of a recording it shows. Does not belong here: asking the lake
(`cli/recorded.py`), drawing in text (`cli/ecg_text.py`) or as a page (`vitalake/ecg/sheet.py`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cli.options import DEFAULT_HOME, Home, printable, settings_of, stderr, stdout
from vitalake.errors import PermanentError

if TYPE_CHECKING:
    import duckdb

    from cli.recorded import Recorded
    from vitalake.ecg.limits import MeasureLine
    from vitalake.ecg.paper import Strip

MOST_LEADS = 12
MOST_SECONDS = 60
_LISTED = 10


class _View(NamedTuple):
    """What is shown of a recording: strips, their measures, where they begin, and what is left out."""

    strips: list[Strip]
    measures: list[MeasureLine]
    start_s: float
    facts: list[str]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(no_args_is_help=True)
    commands.command("show")(show)
    app.add_typer(commands, name="ecg", help="Look at one recording.")


def show(
    key: Annotated[str, typer.Argument(help="Key of the recording, an end of it that no other has, or its id.")],
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
    if output is not None and output.suffix.lower() != ".png":
        raise typer.BadParameter(f"{output} is no name of a PNG file: it has to end with .png")
    if output is not None and not output.absolute().parent.is_dir():
        raise typer.BadParameter(f"{output.absolute().parent} is not a folder")
    from cli import recorded, refused
    from vitalake.ecg.paper import says

    with refused.asking(settings_of(home)) as connection:
        found = recorded.matching(connection, key)
        if len(found) != 1:
            _not_one(connection, key, found)
        [item] = found
        view = _view(connection, item, lead or [], start, seconds)
    verdict, reasons = item.facts["verdict"], tuple(item.facts["reasons"])
    if output is not None:
        from vitalake.ecg.sheet import sheet_png

        page = sheet_png(item.key, view.facts, verdict, reasons, view.strips, view.measures, view.start_s)
        _write(output, page)
        stdout().print(f"{len(view.strips)} of {item.facts['lead_count']} leads drawn to {output}", markup=False)
        return
    from cli import ecg_text

    console = stdout()
    console.print(printable(item.key), style="bold", markup=False)
    console.print(says(verdict, reasons), style=ecg_text.STYLES[verdict], markup=False)
    for line in view.facts:
        console.print(printable(line), markup=False)
    console.print()
    if console.is_terminal and _braille_can_be_shown():
        ecg_text.show_strips(view.strips, console)
        console.print()
    ecg_text.show_measures([strip.title for strip in view.strips], view.measures, console)


def _not_one(connection: duckdb.DuckDBPyConnection, key: str, found: list[Recorded]) -> None:
    """Say why this key names no recording, or too many, and end."""
    from cli import refused

    say = stderr()
    if found:
        say.print(f"{printable(key)} fits {len(found):,} recordings; name more of it:", markup=False)
        for item in found[:_LISTED]:
            say.print(f"  {printable(item.key)}", markup=False)
        raise typer.Exit(2)
    if refused.matching(connection, key):
        say.print(
            f"{printable(key)} is in quarantine; see `vitalake quarantine show {printable(key)}`", markup=False
        )
    else:
        say.print(
            f"no recording has a key that ends with {printable(key)}; `vitalake quarantine show KEY` says whether it "
            'was refused, `vitalake sql "SELECT source_key FROM ecg_recordings"` lists what there is',
            markup=False,
        )
    raise typer.Exit(1)


def _view(
    connection: duckdb.DuckDBPyConnection,
    item: Recorded,
    names: list[str],
    start: float | None,
    seconds: float | None,
) -> _View:
    import numpy as np

    from cli import recorded
    from vitalake.ecg.limits import measure_lines
    from vitalake.ecg.paper import Strip

    chosen = _chosen(recorded.leads(connection, item), names)
    indices = [row["lead_index"] for row in chosen]
    end_s = max(row["start_offset_s"] + row["duration_s"] for row in chosen)
    start_s, length_s, place = _stretch(connection, item, indices, end_s, start, seconds)
    stretches = recorded.stretches(connection, item, indices, start_s, length_s)
    strips = [
        Strip(
            row["lead_name"],
            np.array(stretches[row["lead_index"]].samples, dtype=np.float64),
            row["sampling_rate_hz"],
            row["verdict"],
            tuple(row["reasons"]),
            row["unit"],
            np.array(stretches[row["lead_index"]].r_peaks, dtype=np.int64),
        )
        for row in chosen
    ]
    shown = len(chosen)
    left_out = (
        "" if names or shown == item.facts["lead_count"] else f" ({shown} of them shown: name others with --lead)"
    )
    return _View(strips, measure_lines(chosen), start_s, [*_facts(item.facts, left_out), f"shown: {place}"])


def _chosen(rows: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    """The leads of these names; without names the first twelve, judged ones before others."""
    if not names:
        kept = sorted(rows, key=lambda row: row["verdict"] is None)[:MOST_LEADS]
        return sorted(kept, key=lambda row: row["lead_index"])
    wanted = {name.casefold() for name in names}
    chosen = [row for row in rows if row["lead_name"].casefold() in wanted]
    if unknown := wanted - {row["lead_name"].casefold() for row in chosen}:
        there = ", ".join(printable(row["lead_name"]) for row in rows)
        missing = ", ".join(printable(name) for name in names if name.casefold() in unknown)
        raise typer.BadParameter(f"the recording has no lead {missing}; it has {there}")
    return chosen[:MOST_LEADS]


def _stretch(
    connection: duckdb.DuckDBPyConnection,
    item: Recorded,
    indices: list[int],
    end_s: float,
    start: float | None,
    seconds: float | None,
) -> tuple[float, float, str]:
    """Start and length in s of what is shown, and the words for it."""
    from cli import recorded
    from vitalake.ecg.pictures import SHOWN_S, WHOLE_S

    if start is not None and start >= end_s:
        raise typer.BadParameter(f"the recording ends at {end_s:g} s: begin --from before that")
    if start is None and seconds is None and end_s <= WHOLE_S:
        return 0.0, end_s, f"all of it, {end_s:g} s"
    length_s, why = seconds or SHOWN_S, ""
    if start is None:
        start, why = 0.0, ", its beginning"
        if item.facts["verdict"] != "acceptable" and end_s > WHOLE_S:
            worst_s = recorded.worst_start_s(connection, item, indices)
            if worst_s is not None:
                start, why = worst_s, ", its worst place"
    length_s = min(length_s, end_s - start)
    return start, length_s, f"{start:g} to {start + length_s:g} s of {end_s:g} s{why} (--from, --seconds)"


def _facts(facts: dict[str, Any], left_out: str) -> list[str]:
    """What is known of a recording, in a few lines."""
    first = [
        facts["file_format"],
        f"{facts['lead_count']} lead{'s' * (facts['lead_count'] != 1)}{left_out}",
        f"{facts['sampling_rate_hz']:g} Hz",
        f"{facts['duration_s']:g} s",
        facts["device_model"],
        f"device {facts['device_id']}" if facts["device_id"] else None,
        f"label {facts['label']}" if facts["label"] else None,
        f"started {facts['started_at']}" if facts["started_at"] else None,
    ]
    second = [f"day {facts['date']}", f"id {facts['recording_id']}", f"quality rules {facts['rules_version']}"]
    lines = [" · ".join(part for part in first if part), " · ".join(second)]
    return lines + [f"found: {text}" for text in facts["warning_texts"]]


def _braille_can_be_shown() -> bool:
    try:
        "⠿▾✕".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    """Write a file, which is there as a whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        raise PermanentError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
