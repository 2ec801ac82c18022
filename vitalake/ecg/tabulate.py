"""From ECG objects to recordings that say where they came from, and from what was made of them to rows.

Belongs here: how recordings become rows of the tables in `vitalake/ecg/tables.py`. Does not belong here: file
formats (`vitalake/ecg/readers/formats.py`), judging (`assess.py`), what follows from the beats
(`vitalake/ecg/signals/rhythm.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vitalake.ecg.assess import AssessedWindow, Assessment
from vitalake.ecg.paths import parse_path
from vitalake.ecg.quality.rules import BEAT_DOUBT, RULES_VERSION
from vitalake.ecg.readers.formats import FoundRecording
from vitalake.ecg.recording import Lead, Recording, to_unit
from vitalake.ecg.signals.rhythm import rhythm_features, usable_intervals
from vitalake.ecg.structure import can_be_judged, missing_in
from vitalake.ecg.tables import BEATS, FEATURES, MEASURE_NAMES, RECORDINGS, SIGNALS, WINDOWS
from vitalake.lake import columns
from vitalake.pseudonyms import Pseudonyms

# Longer gaps hide beats: of the R peaks of a clean lead under a gap of 31 ms none was lost, of 39 ms a third, of
# 100 ms four fifths.
HIDING_GAP_S = 0.03


@dataclass(frozen=True)
class Arrival:
    """A recording, and the columns of `ecg_recordings` that say where it came from."""

    source: dict[str, Any]
    recording: Recording

    @property
    def weight_bytes(self) -> int:
        """What it takes in memory, about."""
        return sum(lead.samples.nbytes for lead in self.recording.leads)


def arrived(found: Sequence[FoundRecording], pseudonyms: Pseudonyms) -> tuple[Arrival, ...]:
    """Recordings with where they came from, in the same order."""
    return tuple(Arrival(_source(each, pseudonyms), each.recording) for each in found)


def tabulate(arrivals: Sequence[Arrival], judged: Sequence[Assessment]) -> dict[str, pa.Table]:
    """Rows of `ecg_recordings`, `ecg_signals` (one a lead) and `ecg_windows`, in the order of `arrivals`.

    Args:
        arrivals: recordings.
        judged: what `assess` made of them, in the same order.

    Raises:
        ValueError: there is not one assessment for each recording.
    """
    pairs = list(zip(arrivals, judged, strict=True))
    return {
        RECORDINGS.name: RECORDINGS.from_rows([_recording_row(item, verdict) for item, verdict in pairs]),
        SIGNALS.name: _signals(pairs),
        WINDOWS.name: WINDOWS.from_rows([row for item, verdict in pairs for row in _window_rows(item, verdict)]),
    }


def beats_and_features(signals: pa.Table) -> dict[str, pa.Table]:
    """Rows of `ecg_beats` and `ecg_features` from those of `ecg_signals`, in the same order."""
    rows = signals.to_pylist()
    peaks = [np.asarray(row["r_peaks"] or [], dtype=np.int64) for row in rows]
    counts = [len(found) for found in peaks]
    rates = np.repeat([row["sampling_rate_hz"] for row in rows], counts)
    samples = np.concatenate([np.empty(0, dtype=np.int64), *peaks])
    times = samples / rates if len(samples) else np.empty(0)
    beat_index = np.concatenate([np.empty(0, np.int32), *(np.arange(n, dtype=np.int32) for n in counts)])
    intervals = np.where(beat_index == 0, np.nan, np.diff(times, prepend=np.nan))
    ends = np.cumsum(counts)
    for row, count, end in zip(rows, counts, ends, strict=True):
        if row["unusable_s"] and count:
            mine = slice(end - count + 1, end)
            intervals[mine][~usable_intervals(times[end - count : end], row["unusable_s"])] = np.nan
    beats = BEATS.from_columns(
        {
            "recording_id": np.repeat(np.array([row["recording_id"] for row in rows], dtype=object), counts),
            "source_key": np.repeat(np.array([row["source_key"] for row in rows], dtype=object), counts),
            "lead_index": np.repeat(np.array([row["lead_index"] for row in rows], dtype=np.int32), counts),
            "beat_index": beat_index,
            "sample_index": samples.astype(np.int32),
            "time_s": times,
            "rr_s": columns.numbers(intervals, pa.float64(), np.isnan(intervals)),
        }
    )
    features = [
        {
            **{name: row[name] for name in ("recording_id", "source_key", "lead_index")},
            **rhythm_features(
                found,
                row["sampling_rate_hz"],
                row["duration_s"],
                row["unusable_s"] or (),
                doubtful=row["beat_doubt"] > BEAT_DOUBT,
            ),
        }
        for row, found in zip(rows, peaks, strict=True)
        if row["r_peaks"] is not None
    ]
    return {BEATS.name: beats, FEATURES.name: FEATURES.from_rows(features)}


def signals_in_unit(signals: pa.Table) -> list[npt.NDArray[np.float64]]:
    """The strips of `ecg_signals` rows in their unit, each of shape (samples,), NaN where missing."""
    integers, reals = signals.column("samples"), signals.column("samples_real")
    gains, zeros = signals.column("gain_adu_per_unit").to_pylist(), signals.column("zero_adu").to_pylist()
    strips = []
    for row in range(signals.num_rows):
        stored = integers[row].values if integers[row].is_valid else reals[row].values
        strips.append(to_unit(columns.floats(stored), zeros[row], gains[row]))
    return strips


def _source(found: FoundRecording, pseudonyms: Pseudonyms) -> dict[str, Any]:
    main, recording, path = found.main, found.recording, parse_path(found.main.key)
    subject = recording.subject
    return {
        "recording_id": hashlib.sha256(main.key.encode()).hexdigest()[:20],
        "source_key": main.key,
        "source_version": main.version,
        "companion_keys": sorted(item.key for item in found.companions),
        "content_sha256": _content_digest(found),
        "size_bytes": main.size_bytes + sum(item.size_bytes for item in found.companions),
        "uploaded_at": max(item.uploaded_at for item in (main, *found.companions)),
        "device_id": path.device_id,
        "subject_id": None if subject is None else pseudonyms.of("subject", subject),
        "label": path.label or recording.label,
        "record": path.record,
        "fragment": path.fragment,
        "warnings": sorted({each.rule for each in (*recording.findings, *path.findings)}),
        "warning_texts": [each.message for each in sorted({*recording.findings, *path.findings})],
    }


def _content_digest(found: FoundRecording) -> str:
    """SHA-256 of the object; of several, of their names and contents, so that a renamed folder changes nothing."""
    if not found.companions:
        return hashlib.sha256(found.main.data).hexdigest()
    digest = hashlib.sha256()
    for item in (found.main, *sorted(found.companions, key=lambda item: item.key)):
        digest.update(f"{item.key.rpartition('/')[2]}\0{len(item.data)}\0".encode())
        digest.update(item.data)
    return digest.hexdigest()


def _recording_row(item: Arrival, judged: Assessment) -> dict[str, Any]:
    recording = item.recording
    longest = max(filter(can_be_judged, recording.leads), key=lambda lead: lead.duration_s)
    return {
        **item.source,
        "file_format": recording.file_format,
        "assumed": list(recording.assumed),
        "device_model": recording.device_model,
        "started_at": recording.started_at,
        "lead_count": len(recording.leads),
        "lead_names": [lead.name for lead in recording.leads],
        "ecg_lead_count": sum(lead.is_ecg for lead in recording.leads),
        "sampling_rate_hz": longest.sampling_rate_hz,
        "sample_count": len(longest.samples),
        "duration_s": longest.duration_s,
        "verdict": judged.verdict.verdict,
        "reasons": list(judged.verdict.reasons),
        "rules_verdict": judged.rules_verdict.verdict,
        "rules_version": RULES_VERSION,
    }


def _signals(pairs: Sequence[tuple[Arrival, Assessment]]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    leads: list[Lead] = []
    for item, judged in pairs:
        for number, (lead, verdict) in enumerate(zip(item.recording.leads, judged.leads, strict=True)):
            leads.append(lead)
            known = verdict.values if verdict else {}
            windows = verdict.windows if verdict else ()
            bad = sum(window.verdict.verdict == "unacceptable" for window in windows)
            rows.append(
                {
                    "recording_id": item.source["recording_id"],
                    "source_key": item.source["source_key"],
                    "lead_index": number,
                    "lead_name": lead.name,
                    "signal_kind": "ecg" if lead.is_ecg else "other",
                    "kind_reason": lead.kind_reason,
                    "lead_group": lead.group,
                    "start_offset_s": lead.start_offset_s,
                    "sampling_rate_hz": lead.sampling_rate_hz,
                    "duration_s": lead.duration_s,
                    "unit": lead.unit,
                    "gain_adu_per_unit": lead.gain_adu_per_unit,
                    "zero_adu": lead.zero_adu,
                    "verdict": verdict.verdict.verdict if verdict else None,
                    "reasons": list(verdict.verdict.reasons) if verdict else [],
                    "rules_verdict": verdict.rules_verdict.verdict if verdict else None,
                    "poor_probability": _number(verdict.poor_probability) if verdict else None,
                    "window_count": len(windows),
                    "unacceptable_share": bad / len(windows) if windows else None,
                    "r_peaks": verdict.r_peaks if verdict else None,
                    "unusable_s": unusable_stretches_s(lead, windows) if verdict else None,
                    **{name: _number(known.get(name)) for name in MEASURE_NAMES},
                }
            )
    others = {name: [row[name] for row in rows] for name in SIGNALS.names if not name.startswith("samples")}
    return SIGNALS.from_columns({**others, **_samples(leads)})


def unusable_stretches_s(lead: Lead, windows: Sequence[AssessedWindow]) -> npt.NDArray[np.float64]:
    """The column `unusable_s` of a lead: stretches in s as start, stop, start, stop …, ascending and apart."""
    rate, missing = lead.sampling_rate_hz, missing_in(lead)
    bad = [
        (each.start_s, each.duration_s)
        for each in windows
        if each.verdict.verdict == "unacceptable" or each.values["beat_doubt"] > BEAT_DOUBT
    ]
    if missing is None and not bad:
        return np.empty(0)
    # In samples, so that a beat on the edge of a stretch is on the same side of it in seconds.
    spans = np.rint(np.array(bad).reshape(-1, 2).cumsum(axis=1) * rate)
    if missing is not None:
        gaps = np.flatnonzero(np.diff(missing, prepend=False, append=False)).reshape(-1, 2)
        spans = np.concatenate((spans, gaps[gaps[:, 1] - gaps[:, 0] > HIDING_GAP_S * rate]))
        spans = spans[np.argsort(spans[:, 0])]
    starts, stops = spans[:, 0], np.maximum.accumulate(spans[:, 1])
    apart = starts[1:] > stops[:-1]
    firsts, lasts = np.ones(len(spans), dtype=np.bool_), np.ones(len(spans), dtype=np.bool_)
    firsts[1:] = lasts[:-1] = apart
    return np.asarray(np.stack((starts[firsts], stops[lasts]), axis=1).ravel() / rate, dtype=np.float64)


def _samples(leads: Sequence[Lead]) -> dict[str, pa.Array]:
    """The columns `samples` and `samples_real`: each lead in the one of its type, null where a value is missing."""
    whole = [lead if lead.samples.dtype == np.int32 else None for lead in leads]
    real = [lead if lead.samples.dtype != np.int32 else None for lead in leads]
    return {"samples": _lists(whole, np.int32), "samples_real": _lists(real, np.float64)}


def _lists(leads: Sequence[Lead | None], dtype: type) -> pa.Array:
    present = [lead for lead in leads if lead is not None]
    stored = np.concatenate([np.empty(0, dtype), *(lead.samples for lead in present)])
    gone = [missing_in(lead) for lead in present]
    mask = None
    if any(each is not None for each in gone):
        none = [np.zeros(len(lead.samples), np.bool_) for lead in present]
        mask = np.concatenate([other if each is None else each for each, other in zip(gone, none, strict=True)])
    lengths = [0 if lead is None else len(lead.samples) for lead in leads]
    values = columns.numbers(stored, pa.from_numpy_dtype(stored.dtype), mask)
    return columns.lists(lengths, values, np.array([lead is None for lead in leads], np.bool_))


def _window_rows(item: Arrival, judged: Assessment) -> list[dict[str, Any]]:
    return [
        {
            "recording_id": item.source["recording_id"],
            "source_key": item.source["source_key"],
            "lead_index": number,
            "window_index": index,
            "start_s": window.start_s,
            "duration_s": window.duration_s,
            "verdict": window.verdict.verdict,
            "reasons": list(window.verdict.reasons),
            "poor_probability": _number(window.poor_probability),
            "quality_index": _number(window.values["quality_index"]),
        }
        for number, lead in enumerate(judged.leads)
        if lead is not None
        for index, window in enumerate(lead.windows)
    ]


def _number(value: float | None) -> float | None:
    """A measure as a column holds it: null where it has no value."""
    return None if value is None or value != value else value  # noqa: PLR0124
