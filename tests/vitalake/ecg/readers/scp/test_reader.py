"""SCP-ECG: against the same recording in two other formats, and an encoder of its own."""

from __future__ import annotations

import re
import struct
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vitalake.ecg.readers import scp_files as made
from vitalake.ecg.readers.scp import reader as scp
from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError

PLENTY = 10**7
STEPS = st.lists(st.integers(-2000, 2000), min_size=2, max_size=60)


def read(data: bytes) -> Recording:
    return scp.read(data, max_samples=PLENTY)


def rules(recording: Recording) -> list[str]:
    return [finding.rule for finding in recording.findings]


def one_lead(content: bytes, count: int, **more: bytes) -> bytes:
    sections = {int(name[1:]): value for name, value in more.items()}
    return made.record({3: made.lead_table([(1, count, 2)]), 6: content} | sections)


def refusal(data: bytes, max_samples: int = PLENTY) -> UnusableDataError:
    with pytest.raises(UnusableDataError) as caught:
        scp.read(data, max_samples=max_samples)
    return caught.value


def test_the_csv_of_the_same_recording_holds_the_same_samples(data_dir: Path) -> None:
    folder = data_dir / "scp_edf"
    recording = read((folder / "0000050.ECG.scp").read_bytes())
    rows = [line.split(",") for line in (folder / "0000050.ECG.csv").read_text().splitlines()]
    assert [lead.name for lead in recording.leads[:6]] == ["I", "II", "III", "aVR", "aVL", "aVF"]
    for position, lead in enumerate(recording.leads):
        column = [row[position] for row in rows]
        expected = [int(cell) for cell in column] if position < 6 else [0] * len(rows)  # chest leads left empty
        assert lead.samples.tolist() == expected[: len(lead.samples)]
        assert (lead.sampling_rate_hz, lead.gain_adu_per_unit, lead.unit) == (800.0, 200.0, "mV")
    assert recording.started_at == datetime(2020, 11, 16, 21, 44, 39, tzinfo=timezone.utc)
    assert (recording.device_model, recording.subject) == ("ECG90", None)


def test_a_writer_that_ran_out_of_length_bits_is_named_not_believed(data_dir: Path) -> None:
    recording = read((data_dir / "scp_edf" / "0000050.ECG.scp").read_bytes())
    assert {len(lead.samples) for lead in recording.leads} == {32767}  # of the 37,855 in section 3, CSV and EDF
    assert rules(recording) == ["S15"]
    assert "32,767 of 37,855" in recording.findings[0].message


def test_the_edf_of_the_same_recording_differs_by_its_wrong_scale_only(data_dir: Path) -> None:
    pyedflib = pytest.importorskip("pyedflib")
    recording = read((data_dir / "scp_edf" / "0000050.ECG.scp").read_bytes())
    with pyedflib.EdfReader(str(data_dir / "scp_edf" / "0000050.ECG.edf")) as edf:
        for position in range(6):
            low, digital_low = edf.getPhysicalMinimum(position), edf.getDigitalMinimum(position)
            stated = (edf.getPhysicalMaximum(position) - low) / (edf.getDigitalMaximum(position) - digital_low)
            lead = recording.leads[position]
            factor = stated * lead.gain_adu_per_unit
            assert factor == pytest.approx(6.1, abs=0.01)
            theirs = edf.readSignal(position)[: len(lead.samples)] - (low - stated * digital_low)
            assert np.allclose(lead.values(), theirs / factor, atol=1e-9)


def test_the_demo_recording_has_eight_plausible_leads(data_dir: Path) -> None:
    recording = read((data_dir / "scp_edf" / "demo.scp").read_bytes())
    assert [lead.name for lead in recording.leads] == ["I", "II", *(f"V{n}" for n in range(1, 7))]
    assert {len(lead.samples) for lead in recording.leads} == {10000}
    assert {lead.sampling_rate_hz for lead in recording.leads} == {1000.0}
    assert all(0.3 < np.ptp(lead.values()) < 5 for lead in recording.leads)
    assert recording.findings == ()
    assert recording.subject == "12-678-QW"
    assert recording.started_at == datetime(2004, 6, 24, 16, 52, 16, tzinfo=timezone.utc)


@given(STEPS, STEPS, st.sampled_from((0, 1, 2)), st.sampled_from((None, made.DEFAULT, made.own_table())))
@settings(max_examples=150, deadline=None)
def test_what_was_encoded_comes_back(
    first: list[int], second: list[int], order: int, tables: made.Tables | None
) -> None:
    both = [np.cumsum(steps).clip(-8000, 8000).tolist() for steps in (first, second)]
    stored = [made.differences(lead, order) for lead in both]
    packed = [made.huffman(lead, tables) if tables else made.plain(lead) for lead in stored]
    sections = {
        3: made.lead_table([(1, len(first), 1), (1, len(second), 61)]),
        6: made.waveforms(packed, order=order),
    }
    recording = read(made.record(sections | ({2: tables.content} if tables else {})))
    assert [lead.samples.tolist() for lead in recording.leads] == both
    assert [lead.name for lead in recording.leads] == ["I", "III"]
    assert recording.findings == ()


