"""What the quality model looks at beside the measures of the rules: one pure function each, one number per strip.

Belongs here: features that no rule uses and no table shows. Does not belong here: measures that people read
(`vitalake/ecg/signals/measures.py`), the model (`quality_model.py`).

All of them are defined from 50 to 2000 Hz; what a band lacks above the Nyquist frequency it lacks. None looks at
the heart rate or at the RR intervals themselves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vitalake.ecg.signals.candidates import ENERGY_WINDOW_S, QRS_BAND_HZ
from vitalake.ecg.signals.filters import FloatArray, moving_mean, seconds
from vitalake.ecg.signals.strips import Strips

STILL_S = 0.08
HIGH_BAND_HZ = (20.0, 40.0)  # above most of a beat, below the mains
COARSE_HZ = 100.0  # enough for what lies below 30 Hz
LAG_S = (0.3, 1.8)  # 200 to 33 beats a minute
AMPLITUDE_FLOOR_MV = 0.02
ENERGY_FLOOR_MV2 = 1e-7


def still_share(strips: Strips) -> FloatArray:
    """Share of the strip in runs of at least 80 ms with abs(dx) ≤ 0.5 LSB. 0 .. 1.

    Shorter than the runs of `flat_share`: a signal at the edge of the resolution stands still again and again.
    """
    rows, lengths = strips.flat_runs
    still = lengths >= STILL_S
    total = np.bincount(rows[still], weights=lengths[still], minlength=len(strips.x_mv))
    return np.asarray(total * strips.sampling_rate_hz / max(1, strips.x_mv.shape[1] - 1), dtype=np.float64)


def reach_mv(strips: Strips) -> FloatArray:
    """Largest distance from the strip's median in mV. ≥ 0; unlike `max_abs_mv` it knows no offset."""
    x = strips.x_mv
    middle = np.median(x[:, :: max(1, int(strips.sampling_rate_hz / COARSE_HZ))], axis=1)
    return np.asarray(np.maximum(x.max(axis=1) - middle, middle - x.min(axis=1)), dtype=np.float64)


def amplitude_min_share(strips: Strips) -> FloatArray:
    """Smallest over median peak-to-peak (and 0.02 mV) of the whole seconds above 0.7 Hz.

    0 .. 1; low where the lead came loose for a second.
    """
    every = strips.steady_seconds_mv
    return np.asarray(every.min(axis=1) / (np.median(every, axis=1) + AMPLITUDE_FLOOR_MV), dtype=np.float64)


def share_15_20(strips: Strips) -> FloatArray:
    """P(15–20 Hz) / P(1–40 Hz). 0 .. 1; NaN for a constant strip."""
    return _share(strips, 15, 20)


def share_20_30(strips: Strips) -> FloatArray:
    """P(20–30 Hz) / P(1–40 Hz). 0 .. 1; NaN for a constant strip."""
    return _share(strips, 20, 30)


def high_burst(strips: Strips) -> FloatArray:
    """Largest 1-s standard deviation between 20 and 40 Hz over the median one (and 1 µV). ≥ 0."""
    each = seconds(strips.bands.between(*HIGH_BAND_HZ), strips.sampling_rate_hz).std(axis=-1)
    return np.asarray(each.max(axis=1) / (np.median(each, axis=1) + 1e-3), dtype=np.float64)


def energy_quiet(strips: Strips) -> FloatArray:
    """log10 of the 0.3 quantile of the QRS energy over the median of its 1-s maxima; low where beats stand out."""
    return _below_beats(strips, 0.3)


def energy_middle(strips: Strips) -> FloatArray:
    """log10 of the median of the QRS energy over the median of its 1-s maxima; low where beats stand out."""
    return _below_beats(strips, 0.5)


def beat_repeats(strips: Strips) -> FloatArray:
    """Highest autocorrelation of the root of the QRS energy at 0.3 to 1.8 s. -1 .. about 1.

    Source: Redmond et al. 2012, Physiol. Meas. 33:1517, who look for repetition in the same way.
    """
    energy = _energy(strips)
    return _repeats(np.sqrt(np.minimum(energy, 3 * _typical(strips)[:, None])), strips)


