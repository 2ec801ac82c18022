"""Strips made ready for measuring: gaps bridged, frequencies cut out, seconds side by side.

Belongs here: what several measures and detectors do to a signal first, on arrays of shape (n, samples) with one
sampling rate. Does not belong here: what is then read off the signal (`measures.py`, `peaks.py`).

Filters work in the frequency domain: one transform of the strip serves them all, and nothing but numpy is imported
(scipy.signal costs a second at the start of every process).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

MARGIN_S = 1.0


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


class Bands:
    """Second-order Butterworth filters run forwards and backwards over a batch: no shift in time.

    The gain is that of `scipy.signal.sosfiltfilt`, |H|² of the bilinear transform. The line of least squares is
    taken off first (an offset or a slope does not ring), and the ends are continued by up to one second of the
    strip's own point reflection, faded out so that the end of a period meets its beginning.

    Args:
        x_mv: strips in mV without NaN, shape (n, samples), at least one sample.
        sampling_rate_hz: samples a second.
    """

    def __init__(self, x_mv: FloatArray, sampling_rate_hz: float) -> None:
        samples = x_mv.shape[1]
        self.x_mv = x_mv
        self.sampling_rate_hz = sampling_rate_hz
        self._samples = samples
        self._margin = min(samples - 1, round(MARGIN_S * sampling_rate_hz))
        self._length = fast_length(samples + 2 * self._margin)
        # A constant strip becomes exactly 0: its rounding must not look like a signal.
        first = x_mv[:, :1]
        self._line = _line(x_mv - first)
        self._spectrum = np.fft.rfft(self._extended(x_mv - first - self._line), axis=-1)
        self._line += first
        frequency = np.arange(self._spectrum.shape[1]) / self._length
        # tan(π/2) at the Nyquist frequency is meant to be huge, and is.
        self._warped = np.tan(np.pi * frequency)

    def between(self, low_hz: float, high_hz: float) -> FloatArray:
        """What lies between two frequencies in mV, shape (n, samples).

        Where Nyquist is not above the upper one: all that lies above the lower.
        """
        if high_hz >= 0.5 * self.sampling_rate_hz:
            return self.above(low_hz)
        low, high = self._warp(low_hz), self._warp(high_hz)
        with np.errstate(divide="ignore"):
            ratio = (self._warped**2 - low * high) / (self._warped * (high - low))
        return self._through(1 / (1 + ratio**4))

    def above(self, low_hz: float) -> FloatArray:
        """What lies above a frequency in mV, shape (n, samples)."""
        with np.errstate(divide="ignore"):
            return self._through(1 / (1 + (self._warp(low_hz) / self._warped) ** 4))

    def below(self, high_hz: float) -> FloatArray:
        """What lies below a frequency, the mean and the slope included, in mV, shape (n, samples)."""
        return self._line + self._through(1 / (1 + (self._warped / self._warp(high_hz)) ** 4))

    def _warp(self, frequency_hz: float) -> float:
        return float(np.tan(np.pi * frequency_hz / self.sampling_rate_hz))

    def _through(self, gain: FloatArray) -> FloatArray:
        filtered = np.fft.irfft(self._spectrum * gain, self._length, axis=-1)
        return np.asarray(filtered[:, self._margin : self._margin + self._samples], dtype=np.float64)

    def _extended(self, x: FloatArray) -> FloatArray:
        margin, samples = self._margin, self._samples
        extended = np.zeros((len(x), self._length))
        extended[:, margin : margin + samples] = x
        if margin:
            fade = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, margin + 1) / (margin + 1))
            extended[:, margin - 1 :: -1][:, :margin] = fade * (2 * x[:, :1] - x[:, 1 : margin + 1])
            tail = fade * (2 * x[:, -1:] - x[:, -2 : -margin - 2 : -1])
            extended[:, margin + samples : margin + samples + margin] = tail
        return extended


def seconds(x_mv: FloatArray, sampling_rate_hz: float) -> FloatArray:
    """The whole seconds of each strip side by side, shape (n, seconds, samples of a second).

    What is left of the last second is dropped; a strip shorter than a second is one window. The strip must hold at
    least one sample.
    """
    strips, samples = x_mv.shape
    width = min(samples, max(1, round(sampling_rate_hz)))
    count = samples // width
    return x_mv[:, : count * width].reshape(strips, count, width)


def moving_mean(x: FloatArray, width: int) -> FloatArray:
    """Centred mean over `width` samples (made odd), the ends continued by their own value; same shape."""
    half = width // 2
    padded = np.pad(x, ((0, 0), (half + 1, half)), mode="edge")
    total = np.cumsum(padded, axis=1)
    return np.asarray((total[:, 2 * half + 1 :] - total[:, : -2 * half - 1]) / (2 * half + 1), dtype=np.float64)


def fast_length(samples: int) -> int:
    """The smallest length of at least `samples` without a prime factor above 5: such transforms are quick."""
    best = 1 << max(0, samples - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            two = 1 << max(0, -(-samples // three) - 1).bit_length()
            best = min(best, three * two)
            three *= 3
        five *= 5
    return best


def _line(x: FloatArray) -> FloatArray:
    """The line of least squares through each strip, shape (n, samples)."""
    time = np.arange(x.shape[1]) - 0.5 * (x.shape[1] - 1)
    # Not a matrix product: BLAS gives other last bits on another processor, and bytes must not depend on that.
    slope = np.einsum("ns,s->n", x, time) / max(float((time * time).sum()), 1.0)
    return np.asarray(x.mean(axis=1, keepdims=True) + slope[:, None] * time, dtype=np.float64)
