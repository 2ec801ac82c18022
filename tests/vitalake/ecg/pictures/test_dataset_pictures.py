"""What is chosen to be shown: the worst, the median and the best recording, and the place of a long one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from cli.demo.heart import noise_mv
from cli.demo.recordings import strip_mv
from vitalake.datasets.ecg import ECG
from vitalake.ecg.pictures.dataset_pictures import chosen, quality_over_time, verdicts_over_time, worst_median_best
from vitalake.ecg.recording import Lead, Recording
from vitalake.ecg.tables import SIGNALS
from vitalake.ecg.tabulate import Arrival

RNG = np.random.default_rng(7)


def lead(kind: str, name: str = "II", duration_s: float = 10.0) -> Lead:
    stored = np.rint(strip_mv(kind, RNG, duration_s) * 200 + 1024).astype(np.int32)
    return Lead(name, stored, 360.0, 200.0, 1024.0, "mV")


def signals(*recordings: tuple[Lead, ...]) -> pa.Table:
    arrivals = []
    for number, leads in enumerate(recordings):
        source: dict[str, Any] = {
            "recording_id": f"{number:020d}",
            "source_key": f"ecg/{number}.mat",
            "source_version": "v",
            "companion_keys": [],
            "content_sha256": f"{number:064d}",
            "size_bytes": 1,
            "uploaded_at": datetime(2026, 1, 5, tzinfo=timezone.utc),
            "warnings": [],
            "warning_texts": [],
            **dict.fromkeys(("device_id", "subject_id", "label", "record", "fragment")),
        }
        arrivals.append(Arrival(source, Recording(leads, "matlab_v4")))
    return ECG.tabulate(arrivals).tables[SIGNALS.name]


def test_verdict_comes_first_and_every_recording_is_counted() -> None:
    kinds = ("clean", "noisy", "lead-off", "clean", "clean")
    strips, head = chosen(signals(*((lead(kind),) for kind in kinds)))
    assert [strip.title.partition(":")[0] for strip in strips] == ["worst", "median", "best"]
    assert [strip.verdict for strip in strips] == ["unacceptable", "acceptable", "acceptable"]
    assert "ecg/2.mat" in strips[0].title
    assert head == "The newest 5 recordings:   ✓ 3 acceptable   ! 1 marginal   ✕ 1 unacceptable"


def test_of_the_worst_recording_the_worst_lead_is_shown_of_the_best_the_best() -> None:
    bad = (lead("clean", "I"), lead("lead-off", "II"), lead("clean", "III"))
    good = (lead("clean", "I"), lead("noisy", "II"), lead("clean", "III"))
    table = signals(bad, good)
    strips, head = chosen(table)
    assert [strip.verdict for strip in strips] == ["unacceptable", "acceptable"]
    assert "ecg/0.mat · II ·" in strips[0].title
    assert "ecg/1.mat · II ·" not in strips[1].title
    assert "1 marginal   ✕ 1 unacceptable" in head


def test_one_recording_is_neither_worst_nor_best_and_none_is_no_picture_of_strips() -> None:
    strips, head = chosen(signals((lead("clean"),)))
    assert strips[0].title.startswith("the only one: ecg/0.mat · II · Q ")
    assert head.startswith("One recording")
    assert chosen(signals((lead("clean"),)).slice(0, 0)) == ([], "")


def test_strips_are_in_millivolts_with_their_beats_and_gaps() -> None:
    whole = lead("clean")
    missing = np.zeros(3600, dtype=np.bool_)
    missing[500:520] = True
    [strip], _ = chosen(signals((replace(whole, missing=missing),)))
    assert np.isnan(strip.x[500:520]).all()
    assert np.isfinite(strip.x).sum() == 3580
    assert strip.x[strip.r_peaks].mean() > 0.8
    assert strip.unit == "mV"


def test_stored_units_are_drawn_as_such() -> None:
    [strip], _ = chosen(signals((replace(lead("clean"), gain_adu_per_unit=1.0, zero_adu=0.0, unit="adu"),)))
    assert strip.unit == "adu"
    assert np.nanmax(strip.x) > 1100


def long_lead(x: npt.NDArray[np.float64]) -> Lead:
    return Lead("II", np.rint(x * 200 + 1024).astype(np.int32), 360.0, 200.0, 1024.0, "mV")


def test_of_a_long_good_recording_the_beginning_is_shown() -> None:
    [strip], _ = chosen(signals((lead("clean", duration_s=60),)))
    assert strip.duration_s == pytest.approx(10)
    assert "first 10 s of 60 s" in strip.title


def test_of_a_long_bad_recording_the_worst_place_is_shown() -> None:
    x = strip_mv("clean", RNG, 60.0) + noise_mv(RNG, np.arange(60 * 360) / 360)
    x[20 * 360 : 30 * 360] = 0.0
    [strip], _ = chosen(signals((long_lead(x),)))
    assert "its worst 10 s, from 20 of 60 s" in strip.title
    assert np.ptp(strip.x) == 0
    assert len(strip.x) == 3600
    assert (strip.r_peaks < 3600).all()


def test_pictures_are_png() -> None:
    day = datetime(2026, 1, 5).date()
    pictures = [
        worst_median_best(signals((lead("clean"),))),
        verdicts_over_time([(day, "acceptable", 3)]),
        quality_over_time([(day, 0.9, 0.95, 0.8, 0.99)]),
    ]
    assert all(png.startswith(b"\x89PNG\r\n") for png in pictures)
