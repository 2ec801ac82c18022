from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vitalake.ecg.readers.edf_files import Made, annotation_signal, make_edf
from tests.vitalake.ecg.readers.mutations import check_read_or_refused, overwritten
from vitalake.ecg.readers.edf import reader as edf
from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError

PLENTY = 10_000_000
REAL = ("edf/example.edf", "scp_edf/0000050.ECG.edf")
ROWS = np.arange(-6, 6).reshape(3, 4)


def read(data: bytes, max_samples: int = PLENTY) -> Recording:
    return edf.read(data, max_samples=max_samples)


def refused(data: bytes, max_samples: int = PLENTY) -> str:
    with pytest.raises(UnusableDataError) as caught:
        read(data, max_samples)
    return caught.value.rule


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_samples_of_real_files_are_those_of_edfio_and_pyedflib(data_dir: Path, name: str) -> None:
    edfio, pyedflib = pytest.importorskip("edfio"), pytest.importorskip("pyedflib")
    data = (data_dir / name).read_bytes()
    recording = read(data)
    theirs = edfio.read_edf(io.BytesIO(data))
    assert edf.recognises(data)
    assert recording.findings == ()
    with pyedflib.EdfReader(str(data_dir / name)) as other:
        assert len(recording.leads) == len(theirs.signals) == other.signals_in_file
        for i, (lead, signal) in enumerate(zip(recording.leads, theirs.signals, strict=True)):
            np.testing.assert_array_equal(lead.samples, signal.digital)
            np.testing.assert_array_equal(lead.samples, other.readSignal(i, digital=True))
            per_mv = 1000 if signal.physical_dimension == "uV" else 1
            np.testing.assert_allclose(lead.values() * per_mv, other.readSignal(i), rtol=1e-12, atol=1e-9)
            assert lead.sampling_rate_hz == signal.sampling_frequency == other.getSampleFrequency(i)
        assert recording.started_at == other.getStartdatetime().replace(tzinfo=timezone.utc)


@pytest.mark.data
def test_a_recording_has_the_same_stored_values_as_edf_and_as_csv(data_dir: Path) -> None:
    with (data_dir / "scp_edf/0000050.ECG.csv").open() as text:
        rows = [[int(value) for value in row if value] for row in csv.reader(text)]
    width = max(map(len, rows))
    recording = read((data_dir / "scp_edf/0000050.ECG.edf").read_bytes())
    columns = list(zip(*(row for row in rows if len(row) == width), strict=True))
    leads = [lead.samples[: len(columns[0])].tolist() for lead in recording.leads[:width]]
    assert leads == [list(column) for column in columns]


@pytest.mark.data
def test_a_file_of_annotations_only_has_no_lead(data_dir: Path) -> None:
    data = (data_dir / "wfdb_sample/test_edfann.edf").read_bytes()
    assert edf.recognises(data)
    assert refused(data) == "S03"


