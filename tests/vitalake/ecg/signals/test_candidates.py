"""Summits of QRS energy, and what speaks for each of them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.hearts import NORMAL, QRS, beating
from vitalake.ecg.signals.candidates import Candidates, candidates, summits
from vitalake.ecg.signals.filters import Bands, FloatArray
from vitalake.ecg.signals.peaks import beat_bands

RATE = 250


def found(x_mv: FloatArray) -> Candidates:
    return candidates(beat_bands(Bands(x_mv[None], RATE)), 0, 0, len(x_mv))


def nearest(some: Candidates, at_s: float) -> int:
    return int(np.abs(some.at / RATE - at_s).argmin())


@pytest.mark.parametrize(
    ("heights", "kept"),
    [
        ([2, 0, 3, 0, 2], [2]),
        ([3, 0, 2.5, 0, 2], [0, 4]),  # the middle one is suppressed and suppresses nothing
        ([2, 0, 2, 0, 2], [0, 4]),
        ([0.9, 0, 0.9, 0, 0.9], []),
        ([2, 2, 2, 0, 0], [0]),
    ],
)
def test_the_highest_of_neighbours_wins(heights: list[float], kept: list[int]) -> None:
    found = summits(np.array([[0.0] * 5, heights, [5, 0, 0, 0, 5]], dtype=float), 3, 0.95)
    assert [each.tolist() for each in found] == [[], kept, [0, 4]]


def test_a_t_wave_is_low_and_follows_something_much_higher() -> None:
    beats = np.arange(0.5, 10, 2.0)
    some = found(beating(10, RATE, beats, (*QRS, (0.3, 0.03, 0.4))))
    beat, t_wave = nearest(some, 2.5), nearest(some, 2.5 + 0.3)
    assert beat != t_wave
    assert some.evidence["height"][beat] == pytest.approx(0, abs=0.1)
    assert some.evidence["height"][t_wave] < -1
    assert some.evidence["since"][t_wave] == pytest.approx(0.3, abs=0.05)
    assert some.evidence["since"][beat] == 1


def test_beats_are_alike_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    beats = np.arange(0.5, 10, 0.8)
    heart = found(beating(10, RATE, beats, NORMAL) + 0.005 * rng.standard_normal(10 * RATE))
    noise = found(rng.standard_normal(10 * RATE))
    assert np.median(heart.evidence["alike"][heart.evidence["height"] > -0.5]) > 0.98
    assert np.median(noise.evidence["alike"]) < 0.85


def test_what_is_typical_does_not_follow_two_jolts() -> None:
    beats = np.arange(0.5, 10, 0.8)
    x = beating(10, RATE, beats, NORMAL)
    for at, height in ((3.3, 12.0), (7.2, -9.0)):
        x[round(at * RATE) :] += height * np.exp(-np.arange(len(x) - round(at * RATE)) / (0.2 * RATE))
    some = found(x)
    assert some.evidence["height"][nearest(some, 1.3)] == pytest.approx(0, abs=0.3)


def test_evidence_has_a_number_a_candidate_and_none_without_any() -> None:
    some = found(beating(10, RATE, np.arange(0.5, 10, 0.8), NORMAL))
    assert {len(values) for values in some.evidence.values()} == {len(some.at)}
    assert some.likeness.shape == (len(some.at), len(some.at))
    nothing = found(np.zeros(10 * RATE))
    assert (len(nothing.at), nothing.evidence, nothing.likeness.size) == (0, {}, 0)
