"""Measures of the samples as they are: standstill, limits, amplitude, steps, wander, distribution (Q01–Q06, Q09).

Belongs here: what needs no spectrum and no beats. Does not belong here: from which value on a measure is bad
(`vitalake/ecg/quality/rules.py`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vitalake.ecg.signals.filters import FloatArray
from vitalake.ecg.signals.strips import Strips, peak_to_peak, runs

FLAT_RUN_S = 0.2  # shorter standstills are the quantisation of a calm baseline
WANDER_HZ = 0.5


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
    """Upper quartile over whole seconds of the peak-to-peak above 0.7 Hz, in mV. ≥ 0.

    Not the median: a slow heart leaves every other second without a beat.
    Source: low-amplitude rule of the PhysioNet/CinC challenge 2011 (Silva et al., CinC 38:273).
    """
    return np.asarray(np.quantile(strips.steady_seconds_mv, 0.75, axis=1), dtype=np.float64)


def amplitude_max_mv(strips: Strips) -> FloatArray:
    """Largest peak-to-peak of any whole second above 0.7 Hz, in mV. ≥ `amplitude_mv`.

    Source: as `amplitude_mv`; low in every second means that the electrode is off.
    """
    return np.asarray(strips.steady_seconds_mv.max(axis=1), dtype=np.float64)


def saturation_run_s(strips: Strips) -> FloatArray:
    """Longest stay in s within half an LSB of the strip's own maximum or minimum. 0 .. duration.

    Source: clipping rule of Redmond et al. 2012, Physiol. Meas. 33:1517.
    """
    x, near = strips.x_mv, 0.5 * strips.lsb_mv
    longest: FloatArray = np.zeros(len(x))
    for at_limit in (x >= x.max(axis=1, keepdims=True) - near, x <= x.min(axis=1, keepdims=True) + near):
        rows, lengths = runs(at_limit)
        longest = np.maximum(longest, _longest(rows, (lengths - 1) / strips.sampling_rate_hz, len(x)))
    return longest


def max_abs_mv(strips: Strips) -> FloatArray:
    """max(abs(x - median(x))) in mV. ≥ 0; a surface ECG stays below 5, a front end's range ends near 10.

    About the median: electrodes add a constant of up to ±300 mV (IEC 60601-2-25), which harms nothing; `offset_mv`
    tells it.
    """
    distance = np.maximum(strips.x_mv.max(axis=1) - strips.median_mv, strips.median_mv - strips.x_mv.min(axis=1))
    return np.asarray(distance, dtype=np.float64)


def step_max_mv(strips: Strips) -> FloatArray:
    """Largest step between neighbours, max(abs(dx)), in mV per sample. ≥ 0; a QRS complex stays below 1 at 360 Hz.

    Source: spike rule of Hayn et al. 2012, Physiol. Meas. 33:1449.
    """
    return np.asarray(np.abs(strips.steps_mv).max(axis=1, initial=0.0), dtype=np.float64)


def wander_mv(strips: Strips) -> FloatArray:
    """Peak-to-peak of what lies below 0.5 Hz, in mV. ≥ 0.

    Source: Zhao & Zhang 2018, Front. Physiol. 9:727; cutoff of the AHA recommendation, Kligfield et al. 2007.
    """
    return peak_to_peak(strips.bands.below(WANDER_HZ))


def kurtosis(strips: Strips) -> FloatArray:
    """Pearson's kurtosis above 0.7 Hz, mean(x⁴) / mean(x²)² about the mean; 1 or more, 3 for Gaussian noise.

    A clean ECG has more than 5: QRS complexes are short and tall. It rises with bursts of muscle noise, so that a
    high value proves nothing. NaN for a constant strip.
    Source: Li, Mark & Clifford 2008, Physiol. Meas. 29:15.
    """
    x = strips.steady_mv - strips.steady_mv.mean(axis=1, keepdims=True)
    squares = x * x
    variance = squares.mean(axis=1)
    fourth = np.einsum("ij,ij->i", squares, squares) / x.shape[1]
    ratio = np.full(len(x), np.nan)
    np.divide(fourth, variance**2, out=ratio, where=variance > 0)
    return ratio


def peak_to_peak_mv(strips: Strips) -> FloatArray:
    """Upper quartile over whole seconds of the peak-to-peak as recorded, in mV. ≥ 0, usually 0.1 to 10."""
    return np.asarray(np.quantile(strips.seconds_mv, 0.75, axis=1), dtype=np.float64)


def missing_share(strips: Strips) -> FloatArray:
    """Share of the samples without a value, which were bridged by a straight line. 0 .. 1."""
    return strips.missing_share


def missing_run_s(strips: Strips) -> FloatArray:
    """Longest run of samples without a value, which were bridged by a straight line, in s. 0 .. duration."""
    return strips.missing_run_s


def offset_mv(strips: Strips) -> FloatArray:
    """abs(median(x)) in mV. ≥ 0; large where the zero or the gain of the recording is wrong."""
    return np.asarray(np.abs(strips.median_mv), dtype=np.float64)


def _longest(rows: npt.NDArray[np.intp], lengths: FloatArray, strips: int) -> FloatArray:
    longest: FloatArray = np.zeros(strips)
    np.maximum.at(longest, rows, lengths)
    return longest
