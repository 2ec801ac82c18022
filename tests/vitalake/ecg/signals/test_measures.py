"""The maths of each measure: known values, ranges, direction, and signals that are none."""

from __future__ import annotations

from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
import scipy.signal
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cli.demo.recordings import strip_mv
from vitalake.ecg.quality.rules import RULES
from vitalake.ecg.signals.filters import Bands, fast_length, moving_mean
from vitalake.ecg.signals.measures import MEASURES, Measured, OverWindows, measure, summarise

RATE = 360
LSB = 0.005
TIME = np.arange(10 * RATE) / RATE
SHARES = {
    *("flat_share", "wander_share", "mains_share", "muscle_share", "qrs_share"),
    *("detector_agreement", "quality_index"),
}
CORRELATIONS = {"beat_correlation", "beat_recurrence"}

Strip = npt.NDArray[np.float64]


def sine(frequency_hz: float, amplitude_mv: float = 1.0, rate: float = RATE) -> Strip:
    wave = np.sin(2 * np.pi * frequency_hz * np.arange(round(10 * rate)) / rate)
    return np.asarray(amplitude_mv * wave, dtype=np.float64)


def of(column: str, *strips: Strip, rate: float = RATE) -> Strip:
    return measure(np.stack(strips), rate, LSB).values[column]


def clean(seed: int = 1) -> Strip:
    return strip_mv("clean", np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("column", "strip", "value"),
    [
        ("max_abs_mv", sine(5, 1.5) + 4, 1.5),
        ("offset_mv", sine(5) - 4, 4.0),
        ("peak_to_peak_mv", sine(5, 1.5), 3.0),
        ("amplitude_mv", sine(5, 1.5) + sine(0.05, 5), 3.0),
        ("step_max_mv", np.where(TIME < 5, 0.0, 2.5), 2.5),
        ("wander_mv", sine(0.1, 1.0) + sine(10, 3.0), 2.0),
        ("wander_share", sine(0.5, 1.0) + sine(10, 1.0), 0.5),
        ("wander_share", sine(0.5, 1.0) + sine(10, 2.0) + 100, 0.2),
        ("mains_share", sine(50, 1.0) + sine(10, 1.0), 0.5),
        ("mains_share", sine(60, 1.0) + sine(10, 2.0), 0.2),
        ("muscle_share", sine(70, 1.0) + sine(10, 1.0) + sine(150, 5.0), 0.5),
        ("qrs_share", sine(10, 1.0) + sine(25, 1.0) + sine(2, 5.0), 0.5),
        ("band_ratio", sine(10, 2.0) + sine(100, 1.0), 4.0),
        ("kurtosis", sine(10), 1.5),
        ("kurtosis", np.random.default_rng(1).normal(0, 1, TIME.size), 3.0),
    ],
)
def test_a_signal_of_known_shape_has_a_known_value(column: str, strip: Strip, value: float) -> None:
    assert of(column, strip)[0] == pytest.approx(value, rel=0.06)


@pytest.mark.parametrize(
    ("column", "base", "added"),
    [
        ("wander_mv", clean(), sine(0.2)),
        ("wander_share", clean(), sine(0.2)),
        ("mains_share", clean(), sine(50)),
        ("muscle_share", clean(), sine(70)),
        ("step_max_mv", clean(), sine(150)),
        ("max_abs_mv", clean(), np.where(np.arange(TIME.size) == 1000, 5.0, 0.0)),
    ],
)
def test_more_disturbance_is_more_of_the_measure(column: str, base: Strip, added: Strip) -> None:
    values = of(column, *(base + k * added for k in (0, 0.5, 0.7, 1, 2)))
    assert (np.diff(values) > 0).all()


@pytest.mark.parametrize(
    "column", ["beat_correlation", "beat_recurrence", "detector_agreement", "quality_index", "band_ratio"]
)
def test_more_white_noise_is_less_of_what_is_good(column: str) -> None:
    noise = np.random.default_rng(2).normal(0, 1, (40, TIME.size))
    hearts = np.stack([clean(seed) for seed in range(40)])
    means = [measure(hearts + k * noise, RATE, LSB).values[column].mean() for k in (0, 0.2, 0.5, 1)]
    assert (np.diff(means) < 0).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 3000), st.sampled_from([50.0, 100.0, 128.0, 360.0, 500.0, 2000.0]))
