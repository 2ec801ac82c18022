"""ECG waveforms in DICOM files: every multiplex group of the Waveform Sequence, as stored.

Belongs here: the Waveform Module, DICOM PS3.3 section C.10.9, and who, when and with what.
Does not belong here: how elements are encoded, which pydicom knows (`elements.py`, in the limited process).
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.channel_words import meaning_of
from vitalake.ecg.readers.dicom.beginning import is_data_set, meta_at
from vitalake.ecg.readers.limited.process import read_limited
from vitalake.ecg.readers.matlab.reader import exact
from vitalake.ecg.readers.matlab.variable import Matrix
from vitalake.ecg.readers.names import device_model, lead_name, subject_identifier
from vitalake.ecg.readers.units import per_millivolt
from vitalake.ecg.recording import CLOCK_TIME, MILLIVOLT, UNCALIBRATED, Finding, Lead, Recording
from vitalake.errors import UnusableDataError

FORMAT = "dicom"
MAX_GROUPS, MAX_CHANNELS = 64, 256

_STORED = {(8, "SB"): "i1", (8, "UB"): "u1", (16, "SS"): "i2", (16, "US"): "u2", (32, "SL"): "i4", (32, "UL"): "u4"}
# The meaning of a code: "Lead I (Einthoven)", or "aVR, augmented voltage, right".
_LEAD = re.compile(r"(?:Lead )?\s*([^(,]+?)\s*(?:\(.*\)|, augmented voltage.*)?", re.IGNORECASE)


class _Item(NamedTuple):
    """The data set, or an item of a sequence: its elements by keyword."""

    texts: dict[str, str]
    matrices: dict[str, Matrix]
    path: str = ""

    def text(self, keyword: str) -> str:
        """First value of an element, ``""`` where there is none."""
        return self.texts.get(self.path + keyword, "").strip("\0 ")

    def number(self, keyword: str) -> float | None:
        """First value; None where it is no finite number."""
        try:
            value = float(self.text(keyword))
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def count(self, keyword: str) -> int:
        """An unsigned integer, or how many items a sequence has; 0 where there is none."""
        text = self.text(keyword)
        return int(text) if text.isdecimal() else 0

    def binary(self, keyword: str) -> npt.NDArray[np.uint8]:
        """The bytes of an element."""
        found = self.matrices.get(self.path + keyword)
        return np.empty(0, np.uint8) if found is None else found.ravel()

    def item(self, keyword: str, number: int = 0) -> _Item:
        """An item of a sequence, empty where there is none."""
        return self._replace(path=f"{self.path}{keyword}.{number}.")


def recognises(data: bytes) -> bool:
    """Whether the content is DICOM, of an ECG or of anything else, also without its preamble."""
    return meta_at(data) is not None or is_data_set(data)


def read(data: bytes, *, max_samples: int) -> Recording:
    """Every channel of every multiplex group; `group` is the position of the multiplex group in the file.

    A value is ``sample x sensitivity x correction + baseline`` in the unit of the sensitivity: the baseline is the
    "offset of encoded sample value 0 from actual 0 using the units" of the sensitivity (PS3.3 table C.10-9), and
    section C.10.9.1.4.2 says the rest. So gain = 1 / (sensitivity x correction), zero = -baseline x gain.

    Args:
        data: the whole file.
        max_samples: of all leads together. A deflated file may unpack to four bytes for each, and a megabyte.

    Raises:
        UnusableDataError: S01, more than `max_samples`; S02, no readable file; S03, no waveform in it, an image for
            one; S04, samples that are no integers of 8 to 32 bits; S05, more than
            64 groups or 256 channels in one; S08, fewer samples than declared.
        PermanentError: the limited process cannot be started.
    """
    if meta_at(data) is None:
        raise UnusableDataError(
            "S02",
            "a DICOM data set without preamble and file meta information, so nothing says how it is encoded: "
            "export it as a DICOM file (PS3.10)",
        )
    matrices, texts = read_limited("dicom.elements", data, max_bytes=4 * max_samples)
    top = _Item(texts, matrices)
    if not top.text("WaveformSequence"):
        raise UnusableDataError("S03", "a DICOM file without a waveform")
    leads: list[Lead] = []
    findings: list[Finding] = []
    left = max_samples
    for group in range(top.count("WaveformSequence")):
        if group == MAX_GROUPS:
            raise UnusableDataError("S05", f"the waveform has more than {MAX_GROUPS} groups")
        item = top.item("WaveformSequence", group)
        stored = _stored(item, group, left, findings)
        left -= stored.size
        leads += _leads(item, stored, group, findings)
    if not leads:
        raise UnusableDataError("S03", "the waveform of the DICOM file has no group")
    return Recording(
        leads=tuple(leads),
        file_format=FORMAT,
        started_at=_started_at(top.text("started_at")),
        subject=subject_identifier(top.text("PatientID")),
        device_model=device_model(f"{top.text('Manufacturer')} {top.text('ManufacturerModelName')}"),
        findings=tuple(findings),
    )


def _started_at(text: str) -> datetime | None:
    at = datetime.fromisoformat(text) if text else None
    return at.replace(tzinfo=CLOCK_TIME) if at is not None and at.tzinfo is None else at


def _stored(item: _Item, group: int, left: int, findings: list[Finding]) -> npt.NDArray[np.integer]:
    """Samples of shape (samples, channels)."""
    channels, samples = item.count("NumberOfWaveformChannels"), item.count("NumberOfWaveformSamples")
    bits, kind = item.count("WaveformBitsAllocated"), item.text("WaveformSampleInterpretation")
    if (bits, kind) not in _STORED:
        kinds = ", ".join(kind for _, kind in _STORED)
        raise UnusableDataError(
            "S04", f"group {group} has samples of {bits} bits, expected 8 to 32 as one of {kinds}"
        )
    if channels > MAX_CHANNELS:
        raise UnusableDataError(
            "S05", f"group {group} has {channels:,} channels, expected at most {MAX_CHANNELS:,}"
        )
    if channels * samples > left:
        raise UnusableDataError("S01", f"{channels * samples:,} samples in group {group}, {left:,} are allowed for")
    there = item.binary("WaveformData")
    dtype = np.dtype(item.texts["byte_order"] + _STORED[bits, kind])
    needed = channels * samples * dtype.itemsize
    if needed == 0 or len(there) < needed:
        raise UnusableDataError(
            "S08", f"group {group} has {len(there):,} bytes of samples, {channels} x {samples:,} need {needed:,}"
        )
    if len(there) > needed + needed % 2:  # an odd number of bytes is made even
        findings.append(
            Finding("S15", f"group {group} has {len(there):,} bytes of samples, declared are {needed:,}")
        )
    return np.frombuffer(there, dtype, channels * samples).reshape(samples, channels)


def _leads(item: _Item, stored: npt.NDArray[np.integer], group: int, findings: list[Finding]) -> list[Lead]:
    rate_hz = max(item.number("SamplingFrequency") or 0.0, 0.0)
    start_s = (item.number("MultiplexGroupTimeOffset") or 0.0) / 1000
    # The stored value that stands for no sample; 8 bits of it may be filled up to 16.
    padding = np.frombuffer(item.binary("WaveformPaddingValue")[: stored.itemsize], stored.dtype)
    channels, described = stored.shape[1], item.count("ChannelDefinitionSequence")
    if described != channels:
        findings.append(Finding("S15", f"group {group} describes {described} of its {channels} channels"))
    leads = []
    for i in range(channels):
        definition = item.item("ChannelDefinitionSequence", i)
        label = _name(definition)
        gain, zero, unit = _calibration(definition)
        if unit == UNCALIBRATED:
            findings.append(Finding("S09", f"channel {i + 1} of group {group} has no sensitivity with a unit"))
        missing = stored[:, i] == padding if padding.size else None
        skew_s = definition.number("ChannelTimeSkew") or 0.0
        skew_samples = definition.number("ChannelSampleSkew") or 0.0
        leads.append(
            Lead(
                name=lead_name(label, i + 1),
                samples=exact(stored[:, i]),
                sampling_rate_hz=rate_hz,
                gain_adu_per_unit=gain,
                zero_adu=zero,
                unit=unit,
                missing=missing if missing is not None and missing.any() else None,
                group=group,
                start_offset_s=start_s + (skew_s or (skew_samples / rate_hz if rate_hz else 0.0)),
                label=meaning_of(label),
            )
        )
    return leads


def _calibration(definition: _Item) -> tuple[float, float, str]:
    """Gain per unit, zero and unit; ``(1, 0, "adu")`` where the channel gives none."""
    correction = definition.number("ChannelSensitivityCorrectionFactor")
    step = (definition.number("ChannelSensitivity") or 0.0) * (1.0 if correction is None else correction)
    code = definition.item("ChannelSensitivityUnitsSequence")
    names = [name for name in (code.text("CodeValue"), code.text("CodeMeaning")) if name]
    if not step or not names:
        return 1.0, 0.0, UNCALIBRATED
    factor = next((factor for factor in map(per_millivolt, names) if factor is not None), None)
    gain = (1.0 if factor is None else factor) / step
    zero = 0.0 - (definition.number("ChannelBaseline") or 0.0) / step
    if not (math.isfinite(gain) and math.isfinite(zero)):
        return 1.0, 0.0, UNCALIBRATED
    return gain, zero, names[0] if factor is None else MILLIVOLT


def _name(definition: _Item) -> str:
    """What the channel's source means, ``I`` where it is "Lead I (Einthoven)"; else the channel's label."""
    meaning = definition.item("ChannelSourceSequence").text("CodeMeaning")
    known = _LEAD.fullmatch(meaning)
    return known[1] if known else meaning or definition.text("ChannelLabel")
