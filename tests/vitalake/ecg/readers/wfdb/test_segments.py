"""Multi-segment records: joined as the wfdb package joins them, and gaps are missing samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.vitalake.ecg.readers.wfdb_files import record
from vitalake.ecg.readers.wfdb.reader import Incomplete, needed, read
from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError

ONE = record("r_1", {"I": [1, 2, 3], "II": [4, 5, 6]})
TWO = record("r_2", {"I": [7, 8], "II": [9, 10]})
ONLY_II = record("r_2", {"II": [9, 10]})
LAYOUT = {"r_layout.hea": b"r_layout 3 100 0\n~ 0 200 0 0 0 0 0 I\n~ 0 200 0 0 0 0 0 V\n~ 0 200 0 0 0 0 0 II\n"}
FIXED = {"r.hea": b"r/2 2 100 5 10:00:00 01/02/2003\nr_1 3\nr_2 2\n# Dx: 426783006\n", **ONE, **TWO}
VARIABLE = {"r.hea": b"r/4 3 100 9\nr_layout 0\nr_1 3\n~ 4\nr_2 2\n", **LAYOUT, **ONE, **ONLY_II}


def read_all(files: dict[str, bytes], max_samples: int = 1000) -> Recording:
    found = read("r.hea", files, max_samples=max_samples)
    assert isinstance(found, Recording)
    return found


def values(recording: Recording) -> dict[str, list[float]]:
    """Stored values by lead, NaN where missing."""
    return {
        lead.name: np.where(
            np.zeros(len(lead.samples), bool) if lead.missing is None else lead.missing, np.nan, lead.samples
        ).tolist()
        for lead in recording.leads
    }


def test_segments_of_a_fixed_layout_continue_each_other() -> None:
    recording = read_all(FIXED)
    assert values(recording) == {"I": [1, 2, 3, 7, 8], "II": [4, 5, 6, 9, 10]}
    assert recording.findings == ()
    assert recording.label == "426783006"
    assert recording.started_at is not None
    assert all(lead.samples.dtype == np.int32 and lead.missing is None for lead in recording.leads)


def test_what_a_segment_does_not_hold_is_missing() -> None:
    found = values(read_all(VARIABLE))
    nan = np.nan
    np.testing.assert_equal(
        found, {"I": [1, 2, 3] + [nan] * 6, "V": [nan] * 9, "II": [4, 5, 6, nan, nan, nan, nan, 9, 10]}
    )


@pytest.mark.parametrize("files", [FIXED, VARIABLE])
def test_the_wfdb_package_joins_the_same(files: dict[str, bytes], tmp_path: Path) -> None:
    wfdb = pytest.importorskip("wfdb")
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    expected = wfdb.rdrecord(str(tmp_path / "r"), m2s=True)
    by_name = {lead.name: lead for lead in read_all(files).leads}
    for at, name in enumerate(expected.sig_name):
        np.testing.assert_allclose(by_name[name].values(), expected.p_signal[:, at], rtol=1e-12)
        assert by_name[name].sampling_rate_hz == expected.fs


def test_a_segment_may_come_twice_and_gaps_open_a_fixed_layout() -> None:
    files = {**FIXED, "r.hea": b"r/4 2 100 10\n~ 2\nr_1 3\nr_2 2\nr_1 3\n"}
    nan = np.nan
    np.testing.assert_equal(values(read_all(files))["I"], [nan, nan, 1, 2, 3, 7, 8, 1, 2, 3])


def test_another_gain_in_a_segment_turns_the_lead_into_physical_values() -> None:
    files = {**FIXED, **record("r_2", {"I": [7, 8], "II": [9, 10]}, gain="1(1)/uV")}
    recording = read_all(files)
    assert [finding.rule for finding in recording.findings] == ["S09", "S09"]
    np.testing.assert_allclose(recording.leads[0].values(), [0.005, 0.01, 0.015, 0.006, 0.007])
    assert {lead.unit for lead in recording.leads} == {"mV"}


def test_headers_of_segments_are_asked_for_first_then_their_files() -> None:
    assert needed(VARIABLE["r.hea"]) == ("r_layout.hea", "r_1.hea", "r_2.hea")
    some = {name: VARIABLE[name] for name in ("r.hea", "r_layout.hea", "r_1.hea")}
    assert read("r.hea", some, max_samples=100) == Incomplete(("r_2.hea", "r_1.dat"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"r_2.hea": b"r_2 1 100 2\nr_2.dat 16 200"}, "S02: segments of 1 to 2 signals"),
        (
            {"r_2.hea": TWO["r_2.hea"].replace(b" 100 ", b" 200 ")},
            "S02: the segments of a multi-segment record differ",
        ),
        ({"r_2.hea": TWO["r_2.hea"].replace(b"200 16", b"200/mmHg 16")}, "S02: a lead has another unit"),
        ({"r_2.hea": b"r_2/1 2 100 3\nr_1 3\n"}, "S02: a segment of a multi-segment record is no ordinary"),
        ({"r.hea": b"r/1 2 100 5\nr 5\n"}, "S02: a segment of a multi-segment record is no ordinary"),
        ({"r.hea": b"r/1 2 100 5\n~ 5\n"}, "S02: a multi-segment record in which nothing"),
        ({"r.hea": b"r/2 2 100 5\nr_1 3\n"}, "S02: the record line announces 2 segments"),
        ({"r.hea": b"r/2 2 100 9\nr_1 3\nr_2 2\n"}, "S08: 5 samples in all segments, the record declares 9"),
        ({"r.hea": b"r/2 2 100 9\nr_1 7\nr_2 2\n"}, "S08: segment 1 has 3 samples, the record declares 7"),
        ({"r.hea": b"r/2 2 100 0\nr_1 3\n~ 999999999999\n"}, "S01: 2,000,000,000,004 samples in 2 leads"),
        ({"r.hea": VARIABLE["r.hea"], **LAYOUT, **record("r_2", {"aVF": [1, 2]})}, "S02: a segment has a signal"),
    ],
)
def test_segments_that_do_not_fit_are_refused(changes: dict[str, bytes], reason: str) -> None:
    with pytest.raises(UnusableDataError) as caught:
        read("r.hea", {**FIXED, **changes}, max_samples=1000)
    assert str(caught.value).startswith(reason)


def test_what_a_segment_marks_as_invalid_stays_missing() -> None:
    files = {**FIXED, **record("r_2", {"I": [7, -32768], "II": [9, 10]})}
    np.testing.assert_equal(values(read_all(files)), {"I": [1, 2, 3, 7, np.nan], "II": [4, 5, 6, 9, 10]})


def test_lengths_that_contradict_each_other_are_found() -> None:
    recording = read_all({**FIXED, "r.hea": b"r/2 2 100 3\nr_1 2\nr_2 2\n"})
    assert values(recording)["I"] == [1, 2, 7, 8]
    assert [tuple(finding) for finding in recording.findings] == [
        ("S15", "the segments have 4 samples, the record declares 3"),
        ("S15", "segment 1 has 3 samples, the record declares 2"),
    ]
