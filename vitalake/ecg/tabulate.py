"""From ECG objects to rows: parse, measure in batches, judge, and find the rhythm.

Belongs here: how recordings become rows of the tables in `vitalake/ecg/tables.py`. Does not belong here: file
formats (`readers/`), measures and rules (`quality.py`), R peaks (`peaks.py`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vitalake.dataset import RawObject
from vitalake.ecg.features import rhythm_features
from vitalake.ecg.peaks import r_peaks
from vitalake.ecg.quality import RULES_VERSION, Verdict, judge, judge_record, measure
from vitalake.ecg.recording import Recording
from vitalake.ecg.structure import SourceConfig, read_recording
from vitalake.ecg.tables import FEATURES, RECORDINGS, SIGNALS

# Samples measured together: enough to amortise numpy's calls, few enough to stay small (256 strips of 3600: 7 MB).
_BATCH_SAMPLES = 256 * 3600


@dataclass(frozen=True)
class Arrival:
    """A recording and the object that it came in."""

    source: dict[str, Any]
    content_sha256: str
    recording: Recording


def parse(item: RawObject, config: SourceConfig) -> Arrival:
    """Read one object. Raises `UnusableDataError` with the rule that refuses it."""
    source = {
        "recording_id": hashlib.sha256(item.key.encode()).hexdigest()[:20],
        "source_key": item.key,
        "source_version": item.version,
        "size_bytes": item.size_bytes,
        "uploaded_at": item.uploaded_at,
    }
    recording = read_recording(item.key, item.data, config)
    return Arrival(source, hashlib.sha256(item.data).hexdigest(), recording)


def tabulate(arrivals: Sequence[Arrival]) -> dict[str, pa.Table]:
    """Rows of `ecg_recordings` (one a recording) and `ecg_signals` (one a lead), in the order of `arrivals`."""
    leads = [(number, lead) for number, item in enumerate(arrivals) for lead in range(len(item.recording.samples))]
    measures, verdicts = _measure(arrivals, leads)
    by_recording: defaultdict[int, list[Verdict]] = defaultdict(list)
    signals = []
    for (number, lead), values, verdict in zip(leads, measures, verdicts, strict=True):
        by_recording[number].append(verdict)
        signals.append(_signal_row(arrivals[number], lead, values, verdict))
    recordings = [_recording_row(item, judge_record(by_recording[number])) for number, item in enumerate(arrivals)]
    return {RECORDINGS.name: RECORDINGS.from_rows(recordings), SIGNALS.name: SIGNALS.from_rows(signals)}


def features(signals: pa.Table) -> pa.Table:
    """Rows of `ecg_features` from those of `ecg_signals`, in the same order."""
    strips = signals_mv(signals)
    rates = signals.column("sampling_rate_hz").to_pylist()
    peaks: list[Any] = [None] * len(strips)
    shapes = [(rate, len(strip)) for rate, strip in zip(rates, strips, strict=True)]
    for (rate, _length), rows in _batches(shapes):
        for row, found in zip(rows, r_peaks(np.stack([strips[row] for row in rows]), rate), strict=True):
            peaks[row] = found
    keys = signals.select(["recording_id", "source_key", "lead_index"]).to_pylist()
    return FEATURES.from_rows(
        [{**key, **rhythm_features(found, rate)} for key, found, rate in zip(keys, peaks, rates, strict=True)]
    )


def signals_mv(signals: pa.Table) -> list[npt.NDArray[np.float64]]:
    """The strips of `ecg_signals` rows in mV (stored units where no gain is known), each of shape (samples,)."""
    integers, reals = signals.column("samples"), signals.column("samples_real")
    gains, zeros = signals.column("gain_adu_per_mv").to_pylist(), signals.column("zero_adu").to_pylist()
    strips = []
    for row in range(signals.num_rows):
        stored = integers[row].values if integers[row].is_valid else reals[row].values
        x: npt.NDArray[np.float64] = np.asarray(stored.to_numpy(zero_copy_only=False), dtype=np.float64)
        strips.append((x - zeros[row]) / (gains[row] or 1.0))
    return strips


def _measure(
    arrivals: Sequence[Arrival], leads: Sequence[tuple[int, int]]
) -> tuple[list[dict[str, float]], list[Verdict]]:
    """Measures and verdict of every lead, computed over leads of the same rate and length together."""
    measures: list[dict[str, float]] = [{}] * len(leads)
    verdicts: list[Verdict] = [Verdict("acceptable")] * len(leads)
    recordings = [arrivals[number].recording for number, _lead in leads]
    shapes = [(r.calibration.sampling_rate_hz, r.samples.shape[1]) for r in recordings]
    for (rate, _length), rows in _batches(shapes):
        strips = np.stack([_lead_mv(recordings[row], leads[row][1]) for row in rows])
        steps = np.array([1.0 / (recordings[row].calibration.gain_adu_per_mv or 1.0) for row in rows])
        columns = measure(strips, rate, steps)
        judged = judge(columns)
        for position, row in enumerate(rows):
            measures[row] = {name: float(values[position]) for name, values in columns.items()}
            verdicts[row] = judged[position]
    return measures, verdicts


def _batches(shapes: Sequence[tuple[float, int]]) -> Iterable[tuple[tuple[float, int], list[int]]]:
    """Row numbers grouped by (sampling rate, length), of at most `_BATCH_SAMPLES` unless one row has more."""
    groups: defaultdict[tuple[float, int], list[int]] = defaultdict(list)
    for row, shape in enumerate(shapes):
        groups[shape].append(row)
    for shape, rows in groups.items():
        size = max(1, _BATCH_SAMPLES // shape[1])
        for start in range(0, len(rows), size):
            yield shape, rows[start : start + size]


def _lead_mv(recording: Recording, lead: int) -> npt.NDArray[np.float64]:
    calibration = recording.calibration
    x: npt.NDArray[np.float64] = np.asarray(recording.samples[lead], dtype=np.float64)
    return (x - calibration.zero_adu) / (calibration.gain_adu_per_mv or 1.0)


def _signal_row(item: Arrival, lead: int, values: dict[str, float], verdict: Verdict) -> dict[str, Any]:
    recording, calibration = item.recording, item.recording.calibration
    whole = recording.samples.dtype == np.int32
    return {
        "recording_id": item.source["recording_id"],
        "source_key": item.source["source_key"],
        "lead_index": lead,
        "lead_name": calibration.lead_names[lead],
        "sampling_rate_hz": calibration.sampling_rate_hz,
        "gain_adu_per_mv": calibration.gain_adu_per_mv,
        "zero_adu": calibration.zero_adu,
        "samples": recording.samples[lead] if whole else None,
        "samples_real": None if whole else recording.samples[lead],
        "verdict": verdict.verdict,
        "reasons": list(verdict.reasons),
        **values,
    }


def _recording_row(item: Arrival, verdict: Verdict) -> dict[str, Any]:
    recording, calibration = item.recording, item.recording.calibration
    leads, samples = recording.samples.shape
    return {
        **item.source,
        "content_sha256": item.content_sha256,
        "file_format": recording.file_format,
        "device_id": recording.device_id,
        "subject_id": recording.subject_id,
        "label": recording.label,
        "record": recording.record,
        "fragment": recording.fragment,
        "lead_count": leads,
        "lead_names": list(calibration.lead_names),
        "sampling_rate_hz": calibration.sampling_rate_hz,
        "sample_count": samples,
        "duration_s": samples / calibration.sampling_rate_hz,
        "started_at": recording.started_at,
        "verdict": verdict.verdict,
        "reasons": list(verdict.reasons),
        "warnings": list(recording.warnings),
        "rules_version": RULES_VERSION,
    }
