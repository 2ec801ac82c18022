"""Strips made ready for measuring: gaps bridged, frequencies cut out, seconds side by side.

Belongs here: what several measures and detectors do to a signal first, on arrays of shape (n, samples) with one
sampling rate. Does not belong here: what is then read off the signal (`measures.py`, `peaks.py`).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import signal

FloatArray = npt.NDArray[np.float64]


def bridge_gaps(x_mv: npt.ArrayLike) -> FloatArray:
    """The same strips with every NaN or infinity on the straight line between its neighbours.

    A gap at an end takes the nearest value; a strip without any finite sample becomes 0.

    Args:
        x_mv: strips in mV, shape (n, samples); not changed.

    Raises:
        ValueError: the array does not have two dimensions.
    """
    x: FloatArray = np.asarray(x_mv, dtype=np.float64)
    if x.ndim != 2:
        raise ValueError(f"strips come as an array of shape (n, samples), not {x.shape}")
    known = np.isfinite(x)
    if known.all():
        return x
    bridged: FloatArray = x.copy()
    time = np.arange(x.shape[1])
    for row in np.flatnonzero(~known.all(axis=1)):
        here = known[row]
        bridged[row] = np.interp(time, time[here], x[row, here]) if here.any() else 0.0
    return bridged


def butterworth(
    x_mv: FloatArray,
    sampling_rate_hz: float,
    kind: Literal["highpass", "bandpass"],
    cutoff_hz: float | tuple[float, float],
) -> FloatArray:
    """Second-order Butterworth filter, run forwards and backwards: no shift in time.

    The ends are continued by up to one second of the strip's own point reflection, so that an offset or a slope
    does not ring.

    Args:
        x_mv: strips in mV without NaN, shape (n, samples).
        sampling_rate_hz: samples a second, above twice the highest cutoff.
        kind: which side of the cutoff stays.
        cutoff_hz: one frequency, or the two edges of the band.
    """
    if x_mv.size == 0:
        return x_mv
    sections = signal.butter(2, cutoff_hz, kind, fs=sampling_rate_hz, output="sos")
    margin = min(x_mv.shape[1] - 1, round(sampling_rate_hz))
    filtered: FloatArray = signal.sosfiltfilt(sections, x_mv, axis=-1, padlen=margin)
    return filtered


def seconds(x_mv: FloatArray, sampling_rate_hz: float) -> FloatArray:
    """The whole seconds of each strip side by side, shape (n, seconds, samples of a second).

    What is left of the last second is dropped; a strip shorter than a second is one window. The strip must hold at
    least one sample.
    """
    strips, samples = x_mv.shape
    width = min(samples, max(1, round(sampling_rate_hz)))
    count = samples // width
    return x_mv[:, : count * width].reshape(strips, count, width)