def shape_repeats(strips: Strips) -> FloatArray:
    """Highest autocorrelation of the strip from 1 to 30 Hz at lags of 0.3 to 1.8 s. -1 .. about 1.

    Clipped at three times the median 1-s peak-to-peak: one artefact does not decide.
    """
    limit = 3 * np.median(strips.steady_seconds_mv, axis=1, keepdims=True)
    return _repeats(np.clip(strips.beat_band_mv[:, :: _stride(strips)], -limit, limit), strips)


FEATURES: dict[str, Callable[[Strips], FloatArray]] = {
    feature.__name__: feature
    for feature in (
        still_share,
        reach_mv,
        amplitude_min_share,
        share_15_20,
        share_20_30,
        high_burst,
        energy_quiet,
        energy_middle,
        beat_repeats,
        shape_repeats,
    )
}


def learned_features(strips: Strips, *, calibrated: bool = True) -> dict[str, FloatArray]:
    """Every feature of a batch by name, one value per strip, shape (n,).

    NaN where it has no meaning: on a constant strip, in a strip of less than half a second, or, in mV, where no
    gain is known (not `calibrated`).
    """
    nothing = np.full(len(strips.x_mv), np.nan)
    for shared in (_coarse_energy, _ordered_energy):  # in this order each finds what it builds on
        strips.results[shared.__name__] = shared(strips)
    return {
        name: feature(strips) if calibrated or not name.endswith("_mv") else nothing
        for name, feature in FEATURES.items()
    }


def _stride(strips: Strips) -> int:
    return max(1, int(strips.sampling_rate_hz / COARSE_HZ))


def _energy(strips: Strips) -> FloatArray:
    return strips.derived(_coarse_energy)


def _coarse_energy(strips: Strips) -> FloatArray:
    """Energy of the band of the QRS complex averaged as the detector does it, at 100 to 200 samples a second."""
    step = _stride(strips)
    band = strips.bands.between(*QRS_BAND_HZ)[:, ::step]
    return np.maximum(moving_mean(band * band, round(ENERGY_WINDOW_S * strips.sampling_rate_hz / step)), 0.0)


def _typical(strips: Strips) -> FloatArray:
    every = seconds(_energy(strips), strips.sampling_rate_hz / _stride(strips)).max(axis=-1)
    return np.asarray(np.median(every, axis=1), dtype=np.float64)


def _below_beats(strips: Strips, share: float) -> FloatArray:
    ordered = strips.derived(_ordered_energy)
    quiet = ordered[:, int(share * (ordered.shape[1] - 1))]
    return np.asarray(
        np.log10((quiet + ENERGY_FLOOR_MV2) / (_typical(strips) + ENERGY_FLOOR_MV2)), dtype=np.float64
    )


def _ordered_energy(strips: Strips) -> FloatArray:
    return np.sort(_energy(strips), axis=1)


def _repeats(x: FloatArray, strips: Strips) -> FloatArray:
    rate = strips.sampling_rate_hz / _stride(strips)
    samples = x.shape[1]
    first, last = round(LAG_S[0] * rate), min(round(LAG_S[1] * rate), samples)
    if last <= first:
        return np.full(len(x), np.nan)
    bins = np.fft.rfft(x - x.mean(axis=1, keepdims=True), samples + last, axis=1)
    same = np.fft.irfft(bins.real**2 + bins.imag**2, samples + last, axis=1)
    unbiased = same[:, first:last] / (1 - np.arange(first, last) / samples)
    return np.asarray(unbiased.max(axis=1) / (same[:, 0] + 1e-9), dtype=np.float64)


def _share(strips: Strips, low_hz: float, high_hz: float) -> FloatArray:
    per_hz = strips.x_mv.shape[1] / strips.sampling_rate_hz
    last = strips.power.shape[1] - 1
    at = [min(round(hz * per_hz), last) for hz in (low_hz, high_hz, 1, 40)]
    part, whole = strips.power[:, at[1]] - strips.power[:, at[0]], strips.power[:, at[3]] - strips.power[:, at[2]]
    share = np.full(len(part), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share.clip(0.0, 1.0)
