"""What is missing or bad in a long lead leaves the numbers of its rhythm as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.vitalake.ecg.beating import lead_of, modulated
from vitalake.datasets.ecg import ECG
from vitalake.ecg.recording import Lead, Recording
from vitalake.ecg.tables import RECORDINGS
from vitalake.ecg.tabulate import Arrival, beats_and_features

HOUR = lead_of(modulated(3600, {0.1: 40, 0.25: 30}), 3600)
NUMBERS = ("heart_rate_bpm", "sdnn_ms", "rmssd_ms", "pnn50_share", "lf_ms2", "hf_ms2", "lf_hf_ratio")


def signals_of(*leads: Lead) -> pa.Table:
    """Rows of `ecg_signals`, one a lead."""
    columns = RECORDINGS.columns
    source: dict[str, Any] = {each.name: [] if each.kind == "list<string>" else None for each in columns}
    source |= {"recording_id": "a", "source_key": "a", "content_sha256": "a", "size_bytes": 0, "uploaded_at": 0}
    return ECG.tabulate([Arrival(source, Recording(leads, "edf"))]).tables["ecg_signals"]


def rows_of(*leads: Lead) -> tuple[pa.Table, list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of `ecg_signals`, `ecg_beats` and `ecg_features`."""
    signals = signals_of(*leads)
    (derived,) = ECG.derived
    found = beats_and_features(signals.select(derived.columns))
    return signals, found["ecg_beats"].to_pylist(), found["ecg_features"].to_pylist()


def without(lead: Lead, *gaps_s: tuple[float, float]) -> Lead:
    """The lead with these stretches marked as missing; what lies there is no signal."""
    missing, samples = np.zeros(len(lead.samples), np.bool_), lead.samples.copy()
    for start, stop in gaps_s:
        missing[round(start * lead.sampling_rate_hz) : round(stop * lead.sampling_rate_hz)] = True
    samples[missing] = -32768
    return replace(lead, samples=samples, missing=missing)


def flat(lead: Lead, start_s: float, stop_s: float) -> Lead:
    samples = lead.samples.copy()
    samples[round(start_s * lead.sampling_rate_hz) : round(stop_s * lead.sampling_rate_hz)] = 0
    return replace(lead, samples=samples)


@pytest.mark.parametrize("spoilt", [without(HOUR, (1805, 1865)), flat(HOUR, 1805, 1865)], ids=["missing", "flat"])
def test_a_minute_without_signal_changes_nothing_in_an_hour(spoilt: Lead) -> None:
    signals, beats, (features,) = rows_of(spoilt)
    _, _, (whole,) = rows_of(HOUR)
    for name in NUMBERS:
        assert features[name] == pytest.approx(whole[name], rel=0.02), name
    assert whole["sdnn_ms"] == pytest.approx(np.sqrt((40**2 + 30**2) / 2), rel=0.05)
    assert (whole["rr_plausible"], features["rr_plausible"]) == (True, False)
    assert whole["rr_used_share"] == 1.0
    # The windows from 1800 to 1870 s hold 2 % of the beats; a window with no more than its end flat may pass.
    start, stop = signals.column("unusable_s")[0].as_py()
    assert 1800 <= start <= 1805
    assert 1865 <= stop <= 1870
    assert 0.97 < features["rr_used_share"] < 1.0
    first, *later = beats
    assert first["rr_s"] is None
    assert max(beat["rr_s"] for beat in later if beat["rr_s"] is not None) < 1
    unseen = [beat["time_s"] for beat in later if beat["rr_s"] is None]
    assert unseen
    assert all(start <= time < stop + 1 for time in unseen)


def test_gaps_that_hide_single_beats_change_nothing_in_ten_minutes() -> None:
    lead = lead_of(modulated(600, {0.1: 40, 0.25: 30}), 600)
    _, beats, (whole,) = rows_of(lead)
    peaks = [beat["time_s"] for beat in beats]
    signals, _, (features,) = rows_of(without(lead, *((at - 0.05, at + 0.05) for at in peaks[20:-20:60])))
    assert signals.column("unacceptable_share").to_pylist() == [0]
    assert features["beat_count"] < whole["beat_count"], "the gaps hide beats"
    for name in NUMBERS:
        assert features[name] == pytest.approx(whole[name], rel=0.05), name


def test_a_lead_without_gaps_uses_every_interval() -> None:
    signals, beats, (features,) = rows_of(lead_of(modulated(10, {0.25: 30}), 10))
    assert signals.column("unusable_s").to_pylist() == [[]]
    rr_ms = 1e3 * np.diff([beat["time_s"] for beat in beats])
    assert beats[0]["rr_s"] is None
    assert [beat["rr_s"] for beat in beats[1:]] == pytest.approx(rr_ms / 1e3)
    assert features["rr_used_share"] == 1.0
    assert features["heart_rate_bpm"] == pytest.approx(6e4 / rr_ms.mean())
    assert features["sdnn_ms"] == pytest.approx(rr_ms.std(ddof=1))
    assert features["rmssd_ms"] == pytest.approx(np.sqrt(np.mean(np.diff(rr_ms) ** 2)))


def test_each_lead_has_its_own_gaps_and_one_that_is_not_judged_has_none() -> None:
    lead = lead_of(modulated(40, {0.25: 30}), 40)
    breath = replace(lead, unit="Ohm")
    signals, beats, features = rows_of(without(lead, (10, 12), (12, 12.02), (31, 31.02)), breath, lead)
    assert signals.column("unusable_s").to_pylist() == [[10, 20], None, []]
    assert [row["lead_index"] for row in features] == [0, 2]
    assert [row["rr_used_share"] for row in features] == [pytest.approx(0.75, abs=0.03), 1.0]
    unknown = {n: sum(beat["rr_s"] is None for beat in beats if beat["lead_index"] == n) for n in (0, 2)}
    assert unknown[0] > 2
    assert unknown[2] == 1


def test_nothing_of_an_unacceptable_strip_is_used() -> None:
    lead = lead_of(modulated(10, {0.25: 30}), 10)
    signals, beats, (features,) = rows_of(flat(lead, 4, 6))
    assert signals.column("verdict").to_pylist() == ["unacceptable"]
    assert signals.column("unusable_s").to_pylist() == [[0, 10]]
    assert features["beat_count"] == len(beats) > 4
    assert {beat["rr_s"] for beat in beats} == {None}
    assert features["rr_used_share"] == 0
    assert all(features[name] is None for name in NUMBERS)


def test_stretches_that_touch_or_overlap_are_one() -> None:
    spoilt = without(flat(lead_of(modulated(60, {}), 60), 12, 18), (18, 21), (21.5, 25), (38, 38.2))
    assert signals_of(spoilt).column("unusable_s").to_pylist() == [[10, 30, 38, 38.2]]


def test_single_missing_samples_cost_nothing() -> None:
    lead = without(lead_of(modulated(30, {}), 30), *((at, at + 0.004) for at in range(1, 29)))
    signals, _, (features,) = rows_of(lead)
    assert signals.column("unusable_s").to_pylist() == [[]]
    assert features["rr_used_share"] == 1.0
