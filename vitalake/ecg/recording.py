"""What every reader hands over: one ECG recording, exactly as it was stored, in one model for all formats.

Belongs here: the model between readers and checks. Does not belong here: file formats (`readers/`), whether the
recording can be used (`structure.py`), how good it is (`vitalake/ecg/quality/rules.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from vitalake.ecg.channel_words import NO_LABEL, LabelMeaning

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MILLIVOLT = "mV"
UNCALIBRATED = "adu"  # stored units: nobody says what they mean
# The zone of a time that names none: UTC, until a device declares where its clock stands.
CLOCK_TIME = timezone(timedelta(0), "clock")
RATE_ASSUMED = "S07"  # as a finding: the sampling rate is a guess, and so is whatever follows from it


class Finding(NamedTuple):
    """Something odd about a recording that can be used all the same: a check's id, and what was found."""

    rule: str
    message: str


@dataclass(frozen=True)
class Lead:
    """One lead as it was stored; ``(stored - zero_adu) / gain_adu_per_unit`` is its value in `unit`.

    Args:
        name: as the file spells it, if that names a signal, else ``lead_1`` and so on: free text is not kept.
        samples: shape (samples,); int32 where the file holds integers that fit, else float64.
        sampling_rate_hz: of this lead; 0 where the file does not say.
        gain_adu_per_unit: stored units per `unit`; 1 where unknown. A reader turns volts and microvolts into a
            gain per millivolt; it never scales samples.
        zero_adu: stored value of 0.
        unit: ``mV``, ``adu`` where no gain is known, or what the file says of a signal that is no voltage.
        missing: True where the device had no value, shape (samples,); None: nowhere. What `samples` holds there
            means nothing. A float lead may as well hold NaN.
        group: position of the group of leads that share a time axis, from 0. Most files have one; a DICOM file may
            hold a rhythm strip and an averaged beat.
        start_offset_s: seconds from the start of the recording to the first sample.
        label: what its label in the file says of it.
        is_ecg: whether it is an ECG, and `kind_reason` what says so (`vitalake/ecg/channels.py`).
    """

    name: str
    samples: npt.NDArray[np.int32] | npt.NDArray[np.float64]
    sampling_rate_hz: float
    gain_adu_per_unit: float = 1.0
    zero_adu: float = 0.0
    unit: str = UNCALIBRATED
    missing: npt.NDArray[np.bool_] | None = None
    group: int = 0
    start_offset_s: float = 0.0
    label: LabelMeaning = NO_LABEL
    is_ecg: bool = True
    kind_reason: str = ""

    @property
    def duration_s(self) -> float:
        """Length in s; 0 where the sampling rate is not known."""
        return len(self.samples) / self.sampling_rate_hz if self.sampling_rate_hz else 0.0

    def values(self) -> npt.NDArray[np.float64]:
        """Samples in `unit`, shape (samples,), NaN where missing."""
        return to_unit(self.samples, self.zero_adu, self.gain_adu_per_unit, self.missing)


@dataclass(frozen=True)
class Recording:
    """The leads of one recording and everything the file says about it.

    Args:
        leads: in the order of the file, at least one.
        file_format: what the content was recognised as, e.g. ``matlab_v5`` or ``edf``.
        started_at: start in UTC, or in `CLOCK_TIME` where the file names no zone. None where the file says nothing.
        subject: whatever the file identifies the subject by, and nothing else. Personal data: it leaves the reader
            only to become a pseudonym.
        device_model: manufacturer and model, no serial number.
        label: diagnosis or rhythm that the file states as codes or class, no free text.
        findings: what is odd: header against data, unknown gain, and so on.
        assumed: what the file does not say and was taken from its device's declaration, or from a usual value.
    """

    leads: tuple[Lead, ...]
    file_format: str
    started_at: datetime | None = None
    subject: str | None = None
    device_model: str | None = None
    label: str | None = None
    findings: tuple[Finding, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def rate_is_guessed(self) -> bool:
        """Whether neither the file nor a declaration says how fast it was sampled."""
        return any(finding.rule == RATE_ASSUMED for finding in self.findings)


def to_unit(
    stored: npt.ArrayLike, zero_adu: float, gain_adu_per_unit: float, missing: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.float64]:
    """``(stored - zero) / gain`` in floating point, NaN where missing: the one place that knows the formula."""
    import numpy as np

    x: npt.NDArray[np.float64] = (np.asarray(stored, dtype=np.float64) - zero_adu) / gain_adu_per_unit
    if missing is not None:
        x[missing] = np.nan
    return x
