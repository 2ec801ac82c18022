"""Sampling rates in words: found in many languages, and in no line about anything else."""

from __future__ import annotations

import pytest

from vitalake.ecg.readers.text.rates import stated_rates


@pytest.mark.parametrize(
    ("line", "rate"),
    [
        ("Sample Rate,512 hertz", 512.0),
        ("Sample Rate\t511.782 hertz", 511.782),
        ("Messrate,512 Hertz", 512.0),
        ("Abtastrate: 511,999 Hz", 511.999),
        ("Fr\u00e9quence d\u2019\u00e9chantillonnage,512 hertz", 512.0),
        ("Frecuencia de muestreo: 250 Hz", 250.0),
        ("\u30b5\u30f3\u30d7\u30eb\u30ec\u30fc\u30c8,512\u30d8\u30eb\u30c4", 512.0),
        ("D\u00e9bit,512 hertz", 512.0),
        ("Sampling rate (Hz): 500", 500.0),
        ("sampling_frequency=1000", 1000.0),
        ("Sampling rate (kHz): 1", 1000.0),
        ("Sampling rate: 0.5 kHz", 500.0),
        ("Sampling rate: 1,000 Hz", 1000.0),
        ("Sampling rate: 1.000 Hz", 1000.0),
        ("Sample rate,500.000 hz", 500.0),
        ("Sampling: 250 Hz", 250.0),
        ("fs = 360", 360.0),
        ("Frequency: 250", 250.0),
        ("250 samples/second", 250.0),
        ("rate: 250 SPS", 250.0),
        ("2 msec/sample", 500.0),
        ("0.5 msec/sample", 2000.0),
        ("Interval=0,001 s", 1000.0),
        ("Sampling interval (ms): 4", 250.0),
        ("Sample period: 0.002", 500.0),
    ],
)
def test_what_states_a_rate(line: str, rate: float) -> None:
    assert stated_rates([line]) == (rate,)


@pytest.mark.parametrize(
    "line",
    [
        "Notch filter frequency: 50 Hz",
        "Line frequency,60",
        "Low pass: 150 Hz",
        "Netzfilter,50 hertz",
        "Mains,50 hertz",
        "RR interval: 800 ms",
        "PR interval 160 ms",
        "Samples: 5000",
        "Anzahl Abtastwerte: 5000",
        "Sampling interval: 4",
        "Heart rate: 72",
        "Sampling rate: 0 Hz",
        "Sampling rate: unknown",
        "Device,Watch 7",
        "",
    ],
)
def test_what_states_none(line: str) -> None:
    assert stated_rates([line]) == ()


def test_several_are_told_once_each_and_that_of_the_ecg_goes_before_others() -> None:
    assert stated_rates(["Sampling rate A: 250 Hz", "Sampling rate B: 50 Hz", "fs: 250"]) == (250.0, 50.0)
    assert stated_rates(["ACC sampling rate: 50 Hz", "ECG sampling rate: 250 Hz"]) == (250.0,)
