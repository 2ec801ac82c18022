"""Signal measures: one pure function each, from a batch of strips to one number per strip.

Belongs here: what is measured. Each function becomes one column of that name; its docstring gives formula, unit,
range and source. Does not belong here: from which value on a measure is bad (`quality.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vitalake.ecg.filters import FloatArray, butterworth, seconds

FLAT_RUN_S = 0.2  # shorter standstills are the quantisation of a calm baseline


@dataclass(frozen=True)
class Strips:
    """A batch of strips in mV without NaN, shape (n, samples), and what several measures derive from it.

    `lsb_mv` is the step of one stored unit, shape (n, 1).
    """

    x_mv: FloatArray
    sampling_rate_hz: float
    lsb_mv: FloatArray

    @cached_property
    def flat_runs(self) -> tuple[npt.NDArray[np.intp], FloatArray]:
        """Row and length in s of every run of steps with abs(dx) ≤ 0.5 LSB."""
        rows, lengths = _runs(np.abs(np.diff(self.x_mv, axis=1)) <= 0.5 * self.lsb_mv)
        return rows, lengths / self.sampling_rate_hz

    @cached_property
    def seconds_mv(self) -> FloatArray:
        """Peak-to-peak of each second as recorded, shape (n, seconds)."""
        return _peak_to_peak(seconds(self.x_mv, self.sampling_rate_hz))

    @cached_property
    def seconds_without_wander_mv(self) -> FloatArray:
        """Peak-to-peak of each second above 0.7 Hz, shape (n, seconds)."""
        steady = butterworth(self.x_mv, self.sampling_rate_hz, "highpass", 0.7)
        return _peak_to_peak(seconds(steady, self.sampling_rate_hz))


def flat_run_s(strips: Strips) -> FloatArray:
    """Longest time in s without a step above half an LSB: max run of abs(dx) ≤ 0.5 LSB. 0 .. duration.

    Source: Hayn et al. 2012, Physiol. Meas. 33:1449; Clifford et al. 2011, CinC 38:285.
    """
    rows, lengths = strips.flat_runs
    return _longest(rows, lengths, len(strips.x_mv))


def flat_share(strips: Strips) -> FloatArray:
    """Share of the strip that lies in flat runs of at least 0.2 s: sum(such runs) / duration. 0 .. 1.

    Single equal neighbours do not count: they are the quantisation of a calm baseline, up to a fifth of a good
    strip.
    Source: lead-off rule of Hayn et al. 2012, Physiol. Meas. 33:1449.
    """
    rows, lengths = strips.flat_runs
    long = lengths >= FLAT_RUN_S
    steps = max(1, strips.x_mv.shape[1] - 1)
    total = np.bincount(rows[long], weights=lengths[long], minlength=len(strips.x_mv))
    return np.asarray(total * strips.sampling_rate_hz / steps, dtype=np.float64)


def amplitude_mv(strips: Strips) -> FloatArray:
    """Median over whole seconds of the peak-to-peak above 0.7 Hz, in mV. ≥ 0.

    Source: low-amplitude rule of the PhysioNet/CinC challenge 2011 (Silva et al., CinC 38:273).
    """
    return np.asarray(np.median(strips.seconds_without_wander_mv, axis=1), dtype=np.float64)


def amplitude_max_mv(strips: Strips) -> FloatArray:
    """Largest peak-to-peak of any whole second above 0.7 Hz, in mV. ≥ `amplitude_mv`.

    Source: as `amplitude_mv`; low in every second means that the electrode is off.
    """
    return np.asarray(strips.seconds_without_wander_mv.max(axis=1), dtype=np.float64)


def saturation_run_s(strips: Strips) -> FloatArray:
    """Longest stay in s within half an LSB of the strip's own maximum or minimum. 0 .. duration.

    Source: clipping rule of Redmond et al. 2012, Physiol. Meas. 33:1517.
    """
    x, near = strips.x_mv, 0.5 * strips.lsb_mv
    longest: FloatArray = np.zeros(len(x))
    for at_limit in (x >= x.max(axis=1, keepdims=True) - near, x <= x.min(axis=1, keepdims=True) + near):
        rows, lengths = _runs(at_limit)
        longest = np.maximum(longest, _longest(rows, (lengths - 1) / strips.sampling_rate_hz, len(x)))
    return longest


def max_abs_mv(strips: Strips) -> FloatArray:
    """max(abs(x)) in mV. ≥ 0; a surface ECG stays below 5, a front end's range ends near 10."""
    return np.asarray(np.maximum(strips.x_mv.max(axis=1), -strips.x_mv.min(axis=1)), dtype=np.float64)


def peak_to_peak_mv(strips: Strips) -> FloatArray:
    """Median over whole seconds of the peak-to-peak as recorded, in mV. ≥ 0; 0.1 to 10 where the gain is right."""
    return np.asarray(np.median(strips.seconds_mv, axis=1), dtype=np.float64)


def offset_mv(strips: Strips) -> FloatArray:
    """abs(median(x)) in mV. ≥ 0; large where the zero or the gain of the recording is wrong."""
    return np.asarray(np.abs(np.median(strips.x_mv, axis=1)), dtype=np.float64)


MEASURES: dict[str, Callable[[Strips], FloatArray]] = {
    function.__name__: function
    for function in (
        flat_run_s,
        flat_share,
        amplitude_mv,
        amplitude_max_mv,
        saturation_run_s,
        max_abs_mv,
        peak_to_peak_mv,
        offset_mv,
    )
}


def _peak_to_peak(windows: FloatArray) -> FloatArray:
    return np.asarray(windows.max(axis=-1) - windows.min(axis=-1), dtype=np.float64)


def _runs(mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Row and length in samples of every run of True, for a mask of shape (n, samples)."""
    strips, samples = mask.shape
    walled = np.zeros((strips, samples + 1), dtype=np.bool_)  # a False column keeps runs inside their row
    walled[:, 1:] = mask
    changes = np.flatnonzero(np.diff(walled.ravel(), append=False))
    starts, stops = changes[::2], changes[1::2]
    return starts // (samples + 1), stops - starts


def _longest(rows: npt.NDArray[np.intp], lengths: FloatArray, strips: int) -> FloatArray:
    longest: FloatArray = np.zeros(strips)
    np.maximum.at(longest, rows, lengths)
    return longest
