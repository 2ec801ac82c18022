"""A synthetic heart, and what disturbs its recording.

Belongs here: signals in mV. Does not belong here: files (`cli/demo/ecg_files.py`), which recordings there are
(`cli/demo/recordings.py`).

The heart is a sum of Gaussians per beat, after McSharry et al. 2003, IEEE Trans. Biomed. Eng. 50(3):289.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Waves of a beat: centre and width (s from the R peak), height (mV), as lead II sees them.
P_WAVE = ((-0.18, 0.022, 0.14),)
QRS = ((-0.028, 0.009, -0.12), (0.0, 0.011, 1.25), (0.028, 0.010, -0.28))
T_WAVE = ((0.25, 0.045, 0.22), (0.30, 0.030, 0.14))
VENTRICULAR = ((-0.035, 0.018, 0.75), (0.01, 0.022, 1.35), (0.075, 0.026, -0.70), (0.27, 0.060, -0.42))
_REACH_S = 0.6

# Heights of P, Q, R, S and T in other leads, as multiples of those in lead II.
_LEADS = {
    "I": (0.6, 0.8, 0.80, 0.7, 0.6),
    "II": (1.0, 1.0, 1.0, 1.0, 1.0),
    "V1": (0.4, 0.0, 0.16, 3.2, -0.3),
    "V2": (0.4, 0.0, 0.35, 4.5, 1.2),
    "V3": (0.5, 0.0, 0.70, 2.8, 1.3),
    "V4": (0.6, 0.5, 1.30, 1.5, 1.3),
    "V5": (0.6, 0.8, 1.20, 0.7, 1.0),
    "V6": (0.6, 0.8, 0.90, 0.4, 0.8),
}
# Einthoven and Goldberger: what the limb leads are of I and II.
_LIMBS = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}
TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


class Beat(NamedTuple):
    """When a beat is, in s, and whether it comes from the ventricle."""

    at_s: float
    ventricular: bool


def heart_mv(kind: str, rng: np.random.Generator, time_s: FloatArray) -> FloatArray:
    """The heart's own signal of one kind of rhythm at evenly spaced times, in mV, before anything disturbs it."""
    rr_s = rng.uniform(0.7, 1.0)
    fibrillating = kind == "irregular"
    x = np.zeros(len(time_s))
    if fibrillating:
        x += 0.05 * np.sin(2 * np.pi * (rng.uniform(5, 7) * time_s + 0.3 * np.sin(2 * np.pi * 0.4 * time_s)))
    for beat in _beats(kind, rng, rr_s, time_s[-1] + 0.5):
        _add(x, time_s, beat.at_s, VENTRICULAR if beat.ventricular else QRS + T_WAVE)
        if not (beat.ventricular or fibrillating):
            _add(x, time_s, beat.at_s, P_WAVE)
    return x


def twelve_leads_mv(rng: np.random.Generator, time_s: FloatArray) -> FloatArray:
    """Twelve leads of one calm heart in the order of `TWELVE`, shape (12, samples), each with its own noise."""
    beats = _beats("clean", rng, rng.uniform(0.7, 1.0), time_s[-1] + 0.5)
    leads = {}
    for name, (p, *qrs, t) in _LEADS.items():
        waves = [
            *((centre, width, p * height) for centre, width, height in P_WAVE),
            *((centre, width, by * height) for by, (centre, width, height) in zip(qrs, QRS, strict=True)),
            *((centre, width, t * height) for centre, width, height in T_WAVE),
        ]
        leads[name] = calm_mv(rng, time_s)
        for beat in beats:
            _add(leads[name], time_s, beat.at_s, tuple(waves))
    for name, (of_i, of_ii) in _LIMBS.items():
        leads[name] = of_i * leads["I"] + of_ii * leads["II"]
    return np.stack([leads[name] for name in TWELVE])


def calm_mv(rng: np.random.Generator, time_s: FloatArray) -> FloatArray:
    """What no recording is without: breathing and the amplifier."""
    breathing = 0.04 * np.sin(2 * np.pi * (rng.uniform(0.2, 0.3) * time_s + rng.uniform()))
    return np.asarray(breathing + rng.normal(0, 0.008, len(time_s)), dtype=np.float64)


