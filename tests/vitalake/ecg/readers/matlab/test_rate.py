"""Where a MATLAB file says its sampling rate, and what is refused of it."""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np
import pytest

from tests.vitalake.ecg.matlab_files import strip, v4_file, v5_file
from vitalake.ecg.readers.matlab.reader import read
from vitalake.errors import UnusableDataError

PLENTY = 2**20


def rate(**variables: Any) -> float:
    return read(v5_file(**{"val": strip(), **variables}), max_samples=PLENTY).leads[0].sampling_rate_hz


@pytest.mark.parametrize(
    "name",
    [
        *("fs", "Fs", "FS", "freq", "srate", "sampling_rate", "sfreq", "SampleRate", "samplingFrequency"),
        *("sample_rate", "Sampling_Rate_Hz", "fs_hz", "ECG_fs", "fsample", "frequency", "samp_freq"),
    ],
)
def test_names_of_a_rate(name: str) -> None:
    assert rate(**{name: 500.0}) == 500


@pytest.mark.parametrize(
    ("name", "value"), [("dt", 0.002), ("Ts", 2.0), ("sampling_interval", 2000.0), ("dt_ms", 2.0), ("isi", 2.0)]
)
def test_an_interval_is_a_rate(name: str, value: float) -> None:
    assert rate(**{name: value}) == 500


def test_a_rate_in_kilohertz() -> None:
    assert rate(fs_kHz=0.5) == 500


def test_the_oldest_version_says_it_in_a_variable_beside() -> None:
    data = v4_file(strip()) + v4_file(np.array([[500.0]]), b"freq")
    assert read(data, max_samples=PLENTY).leads[0].sampling_rate_hz == 500


def test_a_rate_in_a_structure_beside_the_signal() -> None:
    assert rate(info={"fs": 500}) == 500
    assert rate(header={"recording": {"sampling_rate": 500}}) == 500


def test_the_rate_nearest_to_the_signal_counts() -> None:
    nested = v5_file(ECG={"data": strip(), "fs": 500}, PPG={"fs": 100})
    assert read(nested, max_samples=PLENTY).leads[0].sampling_rate_hz == 500
    around = v5_file(record={"ecg": {"signal": strip()}, "Fs": 500}, other={"fs": 100})
    assert read(around, max_samples=PLENTY).leads[0].sampling_rate_hz == 500
    assert rate(fs=500, PPG={"fs": 100}) == 500


@pytest.mark.parametrize("place", ["", "record/"])
def test_a_rate_in_hdf5(place: str) -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as content:
        content[f"{place}signal"], content[f"{place}sampling_rate"] = strip(), 500.0
    assert read(file.getvalue(), max_samples=PLENTY).leads[0].sampling_rate_hz == 500


@pytest.mark.parametrize("variables", [{}, {"freq": np.linspace(0, 250, 900)}, {"heart_rate": 72}, {"rate": 72}])
def test_what_says_no_rate(variables: dict[str, Any]) -> None:
    assert rate(**variables) == 0


def test_a_signal_that_is_called_as_a_rate_is() -> None:
    recording = read(v5_file(fs=strip()), max_samples=PLENTY)
    assert (len(recording.leads[0].samples), recording.leads[0].sampling_rate_hz) == (3600, 0)


def test_several_that_agree() -> None:
    assert rate(fs=500, sampling_rate=500.0, dt=0.002) == 500
    assert rate(fs=360, dt=0.0028) == 360
    assert rate(freq=[500, 500]) == 500


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"fs": 500, "freq": 360}, "sampling rate 500 Hz in fs and 360 Hz in freq: expected one"),
        ({"fs": 500, "dt": 0.004}, "500 Hz in fs and 250 Hz in dt"),
        ({"a": {"fs": 500}, "b": {"fs": 250}}, "500 Hz in fs and 250 Hz in fs"),
        ({"freq": 0}, "'freq' says 0, expected a sampling rate above 0"),
        ({"srate": -500}, "'srate' says -500"),
        ({"fs": np.nan}, "'fs' says nan"),
        ({"freq": [500, 250]}, "'freq' is 1 x 2 values, expected a single number"),
        ({"sfreq": "500"}, "'sfreq' is text, expected a single number"),
        ({"fs": []}, "'fs' is 0 x 0 values"),
        ({"fs": 500 + 1j}, "'fs' is complex"),
        ({"dt": 1e-9}, "'dt' says 1e-09 between samples: in no unit of time a rate"),
    ],
)
def test_what_is_refused(variables: dict[str, Any], said: str) -> None:
    with pytest.raises(UnusableDataError) as caught:
        rate(**variables)
    assert caught.value.rule == "S07"
    assert said in caught.value.message


def test_a_structure_that_cannot_be_read_costs_the_rate_only() -> None:
    many = {f"field_{number}": {"a": 1.0} for number in range(1001)}
    assert rate(notes=many) == 0


def test_single_numbers_are_no_candidates_for_the_signal() -> None:
    recording = read(v5_file(ecg=strip(), fs=500, gain=200, age=60), max_samples=PLENTY)
    assert recording.leads[0].sampling_rate_hz == 500
