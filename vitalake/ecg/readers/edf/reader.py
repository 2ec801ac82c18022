"""EDF, EDF+, BDF and BDF+ files: a text header, then data records that hold a piece of every signal.

Our own reader: edfio mends a truncated file silently and joins the pieces of an interrupted one (EDF+D) without a
gap, pyedflib reads no bytes. Sources: Kemp et al. 1992, Electroenceph. clin. Neurophysiol. 82:391 (EDF); Kemp and
Olivan 2003, Clin. Neurophysiol. 114:1755 (EDF+); BioSemi's file format FAQ (BDF).

Belongs here: from bytes to leads. Does not belong here: the header's fields (`header.py`), where the records of an
interrupted recording lie (`data_records.py`).
"""

from __future__ import annotations

import math
import re

import numpy as np
import numpy.typing as npt

from vitalake.ecg.channel_words import meaning_of
from vitalake.ecg.readers.edf.data_records import first_onset_s, record_starts, runs_of
from vitalake.ecg.readers.edf.header import BDF_MARK, EDF_MARK, FIXED_BYTES, EdfHeader, EdfSignal, read_header
from vitalake.ecg.readers.names import lead_name
from vitalake.ecg.readers.units import per_millivolt
from vitalake.ecg.recording import MILLIVOLT, UNCALIBRATED, Finding, Lead, Recording
from vitalake.errors import UnusableDataError

FORMAT = "edf"

# EDF+ writes the kind of signal before the electrode: "ECG V1". Other labels stay as they are.
_LEAD = re.compile(r"(?:ECG|EKG) +(I{1,3}|-?aV[RLF]|V[1-9]R?|MLII|MCL[1-6]|[XYZ])", re.IGNORECASE)


def recognises(data: bytes) -> bool:
    """Whether the content is an EDF or BDF file, by its first 256 bytes."""
    if data.startswith(BDF_MARK):
        return True
    counts = (data[184:192], data[252:256])
    return data.startswith(EDF_MARK) and len(data) >= FIXED_BYTES and all(c.strip().isdigit() for c in counts)


def read(data: bytes, *, max_samples: int) -> Recording:
    """Every signal of the file but its annotations, as leads on one time axis, group 0.

    The gaps of an interrupted recording (EDF+D) are `missing`. A lead named ``ECG II`` becomes ``II`` where that is
    the name of a lead; ``ECG Channel 1`` stays.

    Args:
        data: the whole file.
        max_samples: of all leads together, gaps included.

    Raises:
        UnusableDataError: S01, more than `max_samples`; S02, no readable file; S03, no signal but annotations;
            S05, more than 512 signals; S08, fewer data records than the header declares.
    """
    header = read_header(data)
    findings = list(header.findings)
    signals = [signal for signal in header.signals if not signal.is_annotation]
    if not signals:
        raise UnusableDataError("S03", "the file holds annotations only, expected at least one signal")
    records = _count_records(data, header, findings)
    samples = records * sum(signal.samples_per_record for signal in signals)
    if samples > max_samples:
        raise UnusableDataError("S01", f"{samples:,} samples in all leads, expected at most {max_samples:,}")
    raw = np.frombuffer(data, np.uint8, records * header.record_bytes, header.header_bytes)
    raw = raw.reshape(records, header.record_bytes)
    starts = record_starts(raw, header, max_samples) if header.is_discontinuous else None
    leads = tuple(_lead(signal, raw, header, starts, findings) for signal in signals)
    return Recording(
        leads=leads,
        file_format="bdf" if header.sample_bytes == 3 else FORMAT,
        started_at=header.started_at(first_onset_s(raw, header) if header.is_plus else 0.0),
        subject=header.subject(),
        device_model=header.device_model(),
        findings=tuple(findings),
    )


def _count_records(data: bytes, header: EdfHeader, findings: list[Finding]) -> int:
    """Data records to read; -1 in the header means that the recorder never came back to write the number."""
    there, left = divmod(len(data) - header.header_bytes, header.record_bytes)
    declared = there if header.records == -1 else header.records
    if there < declared or declared < 1:
        raise UnusableDataError("S08", f"{there:,} data records, expected {max(declared, 1):,}")
    extra = left + (there - declared) * header.record_bytes
    if extra:
        findings.append(
            Finding("S15", f"{extra:,} bytes follow the last of the {declared:,} data records declared")
        )
    return declared


def _lead(
    signal: EdfSignal,
    raw: npt.NDArray[np.uint8],
    header: EdfHeader,
    starts: npt.NDArray[np.float64] | None,
    findings: list[Finding],
) -> Lead:
    samples = _stored(raw[:, signal.at : signal.at + signal.bytes_per_record], header.sample_bytes)
    missing = None
    if starts is not None and header.record_s:
        samples, missing = _with_gaps(samples, starts, signal.rate_hz(header.record_s), signal.number)
    gain, zero, unit = _calibration(signal, findings)
    known = _LEAD.fullmatch(signal.label)
    name = lead_name(known[1] if known else signal.label, signal.number)
    rate_hz = signal.rate_hz(header.record_s)
    return Lead(name, samples.reshape(-1), rate_hz, gain, zero, unit, missing, label=meaning_of(signal.label))


def _stored(raw: npt.NDArray[np.uint8], sample_bytes: int) -> npt.NDArray[np.int32]:
    """Little-endian integers of two or three bytes, shape (records, samples per record)."""
    records, width = raw.shape
    if sample_bytes == 2:
        return raw.view("<i2").astype(np.int32)
    samples = np.zeros((records, width // 3), np.dtype("<i4"))
    samples.view(np.uint8).reshape(records, width // 3, 4)[:, :, 1:] = raw.reshape(records, width // 3, 3)
    samples >>= 8  # an arithmetic shift: it brings the sign down from the highest byte
    return samples.astype(np.int32, copy=False)


def _with_gaps(
    samples: npt.NDArray[np.int32], starts: npt.NDArray[np.float64], rate_hz: float, number: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_] | None]:
    """The records of one signal on a time axis without holes, and where it has no values."""
    runs, length = runs_of(starts * rate_hz, samples.shape[1], number)
    if len(runs) == 1:
        return samples, None
    filled, missing = np.zeros(length, np.int32), np.ones(length, np.bool_)
    for first, last, at in runs:
        piece = samples[first:last].reshape(-1)
        filled[at : at + len(piece)], missing[at : at + len(piece)] = piece, False
    return filled, missing


def _calibration(signal: EdfSignal, findings: list[Finding]) -> tuple[float, float, str]:
    """Gain per unit, zero and unit; ``(1, 0, "adu")`` and a finding where the header gives none."""
    low, high = signal.physical
    digital_low, digital_high = signal.digital
    gain = (digital_high - digital_low) / (high - low) if high != low else 0.0
    zero = digital_low - low * gain
    factor = per_millivolt(signal.unit)
    unit = signal.unit if factor is None else MILLIVOLT
    gain *= 1.0 if factor is None else factor
    if gain and unit and math.isfinite(gain) and math.isfinite(zero):
        return gain, zero, unit
    what = "a range without extent" if unit else "no unit"
    findings.append(Finding("S09", f"signal {signal.number} has {what}: its values stay in stored units"))
    return 1.0, 0.0, UNCALIBRATED
