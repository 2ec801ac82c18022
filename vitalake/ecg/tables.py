"""The columns of the ECG tables and the views over them.

Belongs here: what each column means, in which unit; which views there are (`sql/`). Does not belong here: how a
value is computed (`vitalake/ecg/tabulate.py`).
"""

from __future__ import annotations

from pathlib import Path

from vitalake.dataset import OBJECT_COLUMNS, SqlView
from vitalake.tables import Column, Table

RECORDING_ID = Column(
    "recording_id", "string", "Id of the recording: 20 hex digits of the SHA-256 of its key.", nullable=False
)
SOURCE_KEY = OBJECT_COLUMNS[0]
VERDICT = (
    Column("verdict", "string", "acceptable, marginal or unacceptable.", nullable=False),
    Column("reasons", "list<string>", "Ids of the rules that fired (docs/rules.md).", nullable=False),
)

RECORDINGS = Table(
    "ecg_recordings",
    "One row per ECG recording: what it is, where it came from, how good it is.",
    (
        RECORDING_ID,
        *OBJECT_COLUMNS,
        Column("content_sha256", "string", "SHA-256 of the object's bytes.", nullable=False),
        Column("file_format", "string", "Format that the content was recognised as.", nullable=False),
        Column("device_id", "string", "Device, from `device=<id>/` in the key."),
        Column("subject_id", "string", "Pseudonym of the subject, where the format carries one."),
        Column("label", "string", "Rhythm class, from the folder name where it states one."),
        Column("record", "string", "Record that the fragment was cut from, from the file name."),
        Column("fragment", "int32", "Number of the fragment, from the file name."),
        Column("lead_count", "int32", "Number of leads.", nullable=False),
        Column("lead_names", "list<string>", "Names of the leads, in order.", nullable=False),
        Column("sampling_rate_hz", "float64", "Samples a second.", nullable=False),
        Column("sample_count", "int32", "Samples per lead.", nullable=False),
        Column("duration_s", "float64", "Length.", nullable=False),
        Column("started_at", "timestamp", "Start of the recording, where the format carries one."),
        *VERDICT,
        Column("warnings", "list<string>", "Ids of structural checks that found something odd.", nullable=False),
        Column("rules_version", "string", "Version of the quality rules.", nullable=False),
    ),
)

SIGNALS = Table(
    "ecg_signals",
    "One row per lead: the samples as they were stored, what they mean, and every quality measure.",
    (
        RECORDING_ID,
        SOURCE_KEY,
        Column("lead_index", "int32", "Position of the lead, from 0.", nullable=False),
        Column("lead_name", "string", "Name of the lead.", nullable=False),
        Column("sampling_rate_hz", "float64", "Samples a second.", nullable=False),
        Column("gain_adu_per_mv", "float64", "Stored units per millivolt; null where unknown."),
        Column("zero_adu", "float64", "Stored value of 0 mV.", nullable=False),
        Column("samples", "list<int32>", "Samples where the file holds integers, else null."),
        Column("samples_real", "list<float64>", "Samples where the file holds fractions, else null."),
        *VERDICT,
        Column("flat_run_s", "float64", "Longest flat run.", nullable=False),
        Column(
            "flat_share", "float64", "Share of the strip in flat runs of at least 0.2 s, 0 to 1.", nullable=False
        ),
        Column("amplitude_mv", "float64", "Median 1-s peak-to-peak above 0.7 Hz.", nullable=False),
        Column("amplitude_max_mv", "float64", "Largest 1-s peak-to-peak above 0.7 Hz.", nullable=False),
        Column("saturation_run_s", "float64", "Longest run at the strip's own extreme.", nullable=False),
        Column("max_abs_mv", "float64", "Largest absolute value.", nullable=False),
        Column("peak_to_peak_mv", "float64", "Median 1-s peak-to-peak as recorded.", nullable=False),
        Column("offset_mv", "float64", "Absolute median.", nullable=False),
    ),
)

FEATURES = Table(
    "ecg_features",
    "One row per lead: rhythm from R peaks. Ten seconds give an ultra-short estimate, no more.",
    (
        RECORDING_ID,
        SOURCE_KEY,
        Column("lead_index", "int32", "Position of the lead, from 0.", nullable=False),
        Column("beat_count", "int32", "R peaks found.", nullable=False),
        Column("heart_rate_bpm", "float64", "Mean heart rate; null below two beats."),
        Column("rr_mean_s", "float64", "Mean interval between beats; null below two beats."),
        Column("rr_plausible", "bool", "Every interval is 0.2 to 3 s; null below two beats."),
    ),
)

_SQL = Path(__file__).with_name("sql")
_LEAD_DOCS = {
    column.name: column.doc
    for column in SIGNALS.columns
    if column.name in {"recording_id", "source_key", "lead_index", "lead_name", "sampling_rate_hz", "verdict"}
}

VIEWS = (
    SqlView(
        "ecg_signals_mv",
        _SQL / "ecg_signals_mv.sql",
        "The signals in millivolts.",
        {**_LEAD_DOCS, "mv": "Samples in mV; null where no gain is known."},
    ),
    SqlView(
        "ecg_normalised",
        _SQL / "ecg_normalised.sql",
        "The signals forward filled, then scaled to 0..1 by their own minimum and maximum.",
        {**_LEAD_DOCS, "normalised": "Samples from 0 to 1; all 0 for a constant signal."},
    ),
    SqlView(
        "ecg_duplicates",
        _SQL / "ecg_duplicates.sql",
        "Recordings whose content was already there under another key, of any day (check S12).",
        {"duplicate_of": "Key of the first recording with this content."},
    ),
)