def noise_mv(rng: np.random.Generator, time_s: FloatArray) -> FloatArray:
    """What a restless subject adds: bursts of muscle, electrodes that move, and mains."""
    rate_hz = 1 / (time_s[1] - time_s[0])
    x = _muscle(rng, time_s, rate_hz) + _motion(rng, time_s)
    hum = 2 * np.pi * (50 * time_s + rng.uniform())
    return np.asarray(x + rng.uniform(0.1, 0.16) * (np.sin(hum) + 0.2 * np.sin(3 * hum)), dtype=np.float64)


def _muscle(rng: np.random.Generator, time_s: FloatArray, rate_hz: float) -> FloatArray:
    """Noise from 20 to 150 Hz, a little of it always, more in bursts of half a second to three."""
    spectrum = np.fft.rfft(rng.normal(0, 1, len(time_s)))
    frequency = np.fft.rfftfreq(len(time_s), 1 / rate_hz)
    spectrum[(frequency < 20) | (frequency > 150)] = 0
    white = np.fft.irfft(spectrum, len(time_s))
    envelope = np.full(len(time_s), rng.uniform(0.03, 0.06))
    for _ in range(max(2, round(len(time_s) / rate_hz / 3))):
        middle, length = rng.uniform(0, time_s[-1]), rng.uniform(0.5, 3.0)
        inside = np.abs(time_s - middle) < length / 2
        burst = np.cos(np.pi * (time_s[inside] - middle) / length) ** 2
        envelope[inside] += rng.uniform(0.12, 0.3) * burst
    return np.asarray(envelope * white / white.std(), dtype=np.float64)


def _motion(rng: np.random.Generator, time_s: FloatArray) -> FloatArray:
    """A slow sway, and electrodes that are pulled: a steep start, back within about a second."""
    x = rng.uniform(0.3, 0.6) * np.sin(2 * np.pi * (rng.uniform(0.12, 0.35) * time_s + rng.uniform()))
    for _ in range(max(1, round(time_s[-1] / 5))):
        since = np.clip(time_s - rng.uniform(0, time_s[-1]), 0, None)
        height, back_s = rng.choice([-1, 1]) * rng.uniform(0.6, 1.4), rng.uniform(0.5, 1.2)
        x += height * (1 - np.exp(-since / 0.08)) * np.exp(-since / back_s)
    return np.asarray(x, dtype=np.float64)


def _beats(kind: str, rng: np.random.Generator, rr_s: float, until_s: float) -> list[Beat]:
    """The beats of a rhythm, from before the recording on."""
    at_s, number = -rng.uniform(0, rr_s), 0
    early_every = {"bigeminy": 2, "premature": int(rng.integers(4, 7))}.get(kind, 0)
    beats = []
    while at_s < until_s:
        ventricular = early_every > 0 and number % early_every == early_every - 1
        beats.append(Beat(at_s, ventricular))
        if kind == "irregular":
            at_s += rng.uniform(0.42, 1.05)
        elif early_every > 0 and number % early_every == early_every - 2:
            at_s += 0.6 * rr_s
        elif kind == "breathing":  # the heart follows the breath (0.25 Hz) and blood pressure (0.1 Hz)
            slow = 0.03 * np.sin(2 * np.pi * 0.1 * at_s) + 0.04 * np.sin(2 * np.pi * 0.25 * at_s)
            at_s += (rng.normal(1, 0.01) + slow) * rr_s
        else:  # a premature beat is followed by a compensatory pause
            at_s += (1.4 if ventricular else rng.normal(1, 0.025)) * rr_s
        number += 1
    return beats


def _add(x: FloatArray, time_s: FloatArray, at_s: float, waves: tuple[tuple[float, float, float], ...]) -> None:
    """Add the waves of one beat where they are not nearly zero."""
    first, last = np.searchsorted(time_s, (at_s - _REACH_S, at_s + _REACH_S))
    time_s = time_s[first:last]
    for centre, width, height in waves:
        x[first:last] += height * np.exp(-0.5 * ((time_s - at_s - centre) / width) ** 2)
