"""Rate and intervals of known beats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.ecg.features import rhythm_features


def test_a_beat_a_second_is_sixty_a_minute() -> None:
    features = rhythm_features([128, 384, 640, 896], 256, 10.0)
    assert features == {
        "beat_count": 4,
        "heart_rate_bpm": 60.0,
        "rr_mean_s": 1.0,
        "rr_plausible": True,
        "sdnn_ms": 0.0,
        "rmssd_ms": 0.0,
        "pnn50_share": 0.0,
        "lf_ms2": None,
        "hf_ms2": None,
        "lf_hf_ratio": None,
        "ultra_short": True,
    }


@pytest.mark.parametrize("peaks", [[], [42]])
def test_below_two_beats_nothing_is_known(peaks: list[int]) -> None:
    features = rhythm_features(peaks, 360)
    assert features["beat_count"] == len(peaks)
    unknown = features.keys() - {"beat_count", "ultra_short"}
    assert all(features[name] is None for name in unknown)  # type: ignore[literal-required]


def test_three_intervals_have_a_variability_and_two_have_none() -> None:
    assert rhythm_features([0, 400, 800, 1200], 400)["sdnn_ms"] == 0.0
    assert rhythm_features([0, 400, 800], 400)["sdnn_ms"] is None


@pytest.mark.parametrize(("peaks", "plausible"), [([0, 200, 400], True), ([0, 199, 399], False)])
def test_intervals_below_a_fifth_of_a_second_are_flagged_and_kept(peaks: list[int], plausible: bool) -> None:
    features = rhythm_features(peaks, 1000)
    assert features["rr_plausible"] is plausible
    assert features["rr_mean_s"] == pytest.approx(peaks[-1] / 2000)


@pytest.mark.parametrize(("gap", "plausible"), [(3000, True), (3001, False)])
def test_pauses_above_three_seconds_are_flagged(gap: int, plausible: bool) -> None:
    assert rhythm_features([0, 800, 800 + gap], 1000)["rr_plausible"] is plausible


@given(st.lists(st.integers(0, 10**6), min_size=2, unique=True), st.sampled_from([50, 360, 2000]))
def test_rate_and_mean_interval_agree(peaks: list[int], rate: int) -> None:
    features = rhythm_features(sorted(peaks), rate)
    assert features["heart_rate_bpm"] is not None
    assert features["rr_mean_s"] is not None
    assert features["rr_mean_s"] == pytest.approx((max(peaks) - min(peaks)) / (len(peaks) - 1) / rate)
    assert features["heart_rate_bpm"] * features["rr_mean_s"] == pytest.approx(60)
