"""Variability of intervals whose variability is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vitalake.ecg.beating import modulated
from vitalake.ecg.signals.hrv import Power, Variability, power, variability
from vitalake.ecg.signals.rhythm import rhythm_features


def power_of(beats_s: npt.ArrayLike) -> Power:
    """Power where every interval is usable and the lead is as long as its beats."""
    beats = np.asarray(beats_s, dtype=np.float64)
    return power(beats, np.diff(beats), np.ptp(beats) if len(beats) else 0.0)


def test_known_intervals_have_known_variability() -> None:
    found = variability([0.8, 0.9, 0.8, 0.85])
    assert found.sdnn_ms == pytest.approx(47.871, abs=1e-3)  # by hand
    assert found.rmssd_ms == pytest.approx(np.sqrt((100**2 + 100**2 + 50**2) / 3))
    assert found.pnn50_share == pytest.approx(2 / 3), "50 ms is not above 50 ms"


def test_two_intervals_say_nothing_of_variability() -> None:
    assert variability([0.8, 0.9]) == Variability(None, None, None)


def test_differences_are_those_of_neighbours_that_both_are_usable() -> None:
    nan = np.nan
    found = variability([nan, 0.8, 0.9, nan, 1.5, 1.5, nan])
    assert found.rmssd_ms == pytest.approx(np.sqrt(100**2 / 2))
    assert found.pnn50_share == 0.5
    assert found.sdnn_ms == pytest.approx(np.std([800, 900, 1500, 1500], ddof=1))
    apart = variability([0.8, nan, 0.9, 0.9, nan, 1.5])
    assert apart.sdnn_ms is not None
    assert apart.rmssd_ms is apart.pnn50_share is None


@given(st.lists(st.floats(0.3, 2), min_size=3, max_size=40), st.floats(0.5, 2))
def test_variability_scales_with_the_intervals_and_not_with_their_mean(rr_s: list[float], factor: float) -> None:
    one, moved, scaled = (variability(np.array(rr_s) * k + add) for k, add in ((1, 0), (1, 0.4), (factor, 0)))
    spread, steps, share = (value for value in one if value is not None)
    assert moved[:2] == pytest.approx(one[:2], abs=1e-6)
    assert scaled[:2] == pytest.approx([factor * spread, factor * steps], abs=1e-6)
    assert 0 <= share <= 1


@pytest.mark.parametrize("duration_s", [120, 300, 1800])
@pytest.mark.parametrize(("low_ms", "high_ms"), [(50, 0), (0, 40), (40, 20)])
def test_a_sine_has_half_its_squared_amplitude_in_its_own_band(
    duration_s: float, low_ms: float, high_ms: float
) -> None:
    found = power_of(modulated(duration_s, {0.1: low_ms, 0.25: high_ms}))
    assert found.lf_ms2 == pytest.approx(low_ms**2 / 2, rel=0.1, abs=0.05 * high_ms**2)
    assert found.hf_ms2 == pytest.approx(high_ms**2 / 2, rel=0.1, abs=0.05 * low_ms**2)


def test_a_drift_of_the_rate_is_no_low_frequency() -> None:
    beats = np.cumsum(np.linspace(0.7, 0.9, 300))
    low_ms2 = power_of(beats).lf_ms2
    assert low_ms2 is not None
    assert low_ms2 < 5


@pytest.mark.parametrize("beats", [[], [1.0], list(np.arange(0, 59.5, 0.8)), [0, 30, 61]])
def test_less_than_a_minute_or_hardly_any_beats_have_no_spectrum(beats: list[float]) -> None:
    assert power_of(beats) == Power(None, None)


@pytest.mark.parametrize(
    "holes_s", [[(100, 160)], [(10, 40), (200, 250)], [(20, 30), (90, 95), (170, 180), (262, 270)]]
)
def test_a_hole_takes_no_power_and_adds_none(holes_s: list[tuple[float, float]]) -> None:
    beats = modulated(300, {0.1: 40, 0.25: 30})
    rr_s = np.diff(beats)
    for start, stop in holes_s:
        rr_s[(beats[1:] > start) & (beats[:-1] < stop)] = np.nan
    assert power(beats, rr_s, 300.0) == pytest.approx(power_of(beats), rel=0.1)


@pytest.mark.parametrize(
    ("hole_s", "low", "high"),
    [((0, 175), True, True), ((0, 200), False, True), ((0, 230), False, True), ((0, 250), False, False)],
)
def test_a_window_counts_by_what_of_it_is_usable(hole_s: tuple[float, float], low: bool, high: bool) -> None:
    beats = modulated(299, {0.1: 40, 0.25: 30})
    rr_s = np.where((beats[1:] > hole_s[0]) & (beats[:-1] < hole_s[1]), np.nan, np.diff(beats))
    found = power(beats, rr_s, 300.0)
    assert (found.lf_ms2 is not None, found.hf_ms2 is not None) == (low, high)


@pytest.mark.parametrize(
    ("duration_s", "low", "high"), [(59, False, False), (60, False, True), (90, False, True), (120, True, True)]
)
def test_the_high_band_needs_a_minute_and_the_low_band_two(duration_s: float, low: bool, high: bool) -> None:
    beats = modulated(duration_s, {0.1: 30, 0.3: 30})
    found = rhythm_features(np.rint(360 * beats[beats < duration_s]), 360, duration_s)
    assert (found["lf_ms2"] is not None, found["hf_ms2"] is not None) == (low, high)
    if found["lf_ms2"] is None or found["hf_ms2"] is None:
        assert found["lf_hf_ratio"] is None
    else:
        assert found["lf_hf_ratio"] == pytest.approx(found["lf_ms2"] / found["hf_ms2"])
    assert found["sdnn_ms"] is not None


@pytest.mark.parametrize(("duration_s", "ultra_short"), [(10.0, True), (299.9, True), (300.0, False)])
def test_below_five_minutes_is_ultra_short(duration_s: float, ultra_short: bool) -> None:
    assert rhythm_features([100, 400, 700], 360, duration_s)["ultra_short"] is ultra_short


def test_variability_agrees_with_neurokit() -> None:
    neurokit = pytest.importorskip("neurokit2")
    peaks = np.rint(1000 * modulated(300, {0.1: 40, 0.25: 30})).astype(np.int64)
    theirs = neurokit.hrv_time(peaks, sampling_rate=1000)
    ours = rhythm_features(peaks, 1000, 300.0)
    assert ours["sdnn_ms"] == pytest.approx(theirs["HRV_SDNN"][0], rel=1e-6)
    assert ours["rmssd_ms"] == pytest.approx(theirs["HRV_RMSSD"][0], rel=1e-2)
    assert ours["pnn50_share"] == pytest.approx(theirs["HRV_pNN50"][0] / 100, abs=0.01)
