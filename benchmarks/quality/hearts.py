"""Hearts that nobody recorded: every rate from 20 to 300 a minute, pauses, blocks, and noise, with known beats.

Belongs here: making them. Does not belong here: what comes of them (`sweep.py`), or noise (`noise.py`).

Each beat is a sum of Gaussian waves; the QT interval shortens with the root of the rate (Bazett 1920), or not, as
in a T wave that falls on the next complex.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.quality.cases import IntArray
from benchmarks.quality.noise import KINDS, qrs_power
from vitalake.ecg.recording import MILLIVOLT, Lead
from vitalake.ecg.signals.filters import FloatArray

# (centre in s, standard deviation in s, height in mV) of each wave, from the R peak
Waves = tuple[tuple[float, float, float], ...]
P_WAVE = (-0.17, 0.025, 0.12)
QRS: Waves = ((-0.026, 0.009, -0.1), (0.0, 0.012, 1.0), (0.03, 0.01, -0.2))
T_WAVE = (0.26, 0.05, 0.3)
NORMAL: Waves = (P_WAVE, *QRS, T_WAVE)
NARROW: Waves = ((0.0, 0.012, 1.0), (0.12, 0.03, 0.1))
BROAD: Waves = ((0.0, 0.035, 1.0), (0.11, 0.05, -0.6))
BROAD_NOTCHED: Waves = ((-0.05, 0.03, 0.5), (0.0, 0.04, 1.2), (0.07, 0.035, -0.6), (0.16, 0.05, -0.5))

RATES_BPM = (20, 25, 30, 35, 40, 50, 60, 80, 100, 130, 160, 190, 210, 230, 250, 270, 285, 300)
RATIOS_DB = (20, 10, 5, 0)
GAIN = 1000.0
REST_MV = 0.005  # of white noise in the best of recordings


@dataclass(frozen=True)
class Heart:
    """One lead in mV with its beats.

    Args:
        family: what is tried, e.g. ``"pause"``; `name` says with which numbers.
        beats: samples of the R peaks inside the lead, ascending.
        noise, ratio_db: what was added; empty and None for none.
    """

    family: str
    name: str
    sampling_rate_hz: float
    x_mv: FloatArray
    beats: IntArray
    noise: str = ""
    ratio_db: float | None = None


def sweep(seed: int = 0, rates_hz: Sequence[float] = (250.0, 500.0)) -> Iterator[Heart]:
    """Every family, clean at each sampling rate and in noise of every kind and ratio at the first.

    Phases, and where a pause falls, are drawn anew with another seed.
    """
    rng = np.random.default_rng(seed)
    for rate_hz in rates_hz:
        for seconds in (10, 30):
            for heart in _steady(seconds, rate_hz, rng, phases=3):
                yield _noisy(heart, "", None, seed)
        for seconds in (20, 30, 60):
            for heart in _paused(seconds, rate_hz, rng):
                yield _noisy(heart, "", None, seed)
    for ratio_db in RATIOS_DB:
        for kind in KINDS:
            for seconds in (10, 30):
                for heart in _steady(seconds, rates_hz[0], rng, phases=1):
                    yield _noisy(heart, kind, ratio_db, seed)
            for seconds in (20, 30, 60):
                for heart in _paused(seconds, rates_hz[0], rng):
                    yield _noisy(heart, kind, ratio_db, seed)


def stored(heart: Heart) -> Lead:
    """The heart as a good recorder stores it: 1 µV a unit."""
    samples = np.round(heart.x_mv * GAIN).astype(np.int32)
    return Lead("II", samples, heart.sampling_rate_hz, GAIN, 0.0, MILLIVOLT)


def beating(
    seconds: float,
    rate_hz: float,
    at_s: FloatArray,
    waves: Waves,
    heights: FloatArray | None = None,
    stretch: float = 1,
) -> FloatArray:
    """One lead in mV, shape (samples,): the waves of each beat, the far ones at `stretch` of their distance."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    x = np.zeros(len(time))
    for number, beat in enumerate(at_s):
        scale = 1.0 if heights is None else heights[number]
        for centre, width, height in waves:
            middle = beat + (centre * stretch if abs(centre) > 0.05 else centre)
            first, last = np.searchsorted(time, (middle - 6 * width, middle + 6 * width))
            x[first:last] += scale * height * np.exp(-0.5 * ((time[first:last] - middle) / width) ** 2)
    return x