def test_leads_recorded_one_after_the_other_get_groups_and_offsets() -> None:
    rows = [(1, 1000, 1), (1, 1000, 2), (1001, 2000, 3)]
    content = made.waveforms([made.plain([7] * 1000)] * 3, interval=2000)
    recording = read(made.record({3: made.lead_table(rows), 6: content}))
    assert [(lead.group, lead.start_offset_s) for lead in recording.leads] == [(0, 0.0), (0, 0.0), (1, 2.0)]


@pytest.mark.parametrize("tables", [None, made.DEFAULT])
def test_the_reference_beat_is_the_last_group(tables: made.Tables | None) -> None:
    pack = made.plain if tables is None else made.huffman
    beat = list(range(-100, 150))
    sections = {
        3: made.lead_table([(1, 2000, 2)]),
        4: struct.pack("<HHH", 500, 250, 0),
        5: made.waveforms([pack(beat)], interval=2000, amplitude=1000),
        6: made.waveforms([pack([3] * 1000)], interval=4000),  # half the rate at which section 3 counts
    }
    recording = read(made.record(sections | ({2: tables.content} if tables else {})))
    rhythm, averaged = recording.leads
    assert (len(rhythm.samples), rhythm.sampling_rate_hz, rhythm.group) == (1000, 250.0, 0)
    assert (averaged.samples.tolist(), averaged.sampling_rate_hz, averaged.group) == (beat, 500.0, 1)
    assert averaged.gain_adu_per_unit == 1000.0


def test_lengths_cut_to_16_bits_are_made_whole_where_the_section_holds_everything() -> None:
    values = (np.arange(40_000) % 777).tolist()
    recording = read(one_lead(made.waveforms([made.plain(values)]), 40_000))
    assert recording.leads[0].samples.tolist() == values
    assert rules(recording) == ["S15"]


def test_fewer_samples_than_declared_are_refused() -> None:
    assert refusal(one_lead(made.waveforms([made.plain([1] * 98)]), 100)).rule == "S08"
    assert refusal(one_lead(made.waveforms([made.huffman([500] * 80)]), 100, s2=made.DEFAULT.content)).rule == "S08"
    assert len(read(one_lead(made.waveforms([made.plain([1] * 99)]), 100)).leads[0].samples) == 99


def test_more_samples_than_declared_are_found() -> None:
    recording = read(one_lead(made.waveforms([made.plain([1] * 110)]), 100))
    assert (len(recording.leads[0].samples), rules(recording)) == (100, ["S15"])


def test_a_changed_bit_is_found_by_both_checksums() -> None:
    data = bytearray(one_lead(made.waveforms([made.plain([1] * 100)]), 100))
    data[-50] ^= 1
    recording = read(bytes(data))
    assert ["the record" in finding.message for finding in recording.findings] == [True, False]
    assert "section 6" in recording.findings[1].message


def test_lossy_compression_is_refused_by_name() -> None:
    assert re.search("bimodal", refusal(one_lead(made.waveforms([b"\0\0"], bimodal=1), 1)).message)
    subtracted = made.record({3: made.lead_table([(1, 1, 1)], flags=5), 6: made.waveforms([b"\0\0"])})
    assert re.search("reference-beat", refusal(subtracted).message)


def test_the_time_zone_moves_the_start_and_names_stay_inside() -> None:
    name_and_id = {"t0": b"Canary\0", "t1": b"Wren\0", "t2": b"P-17\0"}
    when = {
        "t25": struct.pack("<HBB", 2021, 3, 1),
        "t26": bytes((0, 30, 5)),
        "t34": struct.pack("<hH", 120, 0) + b"\0",
    }
    content = made.waveforms([made.plain([1] * 10)])
    recording = read(one_lead(content, 10, s1=made.tags(**name_and_id, **when)))
    assert recording.started_at == datetime(2021, 2, 28, 22, 30, 5, tzinfo=timezone.utc)
    assert recording.subject == "P-17"
    assert not re.search("Canary|Wren", repr(recording))


def test_without_an_amplitude_the_unit_is_unknown() -> None:
    recording = read(one_lead(made.waveforms([made.plain([1] * 10)], amplitude=0), 10))
    assert (recording.leads[0].unit, rules(recording)) == ("adu", ["S09"])


def test_more_samples_than_allowed_are_refused() -> None:
    assert refusal(one_lead(made.waveforms([made.plain([1] * 100)]), 100), max_samples=99).rule == "S01"


def test_only_scp_records_are_recognised(data_dir: Path) -> None:
    old = bytearray(one_lead(made.waveforms([b"\0\0"]), 1))
    old[16:22] = bytes(6)  # before version 1.3 the first section had no name
    old[6:8] = struct.pack("<H", made.crc(old[8:142]))
    assert scp.recognises(bytes(old))
    assert not scp.recognises(b"\0" * 200)
    assert not scp.recognises((data_dir / "scp_edf" / "0000050.ECG.edf").read_bytes())
