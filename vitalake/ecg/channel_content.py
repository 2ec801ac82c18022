"""What the samples of a channel do that no heart does: stand still, count, move in steps, swing slowly.

Belongs here: evidence in the samples, strict enough that saturated and noisy leads do not show it. Does not belong
here: what follows from it (`channels.py`).

Of 9,204 leads of CinC 2011, taken without their names, none counts, moves in steps or swings by this.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt

from vitalake.ecg.recording import MILLIVOLT, Lead
from vitalake.ecg.signals.filters import FloatArray

SAME_STEP_SHARE = 0.95  # of the changes of a counter; the others are where it begins again or was read late
LEAST_CHANGES = 32  # of a counter: fewer alike are chance
MOST_LEVELS = 16
MOST_SWITCHES = 0.05  # of the samples: a line that is switched stays where it is
MOST_SWITCHES_OF_TWO = 0.25  # where there are two levels only, as of a square wave
FLICKER_MV = 0.02  # a converter with nothing on it moves as much
FLICKER_LSB, COARSE_FLICKER_MV = 3, 0.1  # and a coarse one by so many stored units
SWING_S, LEAST_SWING_S = 60.0, 10.0  # how much of a channel is looked at, where it swings, and how much it takes
SLOWEST_HZ, FASTEST_HZ = 2.0, 10_000.0
SLOW_HZ = (0.05, 0.8)
SLOW_SHARE = 0.97  # of the power
NARROW_SHARE = 0.8  # of the power, within a third of the strongest frequency
LEAST_SWINGS = 2
REST_HZ = 1.0
LARGEST_REST = 0.03  # of the swing: what is left above 1 Hz; beats under a swing of 10 mV are more

Samples = npt.NDArray[np.int32] | npt.NDArray[np.float64]


class Content(Enum):
    """What a channel does, in words that follow "it"; ANYTHING is what an ECG may do."""

    STILL = "stands still"
    COUNTING = "counts in equal steps"
    STEPPED = "moves in steps between few levels"
    SWINGING = "swings slowly and has no beat"
    ANYTHING = "moves as an ECG may"


def content_of(lead: Lead) -> Content:
    """What the samples of a channel do, as they were stored; missing ones are left out."""
    x = lead.samples if lead.missing is None else lead.samples[~lead.missing]
    if x.dtype.kind == "f":
        x = x[np.isfinite(x)]
    if not len(x) or x.min() == x.max():
        return Content.STILL
    with np.errstate(over="ignore", invalid="ignore"):  # the largest numbers of a float64 lie further apart
        return _moving(x, lead)


def _moving(x: Samples, lead: Lead) -> Content:
    steps = np.diff(x.astype(np.float64, copy=False))
    if _counts(steps):
        return Content.COUNTING
    levels = _levels(x, steps)
    if levels is not None:
        flickers = _flickers(lead, float(levels.max()) - float(levels.min()))
        # A line that never comes back to a level drifts, as electrodes do, or was switched once.
        returns = np.count_nonzero(steps) + 1 > len(levels)
        return Content.STEPPED if returns and not flickers else Content.STILL
    return Content.SWINGING if _swings(x, lead.sampling_rate_hz) else Content.ANYTHING


def _counts(steps: FloatArray) -> bool:
    """Whether nearly all changes are the same step, in one direction: at each sample, or at each packet of them."""
    changes = steps[steps != 0]
    if len(changes) < LEAST_CHANGES:
        return False
    step = float(np.median(changes))
    same = np.abs(changes - step) <= 0.02 * abs(step)
    return float(same.mean()) >= SAME_STEP_SHARE


def _levels(x: Samples, steps: FloatArray) -> FloatArray | None:
    """The levels between which a line is switched, ascending; None where there are too many, or it never rests."""
    switches = np.flatnonzero(steps)
    share = len(switches) / len(steps)
    if share > MOST_SWITCHES_OF_TWO:
        return None
    levels = np.unique(np.concatenate((x[switches], x[-1:]))).astype(np.float64)
    most = 2 if share > MOST_SWITCHES else MOST_LEVELS
    return levels if len(levels) <= most else None


def _flickers(lead: Lead, span: float) -> bool:
    """Whether levels are as close together as noise makes them; without a known gain nobody can tell."""
    if lead.unit != MILLIVOLT:
        return False
    span_mv = span / abs(lead.gain_adu_per_unit)
    is_whole = lead.samples.dtype.kind == "i"
    return span_mv <= FLICKER_MV or (is_whole and span <= FLICKER_LSB and span_mv <= COARSE_FLICKER_MV)


def _swings(x: Samples, rate_hz: float) -> bool:
    """Whether a channel goes up and down at one slow frequency and does nothing else, as breathing does."""
    if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ or len(x) < LEAST_SWING_S * rate_hz:
        return False
    length = min(len(x), round(SWING_S * rate_hz))
    window = x[:length].astype(np.float64)
    window -= window.mean()
    hz = np.fft.rfftfreq(length, 1 / rate_hz)
    bins = np.fft.rfft(window * np.hanning(length))  # whose ends meet, so that nothing rings
    power = np.abs(bins) ** 2
    slow = (hz >= SLOW_HZ[0]) & (hz <= SLOW_HZ[1])
    total = power.sum()
    if power[slow].sum() < SLOW_SHARE * total:
        return False
    strongest_hz = hz[slow][np.argmax(power[slow])]
    width_hz = strongest_hz / 3 + 1.5 * hz[1]
    narrow = np.abs(hz - strongest_hz) <= width_hz
    if power[narrow].sum() < NARROW_SHARE * total or strongest_hz * length / rate_hz < LEAST_SWINGS:
        return False
    bins[hz < REST_HZ] = 0
    rest = np.fft.irfft(bins, length)[length // 4 : -length // 4]  # where the window is at least a half
    return bool(np.ptp(rest) <= LARGEST_REST * np.ptp(window))
