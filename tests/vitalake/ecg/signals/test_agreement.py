"""The second detector, and how agreement is counted."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.hearts import NORMAL, beating
from cli.demo.recordings import strip_mv
from vitalake.ecg.signals.agreement import SlopePeaks, agreement, detector_agreement, slope_peaks
from vitalake.ecg.signals.filters import Bands
from vitalake.ecg.signals.peaks import r_peaks

RATE = 360


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ([100, 400, 700], [100, 400, 700], 1.0),
        ([100, 400, 700], [154, 346, 700], 1.0),
        ([100, 400, 700], [155, 400, 700], 0.5),
        ([100, 400, 700], [400], 1 / 3),
        ([100, 400], [], 0.0),
        ([], [], 0.0),
        ([100], [80, 120], 0.5),
    ],
)
def test_agreement_is_matched_over_all(one: list[int], other: list[int], share: float) -> None:
    beats = [np.array(part, dtype=np.int64) for part in (one, other)]
    elsewhere = np.array([5, 3000], dtype=np.int64)
    both = agreement([elsewhere, beats[0], elsewhere], [elsewhere, beats[1], elsewhere], RATE)
    assert both == pytest.approx([1.0, share, 1.0])
    assert agreement([beats[1]], [beats[0]], RATE) == pytest.approx([share])


@pytest.mark.parametrize("kind", ["clean", "premature", "irregular", "bigeminy"])
def test_both_detectors_find_the_same_beats_without_noise(kind: str) -> None:
    x = np.stack([strip_mv(kind, np.random.default_rng(seed)) for seed in range(20)])
    assert detector_agreement(r_peaks(x, RATE), slope_peaks(Bands(x, RATE)), RATE).mean() > 0.98


def test_noise_deceives_them_differently() -> None:
    x = np.random.default_rng(1).normal(0, 1, (20, 3600))
    assert detector_agreement(r_peaks(x, RATE), slope_peaks(Bands(x, RATE)), RATE).mean() < 0.8


@pytest.mark.parametrize("bpm", [20, 30, 60, 150, 250, 300])
def test_both_detectors_find_the_same_beats_at_every_rate(bpm: int) -> None:
    at = np.arange(0.2, 15, 60 / bpm)
    x = beating(15, RATE, at, NORMAL, stretch=min(1.0, (60 / bpm) ** 0.5))[None]
    assert detector_agreement(r_peaks(x, RATE), slope_peaks(Bands(x, RATE)), RATE) > 0.9


def test_what_may_be_a_beat_confirms_and_what_must_be_one_objects() -> None:
    found = [np.array([1000, 2000], dtype=np.int64)]
    second = SlopePeaks(np.array([1010, 1500, 2010]), np.array([False, False, False]))
    assert detector_agreement(found, [second], RATE) == pytest.approx([1.0])
    sure = second._replace(sure=np.array([False, True, False]))
    assert detector_agreement(found, [sure], RATE) == pytest.approx([2 / 3])
    assert detector_agreement([np.empty(0, np.int64)], [second], RATE) == pytest.approx([0.0])
