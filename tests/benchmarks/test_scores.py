"""Scoring: matching of beats, two-by-two tables and ROC curves, without data and without other programs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from benchmarks.quality.cases import evenly
from benchmarks.quality.scores import Beats, count, match, roc, score_beats

samples = st.lists(st.integers(0, 300), unique=True, max_size=25).map(sorted)


def beats(*indices: int) -> np.ndarray:
    return np.array(indices, dtype=np.int64)


@given(samples, samples, st.integers(0, 40))
def test_matching_is_one_to_one_within_tolerance_and_as_large_as_any_can_be(
    reference: list[int], detected: list[int], tolerance: int
) -> None:
    pairs = match(reference, detected, tolerance)
    assert all(abs(reference[i] - detected[j]) <= tolerance for i, j in pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    near = [[abs(a - b) <= tolerance for b in detected] for a in reference]
    best = 0
    if reference and detected:
        best = int((maximum_bipartite_matching(csr_array(np.array(near, dtype=int))) >= 0).sum())
    assert len(pairs) == best


def test_a_detection_between_two_beats_goes_to_the_one_that_has_no_other() -> None:
    # The nearest beat of 120 is 110; taking it would leave 131 without a partner and 100 unused.
    assert match([110, 131], [100, 120], 15) == [(0, 0), (1, 1)]


def test_two_detections_of_one_beat_are_one_hit_and_one_invention() -> None:
    assert score_beats(beats(500), beats(480, 520), 360, 3600) == Beats(found=1, invented=1)


@pytest.mark.parametrize(("apart", "found"), [(54, 1), (55, 0)])
def test_the_tolerance_is_150_ms_and_includes_its_end(apart: int, found: int) -> None:
    assert score_beats(beats(500), beats(500 + apart), 360, 3600).found == found


def test_unmatched_beats_at_a_cut_are_no_errors_unless_asked_for() -> None:
    reference, detected = beats(10, 1000, 3590), beats(1000, 3560)
    assert score_beats(reference, detected, 360, 3600) == Beats(found=2, missed=0)
    assert score_beats(beats(10, 1000), detected, 360, 3600, forgive_edges=False) == Beats(1, 1, 1)
    assert score_beats(beats(54, 1000), beats(1000, 3545), 360, 3600) == Beats(1, 1, 1)


def test_detections_in_flutter_are_not_counted_but_beats_outside_are() -> None:
    detected = beats(400, 900, 1000, 2000)
    assert score_beats(beats(400), detected, 360, 3600, [(850, 1500)]) == Beats(found=1, invented=1)


def test_f1_of_counts_added_over_strips() -> None:
    assert (Beats(8, 1, 1) + Beats(0, 0, 2)).f1 == pytest.approx(16 / 20)
    assert np.isnan(Beats().f1)


def test_a_constant_answer_is_accurate_on_a_lopsided_set_and_never_balanced() -> None:
    table = count([False] * 95 + [True] * 5, [False] * 100)
    assert table.accuracy == 0.95
    assert (table.sensitivity, table.specificity, table.balanced_accuracy) == (0.0, 1.0, 0.5)


def test_sensitivity_is_of_the_positive_and_specificity_of_the_negative() -> None:
    table = count([True, True, True, False, False], [True, True, False, True, False])
    assert (table.tp, table.fn, table.tn, table.fp) == (2, 1, 1, 1)
    assert table.sensitivity == pytest.approx(2 / 3)
    assert table.specificity == pytest.approx(1 / 2)


def test_answers_of_another_number_than_references_are_refused() -> None:
    with pytest.raises(ValueError, match="2 references for 1 answers"):
        count([True, False], [True])


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 0.5, 1.0, float("nan")])), min_size=1))
def test_a_roc_climbs_from_corner_to_corner_and_its_area_is_the_rank_probability(
    items: list[tuple[bool, float]],
) -> None:
    items = [*items, (True, 0.5), (False, 0.5)]
    curve = roc([truth for truth, _ in items], [score for _, score in items])
    for rate in (curve.false_positive_rate, curve.true_positive_rate):
        assert (rate[0], rate[-1]) == (0.0, 1.0)
        assert (np.diff(rate) >= 0).all()
    ranked = [(truth, 2.0 if np.isnan(score) else score) for truth, score in items]
    pairs = [(p, n) for is_p, p in ranked if is_p for is_n, n in ranked if not is_n]
    wins = sum((p > n) + 0.5 * (p == n) for p, n in pairs)
    assert curve.area == pytest.approx(wins / len(pairs))


def test_a_roc_of_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="both"):
        roc([True, True], [0.1, 0.2])


def test_a_sample_is_evenly_spread_and_never_longer_than_asked() -> None:
    assert evenly(range(10), 4) == [0, 2, 5, 7]
    assert evenly(range(3), 4) == [0, 1, 2]
