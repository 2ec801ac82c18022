from __future__ import annotations

import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitalake.ecg.readers.dicom import reader as dicom
from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError

pydicom = pytest.importorskip("pydicom")  # writes the files, and reads them for comparison
from pydicom.dataset import Dataset  # noqa: E402
from pydicom.uid import (  # noqa: E402
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tests.vitalake.ecg.readers.dicom_files import channel, group, make_dicom  # noqa: E402
from tests.vitalake.ecg.readers.mutations import check_read_or_refused, overwritten  # noqa: E402

PLENTY = 10_000_000
STORED = np.arange(-8, 8).reshape(8, 2)
UNDEFINED = 0xFFFFFFFF


def read(data: bytes, max_samples: int = PLENTY) -> Recording:
    return dicom.read(data, max_samples=max_samples)


def refused(data: bytes, max_samples: int = PLENTY) -> str:
    with pytest.raises(UnusableDataError) as caught:
        read(data, max_samples)
    return caught.value.rule


def stored_of(recording: Recording, position: int = 0) -> list[list[float]]:
    stored: list[list[float]] = np.stack(
        [lead.samples for lead in recording.leads if lead.group == position], 1
    ).tolist()
    return stored


@pytest.mark.data
def test_a_real_recording_is_read_as_pydicom_reads_it(data_dir: Path) -> None:
    data = (data_dir / "dicom/anonymous_ecg.dcm").read_bytes()
    theirs = pydicom.dcmread(io.BytesIO(data))
    recording = read(data)
    assert dicom.recognises(data)
    for position in (0, 1):
        leads = [lead for lead in recording.leads if lead.group == position]
        raw = pydicom.waveforms.multiplex_array(theirs, position, as_raw=True)
        np.testing.assert_array_equal(stored_of(recording, position), raw)
        microvolts = np.stack([lead.values() for lead in leads], 1) * 1000
        np.testing.assert_allclose(microvolts, theirs.waveform_array(position), rtol=1e-12, atol=1e-9)
        assert [lead.name for lead in leads] == [
            "I",
            "II",
            "III",
            "aVR",
            "aVL",
            "aVF",
            "V1",
            "V2",
            "V3",
            "V4",
            "V5",
            "V6",
        ]
        assert {lead.sampling_rate_hz for lead in leads} == {1000.0}
        assert {lead.unit for lead in leads} == {"mV"}
    assert recording.started_at == datetime(2013, 1, 25, 10, 59, 19, tzinfo=timezone.utc)
    assert recording.subject == theirs.PatientID
    assert recording.device_model == f"{theirs.Manufacturer} {theirs.ManufacturerModelName}"
    assert recording.findings == ()


@pytest.mark.parametrize("open_ended", [False, True])
@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
)
def test_every_encoding_comes_back_identical(syntax: UID, open_ended: bool) -> None:
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    first, second = group(STORED, order=order), group(STORED[:3] * 9, order=order, MultiplexGroupTimeOffset="250.5")
    data = make_dicom(first, second, syntax=syntax, open_ended=open_ended, PatientID="7")
    recording = read(data)
    assert (stored_of(recording, 0), stored_of(recording, 1)) == (STORED.tolist(), (STORED[:3] * 9).tolist())
    assert [lead.start_offset_s for lead in recording.leads] == [0, 0, 0.2505, 0.2505]
    assert recording.subject == "7"
    assert recording.findings == ()


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4"])
def test_the_extremes_of_every_integer_come_back_identical(dtype: str) -> None:
    info = np.iinfo(dtype)
    stored = np.array([[info.min], [info.max], [3]])
    lead = read(make_dicom(group(stored, dtype=dtype))).leads[0]
    assert lead.samples.tolist() == stored.ravel().tolist()
    assert lead.samples.dtype == (np.float64 if dtype == "u4" else np.int32)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (channel(), (0.25, "mV")),
        (channel(unit="mV"), (250.0, "mV")),
        (channel(unit="mm[Hg]"), (250.0, "mm[Hg]")),
        (channel(ChannelSensitivityCorrectionFactor="1.1"), (0.275, "mV")),
        (channel(ChannelSensitivityCorrectionFactor=None), (0.25, "mV")),
        (channel(ChannelBaseline="-50"), (0.2, "mV")),
        (channel(ChannelSensitivity="-2.5"), (-0.25, "mV")),
    ],
)
def test_value_is_sample_times_sensitivity_plus_baseline(made: Dataset, expected: tuple[float, str]) -> None:
    data = make_dicom(group([[100]], made))
    lead = read(data).leads[0]
    assert (lead.values()[0], lead.unit) == pytest.approx(expected)
    theirs = pydicom.dcmread(io.BytesIO(data)).waveform_array(0)[0, 0]
    assert lead.values()[0] * (1000 if made.ChannelSensitivityUnitsSequence[0].CodeValue == "uV" else 1) == (
        pytest.approx(theirs)
    )


