"""Measures of the beats: how alike they are, whether two detectors see the same, how fast they come (Q12 to Q15).

Belongs here: what needs R peaks; none of it needs a gain. Does not belong here: rhythm for analysis (`features.py`),
thresholds (`quality.py`).
"""

from __future__ import annotations

import numpy as np

from vitalake.ecg.agreement import agreement
from vitalake.ecg.filters import FloatArray
from vitalake.ecg.spectrum import band_ratio
from vitalake.ecg.strips import Strips

TEMPLATE_REACH = 0.45  # of the median RR to either side
TEMPLATE_POINTS = 80  # of the window, whatever its length: 88 Hz at 60 beats a minute
LEAST_BEATS = 4


def beat_correlation(strips: Strips) -> FloatArray:
    """Mean correlation of each beat (± 0.45 median RR, 1–30 Hz) with the median beat. -1 .. 1; 0 below four beats.

    Beats whose window does not lie in the strip are left out; 0 where fewer than two are left.
    Source: Orphanidou et al. 2015, IEEE JBHI 19(3):832.
    """
    correlation = np.zeros(len(strips.x_mv))
    places: list[FloatArray] = []
    rows: list[int] = []
    samples = strips.x_mv.shape[1]
    grid = np.linspace(-TEMPLATE_REACH, TEMPLATE_REACH, TEMPLATE_POINTS)
    for row, peaks in enumerate(strips.r_peaks):
        if len(peaks) < LEAST_BEATS:
            continue
        window = grid * np.median(np.diff(peaks))
        whole = peaks[(peaks + window[0] >= 0) & (peaks + window[-1] <= samples - 1)]
        if len(whole) >= 2:
            rows.append(row)
            places.append(whole[:, None] + window)
    if not rows:
        return correlation
    most = max(map(len, places))
    beats = np.full((len(rows), most, TEMPLATE_POINTS), np.inf)
    for place, row, target in zip(places, rows, beats, strict=True):
        target[: len(place)] = strips.beat_band_mv[row, np.rint(place).astype(np.intp)]
    counts = np.array([len(place) for place in places])
    ordered = np.sort(beats, axis=1)
    each = np.arange(len(rows))
    template = 0.5 * (ordered[each, (counts - 1) // 2] + ordered[each, counts // 2])
    template -= template.mean(axis=1, keepdims=True)
    there = np.arange(most) < counts[:, None]
    beats = np.where(there[..., None], beats, 0.0)
    beats -= beats.mean(axis=2, keepdims=True)
    norm = np.sqrt((beats**2).sum(axis=2) * (template**2).sum(axis=1)[:, None])
    each_beat = np.einsum("rbp,rp->rb", beats, template) / np.where(norm > 0, norm, 1.0)
    correlation[rows] = each_beat.sum(axis=1) / counts
    return correlation.clip(-1.0, 1.0)


def detector_agreement(strips: Strips) -> FloatArray:
    """bSQI: share of all beats that a detector by energy and one by slope both found within 150 ms. 0 .. 1.

    Source: Li, Mark & Clifford 2008, Physiol. Meas. 29:15.
    """
    return agreement(strips.r_peaks, strips.second_opinion, strips.sampling_rate_hz)


def quality_index(strips: Strips) -> FloatArray:
    """0.5 · max(`beat_correlation`, 0) + 0.3 · `detector_agreement` + 0.2 · r / (1 + r), r = `band_ratio`. 0 .. 1."""
    ratio = np.nan_to_num(strips.measured(band_ratio), nan=0.0, posinf=1e12)
    alike = np.maximum(strips.measured(beat_correlation), 0.0)
    return 0.5 * alike + 0.3 * strips.measured(detector_agreement) + 0.2 * ratio / (1 + ratio)


def beat_rate_bpm(strips: Strips) -> FloatArray:
    """60 / mean RR, beats a minute. > 0; NaN below two beats.

    Source: rule 1 of Orphanidou et al. 2015, IEEE JBHI 19(3):832.
    """
    mean = np.array([(p[-1] - p[0]) / (len(p) - 1) if len(p) > 1 else np.nan for p in strips.r_peaks])
    return np.asarray(60.0 * strips.sampling_rate_hz / mean.reshape(len(strips.x_mv)), dtype=np.float64)


def beat_gap_s(strips: Strips) -> FloatArray:
    """Longest time in s without a beat, the ends of the strip included. 0 .. duration.

    Source: rule 2 of Orphanidou et al. 2015, IEEE JBHI 19(3):832.
    """
    samples = strips.x_mv.shape[1]
    gaps = [np.diff(p, prepend=0, append=samples).max() for p in strips.r_peaks]
    return np.asarray(gaps, dtype=np.float64).reshape(len(strips.x_mv)) / strips.sampling_rate_hz
