"""Heart rate variability from intervals between beats: in time, and by frequency.

Belongs here: numbers from RR intervals. Does not belong here: rate and plausibility (`features.py`), finding beats.

Every interval counts, those around premature beats too: which beats are normal is for the reader of the numbers to
say. Definitions: Task Force of the ESC and NASPE 1996, Circulation 93:1043.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEAST_INTERVALS = 3
LEAST_IN_WINDOW = 10
LEAST_S = 60.0  # below, the low frequencies hold too few cycles: ten of 0.15 Hz, hardly three of 0.04 Hz
WINDOW_S = 300.0  # the short-term recording of the Task Force
LF_HZ = (0.04, 0.15)
HF_HZ = (0.15, 0.40)
PNN_MS = 50.0


class Variability(NamedTuple):
    """Variability in time: ms, ms, and a share from 0 to 1."""

    sdnn_ms: float
    rmssd_ms: float
    pnn50_share: float


class Power(NamedTuple):
    """Variability by frequency: ms² from 0.04 to 0.15 Hz and from 0.15 to 0.40 Hz."""

    lf_ms2: float
    hf_ms2: float


def variability(rr_s: npt.ArrayLike) -> Variability | None:
    """Sample standard deviation, root mean square of successive differences, share of those above 50 ms.

    Args:
        rr_s: intervals in s, in order, shape (intervals,); None below three.
    """
    rr_ms = 1e3 * np.asarray(rr_s, dtype=np.float64)
    if len(rr_ms) < LEAST_INTERVALS:
        return None
    steps = np.diff(rr_ms)
    return Variability(
        float(rr_ms.std(ddof=1)),
        float(np.sqrt(np.mean(steps**2))),
        float(np.mean(np.abs(steps) > PNN_MS + 1e-6)),  # 50 ms exactly is not above, whatever the rounding
    )


def power(beats_s: npt.ArrayLike) -> Power | None:
    """Power of the intervals in the low and the high band.

    Lomb–Scargle periodogram of each interval at the time of the beat that ends it, its line of least squares taken
    off, over equal windows of at most 5 min, averaged; summed over the multiples of 1 / window in the band, so that
    a sine of amplitude A has A² / 2. No resampling, which weakens the high band (Clifford & Tarassenko 2005, IEEE
    TBME 52(4):630).

    Args:
        beats_s: times of the beats in s, ascending, shape (beats,); None where they span less than 60 s or fewer
            than ten intervals fall into every window.
    """
    beats = np.asarray(beats_s, dtype=np.float64)
    if len(beats) < 2 or beats[-1] - beats[0] < LEAST_S:
        return None
    time, rr_ms = beats[1:], 1e3 * np.diff(beats)
    span = time[-1] - beats[0]
    count = int(np.ceil(span / WINDOW_S))
    width = span / count
    window = np.minimum(((time - beats[0]) / width).astype(np.intp), count - 1)
    found = [
        _band_powers(time[window == each], rr_ms[window == each], width)
        for each in range(count)
        if np.count_nonzero(window == each) >= LEAST_IN_WINDOW
    ]
    return Power(*(float(part) for part in np.mean(found, axis=0))) if found else None


def _band_powers(time: FloatArray, rr_ms: FloatArray, width_s: float) -> tuple[float, float]:
    """Power in ms² in the low and the high band of one window."""
    time = time - time.mean()
    rest = rr_ms - rr_ms.mean()
    rest = rest - time * (rest @ time) / (time @ time)
    frequency = np.arange(1, int(HF_HZ[1] * width_s) + 1) / width_s
    shape = _lomb(time, rest, frequency)
    low, high = (float(shape[(frequency >= band[0]) & (frequency < band[1])].sum()) for band in (LF_HZ, HF_HZ))
    return low, high


def _lomb(time: FloatArray, values: FloatArray, frequency: FloatArray) -> FloatArray:
    """Lomb–Scargle power as variance, A² / 2 for a sine of amplitude A (Scargle 1982, ApJ 263:835)."""
    omega = 2 * np.pi * frequency[:, None]
    delay = np.arctan2(np.sin(2 * omega * time).sum(axis=1), np.cos(2 * omega * time).sum(axis=1))[:, None] / 2
    cosine, sine = np.cos(omega * time - delay), np.sin(omega * time - delay)
    in_phase = (cosine @ values) ** 2 / (cosine**2).sum(axis=1)
    across = (sine @ values) ** 2 / np.maximum((sine**2).sum(axis=1), 1e-12)  # 0 at half the mean rate
    return np.asarray((in_phase + across) / len(values), dtype=np.float64)
