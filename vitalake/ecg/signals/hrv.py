"""Heart rate variability from intervals between beats: in time, and by frequency.

Belongs here: numbers from RR intervals. Does not belong here: rate and plausibility (`rhythm.py`), finding beats.

Intervals lie between all detected beats, not only normal ones: which are normal is for the reader of the numbers
to say. Those that are not usable (`rhythm.py` says which) are NaN here and count nowhere. Definitions: Task Force
of the ESC and NASPE 1996, Circulation 93:1043.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEAST_INTERVALS = 3
LEAST_STEPS = 2
LEAST_IN_WINDOW = 10
LEAST_HF_S = 60.0  # Task Force 1996, p. 1048: ten times the longest wave, about 1 min for HF, 2 min for LF
LEAST_LF_S = 120.0
LEAST_SEEN = 0.9  # of those times: a lead begins and ends between beats, and may lose a single interval
WINDOW_S = 300.0  # the short-term recording of the Task Force
LF_HZ = (0.04, 0.15)
HF_HZ = (0.15, 0.40)
PNN_MS = 50.0


class Variability(NamedTuple):
    """Variability in time: ms, ms, and a share from 0 to 1; None where there are too few intervals."""

    sdnn_ms: float | None
    rmssd_ms: float | None
    pnn50_share: float | None


class Power(NamedTuple):
    """Variability by frequency: ms² from 0.04 to 0.15 Hz and from 0.15 to 0.40 Hz; None where too short."""

    lf_ms2: float | None
    hf_ms2: float | None


def variability(rr_s: npt.ArrayLike) -> Variability:
    """Sample standard deviation, root mean square of successive differences, share of those above 50 ms.

    A difference is one of two neighbours that are both usable. The first is None below three intervals, the others
    are below two differences.

    Args:
        rr_s: intervals in s, in order, shape (intervals,); NaN where not usable.
    """
    rr_ms = 1e3 * np.asarray(rr_s, dtype=np.float64)
    steps = np.diff(rr_ms)
    seen, steps = rr_ms[~np.isnan(rr_ms)], steps[~np.isnan(steps)]
    sdnn_ms = float(seen.std(ddof=1)) if len(seen) >= LEAST_INTERVALS else None
    if len(steps) < LEAST_STEPS:
        return Variability(sdnn_ms, None, None)
    return Variability(
        sdnn_ms,
        float(np.sqrt(np.mean(steps**2))),
        float(np.mean(np.abs(steps) > PNN_MS + 1e-6)),  # 50 ms exactly is not above, whatever the rounding
    )


def power(beats_s: npt.ArrayLike, rr_s: npt.ArrayLike, duration_s: float) -> Power:
    """Power of the intervals in the low and the high band.

    Lomb–Scargle periodogram of each interval at the time of the beat that ends it, its line of least squares taken
    off, over equal windows of at most 5 min; summed over the multiples of 1 / window in the band, so that a sine of
    amplitude A has A² / 2. No resampling, which weakens the high band (Clifford & Tarassenko 2005, IEEE TBME
    52(4):630). What is not usable leaves a hole in its window, and a hole spreads every sine over its neighbours in
    frequency: their sum grows by window / usable time and is divided by it (Parseval). The mean over the windows
    weighs each by its usable time. A window counts for HF from 54 s of usable intervals on, for LF from 108 s on:
    0.9 of the least that a lead must have.

    Args:
        beats_s: times of the beats in s, ascending, shape (beats,).
        rr_s: the intervals between them in s, shape (beats - 1,); NaN where not usable.
        duration_s: length of the lead in s. Below 60 s both are None, below 120 s LF is.
    """
    beats, rr = np.asarray(beats_s, dtype=np.float64), np.asarray(rr_s, dtype=np.float64)
    if duration_s < LEAST_HF_S or len(beats) < 2:
        return Power(None, None)
    seen = ~np.isnan(rr)
    span = beats[-1] - beats[0]
    count = int(np.ceil(span / WINDOW_S))
    width = span / count
    seen_by_s = np.concatenate(([0.0], np.cumsum(np.where(seen, rr, 0.0))))
    seen_s = np.diff(np.interp(beats[0] + width * np.arange(count + 1), beats, seen_by_s))
    window = np.minimum(((beats[1:] - beats[0]) / width).astype(np.intp), count - 1)
    powers = np.full((count, 2), np.nan)
    for each in np.flatnonzero(seen_s >= LEAST_SEEN * LEAST_HF_S):
        here = (window == each) & seen
        if np.count_nonzero(here) >= LEAST_IN_WINDOW:
            powers[each] = _band_powers(beats[1:][here], 1e3 * rr[here], width)
    powers *= (seen_s / width)[:, None]
    if duration_s < LEAST_LF_S:
        return Power(None, _mean(powers[:, 1], seen_s, LEAST_HF_S))
    return Power(_mean(powers[:, 0], seen_s, LEAST_LF_S), _mean(powers[:, 1], seen_s, LEAST_HF_S))


def _mean(powers: FloatArray, seen_s: FloatArray, least_s: float) -> float | None:
    """Mean over the windows that have a power and were seen for long enough; None where there is none."""
    enough = (seen_s >= LEAST_SEEN * least_s) & ~np.isnan(powers)
    return float(np.average(powers[enough], weights=seen_s[enough])) if enough.any() else None


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
