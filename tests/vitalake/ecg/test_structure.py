"""Structural checks: what becomes a recording, what is refused and by which rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.vitalake.ecg.broken_files import BrokenFile, broken_files
from tests.vitalake.ecg.matlab_files import strip, v4_file, v5_file
from vitalake.ecg.structure import SourceConfig, parse_path, read_recording
from vitalake.errors import UnusableDataError

CONFIG = SourceConfig()
TWO_LEADS = SourceConfig(lead_names=("I", "II"))


@pytest.mark.parametrize("file", broken_files(), ids=lambda file: file.name)
def test_broken_files_are_refused_by_their_rule(file: BrokenFile) -> None:
    with pytest.raises(UnusableDataError) as caught:
        read_recording(file.name, file.data, CONFIG)
    assert caught.value.rule == file.rule, caught.value.message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("two_candidates.mat", "2 candidates for the signal (raw, filtered): expected val"),
        ("leads_20.mat", "would be 20 leads, expected 1 to 16"),
        ("nan_run.mat", "2.0% of a lead are NaN or infinite, 73 samples in a row: expected at most 5% and 72"),
        ("rate_too_low.mat", "10 Hz in fs: expected one from 50 to 2000 Hz"),
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
        read_recording(name, data, CONFIG)
    assert said in caught.value.message


def test_an_object_beyond_the_limit_is_refused() -> None:
    with pytest.raises(UnusableDataError, match="S01: 7,224 bytes, expected 1 to 7,223"):
        read_recording("a.mat", v4_file(strip()), SourceConfig(object_bytes=7223))


def test_a_good_file_becomes_a_recording() -> None:
    recording = read_recording("ecg/device=h-7/MLII/4 AFIB/201m (12).mat", v4_file(strip()), CONFIG)
    assert (recording.label, recording.record, recording.fragment) == ("AFIB", "201", 12)
    assert (recording.device_id, recording.file_format, recording.warnings) == ("h-7", "matlab_v4", ())
    assert recording.calibration.lead_names == ("MLII",)
    assert recording.samples.dtype == np.int32
    np.testing.assert_array_equal(recording.samples, strip())
    assert recording.millivolts()[0, 0] == (strip()[0, 0] - 1024) / 200


@pytest.mark.parametrize("leads", [1, 12, 16])
def test_the_short_side_is_the_leads(leads: int) -> None:
    signal = strip(2000, leads) + np.arange(leads, dtype=np.int16)[:, None]
    for values in (signal, signal.T):
        recording = read_recording("a.mat", v4_file(values), CONFIG)
        np.testing.assert_array_equal(recording.samples, signal)


def test_lead_names_come_from_the_configuration_or_are_numbered() -> None:
    named = read_recording("a.mat", v4_file(strip(leads=2)), TWO_LEADS)
    assert (named.calibration.lead_names, named.warnings) == (("I", "II"), ())
    numbered = read_recording("a.mat", v4_file(strip(leads=3)), TWO_LEADS)
    assert (numbered.calibration.lead_names, numbered.warnings) == (("lead_1", "lead_2", "lead_3"), ("S09",))


def test_an_unknown_gain_is_a_warning() -> None:
    recording = read_recording("a.mat", v4_file(strip()), SourceConfig(gain_adu_per_mv=None))
    assert recording.warnings == ("S09",)


def test_the_rate_in_the_file_goes_before_the_configured_one() -> None:
    assert read_recording("a.mat", v4_file(strip()), CONFIG).calibration.sampling_rate_hz == 360
    recording = read_recording("a.mat", v5_file(val=strip(), Fs=500), CONFIG)
    assert recording.calibration.sampling_rate_hz == 500


def test_the_only_matrix_is_the_signal_and_the_configured_one_goes_first() -> None:
    only = read_recording("a.mat", v5_file(ecg=strip(), fs=360, note="text"), CONFIG)
    np.testing.assert_array_equal(only.samples, strip())
    configured = read_recording("a.mat", v5_file(ecg=strip() + 1, val=strip()), CONFIG)
    np.testing.assert_array_equal(configured.samples, strip())


@pytest.mark.parametrize("missing", [slice(900, 972), slice(None, None, 20)], ids=["0.2 s", "5 %"])
def test_a_few_missing_samples_are_a_warning(missing: slice) -> None:
    values = strip().astype(np.float64)
    values[0, missing] = np.nan
    values[0, missing.start or 0] = np.inf
    recording = read_recording("4 AFIB/x.mat", v4_file(values), CONFIG)
    assert recording.warnings == ("S06", "S14")
    np.testing.assert_array_equal(recording.samples, values)


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
    samples = read_recording("a.mat", v5_file(val=values), CONFIG).samples
    assert samples.dtype == stored_as
    assert samples.astype(dtype).tobytes() == values.tobytes()


@pytest.mark.parametrize(("extra", "dtype"), [(2**53 + 1, "i8"), (2**63 - 1, "i8"), (2**64 - 1, "u8")])
def test_samples_that_no_type_holds_are_refused(extra: int, dtype: str) -> None:
    with pytest.raises(UnusableDataError, match=r"S10: .* fit neither int32 nor float64"):
        read_recording("a.mat", v5_file(val=with_first(extra, dtype)), CONFIG)


def with_first(value: float, dtype: str) -> npt.NDArray[Any]:
    values = strip().astype(dtype)
    values[0, 0] = value
    return values


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("ecg/MLII/1 NSR/100m (1).mat", ("NSR", "100", 1, None, ())),
        ("17 PR/107m (10).mat", ("PR", "107", 10, None, ())),
        ("device=holter 3/2026/11/20/a.mat", (None, None, None, "holter 3", ())),
        ("ecg/device=7/9 Trigeminy/119m (2).MAT", (None, None, None, "7", ("S14",))),
        ("ecg/1 NSR/copy of 100m (1).mat", (None, None, None, None, ("S14",))),
        ("ecg/NSR/100m (1).mat", (None, None, None, None, ("S14",))),
        ("100m (1).mat", (None, None, None, None, ("S14",))),
        ("ecg/2026/11/20/upload-1.mat", (None, None, None, None, ())),
        ("device=/x.mat", (None, None, None, None, ())),
        ("", (None, None, None, None, ())),
    ],
)
def test_path_metadata(key: str, expected: tuple[Any, ...]) -> None:
    assert tuple(parse_path(key)) == expected


@pytest.mark.data
def test_every_real_fragment_becomes_a_recording(data_dir: Path) -> None:
    paths = sorted((data_dir / "plawiak").rglob("*.mat"))
    recordings = [
        read_recording(path.relative_to(data_dir).as_posix(), path.read_bytes(), CONFIG) for path in paths
    ]
    assert len(recordings) == 398
    assert len({recording.label for recording in recordings}) == 17
    assert {recording.samples.shape for recording in recordings} == {(1, 3600)}
    assert {recording.warnings for recording in recordings} == {()}


@pytest.mark.data
def test_a_real_v5_file_with_its_own_rate(data_dir: Path) -> None:
    data = (data_dir / "mat_other/100m_v5_uint16.mat").read_bytes()
    recording = read_recording("a.mat", data, SourceConfig(sampling_rate_hz=500))
    assert (recording.file_format, recording.calibration.sampling_rate_hz) == ("matlab_v5", 360)
    assert recording.samples.shape == (1, 3600)
    assert recording.samples.dtype == np.int32


@pytest.mark.data
def test_a_real_file_of_many_matrices_is_refused_with_their_names(data_dir: Path) -> None:
    with pytest.raises(UnusableDataError, match=r"S03: 9 candidates for the signal \(ECG12Lead, R_12L, "):
        read_recording("a.mat", (data_dir / "mat_other/test1.mat").read_bytes(), CONFIG)


def test_the_version_of_a_file_does_not_change_its_samples() -> None:
    old, new = v4_file(strip()), v5_file(True, val=strip().astype(np.uint16), fs=360)
    first, second = (read_recording("a.mat", data, CONFIG) for data in (old, new))
    np.testing.assert_array_equal(first.samples, second.samples, strict=True)
    assert first.calibration == second.calibration