@pytest.mark.parametrize("kind", ["edf", "bdf"])
def test_files_of_edfio_come_back_identical(kind: str) -> None:
    edfio = pytest.importorskip("edfio")
    signal_class, file_class = (edfio.EdfSignal, edfio.Edf) if kind == "edf" else (edfio.BdfSignal, edfio.Bdf)
    rng = np.random.default_rng(1)
    signals = [
        signal_class(rng.normal(0, 500, 256 * 5), 256, label="ECG II", physical_dimension="uV"),
        signal_class(rng.normal(80, 5, 32 * 5), 32, label="SaO2", physical_dimension="%"),
    ]
    start = datetime(2031, 2, 3, 4, 5, 6, 250_000)
    made = file_class(
        signals,
        annotations=[edfio.EdfAnnotation(1.5, None, "note")],
        recording=edfio.Recording(startdate=start.date()),
        starttime=start.time(),
    )
    target = io.BytesIO()
    made.write(target)
    recording = read(target.getvalue())
    assert edf.recognises(target.getvalue())
    assert recording.file_format == kind
    assert recording.started_at == start.replace(tzinfo=timezone.utc)
    assert [(lead.name, lead.unit, lead.sampling_rate_hz) for lead in recording.leads] == [
        ("II", "mV", 256.0), ("SaO2", "%", 32.0),
    ]  # fmt: skip
    for lead, signal, factor in zip(recording.leads, signals, (1000, 1), strict=True):
        np.testing.assert_array_equal(lead.samples, signal.digital)
        np.testing.assert_allclose(lead.values() * factor, signal.data, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("kind", ["FILETYPE_EDFPLUS", "FILETYPE_BDFPLUS", "FILETYPE_EDF", "FILETYPE_BDF"])
def test_files_of_pyedflib_come_back_identical(tmp_path: Path, kind: str) -> None:
    pyedflib = pytest.importorskip("pyedflib")
    bits = 24 if "BDF" in kind else 16
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    stored = np.random.default_rng(2).integers(low, high, 1000, dtype=np.int32, endpoint=True)
    path = tmp_path / "made"
    writer = pyedflib.EdfWriter(str(path), 1, file_type=getattr(pyedflib, kind))
    writer.setStartdatetime(datetime(2031, 2, 3, 4, 5, 6))
    writer.setEquipment("Recorder_7")
    writer.setPatientCode("P_1")
    writer.setSignalHeader(
        0,
        {"label": "ECG", "dimension": "mV", "sample_frequency": 250, "physical_max": 8, "physical_min": -8,
         "digital_max": high, "digital_min": low, "prefilter": "", "transducer": ""},
    )  # fmt: skip
    writer.writeSamples([stored], digital=True)
    writer.close()
    recording = read(path.read_bytes())
    np.testing.assert_array_equal(recording.leads[0].samples, stored)
    assert recording.leads[0].sampling_rate_hz == 250
    if "PLUS" in kind:
        assert recording.started_at == datetime(2031, 2, 3, 4, 5, 6, tzinfo=timezone.utc)
        assert (recording.subject, recording.device_model) == ("P_1", "Recorder 7")


def test_stored_values_of_both_signs_and_all_bytes_survive_in_24_bits() -> None:
    extremes = [[-(2**23), -1, 0], [1, 2**23 - 1, 0x123456]]
    recording = read(make_edf(Made(extremes), sample_bytes=3))
    assert recording.file_format == "bdf"
    assert recording.leads[0].samples.tolist() == [value for row in extremes for value in row]


@pytest.mark.parametrize(
    ("unit", "physical", "expected"),
    [
        ("mV", ("-10", "10"), (0.5, "mV")),
        ("\N{MICRO SIGN}V", ("-10000", "10000"), (0.5, "mV")),
        ("V", ("-0.01", "0.01"), (0.5, "mV")),
        ("mV", ("10", "-10"), (-0.5, "mV")),
        ("mV", ("-10,0", "10,0"), (0.5, "mV")),
        ("mmHg", ("-10", "10"), (0.5, "mmHg")),
        ("mV", ("0", "20"), (10.5, "mV")),
    ],
)
def test_physical_value_follows_range_and_unit(
    unit: str, physical: tuple[str, str], expected: tuple[float, str]
) -> None:
    lead = read(make_edf(Made([[100, 0]], "ECG", unit, physical))).leads[0]
    assert (lead.values()[0], lead.unit) == pytest.approx(expected)


@pytest.mark.parametrize(
    "signal",
    [
        Made(ROWS, physical=("1", "1")),
        Made(ROWS, digital=("5", "5")),
        Made(ROWS, unit=""),
        Made(ROWS, physical=("0", "1e-320")),
    ],
)
def test_a_range_that_calibrates_nothing_leaves_stored_units_and_says_so(signal: Made) -> None:
    recording = read(make_edf(signal))
    lead = recording.leads[0]
    assert (lead.gain_adu_per_unit, lead.zero_adu, lead.unit) == (1.0, 0.0, "adu")
    assert [finding.rule for finding in recording.findings] == ["S09"]


@pytest.mark.parametrize(
    ("label", "name"),
    [("ECG II", "II"), ("EKG aVR", "aVR"), ("V1", "V1"), ("ECG Channel 1", "ECG Channel 1"), ("ECG", "ECG"),
     ("", "lead_1"), ("ECG Haagse", "lead_1")],
)  # fmt: skip
def test_labels_become_names_of_leads_where_they_are(label: str, name: str) -> None:
    assert read(make_edf(Made(ROWS, label))).leads[0].name == name


def test_gaps_of_an_interrupted_recording_are_missing() -> None:
    times = annotation_signal([b"+0.5\x14\x14\0", b"+1.5\x14\x14\0", b"+4\x14\x14\0+4.1\x14note\x14\0"])
    data = make_edf(Made(ROWS), Made(ROWS[:, :2], "resp", "Ohm"), times, reserved="EDF+D")
    fast, slow = read(data).leads
    expected = [*range(-6, 2), *[np.nan] * 6, *range(2, 6)]
    assert fast.missing is not None
    np.testing.assert_array_equal(np.where(fast.missing, np.nan, fast.samples), expected)
    assert (len(fast.samples) / 4, len(slow.samples) / 2) == (4.5, 4.5)
    assert np.isnan(slow.values()).tolist() == [False] * 4 + [True] * 3 + [False] * 2
    assert refused(data, 26) == "S01"
    assert read(data, 29).started_at == datetime(2004, 3, 2, 5, 6, 7, 500_000, tzinfo=timezone.utc)


def test_an_interrupted_recording_without_gaps_has_nothing_missing() -> None:
    times = annotation_signal([b"+0\x14\x14\0", b"+0.333\x14\x14\0", b"+0.667\x14\x14\0"])
    lead = read(make_edf(Made(ROWS), times, reserved="EDF+D", record_s="0.333333")).leads[0]
    assert lead.missing is None
    assert lead.samples.tolist() == ROWS.ravel().tolist()


@pytest.mark.parametrize(
    ("onsets", "rule"),
    [
        ((b"+0\x14\x14", b"+1\x14\x14", b"+1e9\x14\x14"), "S02"),
        ((b"+0\x14\x14", b"+1\x14\x14", b""), "S02"),
        ((b"+0\x14\x14", b"+2\x14\x14", b"+1\x14\x14"), "S02"),
        ((b"+0\x14\x14", b"+0.4\x14\x14", b"+1\x14\x14"), "S02"),
        ((b"+0\x14\x14", b"+1\x14\x14", b"+999999999999\x14\x14"), "S01"),
    ],
)
def test_records_that_lie_nowhere_or_too_far_away_are_refused(onsets: tuple[bytes, ...], rule: str) -> None:
    assert refused(make_edf(Made(ROWS), annotation_signal(onsets), reserved="EDF+D")) == rule


def test_a_recorder_that_was_cut_off_leaves_the_count_to_the_size() -> None:
    data = make_edf(Made(ROWS), records=-1)
    assert read(data).leads[0].samples.tolist() == ROWS.ravel().tolist()
    cut = read(data[:-1])
    assert len(cut.leads[0].samples) == 8
    assert [finding.rule for finding in cut.findings] == ["S15"]


def test_records_are_counted_against_the_header() -> None:
    data = make_edf(Made(ROWS))
    assert refused(data[:-1]) == "S08"
    assert refused(make_edf(Made(ROWS), records=4)) == "S08"
    assert refused(make_edf(Made(ROWS), records=0)) == "S08"
    longer = read(data + b"more")
    assert longer.leads[0].samples.tolist() == ROWS.ravel().tolist()
    assert [finding.rule for finding in longer.findings] == ["S15"]
    assert refused(data, 11) == "S01"
    assert len(read(data, 12).leads[0].samples) == 12


def test_more_signals_than_any_recorder_has_are_refused() -> None:
    assert len(read(make_edf(*[Made(ROWS)] * 512)).leads) == 512
    assert refused(make_edf(*[Made(ROWS)] * 513)) == "S05"


def test_a_wrong_length_of_the_header_is_found_and_a_longer_header_read() -> None:
    wrong = read(make_edf(Made(ROWS), header_bytes=256))
    data = make_edf(Made(ROWS), header_bytes=768)
    longer = read(data[:512] + bytes(256) + data[512:])
    for recording in (wrong, longer):
        assert recording.leads[0].samples.tolist() == ROWS.ravel().tolist()
        assert [finding.rule for finding in recording.findings] == ["S15"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"date": "01.02.85"}, datetime(1985, 2, 1, 5, 6, 7)),
        ({"date": "01.02.84"}, datetime(2084, 2, 1, 5, 6, 7)),
        ({"date": "01.02.84", "recording": "Startdate 01-FEB-2184 X X X"}, datetime(2184, 2, 1, 5, 6, 7)),
        ({"date": "01.01.85", "recording": "Startdate X X X X", "reserved": "EDF+C"}, None),
        ({"date": "xx.xx.xx"}, None),
        ({"date": "31.02.20"}, None),
        ({"time": "25.00.00"}, None),
        ({"time": ""}, None),
    ],
)
def test_start_follows_the_clipping_year_and_the_startdate(
    fields: dict[str, str], expected: datetime | None
) -> None:
    assert read(make_edf(Made(ROWS), **fields)).started_at == (  # type: ignore[arg-type]
        expected and expected.replace(tzinfo=timezone.utc)
    )


