"""The rows of one recording, as the lake has them.

Belongs here: asking the ECG views for a recording and a stretch of its leads. Does not belong here: what is said
or drawn of them (`cli/ecg/view.py`, `cli/ecg/text.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    import duckdb

_FACTS = """recording_id, source_key, date, file_format, device_id, device_model, label, lead_count,
    sampling_rate_hz, duration_s, strftime(started_at, '%Y-%m-%d %H:%M:%S UTC') AS started_at,
    verdict, reasons, warning_texts, rules_version"""
_LEADS = """lead_index, lead_name, signal_kind, kind_reason, lead_group, start_offset_s,
    sampling_rate_hz, duration_s, unit, verdict, reasons,
    window_count, unacceptable_share, poor_probability"""
# The lists are cut in the database: a day of samples never leaves it. SQL counts list items from 1.
_STRETCH = """lead_index,
    list_transform(
        coalesce(samples[first + 1:last]::DOUBLE[], samples_real[first + 1:last]),
        lambda v: (v - zero_adu) / gain_adu_per_unit
    ),
    list_transform(list_filter(r_peaks, lambda peak: peak >= first AND peak < last), lambda peak: peak - first)"""


@dataclass(frozen=True)
class RecordingRow:
    """One row of `ecg_recordings`: its day and key, and everything a person reads of it, by column."""

    day: date
    key: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class LeadStretch:
    """Part of a lead: samples in its unit, None where missing, and R peaks as positions in them."""

    samples: list[float | None]
    r_peaks: list[int]


def matching(connection: duckdb.DuckDBPyConnection, key: str) -> list[RecordingRow]:
    """The recording with this key or id; where there is none, all with an object whose key ends so."""
    query = f"""SELECT {_FACTS} FROM ecg_recordings
        WHERE source_key = $1 OR recording_id = $1 OR suffix(source_key, $1)
            OR len(list_filter(companion_keys, lambda each: suffix(each, $1))) > 0
        ORDER BY source_key"""  # noqa: S608
    found = [RecordingRow(row["date"], row["source_key"], row) for row in _rows(connection, query, [key])]
    return [item for item in found if key in (item.key, item.facts["recording_id"])] or found


def leads(connection: duckdb.DuckDBPyConnection, item: RecordingRow) -> list[dict[str, Any]]:
    """Every lead of a recording, in order: what it is, its verdict and measures, without samples."""
    from vitalake.ecg.tables import MEASURE_NAMES

    query = f"""SELECT {_LEADS}, {", ".join(MEASURE_NAMES)} FROM ecg_signals
        WHERE date = ? AND recording_id = ? ORDER BY lead_index"""  # noqa: S608
    return _rows(connection, query, [item.day, item.facts["recording_id"]])


def worst_start_s(connection: duckdb.DuckDBPyConnection, item: RecordingRow, chosen: list[int]) -> float | None:
    """Where in the recording the worst window of the chosen leads begins, in s; None where none was judged."""
    query = """SELECT start_s + start_offset_s
        FROM ecg_windows JOIN ecg_signals USING (date, recording_id, lead_index)
        WHERE date = $1 AND recording_id = $2 AND list_contains($3, lead_index)
        ORDER BY ecg_windows.verdict = 'unacceptable' DESC, ecg_windows.verdict = 'marginal' DESC,
            ecg_windows.quality_index NULLS FIRST, start_s
        LIMIT 1"""
    found = connection.execute(query, [item.day, item.facts["recording_id"], chosen]).fetchone()
    return None if found is None else float(found[0])


def stretches(
    connection: duckdb.DuckDBPyConnection, item: RecordingRow, chosen: list[int], start_s: float, seconds: float
) -> dict[int, LeadStretch]:
    """A stretch of the chosen leads, from a second of the recording on: lead index → samples and R peaks.

    A lead that begins later, or ends earlier, has fewer samples, or none.
    """
    query = f"""SELECT {_STRETCH} FROM (
            SELECT *, greatest(0, round(($3 - start_offset_s) * sampling_rate_hz))::BIGINT AS first,
                greatest(0, round(($3 + $4 - start_offset_s) * sampling_rate_hz))::BIGINT AS last
            FROM ecg_signals WHERE date = $1 AND recording_id = $2 AND list_contains($5, lead_index)
        )"""  # noqa: S608
    values = [item.day, item.facts["recording_id"], start_s, seconds, chosen]
    return {
        index: LeadStretch(samples or [], peaks or [])
        for index, samples, peaks in connection.execute(query, values).fetchall()
    }


def _rows(connection: duckdb.DuckDBPyConnection, query: str, values: list[Any]) -> list[dict[str, Any]]:
    result = connection.execute(query, values)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