def _steady(seconds: float, rate_hz: float, rng: np.random.Generator, phases: int) -> Iterator[Heart]:
    """Rates, heights that alternate, complete block, ventricular tachycardia: no beat is missing anywhere."""

    def regular(bpm: float, phase: float) -> FloatArray:
        return np.arange(phase * 60 / bpm, seconds, 60 / bpm)

    def made(family: str, name: str, at_s: FloatArray, x: FloatArray) -> Heart:
        return Heart(family, f"{name}, {seconds} s", rate_hz, x, _samples(at_s, rate_hz, len(x)))

    for bpm in RATES_BPM:
        shorter = min(1.0, (60 / bpm) ** 0.5)
        for phase in (rng.random() + np.arange(phases) / phases) % 1:
            at_s = regular(bpm, phase)
            x = beating(seconds, rate_hz, at_s, NORMAL, stretch=shorter)
            yield made("rate", f"{bpm}/min", at_s, x)
            yield made("rate, long QT", f"{bpm}/min", at_s, beating(seconds, rate_hz, at_s, NORMAL))
            if bpm >= 130:
                yield made("rate, no P wave", f"{bpm}/min", at_s, beating(seconds, rate_hz, at_s, NARROW))
    for bpm in (20, 30, 45):
        for atrial_bpm, height in ((60, 0.15), (80, 0.25), (100, 0.15)):
            at_s, atria_s = regular(bpm, rng.random()), regular(atrial_bpm, rng.random())
            x = beating(seconds, rate_hz, at_s, (*QRS, T_WAVE))
            x += beating(seconds, rate_hz, atria_s, ((0.0, P_WAVE[1], height),))
            yield made("complete block", f"{bpm}/min, P {atrial_bpm}/min of {height} mV", at_s, x)
    for other in (0.7, 0.5, 0.35):
        for bpm in (50, 80, 120, 180):
            at_s = regular(bpm, rng.random())
            heights = np.where(np.arange(len(at_s)) % 2, other, 1.0)
            x = beating(seconds, rate_hz, at_s, NORMAL, heights, min(1.0, (60 / bpm) ** 0.5))
            yield made("alternating heights", f"{bpm}/min, every other beat {other}", at_s, x)
    for bpm in (120, 150, 180, 210, 240):
        for waves in (BROAD, BROAD_NOTCHED):
            at_s = regular(bpm, rng.random())
            name = f"{bpm}/min{', notched' if waves is BROAD_NOTCHED else ''}"
            yield made("ventricular tachycardia", name, at_s, beating(seconds, rate_hz, at_s, waves))


def _paused(seconds: float, rate_hz: float, rng: np.random.Generator) -> Iterator[Heart]:
    """A pause in a steady rhythm, silent or with P waves that nothing follows."""
    for pause_s in (4, 6, 8, 10, 12, 15):
        for bpm in (45, 70, 110):
            rr_s = 60 / bpm
            every = np.arange(rng.random() * rr_s, seconds, rr_s)
            start = rng.uniform(2, max(2.1, seconds - pause_s - 2))
            silent = (every >= start) & (every < start + pause_s)
            at_s, shorter = every[~silent], min(1.0, rr_s**0.5)
            x = beating(seconds, rate_hz, at_s, NORMAL, stretch=shorter)
            blocked = beating(seconds, rate_hz, every[silent], (P_WAVE,))
            name = f"{pause_s} s at {bpm}/min, {seconds} s"
            samples = _samples(at_s, rate_hz, len(x))
            yield Heart("pause", name, rate_hz, x, samples)
            yield Heart("pause with P waves", name, rate_hz, x + blocked, samples)


def _samples(at_s: FloatArray, rate_hz: float, length: int) -> IntArray:
    at = np.rint(at_s * rate_hz).astype(np.int64)
    return at[at < length]


def _noisy(heart: Heart, kind: str, ratio_db: float | None, seed: int) -> Heart:
    """The heart with the noise of the best of recordings, and of one kind at a ratio to its QRS complexes."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{heart.family}/{heart.name}/{kind}".encode())])
    x = heart.x_mv + REST_MV * rng.standard_normal(len(heart.x_mv))
    if ratio_db is not None:
        make: Callable[[int, float, np.random.Generator], FloatArray] = KINDS[kind]
        noise = make(len(x), heart.sampling_rate_hz, rng)
        noise -= noise.mean()
        power = qrs_power(x, heart.beats, heart.sampling_rate_hz) / 10 ** (ratio_db / 10)
        x = x + noise * np.sqrt(power / np.mean(noise**2))
    return Heart(heart.family, heart.name, heart.sampling_rate_hz, x, heart.beats, kind, ratio_db)
