"""Leads in windows: what is measured together, and what a long lead is worth when a part of it is bad."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.quality.hearts import NORMAL, beating
from cli.demo.recordings import strip_mv
from vitalake.ecg.assess import assess
from vitalake.ecg.channel_words import meaning_of
from vitalake.ecg.quality.rules import Verdict, judge_windows
from vitalake.ecg.recording import Lead, Recording
from vitalake.ecg.signals.filters import FloatArray
from vitalake.ecg.signals.peaks import r_peaks
from vitalake.ecg.structure import checked

RATE = 360.0


def lead(seconds: int, name: str = "II") -> Lead:
    """A quiet heart of so many seconds, a multiple of ten."""
    rng = np.random.default_rng(3)
    x = np.concatenate([strip_mv("clean", rng) for _ in range(seconds // 10)])
    return Lead(name, np.round(200 * x).astype(np.int32), RATE, 200.0, 0.0, "mV")


def recording(*leads: Lead) -> Recording:
    return Recording(leads, "edf")


def with_samples(of: Lead, start_s: int, stop_s: int, value: int) -> Lead:
    samples = of.samples.copy()
    samples[round(start_s * RATE) : round(stop_s * RATE)] = value
    return replace(of, samples=samples)


@pytest.mark.parametrize(("seconds", "lengths"), [(20, [20]), (30, [10] * 3), (3600, [10] * 360)])
def test_leads_are_cut_into_windows_that_hold_every_sample(seconds: int, lengths: list[int]) -> None:
    (only,) = assess([recording(lead(seconds))])[0].leads
    assert only is not None
    assert [window.duration_s for window in only.windows] == lengths
    assert [window.start_s for window in only.windows] == list(np.cumsum([0, *lengths[:-1]]))


def test_the_last_window_takes_what_is_left_over() -> None:
    whole = lead(40)
    (only,) = assess([recording(replace(whole, samples=whole.samples[:-1800]))])[0].leads
    assert only is not None
    assert [window.duration_s for window in only.windows] == [10, 10, 15]


def test_a_recording_is_judged_alone_as_in_company() -> None:
    others = [recording(lead(10)), recording(lead(30)), recording(lead(10, "I"), lead(20, "V1"))]
    together, alone = assess(others), [assess([each])[0] for each in others]
    for ours, theirs in zip(together, alone, strict=True):
        assert (ours.verdict, ours.rules_verdict) == (theirs.verdict, theirs.rules_verdict)
        for one, other in zip(ours.leads, theirs.leads, strict=True):
            assert one is not None
            assert other is not None
            np.testing.assert_array_equal(one.r_peaks, other.r_peaks)
            assert one.values == pytest.approx(other.values, rel=1e-9, nan_ok=True)


def test_half_a_minute_off_does_not_spoil_an_hour_but_most_of_it_does() -> None:
    hour = lead(3600)
    short, long = with_samples(hour, 600, 630, 0), with_samples(hour, 600, 3000, 0)
    found = [each.leads[0] for each in assess([recording(hour), recording(short), recording(long)])]
    assert [each.verdict.verdict for each in found if each] == ["acceptable", "acceptable", "unacceptable"]
    assert found[1] is not None
    bad = [window.start_s for window in found[1].windows if window.verdict.verdict == "unacceptable"]
    assert bad == [600, 610, 620]


def test_beats_of_a_long_lead_are_those_of_its_pieces() -> None:
    """Blocks of ten minutes neither lose nor double a beat at their borders."""
    hour = lead(3600)
    (found,) = assess([recording(hour)])[0].leads
    assert found is not None
    np.testing.assert_array_equal(found.r_peaks, r_peaks(hour.values()[None, :], RATE)[0])


def heart(at_s: FloatArray, seconds: float, rate: float = 250.0) -> Lead:
    """A lead of so many seconds with a beat at each of these."""
    x = beating(seconds, rate, at_s, NORMAL)
    x += 0.005 * np.random.default_rng(4).standard_normal(len(x))
    return Lead("II", np.round(1000 * x).astype(np.int32), rate, 1000.0, 0.0, "mV")


@pytest.mark.parametrize("start", [12.0, 15.3, 19.6])
def test_a_pause_counts_the_same_wherever_windows_cut_it(start: float) -> None:
    every = np.arange(0.4, 60, 0.8)
    at = every[(every < start) | (every > start + 10)]
    (found,) = assess([recording(heart(at, 60))])[0].leads
    assert found is not None
    assert found.values["beat_gap_s"] == pytest.approx(np.diff(at).max(), abs=0.02)
    assert found.r_peaks / 250 == pytest.approx(at, abs=0.02)
    inside = [window for window in found.windows if at.searchsorted(window.start_s + 5) == (every < start).sum()]
    assert inside
    assert {round(window.values["beat_gap_s"], 1) for window in inside} == {round(float(np.diff(at).max()), 1)}


@pytest.mark.parametrize("offset", np.arange(9.9, 10.1, 0.02).round(2))
def test_a_beat_on_the_edge_of_two_windows_is_one_beat(offset: float) -> None:
    at = np.asarray(offset + np.arange(-12, 24) * 0.8, dtype=np.float64)
    at = at[(at > 0.2) & (at < 29.8)]
    (found,) = assess([recording(heart(at, 30))])[0].leads
    assert found is not None
    assert found.r_peaks / 250 == pytest.approx(at, abs=0.02)
    assert found.values["beat_rate_bpm"] == pytest.approx(75, abs=0.3)


@pytest.mark.parametrize("bpm", [20, 25, 28])
def test_a_slow_clean_heart_is_acceptable_in_windows_and_in_one(bpm: int) -> None:
    for seconds in (20, 60):
        (found,) = assess([recording(heart(np.arange(0.7, seconds - 0.3, 60 / bpm), seconds))])[0].leads
        assert found is not None
        assert found.verdict.verdict == "acceptable"
        assert found.values["beat_rate_bpm"] == pytest.approx(bpm, abs=0.2)
        assert found.values["beat_doubt"] < 0.02


def test_a_gap_is_the_fault_of_its_windows() -> None:
    missing = np.zeros(3600 * 360, np.bool_)
    missing[100 * 360 : 115 * 360] = True
    (found,) = assess([recording(replace(lead(3600), missing=missing))])[0].leads
    assert found is not None
    gaps = {window.start_s: window.verdict for window in found.windows if "S06" in window.verdict.reasons}
    assert gaps.keys() == {100, 110}
    assert {verdict.verdict for verdict in gaps.values()} == {"unacceptable"}
    assert found.verdict.verdict == "acceptable"


def test_fractions_have_no_step_and_are_no_flat_line() -> None:
    whole = lead(10)
    (found,) = assess([recording(replace(whole, samples=whole.values(), gain_adu_per_unit=1.0))])[0].leads
    assert found is not None
    assert found.verdict.verdict == "acceptable"


def test_what_is_no_ecg_is_not_judged() -> None:
    pressure = replace(lead(10), unit="mmHg")
    brain = replace(lead(10), label=meaning_of("EEG Fpz-Cz"))
    judged = assess([checked(recording(lead(10), pressure, brain))])[0]
    assert [each is not None for each in judged.leads] == [True, False, False]
    assert judged.verdict.verdict == "acceptable"


def test_a_long_lead_has_the_reasons_of_a_tenth_of_its_windows() -> None:
    good, bad = Verdict("acceptable", ("Q10",)), Verdict("unacceptable", ("Q01",))
    assert judge_windows([good] * 19 + [bad]) == Verdict("acceptable", ("Q10",))
    assert judge_windows([good] * 17 + [bad] * 3) == Verdict("marginal", ("Q01", "Q10"))
    assert judge_windows([good] * 10 + [bad] * 10) == Verdict("unacceptable", ("Q01", "Q10"))
    with pytest.raises(ValueError, match="without windows"):
        judge_windows([])
