"""Each rule on data that breaks it and on data just good enough; verdicts on real recordings."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st

from vitalake.ecg.quality import RULES, Verdict, in_words, judge, judge_record, measure

RATE = 360
LSB = 0.005
TIME = np.arange(10 * RATE) / RATE


def good() -> npt.NDArray[np.float64]:
    """Ten seconds of 1-mV spikes on a slow wave, never standing still."""
    return 1.2 * (TIME % 1 < 0.02) + 0.3 * np.sin(2 * np.pi * 1.3 * TIME) + 0.05 * (-1.0) ** np.arange(TIME.size)


def hold(seconds: float) -> npt.NDArray[np.float64]:
    """The good strip, held for some time from second 3.4 on: neither at its maximum nor at its minimum."""
    x = good()
    start = int(3.4 * RATE)
    x[start : start + round(seconds * RATE) + 1] = 0.1
    return x


def clipped(seconds: float) -> npt.NDArray[np.float64]:
    """The good strip, stuck at its own maximum for some time from sample 500 on."""
    x = good()
    x[500 : 500 + round(seconds * RATE) + 1] = 5.0
    return x


def scaled(column: str, value: float) -> npt.NDArray[np.float64]:
    """The good strip at the scale that gives one of its measures this value."""
    x = good()
    return x * float(value / measure(x[None], RATE, LSB)[column][0])


def verdict(x: npt.NDArray[np.float64]) -> Verdict:
    return judge(measure(x[None], RATE, LSB))[0]


def test_a_good_strip_is_acceptable_without_reasons() -> None:
    assert verdict(good()) == Verdict("acceptable", ())


@pytest.mark.parametrize(
    ("rule", "bad", "borderline"),
    [
        ("Q01", hold(0.21), hold(0.19)),
        ("Q02", scaled("amplitude_mv", 0.098), scaled("amplitude_mv", 0.102)),
        ("Q03", clipped(0.21), clipped(0.19)),
        ("Q04", scaled("max_abs_mv", 10.1), scaled("max_abs_mv", 9.9)),
        ("Q17", hold(5.1), hold(4.8)),
        ("Q17", scaled("amplitude_max_mv", 0.098), scaled("amplitude_max_mv", 0.102)),
        ("S11", scaled("peak_to_peak_mv", 0.098), scaled("peak_to_peak_mv", 0.102)),
        ("S11", scaled("peak_to_peak_mv", 10.2), scaled("peak_to_peak_mv", 9.8)),
        ("S11", good() + 5.1, good() + 4.5),
    ],
    ids=[f"{rule.id} {rule.measure} {rule.comparison}" for rule in RULES],
)
def test_each_rule_fires_on_bad_data_and_not_on_borderline_good(
    rule: str, bad: npt.NDArray[np.float64], borderline: npt.NDArray[np.float64]
) -> None:
    assert rule in verdict(bad).reasons
    assert rule not in verdict(borderline).reasons


def test_a_short_hold_is_marginal_and_a_long_one_unacceptable() -> None:
    assert verdict(hold(0.97)) == Verdict("marginal", ("Q01",))
    assert verdict(hold(1.03)) == Verdict("unacceptable", ("Q01",))


def test_a_doubtful_gain_is_named_but_leaves_the_signal_acceptable() -> None:
    assert verdict(good() + 5.1) == Verdict("acceptable", ("S11",))


@given(st.floats(-9, 9), st.integers(1, 2000))
def test_a_constant_of_any_length_is_a_lead_off(level: float, samples: int) -> None:
    result = verdict(np.full(samples, level))
    assert result.verdict == "unacceptable"
    assert {"Q02", "Q17", "S11"} <= set(result.reasons)


@pytest.mark.parametrize("x", [np.empty((2, 0)), np.ones((2, 1)), np.full((2, 50), np.nan)])
def test_strips_without_a_signal_are_measured_and_rejected(x: npt.NDArray[np.float64]) -> None:
    columns = measure(x, RATE, LSB)
    assert all(np.isfinite(values).all() and values.shape == (2,) for values in columns.values())
    assert [v.verdict for v in judge(columns)] == ["unacceptable"] * 2


def test_no_strips_give_no_verdicts() -> None:
    assert judge(measure(np.empty((0, 3600)), RATE, LSB)) == []


def test_one_strip_without_its_batch_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        measure(good(), RATE, LSB)


@given(st.floats(0.1, 6), st.floats(0.1, 6))
def test_a_longer_hold_is_a_longer_flat_run(one: float, other: float) -> None:
    shorter, longer = sorted((one, other))
    columns = measure(np.stack([hold(shorter), hold(longer)]), RATE, LSB)
    assert columns["flat_run_s"][0] <= columns["flat_run_s"][1]
    assert columns["flat_share"][0] <= columns["flat_share"][1]
    assert columns["flat_run_s"] == pytest.approx([shorter, longer], abs=3 / RATE)


@given(st.lists(st.integers(0, TIME.size - 1), max_size=180, unique=True))
def test_missing_samples_are_bridged(missing: list[int]) -> None:
    x = 0.4 * np.sin(2 * np.pi * 1.3 * TIME)
    gaps = x.copy()
    gaps[missing] = np.nan
    whole, bridged = (measure(strip[None], RATE, LSB) for strip in (x, gaps))
    assert bridged["amplitude_mv"] == pytest.approx(whole["amplitude_mv"], abs=0.2)
    assert np.isnan(gaps[missing]).all(), "the caller's array stays as it was"


@given(st.integers(0, 2**32 - 1))
def test_a_strip_measures_the_same_alone_and_in_any_batch(seed: int) -> None:
    x = np.random.default_rng(seed).normal(0, 1, (3, 1000)).cumsum(axis=1)
    together = measure(x, RATE, np.array([LSB, 0.01, 1.0]))
    for row, lsb in enumerate([LSB, 0.01, 1.0]):
        alone = measure(x[row : row + 1], RATE, lsb)
        assert all(values[0] == together[name][row] for name, values in alone.items())


def test_the_worst_lead_decides_and_every_reason_is_kept() -> None:
    fine, odd, off = (
        Verdict("acceptable", ("S11",)),
        Verdict("marginal", ("Q01",)),
        Verdict("unacceptable", ("Q17",)),
    )
    assert judge_record([fine, fine]) == Verdict("acceptable", ("S11",))
    assert judge_record([odd, fine]) == Verdict("marginal", ("Q01", "S11"))
    assert judge_record([odd, off, fine]) == Verdict("unacceptable", ("Q01", "Q17", "S11"))
    with pytest.raises(ValueError, match="without leads"):
        judge_record([])


def test_reasons_have_words_and_one_wording_each() -> None:
    assert len({(rule.id, rule.words) for rule in RULES}) == len({rule.id for rule in RULES})
    assert in_words(("Q03", "Q01")) == "flat line, stuck at its limit"
    assert in_words(("Q01", "Q17")) == "lead off"
    assert in_words(("X99",)) == "X99"


@pytest.mark.data
def test_no_rhythm_is_ever_rejected(data_dir: Path) -> None:
    """398 annotated fragments of 17 rhythms, ventricular flutter among them (Pławiak 2017)."""
    files = sorted((data_dir / "plawiak" / "MLII").glob("*/*.mat"))
    x = (np.stack([scipy.io.loadmat(file)["val"][0] for file in files]).astype(float) - 1024) / 200
    assert Counter(v.verdict for v in judge(measure(x, 360, 1 / 200))) == {"acceptable": 398}


@pytest.mark.data
def test_bad_leads_of_the_cinc_2011_challenge_are_found(data_dir: Path) -> None:
    """Per lead: sensitivity 0.850 and specificity 0.9955 were measured; labelled leads of 227 records."""
    archive = np.load(data_dir / "cinc2011" / "seta_dev_int16.npz")
    labels = {row["record"]: row for row in csv.DictReader((data_dir / "cinc2011" / "lead_labels_dev.csv").open())}
    keep = [index for index, record in enumerate(archive["record"]) if record in labels]
    bad = np.array([[labels[archive["record"][i]][lead] == "1" for lead in archive["leads"]] for i in keep]).ravel()
    x = archive["signal"][keep].transpose(0, 2, 1).reshape(len(bad), -1) / 200
    rejected = np.array([v.verdict == "unacceptable" for v in judge(measure(x, 500, 1 / 200))])
    assert rejected[bad].mean() >= 0.845
    assert (~rejected[~bad]).mean() >= 0.995
