"""The columns of the ECG tables and the views over them.

Belongs here: what each column means, in which unit; which views there are (`sql/`). Does not belong here: how a
value is computed (`vitalake/ecg/tabulate.py`).
"""

from __future__ import annotations

from pathlib import Path

from vitalake.lake.dataset import OBJECT_COLUMNS, SqlView
from vitalake.lake.tables import Column, Table

RECORDING_ID = Column(
    "recording_id", "string", "Id of the recording: 20 hex digits of the SHA-256 of its key.", nullable=False
)
SOURCE_KEY = OBJECT_COLUMNS[0]
VERDICT = (
    Column("verdict", "string", "acceptable, marginal or unacceptable.", nullable=False),
    Column("reasons", "list<string>", "Ids of the rules that fired (docs/rules.md).", nullable=False),
)

POOR = Column("poor_probability", "float64", "M01: the model's probability that it cannot be used, 0 to 1.")
LEAD = (
    RECORDING_ID,
    SOURCE_KEY,
    Column("lead_index", "int32", "Position of the lead, from 0.", nullable=False),
)

RECORDINGS = Table(
    "ecg_recordings",
    "One row per ECG recording: what it is, where it came from, how good it is.",
    (
        RECORDING_ID,
        Column(
            "source_key", "string", "Key of the object in the raw bucket; of several, the header's.", nullable=False
        ),
        OBJECT_COLUMNS[1],
        Column("companion_keys", "list<string>", "Keys of the other objects that belong to it.", nullable=False),
        Column("size_bytes", "int64", "Size of all its objects.", nullable=False),
        Column("uploaded_at", "timestamp", "When the last of its objects was written (UTC).", nullable=False),
        Column("content_sha256", "string", "SHA-256 of its bytes; equal content is equal here.", nullable=False),
        Column(
            "file_format", "string", "Format that the content was recognised as (docs/formats.md).", nullable=False
        ),
        Column("device_id", "string", "Device, from `device=<id>/` in the key."),
        Column("device_model", "string", "Manufacturer and model, where the format carries them."),
        Column("subject_id", "string", "Pseudonym of the subject, where the format carries an identifier."),
        Column("label", "string", "Rhythm class from the folder name, or diagnosis codes from the file."),
        Column("record", "string", "Record that the fragment was cut from, from the file name."),
        Column("fragment", "int32", "Number of the fragment, from the file name."),
        Column("lead_count", "int32", "Number of leads, other signals included.", nullable=False),
        Column("lead_names", "list<string>", "Names of the leads and other signals, in order.", nullable=False),
        Column("ecg_lead_count", "int32", "How many of them are ECGs (`ecg_signals.signal_kind`).", nullable=False),
        Column(
            "sampling_rate_hz", "float64", "Samples a second, of the longest lead that is an ECG.", nullable=False
        ),
        Column("sample_count", "int32", "Samples of that lead.", nullable=False),
        Column("duration_s", "float64", "Length of that lead.", nullable=False),
        Column("started_at", "timestamp", "Start (UTC), where the format carries one."),
        *VERDICT,
        Column("rules_verdict", "string", "What the rules alone say, without the quality model.", nullable=False),
        Column(
            "assumed",
            "list<string>",
            "What the file does not say: as its device declares it, or, with the warning S07, a usual rate.",
            nullable=False,
        ),
        Column("warnings", "list<string>", "Ids of structural checks that found something odd.", nullable=False),
        Column("warning_texts", "list<string>", "What they found, in words.", nullable=False),
        Column("rules_version", "string", "Version of the quality rules.", nullable=False),
    ),
)

