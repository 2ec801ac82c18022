"""A line of a WFDB header that describes one signal: where its samples lie, and what they mean.

Belongs here: the fields of a signal specification line of header(5) (WFDB Applications Guide,
physionet.org/physiotools/wag/header-5.htm). Does not belong here: the rest of the header (`header.py`).
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from vitalake.ecg.readers.units import per_millivolt
from vitalake.ecg.recording import MILLIVOLT
from vitalake.errors import UnusableDataError

MAX_NAME = 80  # characters of a description, as the format limits them
DEFAULT_GAIN = 200.0  # DEFGAIN of wfdb.h, for a signal without calibration
NO_FILES = ("~", "-")  # a signal that is stored nowhere; standard input

FLOAT = r"[+-]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][+-]?\d{1,3})?"

_FORMAT = re.compile(
    r"(?P<format>\d{1,5})(?:x(?P<per_frame>\d{1,9}))?(?::(?P<skew>\d{1,15}))?(?:\+(?P<offset>\d{1,15}))?", re.ASCII
)
_GAIN = re.compile(
    rf"(?P<gain>{FLOAT})?(?:\((?P<baseline>{FLOAT})\))?(?:/(?P<unit>[^\s\x00-\x1f\x7f]{{1,40}}))?", re.ASCII
)
_INTEGER = re.compile(r"\s*([+-]?\d{1,15})(?=\s|$)", re.ASCII)
_FILE_NAME = re.compile(r"(?!.*\.\.)[^\s/\\:\x00-\x1f\x7f]{1,255}")


class WfdbSignal(NamedTuple):
    """A signal specification line; `gain`, in stored units per `unit`, is None where the signal is uncalibrated."""

    file: str
    storage_format: int
    samples_per_frame: int
    skew: int
    byte_offset: int
    gain: float | None
    baseline: float
    unit: str
    initial: int
    initial_is_given: bool
    checksum: int | None
    name: str


class Calibration(NamedTuple):
    """Gain in stored units per `unit`, stored value of 0, and unit; volts are turned into millivolts."""

    gain: float
    zero: float
    unit: str


def parse_signal(line: str, at: int) -> WfdbSignal:
    """The fields of the line of signal `at`, counted from 1; what the line leaves out has its default.

    Raises:
        UnusableDataError: S02, not as header(5) describes it, or a file outside the folder of the header.
    """
    file, text, *more = [*line.split(maxsplit=2), ""]
    storage = _FORMAT.fullmatch(text)
    if not storage:
        raise UnusableDataError("S02", f"signal {at} has no storage format after its file: expected e.g. 212x1:0+0")
    per_frame = int(storage["per_frame"] or 1)
    if per_frame < 1:
        raise UnusableDataError("S02", f"signal {at} has {per_frame} samples per frame, expected 1 or more")
    gain, baseline, unit, rest = _parse_gain(more[0], at)
    # Resolution, ADC zero, initial value, checksum and block size: each there only if the one before it is.
    numbers: list[int] = []
    end = 0
    while len(numbers) < 5 and (number := _INTEGER.match(rest, end)):
        numbers.append(int(number[1]))
        end = number.end()
    adc_zero = numbers[1] if len(numbers) > 1 else 0
    return WfdbSignal(
        file=checked_name(file, at, "signal"),
        storage_format=int(storage["format"]),
        samples_per_frame=per_frame,
        skew=int(storage["skew"] or 0),
        byte_offset=int(storage["offset"] or 0),
        gain=gain,
        baseline=float(adc_zero) if baseline is None else baseline,
        unit=unit,
        initial=numbers[2] if len(numbers) > 2 else adc_zero,
        initial_is_given=len(numbers) > 2,
        checksum=numbers[3] if len(numbers) > 3 else None,
        name="".join(filter(str.isprintable, rest[end:].strip()))[:MAX_NAME].strip(),
    )


def _parse_gain(text: str, at: int) -> tuple[float | None, float | None, str, str]:
    """Gain, baseline and unit of ``gain(baseline)/unit``, and the rest; a description may stand in their place."""
    token, rest, *_ = [*text.split(maxsplit=1), "", ""]
    if not token or token[0] not in "+-.(/0123456789":
        return None, None, MILLIVOLT, text
    found = _GAIN.fullmatch(token)
    if not found:
        raise UnusableDataError("S02", f"signal {at} has no gain that can be read: expected e.g. 200(1024)/mV")
    gain = float(found["gain"] or 0)
    baseline = None if found["baseline"] is None else float(found["baseline"])
    if not math.isfinite(gain) or not math.isfinite(baseline or 0):
        raise UnusableDataError("S02", f"signal {at} has a gain or baseline that is too large for a number")
    return gain or None, baseline, found["unit"] or MILLIVOLT, rest


def calibration(signal: WfdbSignal) -> Calibration:
    """How stored values become physical ones; 200 stored units per unit where the header does not say (header(5)).

    Raises:
        UnusableDataError: S02, a gain that floating point cannot hold per millivolt.
    """
    gain = DEFAULT_GAIN if signal.gain is None else signal.gain
    factor = per_millivolt(signal.unit)
    if factor is None:
        return Calibration(gain, signal.baseline, signal.unit)
    gain *= factor
    if not gain or not math.isfinite(gain):
        raise UnusableDataError("S02", "the gain of a signal is too small or too large for a number")
    return Calibration(gain, signal.baseline, MILLIVOLT)


def checked_name(name: str, at: int, kind: str) -> str:
    """The name, if it is one of a file in the folder of the header; S02 if not. `kind` and `at` say whose it is."""
    if not _FILE_NAME.fullmatch(name):
        raise UnusableDataError(
            "S02", f"{kind} {at} lies outside the folder of the header, or its name is no file's"
        )
    return name
