"""Structural checks: what becomes a recording, what is refused and by which rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.vitalake.ecg.broken_files import BrokenFile, broken_files
from tests.vitalake.ecg.matlab_files import strip, v4_file, v5_file
from tests.vitalake.ecg.reading import read, rules, stored
from vitalake.ecg.devices import Device
from vitalake.ecg.structure import SourceConfig
from vitalake.errors import UnusableDataError

TWO_LEADS = SourceConfig(
    (Device("*", sampling_rate_hz=360.0, gain_adu_per_mv=200.0, zero_adu=1024.0, lead_names=("I", "II")),)
)


@pytest.mark.parametrize("file", broken_files(), ids=lambda file: file.name)
def test_broken_files_are_refused_by_their_rule(file: BrokenFile) -> None:
    with pytest.raises(UnusableDataError) as caught:
        read(file.data)
    assert caught.value.rule == file.rule, caught.value.message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "two_candidates.mat",
            "2 candidates for the signal (2 times 1 x 3,600 values): expected one matrix, or one called val",
        ),
        ("leads_20.mat", "would be 20 leads, expected 1 to 16"),
        (
            "nan_run.mat",
            "2.0% of lead 1 are NaN or infinite or marked as missing, 73 samples in a row: "
            "expected at most 5% and 72",
        ),
        ("rate_too_low.mat", "10 Hz: expected one from 50 to 2000 Hz"),
        ("rates_contradict.mat", "360 Hz in fs and 500 Hz in Fs"),
        ("rate_is_text.mat", "'fs' is text, expected a single number"),
        ("rate_is_many.mat", "'Fs' is 1 x 2 values"),
        ("too_short.mat", "1,799 samples, expected at least 1,800 (5 s at 360 Hz)"),
        ("v5_text_beside_numbers.mat", "'val' is text, expected a real numeric matrix"),
    ],
)
def test_messages_name_the_trouble(name: str, said: str) -> None:
    data = next(file.data for file in broken_files() if file.name == name)
    with pytest.raises(UnusableDataError) as caught:
        read(data)
    assert said in caught.value.message


def test_a_good_file_becomes_a_recording() -> None:
    recording = read(v4_file(strip()))
    assert (recording.file_format, recording.findings) == ("matlab_v4", ())
    (lead,) = recording.leads
    assert (lead.name, lead.unit, lead.sampling_rate_hz) == ("MLII", "mV", 360)
    assert lead.samples.dtype == np.int32
    np.testing.assert_array_equal(stored(recording), strip())
    assert lead.values()[0] == (strip()[0, 0] - 1024) / 200


@pytest.mark.parametrize("leads", [1, 12, 16])
def test_the_short_side_is_the_leads(leads: int) -> None:
    signal = strip(2000, leads) + np.arange(leads, dtype=np.int16)[:, None]
    for values in (signal, signal.T):
        recording = read(v4_file(values))
        np.testing.assert_array_equal(stored(recording), signal)


def test_lead_names_come_from_the_device_or_are_numbered() -> None:
    named = read(v4_file(strip(leads=2)), TWO_LEADS)
    assert ([lead.name for lead in named.leads], rules(named)) == (["I", "II"], ())
    numbered = read(v4_file(strip(leads=3)), TWO_LEADS)
    assert ([lead.name for lead in numbered.leads], rules(numbered)) == (
        ["lead_1", "lead_2", "lead_3"],
        ("S09",),
    )
    assert {lead.unit for lead in numbered.leads} == {"adu"}


def test_an_unknown_gain_is_a_warning() -> None:
    recording = read(v4_file(strip()), SourceConfig((Device("*", sampling_rate_hz=360.0),)))
    assert rules(recording) == ("S09",)


def test_the_rate_in_the_file_goes_before_the_configured_one() -> None:
    assert read(v4_file(strip())).leads[0].sampling_rate_hz == 360
    recording = read(v5_file(val=strip(), Fs=500))
    assert recording.leads[0].sampling_rate_hz == 500


def test_the_only_matrix_is_the_signal_and_the_configured_one_goes_first() -> None:
    only = read(v5_file(ecg=strip(), fs=360, note="text"))
    np.testing.assert_array_equal(stored(only), strip())
    configured = read(v5_file(ecg=strip() + 1, val=strip()))
    np.testing.assert_array_equal(stored(configured), strip())


@pytest.mark.parametrize("missing", [slice(900, 972), slice(None, None, 20)], ids=["0.2 s", "5 %"])
def test_a_few_missing_samples_are_a_warning(missing: slice) -> None:
    values = strip().astype(np.float64)
    values[0, missing] = np.nan
    values[0, missing.start or 0] = np.inf
    recording = read(v4_file(values))
    assert rules(recording) == ("S06",)
    np.testing.assert_array_equal(stored(recording), values)


@pytest.mark.parametrize(
    ("extra", "dtype", "stored_as"),
    [
        (-(2**31), "f8", np.int32),
        (2**31 - 1, "u4", np.int32),
        (7, "u8", np.int32),
        (2**31, "f4", np.float64),  # rounds into int32 where a processor saturates
        (2**32 - 1, "u4", np.float64),
        (2**60, "i8", np.float64),
        (2**63, "u8", np.float64),
        (0.5, "f4", np.float64),
        (-0.0, "f8", np.float64),  # no integer has that sign
    ],
)
def test_samples_keep_every_bit(extra: float, dtype: str, stored_as: type) -> None:
    values = with_first(extra, dtype)
    samples = stored(read(v5_file(val=values)))
    assert samples.dtype == stored_as
    assert samples.astype(dtype).tobytes() == values.tobytes()


@pytest.mark.parametrize(("extra", "dtype"), [(2**53 + 1, "i8"), (2**63 - 1, "i8"), (2**64 - 1, "u8")])
def test_samples_that_no_type_holds_are_refused(extra: int, dtype: str) -> None:
    with pytest.raises(UnusableDataError, match=r"S10: .* fit neither int32 nor float64"):
        read(v5_file(val=with_first(extra, dtype)))


def with_first(value: float, dtype: str) -> npt.NDArray[Any]:
    values = strip().astype(dtype)
    values[0, 0] = value
    return values


@pytest.mark.data
def test_every_real_fragment_becomes_a_recording(data_dir: Path) -> None:
    paths = sorted((data_dir / "plawiak").rglob("*.mat"))
    recordings = [read(path.read_bytes()) for path in paths]
    assert len(recordings) == 398
    assert {stored(recording).shape for recording in recordings} == {(1, 3600)}
    assert {rules(recording) for recording in recordings} == {()}


@pytest.mark.data
def test_a_real_v5_file_with_its_own_rate(data_dir: Path) -> None:
    data = (data_dir / "mat_other/100m_v5_uint16.mat").read_bytes()
    recording = read(data, SourceConfig((Device("*", sampling_rate_hz=500.0),)))
    assert (recording.file_format, recording.leads[0].sampling_rate_hz) == ("matlab_v5", 360)
    assert stored(recording).shape == (1, 3600)
    assert stored(recording).dtype == np.int32


@pytest.mark.data
def test_a_real_file_of_many_matrices_is_refused_with_their_shapes(data_dir: Path) -> None:
    with pytest.raises(UnusableDataError, match=r"S03: 9 candidates for the signal \([0-9 x,a-z]+\): expected one"):
        read((data_dir / "mat_other/test1.mat").read_bytes())


def test_the_version_of_a_file_does_not_change_its_samples() -> None:
    old, new = v4_file(strip()), v5_file(True, val=strip().astype(np.uint16), fs=360)
    first, second = (read(data) for data in (old, new))
    np.testing.assert_array_equal(stored(first), stored(second), strict=True)
    ours, theirs = first.leads[0], second.leads[0]
    assert (ours.name, ours.unit, ours.sampling_rate_hz) == (theirs.name, theirs.unit, theirs.sampling_rate_hz)
    assert (ours.gain_adu_per_unit, ours.zero_adu) == (theirs.gain_adu_per_unit, theirs.zero_adu)
