"""What is shown of a recording: which leads, which stretch of them, and the facts about it in words.

Belongs here: choosing. Does not belong here: asking the lake (`vitalake/serving/recording_queries.py`), drawing
(`cli/ecg/text.py`, `vitalake/ecg/pictures/report_page.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import typer

from vitalake.ecg.pictures.dataset_pictures import SHOWN_S, WHOLE_S
from vitalake.ecg.pictures.ecg_grid import DrawnStrip
from vitalake.ecg.quality.threshold_text import MeasureLine, measure_lines
from vitalake.escaping import printable
from vitalake.serving import recording_queries

if TYPE_CHECKING:
    import duckdb

    from vitalake.serving.recording_queries import RecordingRow

MOST_LEADS = 12
MOST_OTHERS = 4


class View(NamedTuple):
    """What is shown of a recording: strips, their measures, where they begin, and what is left out."""

    strips: list[DrawnStrip]
    measures: list[MeasureLine]
    start_s: float
    facts: list[str]


def view_of(
    connection: duckdb.DuckDBPyConnection,
    item: RecordingRow,
    names: list[str],
    start: float | None,
    seconds: float | None,
) -> View:
    """The leads of these names, or the first twelve, from `start` on for `seconds`.

    Raises:
        typer.BadParameter: there is no such lead, or `start` lies behind the end.
    """
    rows = recording_queries.leads(connection, item)
    chosen = _chosen(rows, names)
    indices = [row["lead_index"] for row in chosen]
    end_s = max(row["start_offset_s"] + row["duration_s"] for row in chosen)
    start_s, length_s, place = _stretch(connection, item, indices, end_s, start, seconds)
    stretches = recording_queries.stretches(connection, item, indices, start_s, length_s)
    strips = [
        DrawnStrip(
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
    facts = [*_facts(item.facts, left_out), *_other_signals(rows), f"shown: {place}"]
    return View(strips, measure_lines(chosen), start_s, facts)


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
    item: RecordingRow,
    indices: list[int],
    end_s: float,
    start: float | None,
    seconds: float | None,
) -> tuple[float, float, str]:
    """Start and length in s of what is shown, and the words for it."""
    if start is not None and start >= end_s:
        raise typer.BadParameter(f"the recording ends at {end_s:g} s: begin --from before that")
    if start is None and seconds is None and end_s <= WHOLE_S:
        return 0.0, end_s, f"all of it, {end_s:g} s"
    length_s, why = seconds or SHOWN_S, ""
    if start is None:
        start, why = 0.0, ", its beginning"
        if item.facts["verdict"] != "acceptable" and end_s > WHOLE_S:
            worst_s = recording_queries.worst_start_s(connection, item, indices)
            if worst_s is not None:
                start, why = worst_s, ", its worst place"
    length_s = min(length_s, end_s - start)
    return start, length_s, f"{start:g} to {start + length_s:g} s of {end_s:g} s{why} (--from, --seconds)"


def _other_signals(rows: list[dict[str, Any]]) -> list[str]:
    """Which signals are no ECG, and why nobody judges them."""
    others = [row for row in rows if row["signal_kind"] == "other"]
    said = [f"{row['lead_name']} ({row['kind_reason']})" for row in others[:MOST_OTHERS]]
    more = len(others) - len(said)
    return [f"not an ECG: {', '.join(said)}{f', and {more} more' * bool(more)}"] if others else []


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
