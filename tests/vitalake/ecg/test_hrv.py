"""Variability of intervals whose variability is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.ecg.features import rhythm_features
from vitalake.ecg.hrv import power, variability


def modulated(duration_s: float, waves: dict[float, float], mean_s: float = 0.8) -> npt.NDArray[np.float64]:
    """Beats whose intervals follow sines: frequency in Hz -> amplitude in ms."""
    beats = [0.0]
    while beats[-1] < duration_s:
        sines = sum(a * np.sin(2 * np.pi * f * (beats[-1] + mean_s)) for f, a in waves.items())
        beats.append(beats[-1] + mean_s + 1e-3 * sines)
    return np.array(beats)


def test_known_intervals_have_known_variability() -> None:
    found = variability([0.8, 0.9, 0.8, 0.85])
    assert found is not None
    assert found.sdnn_ms == pytest.approx(47.871, abs=1e-3)  # by hand
    assert found.rmssd_ms == pytest.approx(np.sqrt((100**2 + 100**2 + 50**2) / 3))
    assert found.pnn50_share == pytest.approx(2 / 3), "50 ms is not above 50 ms"


def test_two_intervals_say_nothing_of_variability() -> None:
    assert variability([0.8, 0.9]) is None


@given(st.lists(st.floats(0.3, 2), min_size=3, max_size=40), st.floats(0.5, 2))
def test_variability_scales_with_the_intervals_and_not_with_their_mean(rr_s: list[float], factor: float) -> None:
    one, moved, scaled = (variability(np.array(rr_s) * k + add) for k, add in ((1, 0), (1, 0.4), (factor, 0)))
    assert one is not None
    assert moved is not None
    assert scaled is not None
    assert moved[:2] == pytest.approx(one[:2], abs=1e-6)
    assert scaled[:2] == pytest.approx([factor * value for value in one[:2]], abs=1e-6)
    assert 0 <= one.pnn50_share <= 1


@pytest.mark.parametrize("duration_s", [120, 300, 1800])
@pytest.mark.parametrize(("low_ms", "high_ms"), [(50, 0), (0, 40), (40, 20)])
def test_a_sine_has_half_its_squared_amplitude_in_its_own_band(
    duration_s: float, low_ms: float, high_ms: float
) -> None:
    found = power(modulated(duration_s, {0.1: low_ms, 0.25: high_ms}))
    assert found is not None
    assert found.lf_ms2 == pytest.approx(low_ms**2 / 2, rel=0.1, abs=0.05 * high_ms**2)
    assert found.hf_ms2 == pytest.approx(high_ms**2 / 2, rel=0.1, abs=0.05 * low_ms**2)


def test_a_drift_of_the_rate_is_no_low_frequency() -> None:
    beats = np.cumsum(np.linspace(0.7, 0.9, 300))
    found = power(beats)
    assert found is not None
    assert found.lf_ms2 < 5


@pytest.mark.parametrize("beats", [[], [1.0], list(np.arange(0, 59.5, 0.8)), [0, 30, 61]])
def test_less_than_a_minute_or_hardly_any_beats_have_no_spectrum(beats: list[float]) -> None:
    assert power(beats) is None


def test_a_minute_has_a_spectrum_and_less_is_ultra_short() -> None:
    long = rhythm_features(np.rint(360 * modulated(70, {0.1: 30, 0.3: 30})), 360, 70.0)
    assert not long["ultra_short"]
    assert long["lf_ms2"] is not None
    assert long["hf_ms2"] is not None
    assert long["lf_hf_ratio"] == pytest.approx(long["lf_ms2"] / long["hf_ms2"])
    short = rhythm_features(np.rint(360 * modulated(10, {0.1: 30})), 360, 10.0)
    assert short["ultra_short"]
    assert short["sdnn_ms"] is not None
    assert short["lf_ms2"] is short["hf_ms2"] is short["lf_hf_ratio"] is None


def test_variability_agrees_with_neurokit() -> None:
    neurokit = pytest.importorskip("neurokit2")
    peaks = np.rint(1000 * modulated(300, {0.1: 40, 0.25: 30})).astype(np.int64)
    theirs = neurokit.hrv_time(peaks, sampling_rate=1000)
    ours = rhythm_features(peaks, 1000, 300.0)
    assert ours["sdnn_ms"] == pytest.approx(theirs["HRV_SDNN"][0], rel=1e-6)
    assert ours["rmssd_ms"] == pytest.approx(theirs["HRV_RMSSD"][0], rel=1e-2)
    assert ours["pnn50_share"] == pytest.approx(theirs["HRV_pNN50"][0] / 100, abs=0.01)