@pytest.mark.parametrize(
    ("patient", "reserved", "expected"),
    [
        ("MCH-0234567 F 02-MAY-1951 Haagse_Harry", "EDF+C", "MCH-0234567"),
        ("X F X Haagse_Harry", "EDF+C", None),
        ("X X X X", "EDF+C", None),
        ("Haagse Harry", "", "Haagse Harry"),
        ("    dd-MMM-yyyy", "", None),
        ("X X dd-MMM-yyyy X", "", None),
        ("0000 F X Haagse_Harry", "EDF+C", None),
        ("", "", None),
    ],
)
def test_subject_is_the_code_alone_where_there_is_one(patient: str, reserved: str, expected: str | None) -> None:
    recording = read(make_edf(Made(ROWS), patient=patient, reserved=reserved))
    assert recording.subject == expected
    assert "Haagse" not in repr([recording.device_model, recording.label, recording.findings])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0       ",
        make_edf(Made(ROWS))[:400],
        make_edf(Made(ROWS, physical=("nan", "1"))),
        make_edf(Made(ROWS, physical=("1e999", "1"))),
        make_edf(Made(ROWS), record_s="-1"),
        make_edf(Made(ROWS), record_s="1_0"),
        make_edf(Made(ROWS), records=-2),
        make_edf(Made([[], []])),
    ],
)
def test_broken_headers_are_refused(data: bytes) -> None:
    assert refused(data) == "S02"