@pytest.mark.parametrize(
    "made",
    [channel(unit=None), channel(ChannelSensitivity=None), channel(ChannelSensitivity="0"), channel(unit="")],
)
def test_a_channel_without_sensitivity_keeps_stored_units_and_says_so(made: Dataset) -> None:
    recording = read(make_dicom(group([[100]], made)))
    assert (recording.leads[0].unit, recording.leads[0].values()[0]) == ("adu", 100)
    assert [finding.rule for finding in recording.findings] == ["S09"]


def test_padding_is_missing() -> None:
    data = make_dicom(group([[1, 2], [-32768, 3]], WaveformPaddingValue=b"\x00\x80"))
    first, second = read(data).leads
    assert first.missing is not None
    assert first.missing.tolist() == [False, True]
    assert second.missing is None


@pytest.mark.parametrize(
    ("meaning", "name"),
    [("Lead I (Einthoven)", "I"), ("Lead V6", "V6"), ("aVR, augmented voltage, right", "aVR"), ("II", "II"),
     ("Pulse", "Pulse"), ("", "ECG 7"), ("sig 0, fmt 8", "sig 0, fmt 8"), ("Lead of Jane Roe", "lead_1")],
)  # fmt: skip
def test_names_of_leads_are_those_of_cardiologists(meaning: str, name: str) -> None:
    assert read(make_dicom(group([[1]], channel(meaning, ChannelLabel="ECG 7")))).leads[0].name == name


def test_skew_moves_the_start_of_a_channel() -> None:
    channels = (channel(ChannelSampleSkew="5"), channel(ChannelTimeSkew="0.5", ChannelSampleSkew=None))
    leads = read(make_dicom(group(STORED, *channels, MultiplexGroupTimeOffset="1000"))).leads
    assert [lead.start_offset_s for lead in leads] == [1.01, 1.5]


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"AcquisitionDateTime": "20310203040506.25"}, datetime(2031, 2, 3, 4, 5, 6, 250_000)),
        ({"AcquisitionDateTime": "20310203040506+0130"}, datetime(2031, 2, 3, 2, 35, 6)),
        ({"AcquisitionDateTime": "2031020304", "TimezoneOffsetFromUTC": "-0500"}, datetime(2031, 2, 3, 9)),
        ({"AcquisitionDateTime": "2031"}, None),
        ({"AcquisitionDateTime": "20310231040506"}, None),
        ({"AcquisitionDateTime": ""}, None),
        ({}, None),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_start_is_in_utc(elements: dict[str, Any], expected: datetime | None) -> None:
    started_at = read(make_dicom(group(STORED), **elements)).started_at
    assert started_at == (expected and expected.replace(tzinfo=timezone.utc))


def test_the_patients_name_goes_nowhere() -> None:
    assert "Haagse" not in repr(read(make_dicom(group([[1]], channel("", ChannelLabel="Haagse")))))