# Every measure of vitalake/ecg/signals/measures.py, null where it has no value: no gain, too short, band above
# Nyquist.
MEASURES = (
    Column("flat_run_s", "float64", "Q01: longest flat run."),
    Column("flat_share", "float64", "Q17: share of the strip in flat runs of at least 0.2 s, 0 to 1."),
    Column("amplitude_mv", "float64", "Q02: upper quartile of the 1-s peak-to-peak above 0.7 Hz."),
    Column("amplitude_max_mv", "float64", "Q17: largest 1-s peak-to-peak above 0.7 Hz."),
    Column("saturation_run_s", "float64", "Q03: longest run at the strip's own extreme."),
    Column("max_abs_mv", "float64", "Q04: largest distance from the median."),
    Column("step_max_mv", "float64", "Q05: largest step from one sample to the next."),
    Column("wander_mv", "float64", "Q06: peak-to-peak below 0.5 Hz."),
    Column("wander_share", "float64", "Q06: share of the power up to 40 Hz that is below 1 Hz, 0 to 1."),
    Column("mains_share", "float64", "Q07: power at 50 or 60 Hz over that above 1 Hz, 0 to 1."),
    Column("muscle_share", "float64", "Q08: power from 40 to 100 Hz over that from 1 to 100 Hz, 0 to 1."),
    Column("kurtosis", "float64", "Q09: Pearson's kurtosis above 0.7 Hz; 3 for noise, more for beats."),
    Column("qrs_share", "float64", "Q10: power from 5 to 15 Hz over that from 5 to 40 Hz, 0 to 1."),
    Column("band_ratio", "float64", "Q11: power from 1 to 40 Hz over all other power."),
    Column("beat_correlation", "float64", "Q12: mean correlation of each beat with the median beat, -1 to 1."),
    Column("beat_recurrence", "float64", "Q12: mean correlation of each beat with the two most like it, -1 to 1."),
    Column("detector_agreement", "float64", "Q13: share of R peaks on which two detectors agree, 0 to 1."),
    Column("quality_index", "float64", "Q14: Q, the weighted sum of the four before, 0 to 1."),
    Column("beat_rate_bpm", "float64", "Q15: 60 over the mean interval between beats."),
    Column("beat_gap_s", "float64", "Q15: longest time without a beat."),
    Column(
        "beat_doubt",
        "float64",
        "Q16: expected share of wrong decisions about beats; above 0.08 no rate is derived.",
    ),
    Column("missing_share", "float64", "S06: share of the samples without a value, 0 to 1."),
    Column("peak_to_peak_mv", "float64", "S11: upper quartile of the 1-s peak-to-peak as recorded."),
    Column("offset_mv", "float64", "S11: absolute median."),
)
MEASURE_NAMES = tuple(column.name for column in MEASURES)

SIGNALS = Table(
    "ecg_signals",
    "One row per lead or other signal: the samples as they were stored, what they mean, where it beats, and every "
    "quality measure.",
    (
        *LEAD,
        Column(
            "lead_name",
            "string",
            "Name of the lead, as the file spells it; lead_<n>, or signal_<n>, where that names no signal.",
            nullable=False,
        ),
        Column(
            "signal_kind",
            "string",
            "ecg; other: a signal that is no ECG (a marker, breathing …), kept as it is and judged by nobody.",
            nullable=False,
        ),
        Column("kind_reason", "string", "What says so: its unit, its label, or its samples.", nullable=False),
        Column(
            "lead_group", "int32", "Leads of one group share a time axis; most files have one, 0.", nullable=False
        ),
        Column("start_offset_s", "float64", "From the start of the recording to the first sample.", nullable=False),
        Column("sampling_rate_hz", "float64", "Samples a second.", nullable=False),
        Column("duration_s", "float64", "Length.", nullable=False),
        Column(
            "unit",
            "string",
            "mV; adu (stored units) where no gain is known; another unit that is known, e.g. mmHg; else other.",
            nullable=False,
        ),
        Column("gain_adu_per_unit", "float64", "Stored units per `unit`; 1 where unknown.", nullable=False),
        Column("zero_adu", "float64", "Stored value of 0.", nullable=False),
        Column("samples", "list<int32>", "Samples where the file holds integers, else null; null inside: missing."),
        Column(
            "samples_real",
            "list<float64>",
            "Samples where the file holds fractions, else null; null inside: missing.",
        ),
        Column("r_peaks", "list<int32>", "Positions of the R peaks in `samples`, from 0; null: not judged."),
        Column(
            "unusable_s",
            "list<float64>",
            "Stretches missing for more than 0.03 s, or in windows that are unacceptable or whose beats are "
            "uncertain (Q16): start, stop, start, stop … from the first sample; null: not judged.",
        ),
        Column(
            "verdict",
            "string",
            "acceptable, marginal or unacceptable; null: another signal, shorter than 5 s, or not 50 to 2000 Hz.",
        ),
        VERDICT[1],
        Column("rules_verdict", "string", "What the rules alone say, without the quality model."),
        POOR,
        Column("window_count", "int32", "Windows that the lead was judged in; 0: not judged.", nullable=False),
        Column("unacceptable_share", "float64", "Share of the windows that are unacceptable, 0 to 1."),
        *MEASURES,
    ),
)

