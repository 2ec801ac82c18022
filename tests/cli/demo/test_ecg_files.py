"""The demo's files of other formats are what those formats say, and our readers find in them what was put in."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from cli.demo.ecg_files import csv_text, edf, wfdb
from cli.demo.heart import TWELVE, twelve_leads_mv
from cli.demo.recordings import DemoFile, other_formats
from vitalake.datasets.ecg import DEVICES
from vitalake.ecg.readers.formats import read_together
from vitalake.ecg.recording import Recording
from vitalake.ecg.signals.peaks import r_peaks
from vitalake.ecg.structure import SourceConfig, checked, completed
from vitalake.lake.contents import RawObject

START = datetime(2026, 11, 18, 8, 15, tzinfo=timezone.utc)
LEADS = twelve_leads_mv(np.random.default_rng(1), np.arange(5000) / 500)


@pytest.fixture(scope="module")
def files() -> dict[str, DemoFile]:
    return {file.key.rpartition("/")[2]: file for file in other_formats(START.date())}


def as_the_dataset_does(recording: Recording, key: str) -> Recording:
    return checked(completed(recording, SourceConfig(DEVICES), key))


def read(*files: DemoFile) -> Recording:
    objects = [RawObject(file.key, "v", len(file.data), START, file.data) for file in files]
    [found], refusals = read_together(objects, as_the_dataset_does)
    assert refusals == []
    return found.recording


def values(recording: Recording) -> npt.NDArray[np.float64]:
    return np.stack([lead.values() for lead in recording.leads])


def test_the_twelve_leads_obey_einthoven_and_beat_together() -> None:
    named = dict(zip(TWELVE, LEADS, strict=True))
    assert np.allclose(named["I"] + named["III"], named["II"])
    assert np.allclose(named["aVR"] + named["aVL"] + named["aVF"], 0)
    counts = {len(found) for found in r_peaks(LEADS, 500)}
    assert max(counts) - min(counts) <= 1


def test_a_wfdb_pair_is_one_recording_without_findings(files: dict[str, DemoFile]) -> None:
    recording = read(files["rest_01.hea"], files["rest_01.dat"])
    assert [lead.name for lead in recording.leads] == list(TWELVE)
    assert {(lead.sampling_rate_hz, lead.duration_s, lead.unit) for lead in recording.leads} == {(500, 10, "mV")}
    assert recording.findings == ()
    assert (recording.started_at, recording.label) == (START, "426783006")


def test_a_wfdb_pair_holds_what_was_put_in(tmp_path: Path) -> None:
    reference = pytest.importorskip("wfdb", reason="the reference implementation is not installed")
    header, signals = wfdb("rest_09", LEADS, TWELVE, 500, START)
    (tmp_path / "rest_09.hea").write_bytes(header)
    (tmp_path / "rest_09.dat").write_bytes(signals)
    record = reference.rdrecord(str(tmp_path / "rest_09"))
    assert record.sig_name == list(TWELVE)
    assert np.abs(record.p_signal.T - LEADS).max() <= 0.5 / 1000 + 1e-9


def test_a_signal_file_without_its_header_waits(files: dict[str, DemoFile]) -> None:
    alone = files["rest_02.dat"]
    found, [refusal] = read_together(
        [RawObject(alone.key, "v", len(alone.data), START, alone.data)], as_the_dataset_does
    )
    assert found == []
    assert refusal.message == "incomplete since 2026-11-18 08:15:00 UTC: waits for 'rest_02.hea'"


def test_an_edf_file_holds_what_was_put_in(files: dict[str, DemoFile]) -> None:
    recording = read(files["night.edf"])
    assert [(lead.name, lead.sampling_rate_hz, lead.duration_s) for lead in recording.leads] == [
        ("II", 250, 30),
        ("V5", 250, 30),
    ]
    assert (recording.started_at, recording.subject, recording.findings) == (START, None, ())
    again = DemoFile("ecg/a.edf", edf(LEADS[:2, :5000], ("I", "II"), 500, START), "edf")
    assert np.abs(values(read(again)) - LEADS[:2]).max() <= 5 / 65535 + 1e-9


def test_a_text_file_is_a_time_and_a_value_a_line(files: dict[str, DemoFile]) -> None:
    heading, *rows = csv.reader(io.StringIO(files["export.csv"].data.decode()))
    assert heading == ["time [s]", "II [mV]"]
    assert len(rows) == 3600
    table = np.array(rows, dtype=float)
    assert np.diff(table[:, 0]) == pytest.approx(1 / 360, abs=2e-4)
    recording = read(files["export.csv"])
    assert recording.leads[0].sampling_rate_hz == pytest.approx(360, rel=1e-3)
    assert np.abs(values(recording)[0] - table[:, 1]).max() < 1e-9


def test_three_minutes_are_restless_in_between(files: dict[str, DemoFile]) -> None:
    x = read(files["three-minutes.mat"]).leads[0].samples[: 180 * 360].reshape(18, 3600).astype(float) / 200
    spread = np.abs(np.diff(x, axis=1)).mean(axis=1)
    calm = np.r_[0:8, 11:18]
    assert spread[8:10].min() > 2 * spread[calm].max()


def test_the_same_day_gives_the_same_bytes() -> None:
    days = [date(2026, 11, 18)] * 2
    one, two = ([(file.key, file.data) for file in other_formats(day)] for day in days)
    assert one == two
    assert csv_text(LEADS[0], "I", 500) == csv_text(LEADS[0], "I", 500)
