"""Noise stress: clean strips with noise of known kind and power added.

Belongs here: making noise and adding it. Does not belong here: what comes of it (`figures.py`).

The ratio is that of PhysioNet's nst: 10·log10(S/N) with S = (mean QRS peak-to-peak)²/8, the power of a sine as
high as the QRS complex, and N the mean square of the noise; Moody et al. 1984, CinC 11:381. The recordings of that
paper are not at hand, so muscle, electrode motion and wander are made from their bands and time courses.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy import signal

from benchmarks.quality.cases import Case, IntArray
from vitalake.ecg.recording import Recording
from vitalake.ecg.signals.filters import FloatArray

RATIOS_DB = (24, 18, 12, 6, 0, -6)
QRS_REACH_S = 0.05


def muscle(samples: int, rate: float, rng: np.random.Generator) -> FloatArray:
    """20 to 150 Hz in bursts of about a second: the electromyogram of a tensed chest."""
    envelope = np.exp(_band(samples, rate, rng, (0.0, 0.5)))
    return envelope * _band(samples, rate, rng, (20.0, 150.0))


def electrode_motion(samples: int, rate: float, rng: np.random.Generator) -> FloatArray:
    """Jolts of the skin potential, one in 2 s, that fall back within 0.3 s or so, over 0.5 to 8 Hz of rubbing."""
    jolts = np.where(rng.random(samples) < 0.5 / rate, rng.normal(0.0, 1.0, samples), 0.0)
    decay = np.exp(-1.0 / (0.3 * rate))
    rise = np.exp(-1.0 / (0.05 * rate))
    shaped = signal.lfilter([1.0], np.convolve([1.0, -decay], [1.0, -rise]), jolts)
    largest = np.abs(shaped).max()
    rubbing = _band(samples, rate, rng, (0.5, 8.0))
    return np.asarray((4.0 * shaped / largest if largest else 0.0) + rubbing, dtype=np.float64)


def baseline_wander(samples: int, rate: float, rng: np.random.Generator) -> FloatArray:
    """Breathing, 0.15 to 0.3 Hz, and slower drift."""
    time = np.arange(samples) / rate
    breathing = np.sin(2 * np.pi * (rng.uniform(0.15, 0.3) * time + rng.random()))
    return np.asarray(breathing + 0.7 * _band(samples, rate, rng, (0.0, 0.3)), dtype=np.float64)


def white(samples: int, rate: float, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001 (one signature)
    """Amplifier noise: every frequency alike."""
    return rng.normal(0.0, 1.0, samples)


def mains(samples: int, rate: float, rng: np.random.Generator) -> FloatArray:
    """50 Hz with a fifth as much of its third harmonic."""
    time = np.arange(samples) / rate
    phase, third = rng.random(2)
    wave = np.sin(2 * np.pi * (50.0 * time + phase))
    return np.asarray(wave + 0.2 * np.sin(2 * np.pi * (150.0 * time + third)), dtype=np.float64)


KINDS: dict[str, Callable[[int, float, np.random.Generator], FloatArray]] = {
    "muscle": muscle,
    "electrode motion": electrode_motion,
    "baseline wander": baseline_wander,
    "white": white,
    "50 Hz": mains,
}


def add_noise(cases: Sequence[Case], kind: str, ratio_db: float) -> list[Case]:
    """The cases with noise of one kind on their first lead, at one ratio, in the steps of the original's ADC.

    A case meets the same noise at every ratio, only stronger.
    """
    noisy = []
    for case in cases:
        lead = case.recording.leads[0]
        rng = np.random.default_rng(zlib.crc32(f"{kind}/{case.name}".encode()))
        x = lead.values()
        noise = KINDS[kind](len(x), lead.sampling_rate_hz, rng)
        noise -= noise.mean()
        beats = case.beats if case.beats is not None else np.empty(0, dtype=np.int64)
        power = qrs_power(x, beats, lead.sampling_rate_hz) / 10 ** (ratio_db / 10)
        x = x + noise * np.sqrt(power / np.mean(noise**2))
        stored = np.round(x * lead.gain_adu_per_unit + lead.zero_adu).astype(np.int32)
        noisy.append(
            replace(case, recording=Recording((replace(lead, samples=stored),), case.recording.file_format))
        )
    return noisy


def qrs_power(x_mv: FloatArray, beats: IntArray, rate: float) -> float:
    """(mean peak-to-peak within 50 ms of the beats)²/8, in mV²."""
    reach = round(QRS_REACH_S * rate)
    heights = [np.ptp(x_mv[max(0, beat - reach) : beat + reach + 1]) for beat in beats]
    return float(np.mean(heights)) ** 2 / 8


def _band(samples: int, rate: float, rng: np.random.Generator, band_hz: tuple[float, float]) -> FloatArray:
    """Gaussian noise of that band with mean square 1."""
    spectrum = np.fft.rfft(rng.normal(0.0, 1.0, samples))
    frequency = np.fft.rfftfreq(samples, 1.0 / rate)
    spectrum[(frequency < max(band_hz[0], 1e-9)) | (frequency > band_hz[1])] = 0.0
    noise: FloatArray = np.fft.irfft(spectrum, samples)
    noise /= np.sqrt(np.mean(noise**2))
    return noise