def test_a_placeholder_is_no_subject_and_the_device_is_one_line() -> None:
    recording = read(
        make_dicom(group(STORED), PatientID="ANONYMOUS", Manufacturer="Maker\nInc.  ", ManufacturerModelName="M1")
    )
    assert (recording.subject, recording.device_model) == (None, "Maker Inc. M1")


@pytest.mark.parametrize(
    ("groups", "elements", "rule"),
    [
        ([], {"Rows": 2, "Columns": 2, "PatientID": "7"}, "S03"),
        ([group(STORED, NumberOfWaveformSamples=9)], {}, "S08"),
        ([group(STORED, NumberOfWaveformSamples=0)], {}, "S08"),
        ([group(STORED, NumberOfWaveformSamples=2**32 - 1)], {}, "S01"),
        ([group(STORED, NumberOfWaveformChannels=65535)], {}, "S05"),
        ([group([[1]])] * 65, {}, "S05"),
        ([group(STORED, WaveformSampleInterpretation="MB", WaveformBitsAllocated=8)], {}, "S04"),
    ],
)
def test_what_is_no_waveform_is_refused(groups: list[Dataset], elements: dict[str, Any], rule: str) -> None:
    data = make_dicom(*groups, **elements)
    assert dicom.recognises(data)
    assert refused(data) == rule


def test_more_data_or_channels_than_declared_is_found() -> None:
    longer = read(make_dicom(group(STORED, NumberOfWaveformSamples=7)))
    assert stored_of(longer) == STORED[:7].tolist()
    unnamed = read(make_dicom(group(STORED, channel())))
    assert [lead.name for lead in unnamed.leads] == ["I", "lead_2"]
    assert [[finding.rule for finding in r.findings] for r in (longer, unnamed)] == [["S15"], ["S15", "S09"]]


def test_samples_of_all_groups_count() -> None:
    data = make_dicom(group(STORED), group(STORED))
    assert len(read(data, 32).leads) == 4
    assert refused(data, 31) == "S01"


def meta_of(data: bytes) -> bytes:
    """Everything before the data set."""
    return data[: 144 + struct.unpack_from("<I", data, 140)[0]]


def peak_of_refusal(data: bytes, rule: str) -> int:
    tracemalloc.start()
    try:
        assert refused(data, 1000) == rule
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_decompression_bomb_is_not_inflated() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(200_000_000)) + packer.flush()
    data = meta_of(make_dicom(group(STORED), syntax=DeflatedExplicitVRLittleEndian)) + bomb
    assert peak_of_refusal(data, "S01") < 5_000_000


def test_more_items_than_any_recording_has_build_no_objects() -> None:
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 500_001
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    data = meta_of(make_dicom(group(STORED)))
    data += struct.pack("<HH2sHI", 0x5400, 0x0100, b"SQ", 0, UNDEFINED) + items + end
    assert peak_of_refusal(data, "S02") < 100_000


def test_deep_nesting_is_refused() -> None:
    opening = struct.pack("<HH2sHI", 0x0009, 0x1010, b"SQ", 0, UNDEFINED)
    opening += struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
    assert refused(meta_of(make_dicom(group(STORED))) + opening * 10_000) == "S02"


ITEM = struct.pack("<HH", 0xFFFE, 0xE000)


def longer_item(data: bytes) -> bytes:
    """The first channel's item reaches over the second one's."""
    first = data.index(ITEM, data.index(struct.pack("<HH", 0x003A, 0x0200)))
    length = struct.unpack_from("<I", data, first + 4)[0]
    assert data[first + 8 + length :][:4] == ITEM
    more = length + 8 + struct.unpack_from("<I", data, first + 12 + length)[0]
    return data[: first + 4] + struct.pack("<I", more) + data[first + 8 :]


