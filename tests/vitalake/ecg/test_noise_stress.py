"""Noise of five kinds at known ratios: the quality index falls, wander never rejects, beats are still found.

Signal power is (mean peak-to-peak of the QRS complexes)² / 8, that of a sine of this height, as in the noise stress
test of Moody, Muldrow & Mark 1984, CinC 11:381.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import scipy.io

from cli.demo.recordings import strip_mv
from vitalake.ecg.quality.rules import judge
from vitalake.ecg.signals.measures import measure
from vitalake.ecg.signals.peaks import r_peaks

RATE = 360
SAMPLES = 3600
STRIPS = 60
LSB = 0.005
RATIOS_DB = (24, 18, 12, 6, 0, -6)

Strips = npt.NDArray[np.float64]


def band(rng: np.random.Generator, low_hz: float, high_hz: float) -> Strips:
    """White noise between two frequencies."""
    spectrum = np.fft.rfft(rng.normal(0, 1, (STRIPS, SAMPLES)), axis=1)
    frequency = np.fft.rfftfreq(SAMPLES, 1 / RATE)
    spectrum[:, (frequency < low_hz) | (frequency > high_hz)] = 0
    return np.fft.irfft(spectrum, SAMPLES, axis=1)


def muscle(rng: np.random.Generator) -> Strips:
    """Bursts of 20 to 150 Hz, a second or two each."""
    time = np.arange(SAMPLES) / RATE
    tension = np.sin(2 * np.pi * (rng.uniform(0.2, 0.4, (STRIPS, 1)) * time + rng.uniform(0, 1, (STRIPS, 1))))
    return band(rng, 20, 150) * (0.2 + tension**2)


def motion(rng: np.random.Generator) -> Strips:
    """Electrode motion: jumps that decay within half a second, at random, over slow noise."""
    jumps = np.where(rng.uniform(0, 1, (STRIPS, SAMPLES)) < 2.0 / RATE, rng.normal(0, 1, (STRIPS, SAMPLES)), 0.0)
    decay = np.exp(-np.arange(RATE) / (0.15 * RATE)) - np.exp(-np.arange(RATE) / (0.03 * RATE))
    return np.stack([np.convolve(row, decay)[:SAMPLES] for row in jumps]) + 0.05 * band(rng, 0.5, 10)


def wander(rng: np.random.Generator) -> Strips:
    return band(rng, 0.05, 0.5)


def white(rng: np.random.Generator) -> Strips:
    return rng.normal(0, 1, (STRIPS, SAMPLES))


def mains(rng: np.random.Generator) -> Strips:
    return np.sin(2 * np.pi * (50 * np.arange(SAMPLES) / RATE + rng.uniform(0, 1, (STRIPS, 1))))


KINDS = {kind.__name__: kind for kind in (muscle, motion, wander, white, mains)}


@pytest.fixture(scope="module", params=["generated", pytest.param("recorded", marks=pytest.mark.data)])
def hearts(request: pytest.FixtureRequest) -> Strips:
    """Clean strips in mV, shape (60, 3600): generated ones, or sinus rhythm of Pławiak 2017 again and again."""
    if request.param == "generated":
        return np.stack([strip_mv("clean", np.random.default_rng(seed)) for seed in range(STRIPS)])
    folder: Path = request.getfixturevalue("data_dir") / "plawiak" / "MLII" / "1 NSR"
    files = sorted(folder.glob("*.mat"))
    x = (np.stack([scipy.io.loadmat(file)["val"][0] for file in files]).astype(float) - 1024) / 200
    fine = np.flatnonzero(measure(x, RATE, LSB).values["quality_index"] > 0.9)
    return x[np.resize(fine, STRIPS)]


def signal_power(x: Strips) -> npt.NDArray[np.float64]:
    """(mean QRS peak-to-peak)² / 8 of each strip, shape (n, 1)."""
    reach = round(0.05 * RATE)
    heights = [
        np.mean([np.ptp(row[max(0, at - reach) : at + reach]) for at in peaks])
        for row, peaks in zip(x, r_peaks(x, RATE), strict=True)
    ]
    return np.asarray(np.square(heights)[:, None] / 8, dtype=np.float64)


def noisy(hearts: Strips, kind: Callable[[np.random.Generator], Strips], ratio_db: float) -> Strips:
    noise = kind(np.random.default_rng(7))
    noise -= noise.mean(axis=1, keepdims=True)
    power = np.square(noise).mean(axis=1, keepdims=True)
    factor = np.sqrt(signal_power(hearts) / power / 10 ** (ratio_db / 10))
    return np.asarray(hearts + noise * factor, dtype=np.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_quality_index_falls_with_every_step_of_noise(hearts: Strips, kind: str) -> None:
    means = [
        measure(noisy(hearts, KINDS[kind], ratio), RATE, LSB).values["quality_index"].mean() for ratio in RATIOS_DB
    ]
    assert (np.diff(means) < 0).all(), means


def test_baseline_wander_never_rejects(hearts: Strips) -> None:
    for ratio in RATIOS_DB:
        verdicts = judge(measure(noisy(hearts, wander, ratio), RATE, LSB).values)
        assert [v for v in verdicts if v.verdict == "unacceptable"] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio_db", [24, 18, 12])
def test_beats_are_found_at_twelve_decibels_as_without_noise(hearts: Strips, kind: str, ratio_db: float) -> None:
    hits = wrong = 0
    for true, found in zip(r_peaks(hearts, RATE), r_peaks(noisy(hearts, KINDS[kind], ratio_db), RATE), strict=True):
        near = np.abs(true[:, None] - found[None, :]) <= round(0.15 * RATE)
        inside = (found >= 54) & (found < SAMPLES - 54), (true >= 54) & (true < SAMPLES - 54)
        hits += near.any(axis=1).sum()
        wrong += (~near.any(axis=0) & inside[0]).sum() + (~near.any(axis=1) & inside[1]).sum()
    assert 2 * hits / (2 * hits + wrong) >= 0.99
