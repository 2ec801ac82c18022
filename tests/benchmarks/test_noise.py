"""Noise stress: noise of the power asked for, the same at every run."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.cases import Case
from benchmarks.quality.noise import KINDS, add_noise, qrs_power
from vitalake.ecg.recording import Lead, Recording

RATE = 360.0


BEATS = np.arange(180, 3600, 360, dtype=np.int64)


def spikes() -> Case:
    """Ten seconds of triangles 2 mV high, a second apart."""
    x = np.zeros(3600)
    for beat in BEATS:
        x[beat - 10 : beat + 11] += 2.0 - 0.2 * np.abs(np.arange(-10, 11))
    stored = np.round(x * 200 + 1024).astype(np.int32)
    lead = Lead("I", stored, RATE, 200.0, 1024.0, "mV")
    return Case("spikes", Recording((lead,), "test"), "", beats=BEATS, calm=True)


def test_signal_power_is_that_of_a_sine_as_high_as_the_complex() -> None:
    case = spikes()
    assert qrs_power(case.recording.leads[0].values(), BEATS, RATE) == pytest.approx(2.0**2 / 8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [24, -6])
def test_noise_has_the_ratio_asked_for(kind: str, ratio: int) -> None:
    case = spikes()
    noisy = add_noise([case], kind, ratio)[0]
    added = noisy.recording.leads[0].values() - case.recording.leads[0].values()
    signal = qrs_power(case.recording.leads[0].values(), BEATS, RATE)
    assert 10 * np.log10(signal / np.mean(added**2)) == pytest.approx(ratio, abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_strip_meets_the_same_noise_at_every_run(kind: str) -> None:
    first, second = (add_noise([spikes()], kind, 6)[0].recording.leads[0].samples for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(("kind", "low_hz", "high_hz"), [("muscle", 15, 155), ("baseline wander", 0, 0.5)])
def test_noise_lies_in_its_band(kind: str, low_hz: float, high_hz: float) -> None:
    noise = KINDS[kind](36000, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(noise - noise.mean())) ** 2
    frequency = np.fft.rfftfreq(36000, 1 / RATE)
    assert power[(frequency >= low_hz) & (frequency <= high_hz)].sum() > 0.95 * power.sum()
