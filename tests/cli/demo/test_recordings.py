"""The generated recordings are what their kind says, and the same every time."""

from __future__ import annotations

import io
import re
from datetime import date

import numpy as np
import numpy.typing as npt
import pytest
import scipy.io

from cli.demo.recordings import BROKEN_KINDS, DEVICES, OTHER_KINDS, DemoFile, demo_files, matlab_v4
from vitalake.ecg.quality.rules import Verdict, judge
from vitalake.ecg.signals.measures import measure
from vitalake.ecg.signals.peaks import r_peaks

DAY = date(2026, 11, 18)


@pytest.fixture(scope="module")
def files() -> list[DemoFile]:
    return list(demo_files(DAY))


def millivolts(file: DemoFile) -> npt.NDArray[np.float64]:
    stored = scipy.io.loadmat(io.BytesIO(file.data))["val"]
    assert stored.dtype == np.int16
    assert stored.shape == (1, 3600)
    return np.asarray((stored.astype(float) - 1024) / 200, dtype=np.float64)


def of_kind(files: list[DemoFile], kind: str) -> npt.NDArray[np.float64]:
    return np.concatenate([millivolts(file) for file in files if file.kind == kind])


def verdicts(files: list[DemoFile], kind: str) -> list[Verdict]:
    return judge(measure(of_kind(files, kind), 360, 1 / 200).values)


def test_keys_say_day_and_device_and_are_all_different(files: list[DemoFile]) -> None:
    pattern = re.compile(
        r"ecg/date=2026-11-(18|19|20|21)/device=(demo-holter-01|demo-holter-02|demo-patch-07|demo-bedside-03)/\d\d\.mat"
    )
    assert all(pattern.fullmatch(file.key) for file in files if file.kind not in OTHER_KINDS)
    assert len({file.key for file in files}) == len(files) == 4 * 4 * 12 + len(BROKEN_KINDS) + 6


def test_every_kind_occurs(files: list[DemoFile]) -> None:
    of_devices = {kind for kinds in DEVICES.values() for kind in kinds}
    assert {file.kind for file in files} == of_devices | {*BROKEN_KINDS, *OTHER_KINDS}


def test_more_days_add_recordings_and_change_none(files: list[DemoFile]) -> None:
    fewer = [file for file in demo_files(DAY, days=2, per_device=5) if file.kind not in BROKEN_KINDS]
    known = {file.key: file.data for file in files}
    assert all(known[file.key] == file.data for file in fewer)
    assert len({file.data for file in fewer}) == len(fewer)


@pytest.mark.parametrize("kind", ["clean", "premature", "irregular", "bigeminy"])
def test_a_clean_recording_of_any_rhythm_is_acceptable(files: list[DemoFile], kind: str) -> None:
    assert set(verdicts(files, kind)) == {Verdict("acceptable", ())}


def test_noise_is_noticed_and_named_but_the_beats_stay(files: list[DemoFile]) -> None:
    noisy = verdicts(files, "noisy")
    assert {v.verdict for v in noisy} == {"marginal"}
    reasons = [reason for v in noisy for reason in v.reasons]
    assert all(reasons.count(rule) > len(noisy) / 2 for rule in ("Q06", "Q07", "Q08")), "wander, mains, muscle"


def test_a_lead_that_is_off_is_rejected_for_that_reason(files: list[DemoFile]) -> None:
    assert all(v.verdict == "unacceptable" and "Q17" in v.reasons for v in verdicts(files, "lead-off"))


def spread(x: npt.NDArray[np.float64]) -> float:
    """Mean coefficient of variation of the intervals between beats."""
    intervals = [np.diff(found) for found in r_peaks(x, 360)]
    return float(np.mean([rr.std() / rr.mean() for rr in intervals]))


def test_rhythms_are_what_they_are_called(files: list[DemoFile]) -> None:
    assert spread(of_kind(files, "clean")) < 0.05
    assert spread(of_kind(files, "irregular")) > 0.15
    for found in r_peaks(of_kind(files, "bigeminy"), 360):
        rr = np.diff(found) / 360
        assert (np.abs(rr[::2].mean() - rr[1::2].mean()) > 0.4).all(), "short and long take turns"
    for kind in ("clean", "noisy", "premature", "irregular", "bigeminy"):
        for found in r_peaks(of_kind(files, kind), 360):
            assert 55 < 60 * 360 / np.diff(found).mean() < 105


def test_several_leads_are_stored_column_by_column() -> None:
    leads = np.array([[1, 2, 3], [-4, -5, -6]], dtype=np.int16)
    assert (scipy.io.loadmat(io.BytesIO(matlab_v4(leads)))["val"] == leads).all()


def test_broken_files_are_broken_each_in_its_own_way(files: list[DemoFile]) -> None:
    broken = {file.kind: file.data for file in files if file.kind in BROKEN_KINDS}
    assert broken["empty"] == b""
    assert broken["text"].startswith(b"<!DOCTYPE html>")
    assert broken["v7.3"].startswith(b"MATLAB 7.3")
    assert broken["v7.3"][512:520] == b"\x89HDF\r\n\x1a\n"
    assert scipy.io.loadmat(io.BytesIO(broken["20 leads"]))["val"].shape == (20, 3600)
    with pytest.raises((ValueError, TypeError, OSError)):
        scipy.io.loadmat(io.BytesIO(broken["truncated"]))
