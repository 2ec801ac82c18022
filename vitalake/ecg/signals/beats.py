"""Measures of the beats: how alike they are, whether two detectors see the same, how fast they come (Q12 to Q15).

Belongs here: what needs R peaks; none of it needs a gain. Does not belong here: rhythm for analysis
(`rhythm.py`), thresholds (`vitalake/ecg/quality/rules.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.signals import agreement
from vitalake.ecg.signals.filters import FloatArray
from vitalake.ecg.signals.spectrum import band_ratio
from vitalake.ecg.signals.strips import Strips

TEMPLATE_REACH_S = 0.25  # to either side: QRS complex and T wave; rhythm changes what lies beyond
TEMPLATE_REACH_RR = 0.45  # of the median RR, where that is shorter
TEMPLATE_POINTS = 50  # of the window: 100 Hz, enough for 30
LEAST_BEATS = 4
LEAST_WINDOWS = 3
LEAST_RECURRING = 5  # of three or four beats one premature one leaves the others without two of their kind
UNSEEN_RECURRENCE = 0.9  # in Q, of beats too few to compare: a slow heart is no noise


class Windows(NamedTuple):
    """The beats of those strips that have enough of them, each with mean 0 and norm 1."""

    rows: npt.NDArray[np.intp]  # (m,) which strips
    counts: npt.NDArray[np.intp]  # (m,) beats of each
    beats: FloatArray  # (m, most beats, points), 0 where a strip has fewer
    medians: FloatArray  # (m, points): the median beat of each, mean 0 and norm 1


def beat_correlation(strips: Strips) -> FloatArray:
    """Mean correlation of each beat (± 0.25 s or 0.45 median RR, 1–30 Hz) with the median beat. -1 .. 1.

    0 below four beats, or where the window of fewer than three lies in the strip: a measure of alikeness that was
    not seen. Beats of several shapes lower it, which is why it does not reject alone.
    Source: Orphanidou et al. 2015, IEEE JBHI 19(3):832.
    """
    correlation = np.zeros(len(strips.x_mv))
    found = strips.derived(beat_windows)
    each = np.einsum("rbp,rp->r", found.beats, found.medians)
    correlation[found.rows] = each / found.counts
    return correlation.clip(-1.0, 1.0)


def beat_recurrence(strips: Strips) -> FloatArray:
    """Mean over beats of the correlation with the two beats most like it. -1 .. 1; 0 below five whole windows.

    A heart that beats in two or three shapes repeats each of them; noise repeats nothing.
    Source: after the clusters of beats in Lagerholm et al. 2000, IEEE TBME 47(7):838, with neighbours for clusters.
    """
    recurrence = np.zeros(len(strips.x_mv))
    found = strips.derived(beat_windows)
    if found.rows.size:
        most = found.beats.shape[1]
        pairs = np.einsum("rbp,rcp->rbc", found.beats, found.beats)  # no BLAS: see filters._line
        there = np.arange(most) < found.counts[:, None]
        pairs[np.broadcast_to(~there[:, None, :], pairs.shape)] = -np.inf
        pairs[:, np.arange(most), np.arange(most)] = -np.inf
        nearest = np.partition(pairs, most - 2, axis=2)[:, :, -2:].mean(axis=2)
        each = np.where(there, nearest, 0.0).sum(axis=1) / found.counts
        recurrence[found.rows] = np.where(found.counts >= LEAST_RECURRING, each, 0.0)
    return recurrence.clip(-1.0, 1.0)


def detector_agreement(strips: Strips) -> FloatArray:
    """bSQI: share of all beats that a detector by energy and one by slope both found within 150 ms. 0 .. 1.

    Source: Li, Mark & Clifford 2008, Physiol. Meas. 29:15.
    """
    return agreement.detector_agreement(strips.r_peaks, strips.second_opinion, strips.sampling_rate_hz)


def quality_index(strips: Strips) -> FloatArray:
    """Q = 0.2·max(c, 0) + 0.5·max(d, 0) + 0.2·a + 0.1·r/(1 + r). 0 .. 1; 0 on a flat line.

    c = `beat_correlation`, d = `beat_recurrence`, a = `detector_agreement`, r = `band_ratio`. The recurrence weighs
    most because rhythm touches it least: with all the weight of the beats on c, ventricular flutter and polymorphic
    beats fall below noise. Where there are beats, but too few to compare, d counts as 0.9: with both detectors of
    one mind Q is above the threshold that rejects. A slow rhythm or a short strip is no reason to reject.
    Source: the parts as given there; the weights from one half each of CinC 2011 set-a, CinC 2017, Pławiak 2017.
    """
    ratio = np.nan_to_num(strips.derived(band_ratio), nan=0.0, posinf=1e12)
    recurrence = np.maximum(strips.derived(beat_recurrence), 0.0)
    few = np.array([len(peaks) > 0 for peaks in strips.r_peaks], dtype=np.bool_)
    found = strips.derived(beat_windows)
    few[found.rows[found.counts >= LEAST_RECURRING]] = False
    recurrence[few] = UNSEEN_RECURRENCE
    alike = 0.2 * np.maximum(strips.derived(beat_correlation), 0.0) + 0.5 * recurrence
    seen = 0.2 * strips.derived(detector_agreement) + 0.1 * ratio / (1 + ratio)
    return np.asarray(alike + seen, dtype=np.float64)


def beat_rate_bpm(strips: Strips) -> FloatArray:
    """60 / mean RR, beats a minute. > 0; NaN without an interval.

    In a window of a longer lead the interval to the first beat after it counts too: none is lost between windows.
    Source: rule 1 of Orphanidou et al. 2015, IEEE JBHI 19(3):832.
    """
    rates = np.full(len(strips.x_mv), np.nan)
    for row, found in enumerate(strips.detected):
        after = found.neighbours[1]
        ends = found.peaks if after is None else np.append(found.peaks, after)
        if len(found.peaks) and len(ends) > 1:
            rates[row] = 60.0 * strips.sampling_rate_hz * (len(ends) - 1) / (ends[-1] - ends[0])
    return rates


def beat_gap_s(strips: Strips) -> FloatArray:
    """Longest time in s without a beat that reaches into the strip, its ends included. 0 .. duration.

    In a window of a longer lead it is counted from the beat before and to the beat after the window, so that a
    pause is as long as if it were in one piece.
    Source: rule 2 of Orphanidou et al. 2015, IEEE JBHI 19(3):832.
    """
    samples = strips.x_mv.shape[1]
    gaps = np.empty(len(strips.x_mv))
    for row, found in enumerate(strips.detected):
        before, after = found.neighbours
        edges = 0 if before is None else before, samples if after is None else after
        gaps[row] = np.diff(found.peaks, prepend=edges[0], append=edges[1]).max()
    return np.asarray(gaps / strips.sampling_rate_hz, dtype=np.float64)


def beat_doubt(strips: Strips) -> FloatArray:
    """Expected wrong decisions of the detector over the beats it found. 0 .. 1; 1 without a beat.

    Of a calm lead below 0.01; from 0.08 on the rate is not relied on (`rules.py`).
    """
    return np.array([found.doubt for found in strips.detected], dtype=np.float64).reshape(len(strips.x_mv))


def beat_windows(strips: Strips) -> Windows:
    """The beats of every strip with at least four, cut out at `TEMPLATE_POINTS` places each."""
    samples = strips.x_mv.shape[1]
    grid = np.linspace(-1, 1, TEMPLATE_POINTS)
    places, rows = [], []
    for row, peaks in enumerate(strips.r_peaks):
        if len(peaks) < LEAST_BEATS:
            continue
        typical = float(np.median(np.diff(peaks)))
        reach = min(TEMPLATE_REACH_S * strips.sampling_rate_hz, TEMPLATE_REACH_RR * typical)
        whole = peaks[(peaks >= reach) & (peaks + reach <= samples - 1)]
        if len(whole) >= LEAST_WINDOWS:
            rows.append(row)
            places.append(np.rint(whole[:, None] + reach * grid).astype(np.intp))
    counts = np.array([len(place) for place in places], dtype=np.intp)
    beats = np.full((len(rows), counts.max(initial=0), TEMPLATE_POINTS), np.inf)
    for place, row, target in zip(places, rows, beats, strict=True):
        target[: len(place)] = strips.beat_band_mv[row, place]
    each = np.arange(len(rows))
    ordered = np.sort(beats, axis=1)  # what a strip does not have comes last
    medians = np.zeros((0, TEMPLATE_POINTS))
    if rows:
        medians = 0.5 * (ordered[each, (counts - 1) // 2] + ordered[each, counts // 2])
    beats[np.isinf(beats)] = 0.0
    return Windows(np.array(rows, dtype=np.intp), counts, _normed(beats), _normed(medians))


def _normed(x: FloatArray) -> FloatArray:
    """With mean 0 and norm 1 along the last axis; 0 where there is nothing."""
    x = x - x.mean(axis=-1, keepdims=True)
    norm = np.sqrt(np.einsum("...p,...p->...", x, x))[..., None]
    return np.asarray(np.divide(x, norm, out=np.zeros_like(x), where=norm > 0), dtype=np.float64)
