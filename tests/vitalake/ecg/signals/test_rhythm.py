"""Rate and intervals of known beats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.ecg.signals.rhythm import rhythm_features, usable_intervals


def test_a_beat_a_second_is_sixty_a_minute() -> None:
    features = rhythm_features([128, 384, 640, 896], 256, 10.0)
    assert features == {
        "beat_count": 4,
        "heart_rate_bpm": 60.0,
        "rate_unknown_because": None,
        "rr_mean_s": 1.0,
        "rr_plausible": True,
        "rr_used_share": 1.0,
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
    unknown = features.keys() - {"beat_count", "ultra_short", "rate_unknown_because"}
    assert features["rate_unknown_because"] == "fewer than two beats"
    assert all(features[name] is None for name in unknown)  # type: ignore[literal-required]


def test_three_intervals_have_a_variability_and_two_have_none() -> None:
    assert rhythm_features([0, 400, 800, 1200], 400)["sdnn_ms"] == 0.0
    assert rhythm_features([0, 400, 800], 400)["sdnn_ms"] is None


@pytest.mark.parametrize(("interval", "plausible"), [(189, False), (190, True), (3100, True), (3101, False)])
def test_intervals_beyond_what_is_plausible_are_flagged_and_do_not_count(interval: int, plausible: bool) -> None:
    features = rhythm_features([0, interval, interval + 800], 1000)
    assert features["rr_plausible"] is plausible
    assert features["rr_used_share"] == (1.0 if plausible else 0.5)
    assert features["rr_mean_s"] == pytest.approx((interval + 800) / 2000 if plausible else 0.8)


def test_without_a_usable_interval_nothing_is_known_but_what_was_found() -> None:
    features = rhythm_features([0, 800, 1600, 2400], 1000, 3.0, [0.0, 3.0])
    known = {name: value for name, value in features.items() if value is not None}
    why = known.pop("rate_unknown_because")
    assert why == "no interval between beats lies in usable signal"
    assert known == {"beat_count": 4, "rr_plausible": True, "rr_used_share": 0.0, "ultra_short": True}


@pytest.mark.parametrize(
    ("peaks", "doubtful", "why"),
    [
        ([0, 150, 300], False, "no interval between beats is 0.19 to 3.1 s long"),
        ([0, 4000], True, "it is uncertain which waves are beats"),
        ([0, 800], True, None),
    ],
)
def test_a_missing_rate_says_why(peaks: list[int], doubtful: bool, why: str | None) -> None:
    assert rhythm_features(peaks, 1000, doubtful=doubtful)["rate_unknown_because"] == why


@pytest.mark.parametrize(
    ("unusable_s", "usable"),
    [
        ([], [True, True, True]),
        ([1.2, 1.3], [True, False, True]),
        ([1.2, 1.3, 1.4, 1.5], [True, False, True]),
        ([0.5, 1.0], [False, True, True]),
        ([1.0, 1.1], [False, False, True]),
        ([0.2, 0.4, 2.5, 9.0], [False, True, False]),
        ([3.5, 9.0], [True, True, True]),
    ],
)
def test_an_interval_is_usable_without_anything_unusable_in_it(unusable_s: list[float], usable: list[bool]) -> None:
    assert usable_intervals([0.0, 1.0, 2.0, 3.0], unusable_s).tolist() == usable


@given(st.lists(st.integers(0, 10**4), min_size=2, unique=True), st.sampled_from([50, 360, 2000]))
def test_rate_and_mean_interval_agree(peaks: list[int], rate: int) -> None:
    features = rhythm_features(sorted(peaks), rate)
    assert (
        (features["heart_rate_bpm"] is None) == (features["rr_mean_s"] is None) == (not features["rr_used_share"])
    )
    if features["heart_rate_bpm"] is not None and features["rr_mean_s"] is not None:
        assert features["heart_rate_bpm"] * features["rr_mean_s"] == pytest.approx(60)
        assert 0.2 <= features["rr_mean_s"] <= 3