@pytest.mark.parametrize(
    "damage",
    [
        longer_item,
        lambda data: data[: data.rindex(ITEM + data[data.index(ITEM) + 4 :][:4])],  # between two groups
        lambda data: data.replace(b"\x3a\x00\x13\x02DS", b"\x3a\x00\x10\x02DS"),  # a second sensitivity
        lambda data: data.replace(b"SH\x04\x002:1 ", b"SH\x08\x002:1 ", 1),  # a value over the next element
        lambda data: data.replace(ITEM, struct.pack("<HH", 0xFFFE, 0xE001), 1),
    ],
)
def test_damage_that_pydicom_reads_over_is_refused(damage: Callable[[bytes], bytes]) -> None:
    data = make_dicom(group(STORED), group(STORED))
    assert damage(data) != data
    assert pydicom.dcmread(io.BytesIO(damage(data))).WaveformSequence
    assert refused(damage(data)) == "S02"


@pytest.mark.parametrize("closing", [0xE00D, 0xE0DD])
def test_an_open_item_or_sequence_without_its_end_is_refused(closing: int) -> None:
    data = make_dicom(group(STORED), group(STORED), open_ended=True)
    assert refused(data.replace(struct.pack("<HHI", 0xFFFE, closing, 0), b"", 1)) == "S02"


def test_pydicom_is_imported_where_dicom_is_read_and_nowhere_else() -> None:
    code = (
        "import sys, vitalake.ecg.readers.formats; from vitalake.ecg.readers.matlab import other_variables; "
        "other_variables.warm_up(); "
        "sys.exit('pydicom' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("length", [0, 100, 131, 132, 140, 200, 400])
def test_a_file_that_ends_in_its_header_is_refused(length: int) -> None:
    assert refused(make_dicom(group(STORED))[:length]) in ("S02", "S03")


@pytest.mark.parametrize("data", [b"", b"DICM", bytes(132), b"0       " + bytes(200)])
def test_other_content_is_not_recognised(data: bytes) -> None:
    assert not dicom.recognises(data)


BASES = tuple(
    make_dicom(group(STORED), group([[1]]), syntax=syntax, open_ended=open_ended, AcquisitionDateTime="2031020304")
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
    for open_ended in (False, True)
)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(BASES).flatmap(
        lambda base: overwritten(base, st.tuples(st.integers(132, 2000), st.integers(0, 255)), 60)
    )
)
def test_mutated_files_are_read_or_refused_and_never_larger_than_allowed(data: bytes) -> None:
    check_read_or_refused(read, data, 1000)


@pytest.mark.data
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_mutations_of_a_real_file_are_read_or_refused(data_dir: Path, draw: st.DataObject) -> None:
    data = bytearray((data_dir / "dicom/anonymous_ecg.dcm").read_bytes())
    for at in draw.draw(st.lists(st.integers(132, 40_000), min_size=1, max_size=30)):
        data[at] = draw.draw(st.integers(0, 255))
    try:
        assert read(bytes(data), 140_000).leads
    except UnusableDataError as error:
        assert "642341" not in str(error)


SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_without_preamble_or_mark_it_is_the_same_recording(syntax: UID) -> None:
    whole = make_dicom(group(STORED), syntax=syntax)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    whole = make_dicom(group(STORED, order=order), syntax=syntax)
    expected = stored_of(read(whole))
    for cut in (whole[132:], whole[128:], whole[:128] + whole[132:]):
        assert dicom.recognises(cut)
        assert stored_of(read(cut)) == expected


@pytest.mark.parametrize("syntax", SYNTAXES[:3], ids=lambda syntax: syntax.name)
def test_without_file_meta_information_it_is_told_as_a_data_set(syntax: UID) -> None:
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    whole = make_dicom(group(STORED, order=order), syntax=syntax)
    bare = whole[144 + struct.unpack_from("<I", whole, 140)[0] :]
    assert dicom.recognises(bare)
    with pytest.raises(UnusableDataError, match="nothing says how it is encoded: export it as a DICOM file"):
        read(bare)


@pytest.mark.parametrize("content", [b"", b"\2\0\0\0" + bytes(40), b"\x08\0\0\0\2\0\0\0" * 9, bytes(200), b"DICOM"])
def test_what_only_begins_alike_is_none(content: bytes) -> None:
    assert not dicom.recognises(content)