WINDOWS = Table(
    "ecg_windows",
    "One row per window of a lead: all of a strip up to 20 s, 10 s of a longer recording.",
    (
        *LEAD,
        Column("window_index", "int32", "Position of the window, from 0.", nullable=False),
        Column("start_s", "float64", "From the lead's first sample to the window's.", nullable=False),
        Column("duration_s", "float64", "Length.", nullable=False),
        *VERDICT,
        POOR,
        Column("quality_index", "float64", "Q14: Q, 0 to 1."),
    ),
)

BEATS = Table(
    "ecg_beats",
    "One row per beat and lead: where the R peak is.",
    (
        *LEAD,
        Column("beat_index", "int32", "Position of the beat, from 0.", nullable=False),
        Column("sample_index", "int32", "Position of the R peak among the samples, from 0.", nullable=False),
        Column("time_s", "float64", "From the lead's first sample to the R peak.", nullable=False),
        Column(
            "rr_s",
            "float64",
            "Interval from the beat before; null for the first, and where anything of `ecg_signals.unusable_s` "
            "lies in it or at its ends.",
        ),
    ),
)

FEATURES = Table(
    "ecg_features",
    "One row per judged lead: heart rate and its variability from usable intervals between R peaks: free of "
    "`ecg_signals.unusable_s`, and of 0.19 to 3.1 s. Below 300 s an ultra-short estimate.",
    (
        *LEAD,
        Column("beat_count", "int32", "R peaks found.", nullable=False),
        Column("heart_rate_bpm", "float64", "Mean heart rate; null without a usable interval."),
        Column("rate_unknown_because", "string", "Why there is no heart rate, in words; null where there is one."),
        Column("rr_mean_s", "float64", "Mean usable interval between beats; null without one."),
        Column("rr_plausible", "bool", "Every interval, usable or not, is 0.19 to 3.1 s; null below two beats."),
        Column("rr_used_share", "float64", "Share of the intervals that are usable, 0 to 1; null below two beats."),
        Column(
            "sdnn_ms",
            "float64",
            "Standard deviation of the usable intervals between all detected beats, not only normal ones; null "
            "below three.",
        ),
        Column(
            "rmssd_ms",
            "float64",
            "Root mean square of the differences of neighbours that are both usable; null below two such pairs.",
        ),
        Column(
            "pnn50_share", "float64", "Share of those differences above 50 ms, 0 to 1; null below two such pairs."
        ),
        Column(
            "lf_ms2",
            "float64",
            "Power of the usable intervals from 0.04 to 0.15 Hz; null below 120 s of lead, or 108 s of usable "
            "intervals in one window of at most 5 min.",
        ),
        Column(
            "hf_ms2",
            "float64",
            "Power of the usable intervals from 0.15 to 0.4 Hz; null below 60 s of lead, or 54 s of usable "
            "intervals in one window of at most 5 min.",
        ),
        Column("lf_hf_ratio", "float64", "lf_ms2 / hf_ms2; null where either is, or hf_ms2 is 0."),
        Column("ultra_short", "bool", "The lead is shorter than 300 s.", nullable=False),
    ),
)

_SQL = Path(__file__).with_name("sql")
_LEAD = {"recording_id", "source_key", "lead_index", "lead_name", "sampling_rate_hz", "verdict", "reasons"}
_DATE_DOC = {"date": "Partition: the day, in UTC."}
_LEAD_DOCS = {column.name: column.doc for column in SIGNALS.columns if column.name in _LEAD} | _DATE_DOC
_DUPLICATE = {"recording_id", "source_key", "content_sha256"}
_DUPLICATE_DOCS = {
    column.name: column.doc for column in RECORDINGS.columns if column.name in _DUPLICATE
} | _DATE_DOC

VIEWS = (
    SqlView(
        "ecg_signals_mv",
        _SQL / "ecg_signals_mv.sql",
        "The leads whose gain is known, in millivolts.",
        {**_LEAD_DOCS, "mv": "Samples in mV; null inside where missing."},
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
        {**_DUPLICATE_DOCS, "duplicate_of": "Key of the first recording with this content."},
    ),
)
