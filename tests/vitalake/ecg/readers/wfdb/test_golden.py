"""Real WFDB recordings: sample for sample what the independent wfdb package reads."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from tests.vitalake.ecg.readers.wfdb_files import checksum, read_with_wfdb
from vitalake.ecg.readers.wfdb.names import recordings
from vitalake.ecg.readers.wfdb.reader import is_header, needed, read
from vitalake.ecg.recording import Finding, Recording

pytestmark = pytest.mark.data
MAX_SAMPLES = 10_000_000
FOLDERS = {"wfdb_sample": 20, "mitdb": 4, "cinc2021_cpsc/cinc2021": 11, "cinc2021_cpsc/cpsc2021": 5}
# Made from test01_00s by leaving a signal out of the header: the last line kept the initial value of its neighbour.
WRONG_START = (Finding("S15", "lead 3 begins with -66, its header says -57"),)
FINDINGS = {"test01_00s_frame": WRONG_START, "test01_00s_skewframe": WRONG_START}


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(("name", "count"), FOLDERS.items())
def test_reads_as_the_wfdb_package_and_only_known_contradictions_are_found(
    name: str, count: int, data_dir: Path
) -> None:
    wfdb = pytest.importorskip("wfdb")
    files = files_of(data_dir / name)
    headers = [file for file in files if is_header(file, files[file])]
    assert len(headers) == count
    for file in headers:
        stem = file.removesuffix(".hea")
        expected, samples = read_with_wfdb(wfdb, data_dir / name / stem)
        found = read(file, files, max_samples=MAX_SAMPLES)
        assert isinstance(found, Recording)
        assert found.findings == FINDINGS.get(stem, ())
        assert needed(files[file]) == tuple(dict.fromkeys(expected.file_name))
        assert [lead.name for lead in found.leads] == expected.sig_name
        for at, lead in enumerate(found.leads):
            np.testing.assert_array_equal(lead.samples, samples[at])
            assert lead.samples.dtype == np.int32
            assert lead.sampling_rate_hz == expected.fs * expected.samps_per_frame[at]
            assert lead.gain_adu_per_unit == expected.adc_gain[at]  # all of mV, mv, mmHg and NU here
            assert lead.zero_adu == expected.baseline[at]
            assert lead.unit == {"mv": "mV"}.get(expected.units[at], expected.units[at])
        started = expected.base_datetime
        assert found.started_at == (started.replace(tzinfo=timezone.utc) if started else None)


def test_the_skewed_end_is_missing_and_nothing_else(data_dir: Path) -> None:
    files = files_of(data_dir / "wfdb_sample")
    plain, skewed = (read(name, files, max_samples=MAX_SAMPLES) for name in ("100.hea", "100skew.hea"))
    assert isinstance(plain, Recording)
    assert isinstance(skewed, Recording)
    np.testing.assert_array_equal(skewed.leads[1].samples[:-3], plain.leads[1].samples[3:])
    assert skewed.leads[1].missing is not None
    assert np.flatnonzero(skewed.leads[1].missing).tolist() == [649_997, 649_998, 649_999]
    assert plain.leads[1].missing is None
    assert skewed.leads[0].missing is None


def test_start_frames_and_diagnoses_are_what_the_headers_say(data_dir: Path) -> None:
    held = read("03700181.hea", files_of(data_dir / "wfdb_sample"), max_samples=MAX_SAMPLES)
    assert isinstance(held, Recording)
    assert held.started_at == datetime(1994, 8, 15, 17, 27, 45, tzinfo=timezone.utc)
    assert [(lead.sampling_rate_hz, len(lead.samples), lead.unit) for lead in held.leads] == [
        (500, 300_000, "mV"),
        (125, 75_000, "mmHg"),
        (125, 75_000, "mV"),
    ]
    labelled = read("E07506.hea", files_of(data_dir / "cinc2021_cpsc/cinc2021"), max_samples=MAX_SAMPLES)
    assert isinstance(labelled, Recording)
    assert (labelled.label, labelled.subject) == ("426783006", None)


def test_a_matlab_matrix_with_the_header_of_its_challenge_is_the_matrix(data_dir: Path) -> None:
    """The headers of CinC 2017 are not among the test data: these are spelled as they are published."""
    for path in sorted((data_dir / "cinc2017/validation").glob("*.mat"))[:10]:
        values = scipy.io.loadmat(path)["val"][0]
        line = f"{path.name} 16+24 1000/mV 16 0 {values[0]} {checksum(values.tolist())} 0 ECG "
        header = f"{path.stem} 1 300 {len(values)} 05:05:15 1/05/2000 \n{line}\n"
        files = {f"{path.stem}.hea": header.encode(), path.name: path.read_bytes()}
        found = read(f"{path.stem}.hea", files, max_samples=MAX_SAMPLES)
        assert isinstance(found, Recording)
        np.testing.assert_array_equal(found.leads[0].samples, values)
        assert found.findings == ()
        assert found.started_at == datetime(2000, 5, 1, 5, 5, 15, tzinfo=timezone.utc)


def test_names_of_real_folders_fall_into_their_recordings(data_dir: Path) -> None:
    names = [path.name for path in (data_dir / "wfdb_sample").iterdir()]
    groups = recordings(names)
    assert sorted(set(groups.values())) == [
        "03700181", "100", "310derive", "311derive", "a103l", "binformats", "s0010_re", "test01_00s",
    ]  # fmt: skip
    assert set(names) - groups.keys() == {"LICENSE", "test_edfann.edf"}
    assert groups["binformats.d0"] == "binformats"
    assert groups["s0010_re.xyz"] == "s0010_re"
    assert groups["310derive_2.dat"] == "310derive"
