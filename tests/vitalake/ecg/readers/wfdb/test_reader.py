"""WFDB records made by hand: every field of the header does what header(5) says, and contradictions are found."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vitalake.ecg.readers.wfdb_files import checksum, interleave, pack, record
from vitalake.ecg.readers.wfdb.reader import Incomplete, is_header, needed, read
from vitalake.ecg.recording import Lead, Recording
from vitalake.errors import UnusableDataError

SAMPLES = [5, -7, 300, -2, 9]


def read_one(header: str, **files: bytes) -> Recording:
    found = read("r.hea", {"r.hea": header.encode(), "d": pack(16, SAMPLES), **files}, max_samples=1000)
    assert isinstance(found, Recording)
    return found


def lead_of(fields: str, **files: bytes) -> Lead:
    return read_one(f"r 1 100 5\nd {fields}", **files).leads[0]


def refusal(header: str, **files: bytes) -> str:
    with pytest.raises(UnusableDataError) as caught:
        read("r.hea", {"r.hea": header.encode(), "d": pack(16, SAMPLES), **files}, max_samples=1000)
    return str(caught.value)


@pytest.mark.parametrize(
    ("fields", "gain", "zero", "unit"),
    [
        ("16 200.0(1024)/mV", 200, 1024, "mV"),
        ("16 200 11 1024", 200, 1024, "mV"),
        ("16 200(-5)/mV 11 1024", 200, -5, "mV"),
        ("16 1.052e+04/mv", 10520, 0, "mV"),
        ("16 0.5/uV", 500, 0, "mV"),
        ("16 0.5/\N{MICRO SIGN}V", 500, 0, "mV"),
        ("16 2000/V", 2, 0, "mV"),
        ("16 12.84(-1605)/mmHg 12 0", 12.84, -1605, "mmHg"),
        ("16 1.253e+04/NU", 12530, 0, "NU"),
    ],
)
def test_gain_zero_and_unit_in_every_spelling(fields: str, gain: float, zero: float, unit: str) -> None:
    lead = lead_of(fields)
    assert (lead.gain_adu_per_unit, lead.zero_adu, lead.unit) == (gain, zero, unit)
    assert lead.samples.tolist() == SAMPLES


@pytest.mark.parametrize("fields", ["16", "16 0", "16 0(0)/mV 12 0", "16 ECG"])
def test_an_uncalibrated_signal_has_200_adu_per_mv_and_says_so(fields: str) -> None:
    recording = read_one(f"r 1 100 5\nd {fields}")
    assert (recording.leads[0].gain_adu_per_unit, recording.leads[0].unit) == (200, "mV")
    assert [finding.rule for finding in recording.findings] == ["S09"]


def test_names_may_repeat_hold_blanks_or_be_absent() -> None:
    lines = ["d 16 200 16 0 1 0 0 II", "d 16 200 16 0 2 0 0   lead  II ", "d 16 200 16 0 3 0 0 II", "d 16 200"]
    recording = read_one("r 4 100 1\n" + "\n".join(lines), d=pack(16, [1, 2, 3, 4]))
    assert [lead.name for lead in recording.leads] == ["II", "lead  II", "II", "lead_4"]


def test_a_header_may_have_a_mark_of_its_encoding_windows_lines_and_comments() -> None:
    text = "\ufeff# first\r\n\r\nr 1 100 5 1:02:03.5 4/5/2006\r\n # middle\r\nd 16 200\r\n"
    text += "#Dx: 426783006, I48.0,John Doe\r\n"
    assert is_header("r.hea", text.encode())
    recording = read_one(text)
    assert recording.started_at is not None
    assert recording.started_at.isoformat() == "2006-05-04T01:02:03.500000+00:00"
    assert (recording.label, recording.subject) == ("426783006,I48.0", None)  # codes, never text


@pytest.mark.parametrize(
    "start", ["", " 10:11:12", " 10:11:12 31/02/2000", " 25:00:00 01/02/2000", " x y", " 12-May-2020 12:33:59"]
)
def test_a_start_without_a_date_or_outside_the_calendar_is_none(start: str) -> None:
    assert read_one(f"r 1 100 5{start}\nd 16 200").started_at is None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("r.hea", "r 2 360 650000\n", True),
        ("r.hea", "# only\n#comments\nr/3 2\n", True),
        ("r.txt", "r 2 360\n", False),
        ("r.hea", "", False),
        ("r.hea", "Brain Vision Data Exchange Header File Version 1.0\n", False),
        ("r.hea", "patient,age\n1,2\n", False),
        ("r.hea", "\x7fELF\x02\x01\n", False),
    ],
)
def test_the_content_decides_what_a_header_is(name: str, text: str, expected: bool) -> None:
    assert is_header(name, text.encode()) is expected


def test_missing_files_are_named_once_and_null_signals_are_no_files() -> None:
    header = b"r 4 100 5\nb.dat 16\na.dat 16\nb.dat 16\n~ 0\n"
    assert needed(header) == ("b.dat", "a.dat")
    assert read("r.hea", {"r.hea": header, "a.dat": b""}, max_samples=10) == Incomplete(("b.dat",))
    assert read("r.hea", {}, max_samples=10) == Incomplete(("r.hea",))


@pytest.mark.parametrize("file", ["../d", "/d", "a/d", "..", "C:d", "a\\d", "x..y"])
def test_a_name_that_leaves_the_folder_is_refused(file: str) -> None:
    assert refusal(f"r 1 100 5\n{file} 16 200").startswith("S02: signal 1 lies outside the folder")
    assert refusal(f"r/1 1 100 5\n{file} 5").startswith("S02: segment 1 lies outside the folder")


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("", "S02: the header has no record line"),
        ("r", "S02: the first line"),
        ("r one 100 5", "S02: the first line"),
        ("r 1 0 5\nd 16", "S07: the header has a sampling rate of 0 Hz"),
        ("r 1 1e999 5\nd 16", "S07: the header has a sampling rate of inf Hz"),
        ("r 0 100 5\n", "S02: the record line announces 0 signals"),
        ("r 2 100 5\nd 16 200\n", "S02: the record line announces 2 signals, 1 lines follow"),
        ("r 1 100 5\nd", "S02: signal 1 has no storage format"),
        ("r 1 100 5\nd 16x0 200", "S02: signal 1 has 0 samples per frame"),
        ("r 1 100 5\nd 16 200(10", "S02: signal 1 has no gain that can be read"),
        ("r 1 100 5\nd 16 1e999", "S02: signal 1 has a gain or baseline that is too large"),
        ("r 1 100 5\nd 16 1e308/uV", "S02: the gain of a signal is too small or too large"),
        ("r 2 100 5\nd 16\nd 61", "S02: signals of file 1 differ in storage format"),
        ("r 1 100 5\n- 16", "S02: a header with signals that lie in no file"),
        ("r 1 100 5\nd.mat 16+24", "S02: file 1 is no MATLAB v4 file"),
        ("r 1 100 7\nd 16", "S08: 5 samples in a signal file, the header declares 7"),
        ("r 1 100\nd 16+100", "S08: 0 samples in a signal file"),
        ("r 1 100 5\nd 16x999999999", "S08: 0 samples in a signal file"),
        ("r 2 100\nd 16\ne 16", "S08: 3 samples in a signal file, another signal file holds 5"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(header: str, rule: str) -> None:
    mat = b"MATLAB 5.0 MAT-file".ljust(200)
    assert refusal(header, **{"d.mat": mat, "e": pack(16, [1, 2, 3])}).startswith(rule)


def test_one_sample_less_than_declared_is_found_and_more_are_left_out() -> None:
    short = read_one("r 1 100 6\nd 16 200 16 0 5 1")
    assert short.leads[0].samples.tolist() == SAMPLES
    assert [tuple(finding) for finding in short.findings] == [("S15", "5 samples in a signal file, expected 6")]
    spare = read_one("r 1 100 3\nd 16 200")
    assert spare.leads[0].samples.tolist() == SAMPLES[:3]
    assert [tuple(finding) for finding in spare.findings] == [("S15", "5 samples in a signal file, expected 3")]


@pytest.mark.parametrize(("storage_format", "size"), [(212, 3), (310, 4), (311, 4)])
def test_a_last_block_that_is_filled_up_holds_no_sample_too_many(storage_format: int, size: int) -> None:
    padded = pack(storage_format, [3]).ljust(size, b"\0")
    assert read_one(f"r 1 100 1\nd {storage_format} 200", d=padded).findings == ()


def test_a_wrong_checksum_and_a_wrong_start_name_the_lead_by_position() -> None:
    stored = [[1, 2], [3, 4]]
    lines = ["r 2 100 2", "d 16 200 16 0 1 3 0 secret", "d 16 200 16 0 9 8 0 secret"]
    recording = read_one("\n".join(lines), d=pack(16, interleave(stored, [1, 1])))
    assert [tuple(finding) for finding in recording.findings] == [
        ("S15", "lead 2 begins with 3, its header says 9"),
        ("S15", "lead 2 has the checksum 7, its header says 8"),
    ]


def test_a_checksum_is_compared_in_16_bits_and_only_if_the_header_gives_a_length() -> None:
    samples = [-30_000, -30_000, 1]
    for told in (checksum(samples), checksum(samples) % 2**16):
        assert read_one(f"r 1 100 3\nd 16 200 16 0 -30000 {told}", d=pack(16, samples)).findings == ()
    assert read_one("r 1 100\nd 16 200 16 0 5 0").findings == ()


def test_a_header_without_a_rate_has_that_of_wfdb_and_says_so() -> None:
    recording = read_one("r 1\nd 16x5 200")
    assert recording.leads[0].sampling_rate_hz == 1250
    assert [finding.rule for finding in recording.findings] == ["S07"]


def test_skew_counts_frames_and_may_exceed_the_record() -> None:
    samples = list(range(1, 9))
    lead = lead_of("16x2:1 200", d=pack(16, [*samples, 9, 10]))
    assert lead.samples.tolist()[:8] == list(range(3, 11))
    assert lead.missing is not None
    assert lead.missing.tolist() == [False] * 8 + [True] * 2
    everything = lead_of("16:999999999999 200")
    assert everything.missing is not None
    assert everything.missing.all()
    assert np.isnan(everything.values()).all()


def test_more_samples_than_allowed_are_refused_before_they_are_read() -> None:
    files = record("r", {"a": SAMPLES, "b": SAMPLES})
    assert isinstance(read("r.hea", files, max_samples=10), Recording)
    with pytest.raises(UnusableDataError, match="S01: 10 samples in all leads, expected at most 9"):
        read("r.hea", files, max_samples=9)
    big = refusal("r 1 100 5\nd 16\n" + "#" * 2**20)
    assert big.startswith("S01: the header has 1,048,591 bytes")
