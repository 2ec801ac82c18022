from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vitalake.ecg.readers.dicom import reader as dicom
from vitalake.ecg.readers.edf import reader as edf
from vitalake.ecg.recording import Lead
from vitalake.ecg.resolution import resolution_finding

STORED = np.zeros(10, np.int32)


def finding_of(*leads: Lead) -> str | None:
    found = resolution_finding(leads)
    assert found is None or found.rule == "S10"
    return found and found.message


@pytest.mark.data
def test_a_file_that_reads_six_times_too_large_is_found(data_dir: Path) -> None:
    recording = edf.read((data_dir / "scp_edf/0000050.ECG.edf").read_bytes(), max_samples=10**6)
    found = resolution_finding(recording.leads)
    assert found is not None
    assert found.rule == "S10"
    assert "30.52 µV in 12 of 12 leads" in found.message


@pytest.mark.data
def test_good_files_raise_no_alarm(data_dir: Path) -> None:
    good = (("edf/example.edf", edf), ("dicom/anonymous_ecg.dcm", dicom))
    for name, reader in good:
        assert resolution_finding(reader.read((data_dir / name).read_bytes(), max_samples=10**6).leads) is None


@pytest.mark.data
def test_published_records_in_wfdb_raise_no_alarm(data_dir: Path) -> None:
    wfdb = pytest.importorskip("wfdb")
    folders = ("mitdb", "cinc2017/validation", "wfdb_sample", "cinc2021_cpsc")
    headers = [path for folder in folders for path in (data_dir / folder).rglob("*.hea")]
    steps = 0
    for path in headers:
        record = wfdb.rdheader(str(path.with_suffix("")))
        for gain, unit in zip(record.adc_gain, record.units, strict=True):
            steps += unit.lower() == "mv"
            assert finding_of(Lead("", STORED, 500.0, gain, 0.0, "mV" if unit.lower() == "mv" else unit)) is None
    assert steps > 100


@pytest.mark.parametrize("gain", [1000.0, 200.0, -200.0, 100.0, 99.95])
def test_steps_of_up_to_ten_microvolts_are_tolerated(gain: float) -> None:
    assert finding_of(Lead("I", STORED, 500.0, gain, 0.0, "mV")) is None


@pytest.mark.parametrize("gain", [99.0, -50.0, 1.0])
def test_coarser_steps_are_found_with_their_size(gain: float) -> None:
    message = finding_of(Lead("I", STORED, 500.0, 500.0, 0.0, "mV"), Lead("II", STORED, 500.0, gain, 0.0, "mV"))
    assert message is not None
    assert f"{1000 / abs(gain):,.4g} µV in 1 of 2 leads" in message


@pytest.mark.parametrize(
    "lead",
    [
        Lead("I", STORED, 500.0),
        Lead("pressure", STORED, 500.0, 10.0, 0.0, "mmHg"),
        Lead("I", STORED.astype(float), 500.0, 1.0, 0.0, "mV"),
    ],
)
def test_what_has_no_step_in_microvolts_is_left_out(lead: Lead) -> None:
    assert finding_of(lead) is None
