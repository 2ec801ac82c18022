"""Numbers that stand for no value become gaps; a signal at the limit of its converter stays what it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tests.vitalake.ecg.beating import RATE_HZ, lead_of, modulated
from vitalake.ecg.assess import assess
from vitalake.ecg.recording import Lead, Recording
from vitalake.ecg.sentinels import sentinels_in, without_sentinels
from vitalake.ecg.structure import checked
from vitalake.errors import UnusableDataError

BEATING = lead_of(modulated(20, {}), 20)  # 1000 adu/mV, within ± 1.2 mV
RUNS = [(0, 1), (400, 410), (1000, 1001), (2000, 2030), (4990, 5000)]


def holding(value: float, lead: Lead = BEATING, scale: float = 1.0) -> tuple[Lead, npt.NDArray[np.bool_]]:
    """The lead with a value in all these runs, and where; `scale` turns its samples into fractions."""
    x = lead.samples.copy() if scale == 1.0 else np.asarray(lead.samples * scale, dtype=np.float64)
    here = np.zeros(len(x), dtype=np.bool_)
    for start, stop in RUNS:
        here[start:stop] = True
    x[here] = value
    return replace(lead, samples=x, gain_adu_per_unit=lead.gain_adu_per_unit * scale), here


@pytest.mark.parametrize(
    ("value", "scale"),
    [
        (-32768, 1.0),
        (32767, 1.0),
        (-32767, 1.0),
        (65535, 1.0),
        (-8388608, 1.0),
        (-2147483648, 1.0),
        (2147483647, 1.0),
        (-9999, 1.0),
        (99999, 1.0),
        (-32.768, 1e-3),
        (32.767, 1e-3),
        (-9999.0, 1e-3),
        (99999.0, 1e-3),
        (-999.0, 1e-3),
        (float(np.float32(-32.768)), 1e-3),
        (-32768 * 0.005, 0.005),  # the end of a word in steps of the signal
        (1e30, 1e-3),
        (-1e20, 1.7e-3),
    ],
)
def test_a_sentinel_is_missing_wherever_it_stands(value: float, scale: float) -> None:
    lead, here = holding(value, scale=scale)
    found = sentinels_in(lead)
    assert found is not None
    np.testing.assert_array_equal(found, here)


@pytest.mark.parametrize("value", [-32768, 32767])
def test_two_sentinels_in_one_lead_do_not_hide_each_other(value: int) -> None:
    lead, here = holding(-value - 1)
    lead.samples[300] = value
    lead.samples[310] = -9999
    here[[300, 310]] = True
    found = sentinels_in(lead)
    assert found is not None
    np.testing.assert_array_equal(found, here)


@pytest.mark.parametrize("value", [-31000, 20000, 12345])
def test_a_spike_of_any_other_value_stays_a_spike(value: int) -> None:
    lead, _ = holding(value)
    assert sentinels_in(lead) is None
    (judged,) = assess([Recording((lead,), "edf")])
    assert judged.verdict.verdict == "unacceptable"
    assert "Q04" in judged.verdict.reasons


@pytest.mark.parametrize("bits", [12, 14, 16])
def test_a_signal_that_runs_into_its_limit_is_saturated_and_not_missing(bits: int) -> None:
    rail = 2 ** (bits - 1)
    time = np.arange(len(BEATING.samples)) / RATE_HZ
    swing = BEATING.samples + 1.6 * rail * np.sin(2 * np.pi * 0.3 * time)
    lead = replace(BEATING, samples=np.clip(np.round(swing), -rail, rail - 1).astype(np.int32))
    assert sentinels_in(lead) is None
    (judged,) = assess([Recording((lead,), "edf")])
    assert judged.verdict.verdict == "unacceptable"
    assert "Q03" in judged.verdict.reasons


def test_an_electrode_that_jumps_to_the_limit_and_creeps_back_is_no_gap() -> None:
    x = BEATING.samples.astype(np.float64)
    since = np.arange(len(x) - 1000) / RATE_HZ
    x[1000:] += 60000 * np.exp(-since / 0.8)
    lead = replace(BEATING, samples=np.clip(np.round(x), -32768, 32767).astype(np.int32))
    assert (lead.samples == 32767).sum() > 50
    assert sentinels_in(lead) is None


@pytest.mark.parametrize(("value", "start", "stop"), [(2047, 3000, 5000), (-8192, 2000, 2200), (32767, 4000, 5000)])
def test_a_lead_that_falls_off_to_the_limit_is_stuck_and_not_missing(value: int, start: int, stop: int) -> None:
    x = np.round(BEATING.samples / 5).astype(np.int32)
    x[start:stop] = value
    lead = replace(BEATING, samples=x, gain_adu_per_unit=200.0)
    assert sentinels_in(lead) is None
    (judged,) = assess([checked(Recording((lead,), "edf"))])
    assert judged.verdict.verdict == "unacceptable"
    assert "Q03" in judged.verdict.reasons


def test_what_may_be_either_is_never_acceptable() -> None:
    """Square pulses at the limit, longer than 0.2 s: nobody can tell a gap from a clipped pulse."""
    x = BEATING.samples.copy()
    x[1000:1075] = 32767
    others = [BEATING] * 11
    recording = checked(Recording((replace(BEATING, samples=x), *others), "edf"))
    (judged,) = assess([recording])
    first = judged.leads[0]
    assert first is not None
    assert first.verdict.verdict == "unacceptable"
    assert "S06" in first.verdict.reasons


def test_the_limit_is_no_sentinel_where_the_signal_comes_near() -> None:
    x = np.round(BEATING.samples * 20.0).clip(-32768, 32767).astype(np.int32)
    x[700] = 32767
    assert sentinels_in(replace(BEATING, samples=x)) is None


@pytest.mark.parametrize("level", [0, 127, -32768])
def test_a_constant_is_a_flat_line(level: int) -> None:
    assert sentinels_in(replace(BEATING, samples=np.full(5000, level, dtype=np.int32))) is None


def test_an_artefact_elsewhere_does_not_hide_a_sentinel_of_a_long_lead() -> None:
    lead = lead_of(modulated(120, {}), 120)
    x = lead.samples.copy()
    x[25000:26000] += np.round(20000 * np.sin(np.arange(1000) / 40)).astype(np.int32)
    x[5000:5010] = -32768
    found = sentinels_in(replace(lead, samples=x))
    assert found is not None
    assert np.flatnonzero(found).tolist() == list(range(5000, 5010))


def test_marks_of_the_file_stay_and_the_finding_says_how_many() -> None:
    lead, here = holding(-32768)
    marked = np.zeros(len(here), dtype=np.bool_)
    marked[3000:3004] = True
    (cleaned,), (finding,) = without_sentinels([replace(lead, missing=marked)])
    assert cleaned.missing is not None
    np.testing.assert_array_equal(cleaned.missing, here | marked)
    assert finding.rule == "S06"
    assert finding.message.startswith(f"{here.sum()} samples of lead 1 hold a number that stands for no value")


def test_other_signals_are_left_alone() -> None:
    lead, _ = holding(-32768)
    breath = replace(lead, unit="Ohm")
    assert without_sentinels([breath]) == ((breath,), ())


def test_sentinels_leave_rate_and_verdict_as_they_are() -> None:
    x = BEATING.samples.copy()
    x[np.arange(len(x)) % 500 < 10] = -32768
    recording = checked(Recording((replace(BEATING, samples=x),), "edf"))
    assert [finding.rule for finding in recording.findings] == ["S06", "S06"]
    judged, whole = assess([recording, Recording((BEATING,), "edf")])
    lead, clean = judged.leads[0], whole.leads[0]
    assert lead is not None
    assert clean is not None
    assert judged.verdict.verdict == "acceptable"
    assert lead.values["beat_rate_bpm"] == pytest.approx(clean.values["beat_rate_bpm"], rel=0.02)


def test_too_many_are_refused_as_any_gap() -> None:
    x = BEATING.samples.copy()
    x[2000:2400] = -32768
    with pytest.raises(UnusableDataError) as caught:
        checked(Recording((replace(BEATING, samples=x),), "edf"))
    assert caught.value.rule == "S06"
