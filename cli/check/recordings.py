"""The ECG recordings among what was checked: each as `vitalake ecg show` would show it from the lake.

Belongs here: putting checked rows where the queries of recordings find them, and what of a recording was assumed.
Does not belong here: those queries (`vitalake/serving/recording_queries.py`), what is shown of a recording
(`cli/ecg/view.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.ecg.view import View, view_of
from vitalake.ecg.pictures.ecg_grid import verdict_text
from vitalake.ecg.quality.rules import QUALITIES
from vitalake.ecg.tables import RECORDINGS, SIGNALS, WINDOWS
from vitalake.serving import recording_queries

if TYPE_CHECKING:
    import duckdb

    from cli.check.account import Account
    from vitalake.lake.dataset import Dataset
    from vitalake.serving.recording_queries import RecordingRow

MOST_RECORDINGS = 10


class CheckedRecording(NamedTuple):
    """One recording: its row, what was assumed in words, the subject's pseudonym, its leads, what is shown."""

    item: RecordingRow
    assumed: tuple[str, ...]
    subject_id: str | None
    leads: list[dict[str, Any]]
    view: View


def judgement(row: Mapping[str, Any]) -> str:
    """The verdict on a recording or a lead, with all its reasons in words."""
    return verdict_text(row["verdict"], tuple(row["reasons"]), sys.maxsize)


def has_recordings(dataset: Dataset) -> bool:
    """Whether its tables are those of ECG recordings."""
    return RECORDINGS in dataset.tables


def recordings_of(
    account: Account, names: list[str], start: float | None, seconds: float | None
) -> list[CheckedRecording]:
    """Recordings of the part that the account kept, in the order of their rows; of many the worst, these first.

    Raises:
        typer.BadParameter: one has no lead of these names, or ends before `start`.
    """
    if account.kept is None:
        return []
    import duckdb

    rows = account.kept.tables[RECORDINGS.name].select(["source_key", "verdict"]).to_pylist()
    if len(rows) > MOST_RECORDINGS:
        rows.sort(key=lambda row: -QUALITIES.index(row["verdict"]))
    keys = [row["source_key"] for row in rows[:MOST_RECORDINGS]]
    with duckdb.connect() as connection:
        for table in (RECORDINGS, SIGNALS, WINDOWS):
            # As a stream, good for one query: given a table, DuckDB imports pandas to see whether it is a frame.
            connection.register("rows", account.kept.tables[table.name].__arrow_c_stream__())
            connection.execute(
                f'CREATE TABLE "{table.name}" AS SELECT *, CAST(? AS DATE) AS date FROM "rows"',  # noqa: S608
                [account.kept.day],
            )
            connection.unregister("rows")
        return [_recording(connection, key, names, start, seconds) for key in keys]


def _recording(
    connection: duckdb.DuckDBPyConnection, key: str, names: list[str], start: float | None, seconds: float | None
) -> CheckedRecording:
    [item] = [each for each in recording_queries.matching(connection, key) if each.key == key]
    leads = recording_queries.leads(connection, item)
    row = connection.execute(
        f'SELECT assumed, subject_id FROM "{RECORDINGS.name}" WHERE source_key = ?',  # noqa: S608
        [key],
    ).fetchone()
    assumed, subject = row or ((), None)
    gains = connection.execute(
        f'SELECT gain_adu_per_unit, zero_adu, unit FROM "{SIGNALS.name}" WHERE source_key = ? ORDER BY lead_index',  # noqa: S608
        [key],
    ).fetchall()
    words = {
        "sampling_rate_hz": f"a sampling rate of {item.facts['sampling_rate_hz']:g} Hz",
        "lead_names": f"the lead{'s' * (len(leads) != 1)} {', '.join(lead['lead_name'] for lead in leads)}",
        "gain": f"a gain of {gains[0][0]:g} stored units a {gains[0][2]}",
        "zero": f"a zero at {gains[0][1]:g} stored units",
    }
    return CheckedRecording(
        item,
        tuple(words.get(name, name) for name in assumed),
        subject,
        leads,
        view_of(connection, item, names, start, seconds),
    )
