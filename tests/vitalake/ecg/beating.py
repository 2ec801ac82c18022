"""Leads whose beats, and so whose variability, are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cli.demo.heart import P_WAVE, QRS, T_WAVE
from vitalake.ecg.recording import Lead

RATE_HZ = 250.0


def modulated(duration_s: float, waves: dict[float, float], mean_s: float = 0.8) -> npt.NDArray[np.float64]:
    """Beats whose intervals follow sines: frequency in Hz -> amplitude in ms."""
    beats = [0.0]
    while beats[-1] < duration_s:
        sines = sum(a * np.sin(2 * np.pi * f * (beats[-1] + mean_s)) for f, a in waves.items())
        beats.append(beats[-1] + mean_s + 1e-3 * sines)
    return np.array(beats)


def lead_of(beats_s: npt.NDArray[np.float64], duration_s: float) -> Lead:
    """A lead of so many seconds with these beats and next to no noise."""
    x = np.random.default_rng(5).normal(0, 0.005, round(duration_s * RATE_HZ))
    for beat in beats_s:
        here = np.arange(max(0, round((beat - 0.4) * RATE_HZ)), min(len(x), round((beat + 0.6) * RATE_HZ)))
        for centre_s, width_s, height_mv in P_WAVE + QRS + T_WAVE:
            x[here] += height_mv * np.exp(-0.5 * ((here / RATE_HZ - beat - centre_s) / width_s) ** 2)
    return Lead("II", np.round(1000 * x).astype(np.int32), RATE_HZ, 1000.0, 0.0, "mV")
