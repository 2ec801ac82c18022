"""A batch of strips and what several measures derive from it, each computed once.

Belongs here: what is shared. Does not belong here: the measures (`levels.py`, `spectrum.py`, `beats.py`), what is
found before any of them (`measures.prepared`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from vitalake.ecg.signals.agreement import SlopePeaks
from vitalake.ecg.signals.candidates import Samples
from vitalake.ecg.signals.filters import Bands, FloatArray, seconds
from vitalake.ecg.signals.peaks import Detection

Derived = TypeVar("Derived")

BASELINE_HZ = 0.7
BEAT_BAND_HZ = (1.0, 30.0)


@dataclass(frozen=True)
class Strips:
    """Strips as `measures.prepared` makes them.

    Args:
        x_mv: in mV (stored units where no gain is known) without NaN, shape (n, samples), at least one sample.
        sampling_rate_hz: samples a second.
        lsb_mv: the step of one stored unit, shape (n, 1).
        missing_share: of the samples, which were bridged, shape (n,).
        missing_run_s: longest run of samples that were bridged, shape (n,).
        bands: the strips' spectrum, ready for filters.
        beat_band_mv: the strips from 1 to 30 Hz, where the shape of a beat is.
        detected: the beats of each strip.
        second_opinion: beats of each strip by slope: for comparison only.
        results: what functions made of these strips, by name, for those that build on it.
    """

    x_mv: FloatArray
    sampling_rate_hz: float
    lsb_mv: FloatArray
    missing_share: FloatArray
    missing_run_s: FloatArray
    bands: Bands
    beat_band_mv: FloatArray
    detected: list[Detection]
    second_opinion: list[SlopePeaks]
    results: dict[str, Any] = field(default_factory=dict)

    def derived(self, function: Callable[[Strips], Derived]) -> Derived:
        """What a function makes of these strips; computed here only where nobody did so before."""
        if function.__name__ not in self.results:
            self.results[function.__name__] = function(self)
        result: Derived = self.results[function.__name__]
        return result

    @property
    def r_peaks(self) -> list[Samples]:
        """R peaks of each strip."""
        return [each.peaks for each in self.detected]

    @cached_property
    def flat_runs(self) -> tuple[npt.NDArray[np.intp], FloatArray]:
        """Row and length in s of every run of steps with abs(dx) ≤ 0.5 LSB."""
        rows, lengths = runs(np.abs(self.steps_mv) <= 0.5 * self.lsb_mv)
        return rows, lengths / self.sampling_rate_hz

    @cached_property
    def steps_mv(self) -> FloatArray:
        """Differences of neighbours, shape (n, samples - 1)."""
        return np.diff(self.x_mv, axis=1)

    @cached_property
    def median_mv(self) -> FloatArray:
        """Median of each strip, shape (n,)."""
        return np.asarray(np.median(self.x_mv, axis=1), dtype=np.float64)

    @cached_property
    def steady_mv(self) -> FloatArray:
        """The strips above 0.7 Hz: without baseline wander."""
        return self.bands.above(BASELINE_HZ)

    @cached_property
    def seconds_mv(self) -> FloatArray:
        """Peak-to-peak of each second as recorded, shape (n, seconds)."""
        return peak_to_peak(seconds(self.x_mv, self.sampling_rate_hz))

    @cached_property
    def steady_seconds_mv(self) -> FloatArray:
        """Peak-to-peak of each second above 0.7 Hz, shape (n, seconds)."""
        return peak_to_peak(seconds(self.steady_mv, self.sampling_rate_hz))

    @cached_property
    def power(self) -> FloatArray:
        """Running sum of the power spectrum of the Hann-windowed strip, shape (n, bins + 1); unit of no account."""
        x = self.x_mv - self.x_mv[:, :1]
        x -= x.mean(axis=1, keepdims=True)
        x *= 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(x.shape[1]) + 0.5) / x.shape[1])
        bins = np.fft.rfft(x, axis=-1)
        power = np.zeros((len(x), bins.shape[1] + 1))
        np.cumsum(bins.real**2 + bins.imag**2, axis=1, out=power[:, 1:])
        return power


def peak_to_peak(windows: FloatArray) -> FloatArray:
    """Maximum minus minimum over the last axis."""
    return np.asarray(windows.max(axis=-1) - windows.min(axis=-1), dtype=np.float64)


def longest_runs(mask: npt.NDArray[np.bool_]) -> FloatArray:
    """Length in samples of the longest run of True of each row, 0 where there is none, shape (n,)."""
    longest: FloatArray = np.zeros(len(mask))
    rows, lengths = runs(mask)
    np.maximum.at(longest, rows, lengths)
    return longest


def runs(mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Row and length in samples of every run of True, for a mask of shape (n, samples)."""
    strips, samples = mask.shape
    walled = np.zeros((strips, samples + 1), dtype=np.bool_)  # a False column keeps runs inside their row
    walled[:, 1:] = mask
    changes = np.flatnonzero(np.diff(walled.ravel(), append=False))
    starts, stops = changes[::2], changes[1::2]
    return starts // (samples + 1), stops - starts
