"""How far two R-peak detectors of different principle agree: noise deceives them differently.

Belongs here: the second detector and the comparison. Does not belong here: the detector whose peaks are handed on
(`peaks.py`).

The second detector follows the length of the curve, as wqrs does (Zong et al. 2003, CinC 30:737): from 4 to 30 Hz,
how far the pen travels in 0.13 s. It weighs amplitude where the first weighs energy, and hears muscle and sharp
motion where the first does not. From 2 Hz it counts the T waves of clean slow rhythms, from 8 Hz it misses broad
ventricular beats.

Its threshold lies between the quiet and the loud of a strip. What is loud is asked twice: the typical second, which
no artefact raises, says what may be a beat; the highest summits, as many as a slow heart beats, what must be one.
Where the two are far apart, what lies between them confirms the first detector and objects to nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.signals.candidates import LONGEST_RR_S, Samples, median_of_highest, summits
from vitalake.ecg.signals.filters import Bands, FloatArray, moving_mean, seconds

SLOPE_BAND_HZ = (4.0, 30.0)
CURVE_WINDOW_S = 0.13
THRESHOLD = 0.4
CLEARLY_LOUDER = 2.0
REFRACTORY_S = 0.2  # 300 beats a minute
MATCH_S = 0.15
SILENCE_MV = 1e-3  # 1 µV of travel: rounding


class SlopePeaks(NamedTuple):
    """Sample indices of what may be beats by the length of the curve, ascending, and which of them must be."""

    at: Samples
    sure: npt.NDArray[np.bool_]


def slope_peaks(bands: Bands) -> list[SlopePeaks]:
    """The beats of each strip of up to 20 s by the length of the curve."""
    rate = bands.sampling_rate_hz
    band = bands.between(*SLOPE_BAND_HZ)
    steps = np.abs(np.diff(band, axis=1, prepend=band[:, :1]))
    travel = moving_mean(steps, round(CURVE_WINDOW_S * rate)) * (CURVE_WINDOW_S * rate)
    quiet = np.median(travel[:, :: max(1, round(rate / 50))], axis=1)
    loudest = seconds(travel, rate).max(axis=-1)
    beats_at_least = max(3, round(band.shape[1] / rate / LONGEST_RR_S))
    found = []
    for row, at in enumerate(summits(travel, round(REFRACTORY_S * rate), SILENCE_MV)):
        height, floor, heard = travel[row, at], quiet[row], loudest[row, loudest[row] > SILENCE_MV]
        loud = sorted((float(np.median(heard)) if heard.size else 0.0, median_of_highest(height, beats_at_least)))
        if loud[1] < CLEARLY_LOUDER * loud[0]:
            loud[1] = loud[0]
        may_be, must_be = (floor + THRESHOLD * (each - floor) for each in loud)
        kept = height >= may_be
        found.append(SlopePeaks(at[kept], height[kept] >= must_be))
    return found


def detector_agreement(found: list[Samples], by_slope: list[SlopePeaks], sampling_rate_hz: float) -> FloatArray:
    """Agreement of the first with what the second is sure of or confirms, shape (n,). 0 .. 1."""
    second = []
    for beats, slope in zip(found, by_slope, strict=True):
        after = np.searchsorted(beats, slope.at)
        apart = np.full(len(slope.at), np.inf)
        if len(beats):
            apart = np.abs(slope.at - beats[np.minimum(after, len(beats) - 1)])
            apart = np.minimum(apart, np.abs(slope.at - beats[np.maximum(after - 1, 0)]))
        second.append(slope.at[slope.sure | (apart <= MATCH_S * sampling_rate_hz)])
    return agreement(found, second, sampling_rate_hz)


def agreement(one: list[Samples], other: list[Samples], sampling_rate_hz: float) -> FloatArray:
    """Share of all beats that both found within 150 ms: matched / (one + other - matched), shape (n,). 0 .. 1.

    0 where nobody found any. Source: bSQI, Li, Mark & Clifford 2008, Physiol. Meas. 29:15.
    """
    strips = len(one)
    counts = np.array([[len(a), len(b)] for a, b in zip(one, other, strict=True)]).reshape(strips, 2)
    matched = counts.min(axis=1)
    reach = MATCH_S * sampling_rate_hz
    if counts.sum(axis=0).all():
        # Rows one after the other, too far apart to meet: one search for all.
        apart = 1 + max(int(part[-1]) for part in (*one, *other) if len(part)) + 2 * int(reach + 1)
        rows = np.arange(strips)
        left = np.concatenate(one) + apart * np.repeat(rows, counts[:, 0])
        right = np.concatenate(other) + apart * np.repeat(rows, counts[:, 1])
        for beats, others in ((left, right), (right, left)):
            after = np.searchsorted(others, beats)
            before, behind = others[np.maximum(after - 1, 0)], others[np.minimum(after, len(others) - 1)]
            near = np.minimum(np.abs(beats - before), np.abs(behind - beats)) <= reach
            matched = np.minimum(matched, np.bincount(beats[near] // apart, minlength=strips))
    return np.asarray(matched / np.maximum(counts.sum(axis=1) - matched, 1), dtype=np.float64)
