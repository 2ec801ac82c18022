"""Measures of the power spectrum of the Hann-windowed strip: which share lies where (Q06 to Q08, Q10, Q11).

Belongs here: ratios of power in bands; they need no gain. Does not belong here: filters (`filters.py`), thresholds
(`vitalake/ecg/quality/rules.py`).

A band is cut at the Nyquist frequency. A share of nothing, as on a constant strip, is NaN.
"""

from __future__ import annotations

import numpy as np

from vitalake.ecg.signals.filters import FloatArray
from vitalake.ecg.signals.levels import kurtosis
from vitalake.ecg.signals.strips import Strips

MAINS_HZ = ((49.0, 51.0), (59.0, 61.0))
MUSCLE_NYQUIST_HZ = 60.0
WAVES_HZ = (2.0, 7.0)  # 120 to 420 waves a minute: ventricular flutter, coarse fibrillation, fast wide complexes
WAVES_AMONG_HZ = (0.75, 40.0)
WAVES_POWER_SHARE = 0.7
WAVES_WINDOW_S = 2.0
WAVES_KURTOSIS = 5.0


def wander_share(strips: Strips) -> FloatArray:
    """P(0–1 Hz) / P(0–40 Hz), the mean taken off first. 0 .. 1.

    Source: basSQI, Zhao & Zhang 2018, Front. Physiol. 9:727 (which has 1 minus it); Behar et al. 2013, IEEE TBME
    60:1660.
    """
    return _ratio(_power(strips, 0, 1), _power(strips, 0, 40))


def mains_share(strips: Strips) -> FloatArray:
    """max(P(49–51 Hz), P(59–61 Hz)) / P(1 Hz to Nyquist). 0 .. 1; NaN below a sampling rate of 102 Hz.

    From 102 to 122 Hz only 50 Hz is looked for.
    Source: the two mains frequencies of the world, IEC 60038.
    """
    nyquist = strips.sampling_rate_hz / 2
    bands = [_power(strips, low, high) for low, high in MAINS_HZ if high <= nyquist]
    if not bands:
        return np.full(len(strips.x_mv), np.nan)
    return _ratio(np.max(bands, axis=0), _power(strips, 1, nyquist))


def muscle_share(strips: Strips) -> FloatArray:
    """P(40–100 Hz) / P(1–100 Hz). 0 .. 1; NaN below a sampling rate of 120 Hz, which leaves too little of the band.

    Source: Li, Rajagopalan & Clifford 2014, Comput. Methods Programs Biomed. 117:435.
    """
    if strips.sampling_rate_hz < 2 * MUSCLE_NYQUIST_HZ:
        return np.full(len(strips.x_mv), np.nan)
    return _ratio(_power(strips, 40, 100), _power(strips, 1, 100))


def qrs_share(strips: Strips) -> FloatArray:
    """P(5–15 Hz) / P(5–40 Hz). 0 .. 1; a clean ECG has 0.4 to 0.9.

    Source: pSQI, Zhao & Zhang 2018, Front. Physiol. 9:727.
    """
    return _ratio(_power(strips, 5, 15), _power(strips, 5, 40))


def band_ratio(strips: Strips) -> FloatArray:
    """Power of the ECG over all other: P(1–40 Hz) / (P - P(1–40 Hz)). ≥ 0; infinite where there is no other.

    From 1 Hz, the fundamental of sixty beats a minute: from 2 Hz a slow clean rhythm lies half outside.
    Source: in-band to out-of-band ratio of Li, Mark & Clifford 2008, Physiol. Meas. 29:15.
    """
    inside = _power(strips, 1, 40)
    outside = np.maximum(strips.power[:, -1] - inside, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(inside / outside, dtype=np.float64)


def wave_share(strips: Strips) -> FloatArray:
    """Share of the 2-s windows, one a second, with at least 0.7 of P(0.75–40 Hz) within 2 to 7 Hz. 0 .. 1.

    0 for a strip with sharp peaks, which a kurtosis of 5 or more says. What is left is waves at 120 to 420 a
    minute, as in ventricular flutter, in which no beats are to be found; noise holds slower or faster parts, too.
    Source: own, after Barro et al. 1989, J. Biomed. Eng. 11:320, who tell flutter from artefacts by its spectrum.
    """
    x, rate = strips.x_mv, strips.sampling_rate_hz
    width = min(x.shape[1], max(1, round(WAVES_WINDOW_S * rate)))
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=1)[:, :: max(1, width // 2)]
    windows = windows - windows.mean(axis=-1, keepdims=True)
    windows *= 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(width) + 0.5) / width)
    last = int(WAVES_AMONG_HZ[1] * width / rate) + 1
    bins = np.fft.rfft(windows, axis=-1)[..., :last]
    power = bins.real**2 + bins.imag**2
    hz = np.arange(power.shape[-1]) * rate / width
    inside = power[..., (hz >= WAVES_HZ[0]) & (hz < WAVES_HZ[1])].sum(axis=-1)
    among = power[..., hz >= WAVES_AMONG_HZ[0]].sum(axis=-1)
    waves = (inside >= WAVES_POWER_SHARE * among) & (among > 0)
    return np.where(strips.derived(kurtosis) < WAVES_KURTOSIS, waves.mean(axis=1), 0.0)


def _power(strips: Strips, low_hz: float, high_hz: float) -> FloatArray:
    """Power between two frequencies, both included, shape (n,)."""
    samples = strips.x_mv.shape[1]
    per_hz = samples / strips.sampling_rate_hz
    start = int(np.ceil(low_hz * per_hz - 1e-9))
    stop = int(np.floor(high_hz * per_hz + 1e-9)) + 1
    last = strips.power.shape[1] - 1
    return np.asarray(strips.power[:, min(stop, last)] - strips.power[:, min(start, last)], dtype=np.float64)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    share = np.full(len(part), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share.clip(0.0, 1.0)