def test_every_measure_keeps_its_range(seed: int, samples: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 10.0 ** rng.integers(-3, 3), (2, samples)).cumsum(axis=1)
    values = measure(x, rate, LSB).values
    for name, column in values.items():
        known = column[~np.isnan(column)]
        assert column.shape == (2,)
        assert (known >= (-1 if name in CORRELATIONS else 0)).all(), name
        assert (known <= (1 + 1e-9 if name in SHARES | CORRELATIONS else np.inf)).all(), name


@pytest.mark.parametrize(
    "x",
    [np.empty((2, 0)), np.ones((2, 1)), np.full((2, 50), np.nan), np.zeros((2, 3600)), np.full((2, 3600), 1e4 / 3)],
)
def test_a_flat_line_of_any_kind_has_no_spectrum_no_beats_and_no_quality(x: Strip) -> None:
    values, peaks = measure(x, RATE, LSB)
    for name in ("quality_index", "beat_correlation", "beat_recurrence", "detector_agreement", "amplitude_mv"):
        assert (values[name] == 0).all()
    for name in ("kurtosis", "wander_share", "mains_share", "muscle_share", "qrs_share", "beat_rate_bpm"):
        assert np.isnan(values[name]).all()
    assert [len(found) for found in peaks] == [0, 0]


def test_below_four_beats_nothing_is_alike() -> None:
    x = clean()
    values = measure(x[None, : 2 * RATE], RATE, LSB).values
    assert values["beat_correlation"][0] == values["beat_recurrence"][0] == 0


def test_beats_of_two_shapes_recur_but_do_not_resemble_their_median() -> None:
    x = np.stack([strip_mv("bigeminy", np.random.default_rng(seed)) for seed in range(20)])
    values = measure(x, RATE, LSB).values
    assert values["beat_recurrence"].min() > 0.95
    assert values["beat_correlation"].mean() < values["beat_recurrence"].mean()


def test_the_rate_is_that_of_the_beats_and_the_gap_counts_the_ends() -> None:
    x = sum((np.exp(-0.5 * ((TIME - at) / 0.012) ** 2) for at in (1.0, 1.8, 2.6, 3.4)), np.zeros(TIME.size))
    values = measure(x[None], RATE, LSB).values
    assert values["beat_rate_bpm"][0] == pytest.approx(75, rel=0.01)
    assert values["beat_gap_s"][0] == pytest.approx(6.6, abs=0.02)


@pytest.mark.parametrize(
    ("rate", "without"), [(50.0, {"mains_share", "muscle_share"}), (110.0, {"muscle_share"}), (128.0, set())]
)
def test_a_band_above_nyquist_has_no_value(rate: float, without: set[str]) -> None:
    x = np.interp(np.arange(round(10 * rate)) / rate, TIME, clean())
    values = measure(x[None], rate, LSB).values
    assert {name for name, column in values.items() if np.isnan(column[0])} == without


@pytest.mark.parametrize("rate", [125.0, 250.0, 1000.0, 2000.0])
def test_the_sampling_rate_changes_little(rate: float) -> None:
    samples = scipy.signal.resample_poly(clean(), round(rate), RATE)
    ours, theirs = (measure(x[None], r, LSB).values for x, r in ((samples, rate), (clean(), RATE)))
    for name in ("amplitude_mv", "kurtosis", "qrs_share", "beat_correlation", "quality_index", "beat_rate_bpm"):
        assert ours[name][0] == pytest.approx(theirs[name][0], rel=0.05)


def test_without_a_gain_millivolts_are_unknown_and_the_rest_is_the_same() -> None:
    known = measure(clean()[None], RATE, LSB).values
    unknown = measure(200 * clean()[None] + 1024, RATE, 200 * LSB, calibrated=False).values
    for name, column in unknown.items():
        if MEASURES[name].unit == "mV":
            assert np.isnan(column).all()
        else:
            assert column == pytest.approx(known[name], rel=1e-6, nan_ok=True)


