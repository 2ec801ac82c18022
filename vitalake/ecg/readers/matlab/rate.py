"""The sampling rate of a MATLAB file: which of its variables and fields say it, and what they say together.

Belongs here: names of rates and intervals, and which of several counts. Does not belong here: what becomes of a
file whose variables say no rate (`vitalake/ecg/structure.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from vitalake.ecg.readers.matlab.variable import Matrix
from vitalake.errors import UnusableDataError

# What is left of "Fs", "sampling_rate_hz", "ECG_fs": lower case, without blanks, "ecg", and a unit at the end.
_RATES = frozenset(
    (
        *(
            "fs",
            "freq",
            "srate",
            "sfreq",
            "fsample",
            "fsamp",
            "sfrequency",
            "samplerate",
            "samplingrate",
            "samplefreq",
        ),
        *("samplingfreq", "samplefrequency", "samplingfrequency", "sampfreq", "samprate", "sampfrequency"),
        *(
            "frequency",
            "samplespersecond",
            "acquisitionrate",
            "acquisitionfrequency",
            "digitizationrate",
            "adcrate",
        ),
    )
)
_INTERVALS = frozenset(
    (
        *("dt", "ts", "deltat", "tsample", "tsamp", "samplinginterval", "sampleinterval", "sampleperiod", "isi"),
        *("samplingperiod", "sampinterval", "sampperiod", "timestep", "samplingtime", "sampletime"),
    )
)
_HERTZ = re.compile(r"[_ ]?(?:k?hz|sps)$", re.IGNORECASE)
_SECONDS = re.compile(r"[_ ](?:s|sec|ms|msec|us|usec)$", re.IGNORECASE)
_OF_SIGNAL = re.compile(r"^(?:ecg|ekg)[_ ]?|[_ ](?:ecg|ekg)$", re.IGNORECASE)
_INDEX = re.compile(r"[({][0-9]+[)}]")
_LIKELY_HZ = (50.0, 2000.0)  # in which seconds, milliseconds and microseconds cannot be taken for each other
_MOST_PER_LEAD = 16
_AGREE = 1e-3
_ROUNDED = 1e-2  # an interval of 0.0028 s is 360 Hz, written with two digits


class _Statement(NamedTuple):
    """What one variable says: its place in the file, as `ecg.fs`, and the rate in Hz, and how exact that is."""

    place: str
    rate_hz: float
    tolerance: float


def is_rate(name: str) -> bool:
    """Whether a variable or field of this name says how fast the signal was sampled."""
    return _spelling(name) is not None


def stated_rate(signal: str, matrices: Mapping[str, Matrix], others: Mapping[str, str]) -> float:
    """Sampling rate in Hz of the variable called `signal`; 0 where nothing says it.

    What lies beside the signal, in the same structure, counts before what lies in a structure around it, and both
    before everything else. An interval between samples is a rate as well, in seconds, milliseconds or microseconds,
    whichever gives 50 to 2000 Hz. A long vector with the name of a rate is a signal or an axis, and says no rate.

    Args:
        signal: its name; what is called so is no rate.
        matrices: real numeric matrices by name.
        others: what the other variables are, by name.

    Raises:
        UnusableDataError: S07, two that count alike differ, or one is no number above 0.
    """
    named = [name for name in (*matrices, *others) if name != signal and is_rate(name)]
    named = [name for name in named if not _is_long(matrices.get(name))]
    for folder in _folders_around(signal):
        near = [name for name in named if _folder(name) == folder]
        if near:
            return _agreed([_statement(name, matrices, others) for name in near])
    return _agreed([_statement(name, matrices, others) for name in named])


def _spelling(name: str) -> str | None:
    """The name as the tables have it; None where it is in none of them."""
    last = _INDEX.sub("", name).rpartition(".")[2]
    plain = _OF_SIGNAL.sub("", last)
    for unit in (_HERTZ, _SECONDS):
        spelt = re.sub(r"[_ -]", "", unit.sub("", plain)).lower()
        if spelt in (_RATES if unit is _HERTZ else _INTERVALS):
            return spelt
    return None


def _is_long(matrix: Matrix | None) -> bool:
    return matrix is not None and matrix.size > _MOST_PER_LEAD and not _is_one_value(matrix)


def _is_one_value(matrix: Matrix) -> bool:
    return matrix.size > 0 and bool((matrix == matrix.flat[0]).all())


def _folder(name: str) -> str:
    return _INDEX.sub("", name).rpartition(".")[0]


def _folders_around(signal: str) -> list[str]:
    """The structure that a signal lies in, the one around that, and so on to the file itself, ``""``."""
    folders = [_folder(signal)]
    while folders[-1]:
        folders.append(_folder(folders[-1]))
    return folders


def _statement(name: str, matrices: Mapping[str, Matrix], others: Mapping[str, str]) -> _Statement:
    matrix, spelt = matrices.get(name), _spelling(name)
    shown = _INDEX.sub("", name).rpartition(".")[2]
    if matrix is None or not (matrix.size == 1 or _is_one_value(matrix)):
        found = others.get(name) if matrix is None else "{:,} x {:,} values".format(*matrix.shape)
        raise UnusableDataError(
            "S07", f"'{shown}' is {found}, expected a single number: save the rate in Hz as 'fs'"
        )
    value = float(matrix.flat[0])
    if not value > 0:
        raise UnusableDataError("S07", f"'{shown}' says {value:g}, expected a sampling rate above 0 in Hz")
    if spelt in _INTERVALS:
        return _Statement(shown, _rate_of_interval(shown, value), _ROUNDED)
    scale = 1000.0 if re.search(r"khz$", name, re.IGNORECASE) else 1.0
    return _Statement(shown, scale * value, _AGREE)


def _rate_of_interval(shown: str, interval: float) -> float:
    low, high = _LIKELY_HZ
    for per_second in (1.0, 1e3, 1e6):
        if low <= per_second / interval <= high:
            rate_hz = per_second / interval
            return float(round(rate_hz)) if math.isclose(rate_hz, round(rate_hz), rel_tol=1e-6) else rate_hz
    raise UnusableDataError(
        "S07", f"'{shown}' says {interval:g} between samples: in no unit of time a rate from {low:g} to {high:g} Hz"
    )


def _agreed(statements: list[_Statement]) -> float:
    statements = sorted(statements, key=lambda each: each.tolerance)
    rates = [statement.rate_hz for statement in statements]
    if any(not math.isclose(each.rate_hz, rates[0], rel_tol=each.tolerance) for each in statements):
        shown = " and ".join(f"{rate:g} Hz in {place}" for place, rate, _ in statements)
        raise UnusableDataError("S07", f"sampling rate {shown}: expected one")
    return rates[0] if rates else 0.0
