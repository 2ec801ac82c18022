"""Where a beat might be, and what speaks for it: summits of QRS energy with six pieces of evidence each.

Belongs here: candidates and their evidence. Does not belong here: which of them are beats (`peaks.py`).

All evidence is relative to other candidates of the same context, a strip or half a minute around, and not to
seconds: a heart that beats every three seconds, or pauses for fifteen, is weighed like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.signals.filters import FloatArray

Samples = npt.NDArray[np.int64]

QRS_BAND_HZ = (8.0, 20.0)  # of the QRS complex: Elgendi 2013, PLoS ONE 8:e73557
BROAD_BAND_HZ = (4.0, 20.0)  # with the slow complexes of ventricular beats
SHAPE_BAND_HZ = (4.0, 30.0)
ENERGY_WINDOW_S = 0.1
SILENCE_MV2 = 1e-6  # (1 µV)²: below it there is no heart but rounding
CLOSEST_S = 0.18  # of two candidates: 300 beats a minute come 0.2 s apart
ALIGN_S = 0.05
# Of the summits in a context so many are beats at least: 20 a minute, beside a pause.
LONGEST_RR_S, LONGEST_PAUSE_S = 3.0, 15.0
USUAL_RR_S = 0.6
LEAST_SHARE = 0.01  # of the energy of the usual number of highest summits
REPEATED = 0.85
SHAPE_REACH_S = 0.12
SHAPE_POINTS = 41
OF_A_KIND = 5.0  # summits whose energies differ by more are not compared in shape
MUCH_HIGHER = 2.5  # in energy: what a P or T wave has beside it
FAR_S = 1.0


@dataclass(frozen=True)
class BeatBands:
    """What candidates are read off, from the bands of a batch of strips; shape (n, samples) each.

    `qrs` and `shape` are in mV, `energy` and `broad` the mean squares over 0.1 s in mV²; `summits` are those of the
    energy, of each strip.
    """

    sampling_rate_hz: float
    qrs: FloatArray
    energy: FloatArray
    broad: FloatArray
    shape: FloatArray
    summits: list[Samples]


class Candidates(NamedTuple):
    """Candidates of one context, in order.

    Args:
        at: sample of the largest deflection of each, shape (m,).
        energy: QRS energy at its summit in mV², shape (m,).
        evidence: by name one number a candidate, shape (m,) each:
            `height`, log10 of its energy over that of a typical beat;
            `breadth`, the same from 4 Hz on, where broad beats are and most P waves are not;
            `alike`, mean correlation with the two of similar energy most like it, -1 to 1: beats and waves repeat,
            noise does not;
            `contrast`, log10 of its energy over that of the quiet quarter of the context;
            `since` and `until`, time in s from and to one much higher than it, 1 at most: T and P waves stand
            beside a QRS complex.
        likeness: correlation of each two within 0.12 s, shape (m, m), -1 with itself.
    """

    at: Samples
    energy: FloatArray
    evidence: dict[str, FloatArray]
    likeness: FloatArray


def candidates(bands: BeatBands, row: int, start: int, stop: int) -> Candidates:
    """The candidates among the samples `start` to `stop` of one strip; their `at` counts from `start`."""
    rate = bands.sampling_rate_hz
    here = slice(start, stop)
    energy, broad = bands.energy[row, here], bands.broad[row, here]
    every = bands.summits[row]
    summit = every[slice(*np.searchsorted(every, (start, stop)))] - start
    height = energy[summit]
    beats_at_least = max(3, round(((stop - start) / rate - LONGEST_PAUSE_S) / LONGEST_RR_S))
    loud = height >= LEAST_SHARE * median_of_highest(height, round((stop - start) / rate / USUAL_RR_S))
    summit, height = summit[loud], height[loud]
    if not len(summit):
        return Candidates(summit, height, {}, np.empty((0, 0)))
    at = _largest_deflection(bands.qrs[row, here], summit, round(ALIGN_S * rate))
    likeness = _likeness(bands.shape[row, here], at, SHAPE_REACH_S * rate)
    alike = _two_most_alike(likeness, height)
    # What an electrode's jolts have in common is little: where beats repeat, the highest of those are typical.
    repeated = alike >= REPEATED
    if repeated.sum() < beats_at_least:
        repeated[:] = True
    typical = median_of_highest(height[repeated], beats_at_least)
    breadth = broad[summit]
    quiet = energy[:: max(1, round(rate / 50))]
    quiet = np.partition(quiet, len(quiet) // 4)[len(quiet) // 4]
    since, until = _beside_higher(at / rate, height)
    evidence = {
        "height": np.log10(height / typical),
        "breadth": np.log10(breadth / median_of_highest(breadth[repeated], beats_at_least)),
        "alike": alike,
        "contrast": np.log10(height / (quiet + 0.1 * SILENCE_MV2)),
        "since": since,
        "until": until,
    }
    return Candidates(at, height, evidence, likeness)


def summits(height: FloatArray, reach: int, silence: float) -> list[Samples]:
    """Of each row every local maximum above `silence` that no higher one lies within `reach` samples of, ascending.

    The highest wins, what it suppresses suppresses nothing itself; of equal ones the first.

    Args:
        height: shape (n, samples).
        reach: shortest distance between two summits, in samples.
        silence: what is not above it is rounding.
    """
    strips, samples = height.shape
    walled = np.full((strips, samples + 2), -1.0)
    walled[:, 1:-1] = height
    middle = walled[:, 1:-1]
    flat = np.flatnonzero((middle > silence) & (middle > walled[:, :-2]) & (middle >= walled[:, 2:]))
    rows, at = np.divmod(flat, max(1, samples))
    heights = height.ravel()[flat]
    # Rows far enough apart never suppress each other: one pass over all of them.
    place = at + rows * (samples + reach)
    kept = np.zeros(len(flat), dtype=np.bool_)
    undecided = np.arange(len(flat))
    while undecided.size:
        winner = undecided[_highest_around(place[undecided], heights[undecided], reach)]
        kept[winner] = True
        apart = np.abs(place[undecided] - _nearest(place[winner], place[undecided]))
        undecided = undecided[apart >= reach]
    edges = np.searchsorted(rows[kept], np.arange(strips + 1))
    return [at[kept][start:stop] for start, stop in pairwise(edges)]


def _highest_around(at: Samples, height: FloatArray, reach: int) -> npt.NDArray[np.bool_]:
    """Which summits have no higher one, nor an equal earlier one, less than `reach` away."""
    highest = np.ones(len(at), dtype=np.bool_)
    for step in range(1, len(at)):
        close = at[step:] - at[:-step] < reach
        if not close.any():
            break
        higher = height[step:] > height[:-step]
        highest[:-step] &= ~(close & higher)
        highest[step:] &= ~close | higher
    return highest


def _nearest(ascending: Samples, values: Samples) -> Samples:
    """The nearest of some ascending numbers to each value."""
    after = np.searchsorted(ascending, values).clip(1, max(1, len(ascending) - 1))
    left, right = ascending[after - 1], ascending[np.minimum(after, len(ascending) - 1)]
    return np.asarray(np.where(values - left <= right - values, left, right), dtype=np.int64)


def median_of_highest(height: FloatArray, count: int) -> float:
    """Median of the `count` highest: neither an artefact nor the many waves between beats move it."""
    highest = np.sort(height)[::-1][:count]
    return 0.5 * float(highest[(len(highest) - 1) // 2] + highest[len(highest) // 2]) if len(highest) else 0.0


def _largest_deflection(band: FloatArray, at: Samples, reach: int) -> Samples:
    """Each place moved to the largest deflection of the band within `reach` samples.

    The energy alone follows the middle of the complex: 3.6 ms mean error of RR against 2.5 ms on the annotated
    fragments of Pławiak 2017.
    """
    around = np.clip(at[:, None] + np.arange(-reach, reach + 1), 0, len(band) - 1)
    steepest = np.abs(band[around]).argmax(axis=1)
    return np.asarray(np.take_along_axis(around, steepest[:, None], axis=1)[:, 0], dtype=np.int64)


def _likeness(band: FloatArray, at: Samples, reach: float) -> FloatArray:
    """Correlation of the band within `reach` samples of each two places, -1 on the diagonal."""
    grid = np.rint(at[:, None] + reach * np.linspace(-1, 1, SHAPE_POINTS)).astype(np.intp)
    shapes = band[grid.clip(0, len(band) - 1)]
    shapes -= shapes.mean(axis=1, keepdims=True)
    norm = np.sqrt(np.einsum("mp,mp->m", shapes, shapes))
    shapes /= np.maximum(norm, 1e-12)[:, None]
    likeness = np.einsum("mp,np->mn", shapes, shapes)  # no BLAS: see filters._line
    np.fill_diagonal(likeness, -1.0)
    return np.asarray(likeness, dtype=np.float64)


def _two_most_alike(likeness: FloatArray, height: FloatArray) -> FloatArray:
    """Mean likeness with the two most like it, of a similar energy; with one where there are but two candidates."""
    count = min(2, len(height) - 1)
    if count < 1:
        return np.zeros(len(height))
    other = (height[:, None] > OF_A_KIND * height) | (height > OF_A_KIND * height[:, None])
    alike = np.where(other, -1.0, likeness)
    return np.asarray(np.partition(alike, -count, axis=1)[:, -count:].mean(axis=1), dtype=np.float64)


def _beside_higher(at_s: FloatArray, height: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Time in s since the last, and until the next candidate that is much higher; at most `FAR_S`."""
    apart = at_s - at_s[:, None]
    higher = height > MUCH_HIGHER * height[:, None]
    since = np.where(higher & (apart < 0), -apart, FAR_S).min(axis=1)
    until = np.where(higher & (apart > 0), apart, FAR_S).min(axis=1)
    return np.minimum(since, FAR_S), np.minimum(until, FAR_S)
