"""ISHNE Holter files: a fixed header, an optional block of free text, and interleaved 16-bit samples.

Belongs here: the layout of Badilini 1998, "The ISHNE Holter Standard Output File Format", Annals of Noninvasive
Electrocardiology 3(3):263-266. Does not belong here: whether the recording can be used, or how good it is.
"""

from __future__ import annotations

import struct
from datetime import datetime

import numpy as np
import numpy.typing as npt

from vitalake.ecg.channel_words import LabelMeaning
from vitalake.ecg.readers.crc import crc_ccitt
from vitalake.ecg.readers.names import device_model, subject_identifier
from vitalake.ecg.recording import CLOCK_TIME, MILLIVOLT, UNCALIBRATED, Finding, Lead, Recording
from vitalake.errors import UnusableDataError

FORMAT = "ishne"
MAGIC, ANNOTATION_MAGIC = b"ISHNE1.0", b"ANN  1.0"
CRC_AT, CRC_FROM, HEADER_END = 8, 10, 522
MAX_LEADS = 12
NANOVOLT_PER_MILLIVOLT = 1e6
LEAD_FAULT = -32768  # what recorders write while an electrode is off; the paper names no marker
LEAD_NAMES = {
    **dict(enumerate(("X", "Y", "Z", "I", "II", "III", "aVR", "aVL", "aVF"), start=2)),
    **{10 + number: f"V{number}" for number in range(1, 7)},
    **dict(enumerate(("ES", "AS", "AI"), start=17)),
}  # 0 and 1 are "unknown" and "generic bipolar"

Samples = npt.NDArray[np.int32]


def recognises(data: bytes) -> bool:
    """True for ISHNE recordings, and for ISHNE annotation files, which `read` refuses by name."""
    return data.startswith((MAGIC, ANNOTATION_MAGIC))


def read(data: bytes, *, max_samples: int) -> Recording:
    """The recording in an ISHNE file; `max_samples` bounds all leads together.

    Raises:
        UnusableDataError: S01, too many samples; S02, no ISHNE recording; S03, no lead; S08, the file is cut off.
    """
    if data.startswith(ANNOTATION_MAGIC):
        raise UnusableDataError("S02", "an ISHNE annotation file, which holds no signal")
    if not data.startswith(MAGIC):
        raise UnusableDataError("S02", f"{len(data):,} bytes that do not begin with {MAGIC.decode()}")
    if len(data) < HEADER_END:
        raise UnusableDataError("S02", f"the file ends after {len(data):,} bytes, its header needs {HEADER_END}")
    signal_at = _integer(data, 22)
    if signal_at < HEADER_END:
        raise UnusableDataError("S02", f"the signal starts at byte {signal_at:,}, inside the header")
    count = _short(data, 156)
    if not 1 <= count <= MAX_LEADS:
        raise UnusableDataError("S03", f"{count:,} leads, expected 1 to {MAX_LEADS}")
    findings = [*_check_crc(data, signal_at)]
    samples = _read_samples(data[signal_at:], count, _integer(data, 14), max_samples, findings)
    rate = max(_short(data, 272), 0)
    leads = tuple(_lead(data, position, samples[position], float(rate)) for position in range(count))
    if any(lead.unit == UNCALIBRATED for lead in leads):
        findings.append(Finding("S09", "the header gives no amplitude resolution for at least one lead"))
    return Recording(
        leads=leads,
        file_format=FORMAT,
        started_at=_started_at(data),
        subject=subject_identifier(_text(data, 108, 20)),
        device_model=device_model(_text(data, 232, 40)),
        findings=tuple(findings),
    )


def _check_crc(data: bytes, signal_at: int) -> tuple[Finding, ...]:
    """S15 unless the checksum matches the fixed and the variable block of the header."""
    stored, computed = int.from_bytes(data[CRC_AT:CRC_FROM], "little"), crc_ccitt(data[CRC_FROM:signal_at])
    if stored == computed:
        return ()
    return (Finding("S15", f"the header's CRC is {stored:#06x}, its content gives {computed:#06x}"),)


def _read_samples(content: bytes, leads: int, declared: int, max_samples: int, findings: list[Finding]) -> Samples:
    """Shape (leads, samples), the samples of all leads taking turns in the file."""
    present = len(content) // (2 * leads)
    wanted = declared
    if declared <= 0:
        findings.append(Finding("S15", f"the header declares {declared:,} samples, the file holds {present:,}"))
        wanted = present
    elif declared == present * leads and leads > 1:
        # Some writers, among them the ECG Toolkit, count the samples of all leads in this field.
        findings.append(Finding("S15", f"the header counts the samples of all leads together: {declared:,}"))
        wanted = present
    elif present < declared - 1:
        raise UnusableDataError("S08", f"{present:,} samples per lead, the header declares {declared:,}")
    elif present != declared:
        findings.append(Finding("S15", f"{present:,} samples per lead, the header declares {declared:,}"))
        wanted = min(present, declared)
    if not wanted:
        raise UnusableDataError("S08", "the file ends with its header: no sample")
    if wanted * leads > max_samples:
        raise UnusableDataError("S01", f"{wanted * leads:,} samples, expected at most {max_samples:,}")
    interleaved = np.frombuffer(content, dtype="<i2", count=wanted * leads).reshape(wanted, leads)
    return np.ascontiguousarray(interleaved.T, dtype=np.int32)


def _lead(data: bytes, position: int, samples: Samples, rate_hz: float) -> Lead:
    code, nanovolts = _short(data, 158 + 2 * position), _short(data, 206 + 2 * position)
    fault = samples == LEAD_FAULT
    name = LEAD_NAMES.get(code, "")
    return Lead(
        name=name or f"lead_{position + 1}",
        samples=samples,
        sampling_rate_hz=rate_hz,
        gain_adu_per_unit=NANOVOLT_PER_MILLIVOLT / nanovolts if nanovolts > 0 else 1.0,
        unit=MILLIVOLT if nanovolts > 0 else UNCALIBRATED,
        missing=fault if fault.any() else None,
        label=LabelMeaning(ecg=bool(name)),  # the format has no other signals
    )


def _started_at(data: bytes) -> datetime | None:
    """Date and time of the recording; the format knows no time zone. None where a field is -9 or no such date."""
    day, month, year = struct.unpack_from("<3h", data, 138)
    hour, minute, second = struct.unpack_from("<3h", data, 150)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=CLOCK_TIME)
    except ValueError:
        return None


def _text(data: bytes, at: int, length: int) -> str:
    return data[at : at + length].split(b"\0")[0].decode("latin-1")


def _short(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little", signed=True)


def _integer(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little", signed=True)
