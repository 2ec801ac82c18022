"""ECG waveforms in DICOM files: every multiplex group of the Waveform Sequence, as stored.

Our own reader: pydicom builds every nested item in memory, 84 MB of objects for a megabyte of empty items, and
inflates a deflated file without a limit.

Belongs here: the Waveform Module, DICOM PS3.3 section C.10.9, and who, when and with what.
Does not belong here: how elements (`dicom_elements`) and their values (`dicom_values`) are encoded.
"""

from __future__ import annotations

import math
import re

import numpy as np
import numpy.typing as npt

from vitalake.ecg.readers.dicom.elements import MARK, PREAMBLE_BYTES, Elements, open_elements
from vitalake.ecg.readers.dicom.values import Values, coded, count_of, date_time, number_of, text_of
from vitalake.ecg.readers.names import device_model, lead_name, subject_identifier
from vitalake.ecg.readers.units import per_millivolt
from vitalake.ecg.recording import MILLIVOLT, UNCALIBRATED, Finding, Lead, Recording
from vitalake.errors import UnusableDataError

FORMAT = "dicom"
HEADER_BYTES = 1 << 20  # what a deflated file may hold beside its samples
MAX_GROUPS, MAX_CHANNELS = 64, 256

ACQUIRED_AT, TIME_ZONE, MANUFACTURER, MODEL = 0x0008002A, 0x00080201, 0x00080070, 0x00081090
PATIENT_ID, WAVEFORMS = 0x00100020, 0x54000100
OFFSET_MS, CHANNELS, SAMPLES, RATE_HZ = 0x00181068, 0x003A0005, 0x003A0010, 0x003A001A
DEFINITIONS, BITS, INTERPRETATION, PADDING, DATA = 0x003A0200, 0x54001004, 0x54001006, 0x5400100A, 0x54001010
LABEL, SOURCE, SENSITIVITY, UNITS = 0x003A0203, 0x003A0208, 0x003A0210, 0x003A0211
CORRECTION, BASELINE, SKEW_S, SKEW_SAMPLES = 0x003A0212, 0x003A0213, 0x003A0214, 0x003A0215

_TOP = frozenset((ACQUIRED_AT, TIME_ZONE, MANUFACTURER, MODEL, PATIENT_ID, WAVEFORMS))
_GROUP = frozenset((OFFSET_MS, CHANNELS, SAMPLES, RATE_HZ, DEFINITIONS, BITS, INTERPRETATION, PADDING, DATA))
_CHANNEL = frozenset((LABEL, SOURCE, SENSITIVITY, UNITS, CORRECTION, BASELINE, SKEW_S, SKEW_SAMPLES))
_STORED = {(8, "SB"): "i1", (8, "UB"): "u1", (16, "SS"): "i2", (16, "US"): "u2", (32, "SL"): "i4", (32, "UL"): "u4"}
# The meaning of a code: "Lead I (Einthoven)", or "aVR, augmented voltage, right".
_LEAD = re.compile(r"(?:Lead )?\s*([^(,]+?)\s*(?:\(.*\)|, augmented voltage.*)?", re.IGNORECASE)


