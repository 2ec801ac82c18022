"""Damaged SCP-ECG files: a recording or a refusal comes out, and nothing else."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vitalake.ecg.readers import scp_files as made
from tests.vitalake.ecg.readers.mutations import mutated, soon
from vitalake.ecg.readers.scp import reader as scp
from vitalake.errors import UnusableDataError


@given(st.data())
@settings(max_examples=300)
def test_damage_ends_in_a_recording_or_a_refusal(data: st.DataObject) -> None:
    lead = (1000 * np.sin(np.arange(300) / 9)).astype(int).tolist()
    tables = data.draw(st.sampled_from((made.DEFAULT, made.own_table())))
    sections = {
        1: made.tags(t2=b"P-17\0", t25=struct.pack("<HBB", 2021, 3, 1), t26=b"\1\1\1"),
        2: tables.content,
        3: made.lead_table([(1, 300, 1), (1, 300, 2)]),
        4: struct.pack("<HHH", 40, 20, 0),
        5: made.waveforms([made.huffman(lead[:20], tables)] * 2),
        6: made.waveforms([made.huffman(made.differences(lead, 2), tables)] * 2, order=2),
    }
    damaged = data.draw(mutated(made.record(sections), 500))
    try:
        with soon():
            recording = scp.read(damaged, max_samples=2000)
        assert sum(len(lead.samples) for lead in recording.leads) <= 2000
    except UnusableDataError as error:
        assert "P-17" not in error.message


@given(st.data())
@settings(max_examples=100)
def test_damage_to_a_real_file_ends_in_a_recording_or_a_refusal(data_dir: Path, data: st.DataObject) -> None:
    original = (data_dir / "scp_edf" / "demo.scp").read_bytes()
    damaged = data.draw(mutated(original, 450))
    try:
        with soon():
            recording = scp.read(damaged, max_samples=100_000)
        assert sum(len(lead.samples) for lead in recording.leads) <= 100_000
    except UnusableDataError:
        pass