@pytest.mark.parametrize(
    "data", [b"", b"0       " * 32, b"MATLAB 5.0 MAT-file".ljust(600), b"0       " + bytes(600)]
)
def test_other_content_is_not_recognised(data: bytes) -> None:
    assert not edf.recognises(data)


BASES = (
    make_edf(Made(ROWS), annotation_signal([b"+0\x14\x14", b"+1\x14\x14", b"+9\x14\x14"]), reserved="EDF+D"),
    make_edf(Made(ROWS), Made(ROWS[:, :1], unit="uV"), sample_bytes=3, recording="Startdate 01-FEB-2084 X X X"),
)
PLACES = st.one_of(st.integers(168, 256), st.integers(256, 1100))
FIELD_BYTES = st.one_of(st.sampled_from(b"0123456789 -.+EX"), st.integers(0, 255))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(BASES).flatmap(lambda base: overwritten(base, st.tuples(PLACES, FIELD_BYTES), 40)))
def test_mutated_files_are_read_or_refused_and_never_larger_than_allowed(data: bytes) -> None:
    check_read_or_refused(read, data, 1000)


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_memory_is_that_of_the_samples(data_dir: Path, name: str) -> None:
    data = (data_dir / name).read_bytes()
    samples = sum(len(lead.samples) for lead in read(data).leads)
    tracemalloc.start()
    try:
        read(data, samples)
        assert tracemalloc.get_traced_memory()[1] < 4 * samples + 200_000
        tracemalloc.reset_peak()
        assert refused(data, samples - 1) == "S01"
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()
