"""ISHNE Holter files: against a plain reading of the published layout, files made up, and damage."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.vitalake.ecg.readers.ishne_files import ishne_file
from tests.vitalake.ecg.readers.mutations import mutated, soon
from vitalake.ecg.readers import ishne
from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError

THREE = np.arange(300).reshape(3, 100)


def read(data: bytes) -> Recording:
    return ishne.read(data, max_samples=10**7)


def rules(recording: Recording) -> list[str]:
    return [finding.rule for finding in recording.findings]


def refusal(data: bytes, max_samples: int = 10**7) -> UnusableDataError:
    with pytest.raises(UnusableDataError) as caught:
        ishne.read(data, max_samples=max_samples)
    return caught.value


def test_a_plain_reading_of_the_layout_gives_the_same(data_dir: Path) -> None:
    path = data_dir / "ishne" / "ECG_P28.01.ecg"
    header = np.fromfile(path, dtype="<i2", count=261)
    leads, start = int(header[78]), int(np.fromfile(path, dtype="<i4", count=1, offset=22)[0])
    expected = np.fromfile(path, dtype="<i2", offset=start).reshape(-1, leads).T
    recording = read(path.read_bytes())
    assert np.array_equal([lead.samples for lead in recording.leads], expected)
    assert [lead.name for lead in recording.leads] == [
        *("I", "II", "III", "aVR", "aVL", "aVF"),
        *("V1", "V2", "V3", "V4", "V5", "V6"),
    ]
    assert {(lead.sampling_rate_hz, lead.gain_adu_per_unit) for lead in recording.leads} == {(1000.0, 200.0)}
    assert recording.findings == ()  # the CRC is right
    assert recording.started_at == datetime(2000, 1, 1, 7, 0, tzinfo=timezone.utc)


def test_beats_of_the_real_file_have_the_size_of_beats(data_dir: Path) -> None:
    recording = read((data_dir / "ishne" / "ECG_P28.01.ecg").read_bytes())
    for lead in recording.leads:
        seconds = lead.values()[:95_000].reshape(95, 1000)
        assert 0.3 < np.median(np.ptp(seconds, axis=1)) < 5
    one, two, three = (recording.leads[position].values() for position in range(3))
    assert np.abs(two - one - three).max() < 0.02  # Einthoven: II = I + III, within rounding


def test_annotations_are_recognised_and_refused_by_name(data_dir: Path) -> None:
    data = (data_dir / "ishne" / "ECG_P28.01.ann").read_bytes()
    assert ishne.recognises(data)
    assert (refusal(data).rule, refusal(data).message) == ("S02", "an ISHNE annotation file, which holds no signal")


@given(arrays(np.int16, st.tuples(st.integers(1, 12), st.integers(1, 40))), st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_what_was_written_comes_back(samples: np.ndarray, notes: bytes) -> None:
    recording = read(ishne_file(samples, codes=tuple(range(5, 17))[: len(samples)], notes=notes))
    assert np.array_equal([lead.samples for lead in recording.leads], samples)
    assert recording.findings == ()
    missing = [
        lead.missing if lead.missing is not None else np.zeros(samples.shape[1], bool) for lead in recording.leads
    ]
    assert np.array_equal(missing, samples == -32768)


def test_the_header_says_who_when_and_with_what_but_no_name() -> None:
    recording = read(ishne_file(THREE, codes=(2, 0, 17)))
    assert [lead.name for lead in recording.leads] == ["X", "lead_2", "ES"]
    assert recording.leads[0].gain_adu_per_unit == 400.0
    assert recording.leads[0].sampling_rate_hz == 200.0
    assert (recording.subject, recording.device_model) == ("P-17", "digital")
    assert recording.started_at == datetime(2019, 12, 31, 23, 59, 58, tzinfo=timezone.utc)
    assert "Canary" not in repr(recording)
    assert "Wren" not in repr(recording)


def test_a_date_that_is_not_known_gives_no_start() -> None:
    assert read(ishne_file(THREE, date=(-9, -9, -9))).started_at is None


def test_a_changed_header_is_found_by_its_checksum() -> None:
    data = bytearray(ishne_file(THREE, notes=b"free text"))
    data[525] ^= 1
    assert rules(read(bytes(data))) == ["S15"]


@pytest.mark.parametrize(
    ("declared", "length", "found"),
    [(100, 100, []), (101, 100, ["S15"]), (90, 90, ["S15"]), (0, 100, ["S15"]), (300, 100, ["S15"])],
)
def test_a_count_that_is_nearly_right_is_a_finding(declared: int, length: int, found: list[str]) -> None:
    recording = read(ishne_file(THREE, declared=declared))
    assert (len(recording.leads[0].samples), rules(recording)) == (length, found)


def test_a_file_that_was_cut_off_is_refused() -> None:
    assert refusal(ishne_file(THREE)[:-12]).rule == "S08"
    assert refusal(ishne_file(THREE)[:522]).rule == "S08"
    assert refusal(ishne_file(THREE)[:300]).rule == "S02"


def test_without_a_resolution_the_unit_is_unknown() -> None:
    recording = read(ishne_file(THREE, nanovolts=0))
    assert (recording.leads[0].unit, rules(recording)) == ("adu", ["S09"])


def test_more_samples_than_allowed_are_refused() -> None:
    assert refusal(ishne_file(THREE), max_samples=299).rule == "S01"


@given(st.data())
@settings(max_examples=300)
def test_damage_ends_in_a_recording_or_a_refusal(data: st.DataObject) -> None:
    damaged = data.draw(mutated(ishne_file(THREE), 522))
    try:
        with soon():
            recording = ishne.read(damaged, max_samples=400)
        assert sum(len(lead.samples) for lead in recording.leads) <= 400
    except UnusableDataError as error:
        assert "P-17" not in error.message
