"""How far two R-peak detectors of different principle agree: noise deceives them differently.

Belongs here: the second detector and the comparison. Does not belong here: the detector whose peaks are handed on
(`peaks.py`).

The second detector follows the length of the curve, as wqrs does (Zong et al. 2003, CinC 30:737): from 4 to 30 Hz,
how far the pen travels in 0.13 s. It weighs amplitude where the first weighs energy, and hears muscle and sharp
motion where the first does not. Its threshold lies between the quiet of the strip and its highest summits, of
which there are as many as a slow heart beats. From 2 Hz it counts the T waves of clean slow rhythms, from 8 Hz it
misses broad ventricular beats.
"""

from __future__ import annotations

import numpy as np

from vitalake.ecg.signals.candidates import LONGEST_RR_S, Samples, median_of_highest, summits
from vitalake.ecg.signals.filters import Bands, FloatArray, moving_mean

SLOPE_BAND_HZ = (4.0, 30.0)
CURVE_WINDOW_S = 0.13
THRESHOLD = 0.4
REFRACTORY_S = 0.25
MATCH_S = 0.15
SILENCE_MV = 1e-3  # 1 µV of travel: rounding


def slope_peaks(bands: Bands) -> list[Samples]:
    """Sample indices of the beats of each strip by the length of the curve, ascending."""
    rate = bands.sampling_rate_hz
    band = bands.between(*SLOPE_BAND_HZ)
    steps = np.abs(np.diff(band, axis=1, prepend=band[:, :1]))
    travel = moving_mean(steps, round(CURVE_WINDOW_S * rate)) * (CURVE_WINDOW_S * rate)
    quiet = np.median(travel[:, :: max(1, round(rate / 50))], axis=1)
    beats_at_least = max(3, round(band.shape[1] / rate / LONGEST_RR_S))
    peaks = []
    for height, floor, at in zip(
        travel, quiet, summits(travel, round(REFRACTORY_S * rate), SILENCE_MV), strict=True
    ):
        loud = median_of_highest(height[at], beats_at_least)
        peaks.append(at[height[at] >= floor + THRESHOLD * (loud - floor)])
    return peaks


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
