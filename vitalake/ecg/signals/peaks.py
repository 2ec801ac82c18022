"""Where the heart beats: R peaks of many strips at once.

Belongs here: which candidates are beats, and how sure that is. Does not belong here: candidates and their evidence
(`candidates.py`), what follows from the beats (`rhythm.py`), or how far two detectors agree (`agreement.py`).

A candidate is a beat when the evidence for it adds up to more than nothing. What a piece of evidence weighs was
fitted as a logistic regression on annotated and on generated hearts (`python -m benchmarks.beats`), so the sum is
the logarithm of the odds. A threshold at a share of the loud seconds, as most detectors have, takes P and T waves
for beats once half of the seconds are without one: below 32 beats a minute, and in pauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.signals.candidates import (
    BROAD_BAND_HZ,
    CLOSEST_S,
    ENERGY_WINDOW_S,
    QRS_BAND_HZ,
    SHAPE_BAND_HZ,
    SILENCE_MV2,
    BeatBands,
    Candidates,
    Samples,
    candidates,
    summits,
)
from vitalake.ecg.signals.filters import Bands, FloatArray, bridge_gaps, moving_mean

# Log odds by piece of evidence: (value, log odds) at the ends of straight lines; level beyond the last ones.
WEIGHTS: dict[str, tuple[tuple[float, float], ...]] = {
    "height": ((-2.0, -9.2), (-0.8, -2.29), (0.3, 0.0)),
    "breadth": ((-2.0, -4.13), (-1.0, -2.08), (0.3, 0.0)),
    "alike": ((0.8, -3.39), (1.0, 0.0)),
    "contrast": ((0.0, -4.38), (3.0, 0.0)),
    "since": ((0.18, -6.35), (0.36, 0.0)),
    "until": ((0.18, -9.51), (0.3, 0.0)),
}
PRIOR = 9.79

REFRACTORY_S = 0.25
LOOKALIKE = 0.8  # likeness of two beats that come faster than the refractory period
FAST_S = 0.27  # typical distance of beats in a rhythm that is as fast throughout
SIMILAR_ENERGY = 3.0
CONTEXT_S = 15.0  # a pause may be as long
CORE_S = 20.0
ONE_CONTEXT_S = 30.0  # a strip of at most so much is its own context
WHOLE_SHARE = 0.85  # of a typical beat's height, from which on a beat at an end counts as seen


class Detection(NamedTuple):
    """The beats of one strip or stretch.

    Args:
        peaks: sample indices of the R peaks, ascending.
        weighed: sample indices of everything that was weighed as a beat, ascending.
        doubts: probability that the decision about each of these is wrong, 0 to 0.5.
        neighbours: the beats before and after the stretch as indices from its first sample (the first is negative);
            None where the recording ends without one.
    """

    peaks: Samples
    weighed: Samples
    doubts: FloatArray
    neighbours: tuple[int | None, int | None] = (None, None)

    @property
    def doubt(self) -> float:
        """Expected number of wrong decisions over the number of beats. 0 .. 1; 1 where there is no beat."""
        return min(1.0, float(self.doubts.sum()) / len(self.peaks)) if len(self.peaks) else 1.0

    def between(self, start: int, stop: int) -> Detection:
        """Of the samples `start` to `stop`, counted from `start`."""
        first, last = np.searchsorted(self.peaks, (start, stop))
        before = int(self.peaks[first - 1]) - start if first else None
        after = int(self.peaks[last]) - start if last < len(self.peaks) else None
        weighed = slice(*np.searchsorted(self.weighed, (start, stop)))
        return Detection(
            self.peaks[first:last] - start, self.weighed[weighed] - start, self.doubts[weighed], (before, after)
        )

    def later(self, samples: int) -> Detection:
        """The same, counted from a sample so much earlier."""
        return self._replace(peaks=self.peaks + samples, weighed=self.weighed + samples)


def r_peaks(x_mv: npt.ArrayLike, sampling_rate_hz: float) -> list[Samples]:
    """Sample indices of the R peaks of each strip of any length, ascending; empty where nothing beats.

    Args:
        x_mv: strips in mV, shape (n, samples); NaN is bridged.
        sampling_rate_hz: samples a second, above 40, the same for all strips.

    Raises:
        ValueError: the array does not have two dimensions.
    """
    x = bridge_gaps(x_mv)
    if x.size == 0:
        return [np.empty(0, dtype=np.int64) for _ in x]
    return [each.peaks for each in detected(Bands(x, sampling_rate_hz))]


def detected(bands: Bands) -> list[Detection]:
    """The beats of each strip, from bands that are already there.

    A strip of more than half a minute is decided 20 s at a time, each with 15 s to either side in view.
    """
    read = beat_bands(bands)
    rate = bands.sampling_rate_hz
    found = []
    for row, x in enumerate(bands.x_mv):
        pieces = []
        for start, stop, first, last in contexts(len(x), rate):
            here = _decided(candidates(read, row, first, last), rate)
            pieces.append(here.between(start - first, stop - first).later(start))
        every = joined(pieces, rate)
        found.append(every._replace(peaks=every.peaks[_inside(x, every.peaks, round(ENERGY_WINDOW_S * rate))]))
    return found


def contexts(samples: int, sampling_rate_hz: float) -> Iterator[tuple[int, int, int, int]]:
    """How a strip is decided: start and stop of each piece, and of what is in view with it, in samples."""
    if samples <= ONE_CONTEXT_S * sampling_rate_hz:
        yield 0, samples, 0, samples
        return
    core, context = round(CORE_S * sampling_rate_hz), round(CONTEXT_S * sampling_rate_hz)
    for start in range(0, samples, core):
        stop = min(samples, start + core)
        yield start, stop, max(0, start - context), min(samples, stop + context)


def beat_bands(bands: Bands) -> BeatBands:
    """What candidates are read off, from the spectrum of the strips."""
    rate = bands.sampling_rate_hz
    width = round(ENERGY_WINDOW_S * rate)
    qrs, broad = bands.between(*QRS_BAND_HZ), bands.between(*BROAD_BAND_HZ)
    energy = moving_mean(qrs * qrs, width)
    return BeatBands(
        rate,
        qrs,
        energy,
        moving_mean(broad * broad, width),
        bands.between(*SHAPE_BAND_HZ),
        summits(energy, round(CLOSEST_S * rate), SILENCE_MV2),
    )


def _decided(found: Candidates, sampling_rate_hz: float) -> Detection:
    """Which candidates of one context are beats."""
    odds = _log_odds(found.evidence, len(found.at))
    wrong = 0.5 * (1 - np.tanh(0.5 * np.abs(odds)))
    beats = np.flatnonzero(odds > 0)
    kept = _apart(found, odds, beats, sampling_rate_hz)
    if len(kept) < len(beats):
        wrong[np.setdiff1d(beats, kept)] = 0.0  # a second summit of the same beat is no second thought about it
    return Detection(found.at[kept], found.at, wrong)


def _log_odds(evidence: dict[str, FloatArray], count: int) -> FloatArray:
    total = np.full(count, PRIOR)
    for name, values in evidence.items():
        at, weight = zip(*WEIGHTS[name], strict=True)
        total += np.interp(values, at, weight)
    return total


def _apart(found: Candidates, odds: FloatArray, beats: Samples, sampling_rate_hz: float) -> Samples:
    """Those beats that no likelier one lies within the refractory period of.

    Beats that look alike may follow one another as fast as candidates do, and so may all in a fast rhythm.
    """
    at, refractory = found.at, REFRACTORY_S * sampling_rate_hz
    steps = np.diff(at[beats])
    if not (steps < refractory).any():
        return beats
    alike = found.likeness[beats[:-1], beats[1:]]
    fast = np.median(steps) < FAST_S * sampling_rate_hz and np.median(alike) > 0.5

    def same_beat(one: np.int64, other: np.int64) -> bool:
        apart = abs(at[one] - at[other])
        if apart >= refractory:
            return False
        if apart < (CLOSEST_S - 0.01) * sampling_rate_hz:
            return True
        ratio = found.energy[one] / found.energy[other]
        similar = 1 / SIMILAR_ENERGY < ratio < SIMILAR_ENERGY
        return not (fast or (similar and found.likeness[one, other] > LOOKALIKE))

    kept: list[np.int64] = []
    for each in beats[np.argsort(-odds[beats], kind="stable")]:
        if not any(same_beat(each, other) for other in kept):
            kept.append(each)
    return np.sort(np.array(kept, dtype=np.int64))


def joined(pieces: list[Detection], sampling_rate_hz: float) -> Detection:
    """One detection from those of neighbouring stretches, all counted from the same sample; no beat twice."""
    peaks, weighed, doubts = (np.concatenate(each) for each in zip(*(piece[:3] for piece in pieces), strict=True))
    apart = np.diff(peaks) >= (CLOSEST_S - 0.01) * sampling_rate_hz
    return Detection(peaks[np.append(True, apart)[: len(peaks)]], weighed, doubts)


def _inside(x: FloatArray, peaks: Samples, reach: int) -> npt.NDArray[np.bool_]:
    """False for the flank of a beat whose peak lies beyond an end of its strip, shape (peaks,).

    Within `reach` of an end, where the signal is farthest from its median at the very end and has not come as far
    as other beats do: what is seen is a slope, and a place for its peak would be made up.
    """
    last = len(x) - 1
    inside = np.ones(len(peaks), dtype=np.bool_)
    near = np.flatnonzero((peaks < reach) | (peaks > last - reach))
    if not len(near):
        return inside
    deviation = np.abs(x - np.median(x))
    around = np.clip(peaks[:, None] + np.arange(-reach // 4, reach // 4 + 1), 0, last)
    typical = np.median(deviation[around].max(axis=1))
    for at in near:
        peak = peaks[at]
        end, seen = (0, slice(0, peak + reach // 4 + 1)) if peak < reach else (last, slice(peak - reach // 4, None))
        cut = deviation[end] >= deviation[seen].max()
        inside[at] = not (cut and deviation[end] < WHOLE_SHARE * typical)
    return inside