def recognises(data: bytes) -> bool:
    """Whether the content is a DICOM file, of an ECG or of anything else."""
    return data[PREAMBLE_BYTES : PREAMBLE_BYTES + len(MARK)] == MARK


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
    """
    elements = open_elements(data, max_inflated=4 * max_samples + HEADER_BYTES)
    top = elements.find(elements.root, _TOP)
    if WAVEFORMS not in top:
        raise UnusableDataError("S03", "a DICOM file without a waveform")
    leads: list[Lead] = []
    findings: list[Finding] = []
    left = max_samples
    for group, span in enumerate(elements.items(top[WAVEFORMS])):
        if group == MAX_GROUPS:
            raise UnusableDataError("S05", f"the waveform has more than {MAX_GROUPS} groups")
        values = elements.find(span, _GROUP)
        stored = _stored(elements, values, group, left, findings)
        left -= stored.size
        leads += _leads(elements, values, stored, group, findings)
    if not leads:
        raise UnusableDataError("S03", "the waveform of the DICOM file has no group")
    device = [text_of(elements, top, MANUFACTURER), text_of(elements, top, MODEL)]
    return Recording(
        leads=tuple(leads),
        file_format=FORMAT,
        started_at=date_time(text_of(elements, top, ACQUIRED_AT), text_of(elements, top, TIME_ZONE)),
        subject=subject_identifier(text_of(elements, top, PATIENT_ID)),
        device_model=device_model(" ".join(device)),
        findings=tuple(findings),
    )


def _stored(
    elements: Elements, values: Values, group: int, left: int, findings: list[Finding]
) -> npt.NDArray[np.integer]:
    """Samples as a view on the file, shape (samples, channels)."""
    channels, samples = count_of(elements, values, CHANNELS), count_of(elements, values, SAMPLES)
    bits, kind = count_of(elements, values, BITS), text_of(elements, values, INTERPRETATION)
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
    start, end = values.get(DATA, (0, 0))
    dtype = np.dtype(elements.encoding.order + _STORED[bits, kind])
    needed = channels * samples * dtype.itemsize
    if needed == 0 or end - start < needed:
        raise UnusableDataError(
            "S08", f"group {group} has {end - start:,} bytes of samples, {channels} x {samples:,} need {needed:,}"
        )
    if end - start > needed + needed % 2:  # an odd number of bytes is made even
        findings.append(
            Finding("S15", f"group {group} has {end - start:,} bytes of samples, declared are {needed:,}")
        )
    return np.frombuffer(elements.data, dtype, channels * samples, start).reshape(samples, channels)


def _leads(
    elements: Elements, values: Values, stored: npt.NDArray[np.integer], group: int, findings: list[Finding]
) -> list[Lead]:
    rate_hz = max(number_of(elements, values, RATE_HZ) or 0.0, 0.0)
    start_s = (number_of(elements, values, OFFSET_MS) or 0.0) / 1000
    padding = _padding(elements, values, stored.dtype)
    definitions = [elements.find(span, _CHANNEL) for span in elements.items(values.get(DEFINITIONS, (0, 0)))]
    channels = stored.shape[1]
    if len(definitions) != channels:
        findings.append(Finding("S15", f"group {group} describes {len(definitions)} of its {channels} channels"))
    leads = []
    for i in range(channels):
        definition = definitions[i] if i < len(definitions) else {}
        gain, zero, unit = _calibration(elements, definition)
        if unit == UNCALIBRATED:
            findings.append(Finding("S09", f"channel {i + 1} of group {group} has no sensitivity with a unit"))
        missing = None if padding is None else stored[:, i] == padding
        skew_s = number_of(elements, definition, SKEW_S) or 0.0
        skew_samples = number_of(elements, definition, SKEW_SAMPLES) or 0.0
        leads.append(
            Lead(
                name=lead_name(_name(elements, definition), i + 1),
                samples=_exact(stored[:, i]),
                sampling_rate_hz=rate_hz,
                gain_adu_per_unit=gain,
                zero_adu=zero,
                unit=unit,
                missing=missing if missing is not None and missing.any() else None,
                group=group,
                start_offset_s=start_s + (skew_s or (skew_samples / rate_hz if rate_hz else 0.0)),
            )
        )
    return leads


def _exact(column: npt.NDArray[np.integer]) -> npt.NDArray[np.int32] | npt.NDArray[np.float64]:
    if column.dtype.itemsize == 4 and column.dtype.kind == "u" and int(column.max()) > np.iinfo(np.int32).max:
        return column.astype(np.float64)
    return column.astype(np.int32)


def _padding(elements: Elements, values: Values, dtype: np.dtype[np.integer]) -> int | None:
    """The stored value that stands for no sample; 8 bits of it may be filled up to 16."""
    start, end = values.get(PADDING, (0, 0))
    if end - start < dtype.itemsize:
        return None
    return int(np.frombuffer(elements.data, dtype, 1, start)[0])


def _calibration(elements: Elements, definition: Values) -> tuple[float, float, str]:
    """Gain per unit, zero and unit; ``(1, 0, "adu")`` where the channel gives none."""
    sensitivity, correction = (
        number_of(elements, definition, SENSITIVITY),
        number_of(elements, definition, CORRECTION),
    )
    step = (sensitivity or 0.0) * (1.0 if correction is None else correction)
    names = coded(elements, definition, UNITS)
    if not step or not any(names):
        return 1.0, 0.0, UNCALIBRATED
    factors = [per_millivolt(name) for name in names]
    factor = next((factor for factor in factors if factor is not None), None)
    gain = (1.0 if factor is None else factor) / step
    zero = 0.0 - (number_of(elements, definition, BASELINE) or 0.0) / step
    if not (math.isfinite(gain) and math.isfinite(zero)):
        return 1.0, 0.0, UNCALIBRATED
    return gain, zero, next(filter(None, names)) if factor is None else MILLIVOLT


def _name(elements: Elements, definition: Values) -> str:
    """What the channel's source means, ``I`` where it is "Lead I (Einthoven)"; else the channel's label."""
    _, meaning = coded(elements, definition, SOURCE)
    known = _LEAD.fullmatch(meaning)
    return known[1] if known else meaning or text_of(elements, definition, LABEL)