@given(st.integers(0, 2**32 - 1))
def test_a_strip_measures_the_same_alone_and_in_any_batch(seed: int) -> None:
    x = np.random.default_rng(seed).normal(0, 1, (3, 1000)).cumsum(axis=1)
    together = measure(x, RATE, np.array([LSB, 0.01, 1.0]))
    for row, lsb in enumerate([LSB, 0.01, 1.0]):
        alone = measure(x[row : row + 1], RATE, lsb)
        assert np.array_equal(alone.r_peaks[0], together.r_peaks[row])
        for name, values in alone.values.items():
            assert values[0] == pytest.approx(together.values[name][row], rel=1e-9, abs=1e-12, nan_ok=True)


def test_missing_samples_are_bridged_and_the_array_stays_as_it_was() -> None:
    x = sine(1.3, 0.4)
    gaps = x.copy()
    missing = np.random.default_rng(1).permutation(x.size)[:180]
    gaps[missing] = np.nan
    assert of("amplitude_mv", gaps) == pytest.approx(of("amplitude_mv", x), abs=0.02)
    assert np.isnan(gaps[missing]).all()


def test_one_strip_without_its_batch_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        measure(clean(), RATE, LSB)


def test_no_strips_have_no_values() -> None:
    values, peaks = measure(np.empty((0, 3600)), RATE, LSB)
    assert all(column.shape == (0,) for column in values.values())
    assert peaks == []


def test_a_lead_is_summarised_as_each_measure_declares() -> None:
    windows = np.array([1.0, 2.0, 6.0, np.nan])
    expected = {"median": 2.0, "max": 6.0, "min": 1.0, "mean": 3.0}
    for name, value in summarise(dict.fromkeys(MEASURES, windows)).items():
        assert value == expected[MEASURES[name].over_windows]
    assert np.isnan(summarise({"kurtosis": np.array([np.nan])})["kurtosis"])


def test_every_measure_is_documented_and_every_rule_has_its_measure() -> None:
    assert {rule.measure for rule in RULES} <= MEASURES.keys()
    for name, item in MEASURES.items():
        assert item.name == name == item.function.__name__
        assert item.over_windows in get_args(OverWindows)
        assert len(item.function.__doc__ or "") > 60
        assert (item.unit == "mV") == name.endswith("_mv")
    assert isinstance(measure(clean()[None], RATE, LSB), Measured)


@pytest.mark.parametrize("rate", [100.0, 360.0, 1000.0])
def test_filters_are_those_of_scipy_away_from_the_ends(rate: float) -> None:
    x = np.random.default_rng(3).normal(0, 1, (2, round(10 * rate))).cumsum(axis=1)
    bands = Bands(x, rate)
    inside = slice(round(2 * rate), -round(2 * rate))
    for ours, kind, edge in (
        (bands.above(0.7), "highpass", 0.7),
        (bands.between(8, 20), "bandpass", (8, 20)),
        (bands.below(5.0), "lowpass", 5.0),
    ):
        sections = scipy.signal.butter(2, edge, kind, fs=rate, output="sos")
        theirs = scipy.signal.sosfiltfilt(sections, x, padlen=round(rate))
        assert np.abs(ours - theirs)[:, inside].max() < 0.02 * theirs.std()


def test_kurtosis_is_that_of_scipy() -> None:
    x = sine(7) ** 3 + sine(31, 0.2)
    assert of("kurtosis", x)[0] == pytest.approx(
        scipy.stats.kurtosis(Bands(x[None], RATE).above(0.7)[0], fisher=False)
    )


@given(st.integers(1, 10**6))
def test_fast_lengths_are_products_of_two_three_and_five(samples: int) -> None:
    length = fast_length(samples)
    assert length >= samples
    for prime in (2, 3, 5):
        while length % prime == 0:
            length //= prime
    assert length == 1


def test_a_moving_mean_is_a_convolution() -> None:
    x = np.random.default_rng(4).normal(0, 1, (2, 200))
    expected = np.stack([np.convolve(np.pad(row, 5, mode="edge"), np.ones(11) / 11, "valid") for row in x])
    assert moving_mean(x, 10) == pytest.approx(expected)
