"""Every signal measure: the registry, and how a batch of strips or the windows of a long lead are measured.

Belongs here: which measures there are, in which unit, and how windows are summarised. Does not belong here: how a
measure is computed (`levels.py`, `spectrum.py`, `beats.py`) or from which value on it is bad
(`vitalake/ecg/quality/rules.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.signals import beats, levels, spectrum
from vitalake.ecg.signals.agreement import slope_peaks
from vitalake.ecg.signals.candidates import Samples
from vitalake.ecg.signals.filters import Bands, FloatArray, bridge_gaps
from vitalake.ecg.signals.peaks import Detection, detected
from vitalake.ecg.signals.strips import BEAT_BAND_HZ, Strips, longest_runs

OverWindows = Literal["median", "max", "min", "mean"]


class Measured(NamedTuple):
    """Every measure of a batch, one value per strip of shape (n,), and the R peaks of each strip."""

    values: dict[str, FloatArray]
    r_peaks: list[Samples]


@dataclass(frozen=True)
class Measure:
    """One column: what is measured, and what stands for a lead that was measured window by window.

    Args:
        name: of the column; with its unit where it has one.
        function: from a batch to one value per strip; its docstring gives formula, range and source.
        unit: ``s``, ``mV``, ``1/min``; empty for a pure number.
        doc: one line for the reference.
        over_windows: how the values of several 10-s windows become one.
    """

    name: str
    function: Callable[[Strips], FloatArray]
    unit: str
    doc: str
    over_windows: OverWindows

    @property
    def needs_gain(self) -> bool:
        """Whether it means nothing where no gain is known."""
        return self.unit == "mV"


# A run is compared with the length of its window (a tenth of it rejects), hence the mean of runs: one bad second in
# half an hour is no reason to reject. Extremes are the median for the same reason, where a rule rejects on them.
MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("flat_run_s", levels.flat_run_s, "s", "Longest flat run.", "mean"),
        Measure("flat_share", levels.flat_share, "", "Share of the time in flat runs of at least 0.2 s.", "mean"),
        Measure("amplitude_mv", levels.amplitude_mv, "mV", "Upper quartile 1-s swing above 0.7 Hz.", "median"),
        Measure("amplitude_max_mv", levels.amplitude_max_mv, "mV", "Largest 1-s peak-to-peak above 0.7 Hz.", "max"),
        Measure("saturation_run_s", levels.saturation_run_s, "s", "Longest run at its own extreme.", "mean"),
        Measure("max_abs_mv", levels.max_abs_mv, "mV", "Largest distance from the median.", "median"),
        Measure("step_max_mv", levels.step_max_mv, "mV", "Largest step between neighbouring samples.", "max"),
        Measure("wander_mv", levels.wander_mv, "mV", "Peak-to-peak below 0.5 Hz.", "median"),
        Measure("wander_share", spectrum.wander_share, "", "Power below 1 Hz over that below 40 Hz.", "median"),
        Measure("mains_share", spectrum.mains_share, "", "Power at 50 or 60 Hz over that above 1 Hz.", "median"),
        Measure("muscle_share", spectrum.muscle_share, "", "Power of 40–100 Hz over that of 1–100 Hz.", "median"),
        Measure("kurtosis", levels.kurtosis, "", "Pearson's kurtosis above 0.7 Hz.", "median"),
        Measure("qrs_share", spectrum.qrs_share, "", "Power of 5–15 Hz over that of 5–40 Hz.", "median"),
        Measure("band_ratio", spectrum.band_ratio, "", "Power of 1–40 Hz over all other.", "median"),
        Measure("beat_correlation", beats.beat_correlation, "", "Mean correlation with the median beat.", "mean"),
        Measure("beat_recurrence", beats.beat_recurrence, "", "Mean correlation with the two most alike.", "mean"),
        Measure("detector_agreement", beats.detector_agreement, "", "Beats that two detectors agree on.", "mean"),
        Measure("quality_index", beats.quality_index, "", "Weighted sum of the four above.", "mean"),
        Measure("beat_rate_bpm", beats.beat_rate_bpm, "1/min", "60 over the mean RR interval.", "median"),
        Measure("beat_gap_s", beats.beat_gap_s, "s", "Longest time without a beat.", "max"),
        Measure("beat_doubt", beats.beat_doubt, "", "Expected share of wrong decisions about beats.", "mean"),
        Measure("peak_to_peak_mv", levels.peak_to_peak_mv, "mV", "Upper quartile 1-s swing.", "median"),
        Measure("wave_share", spectrum.wave_share, "", "Share of the time in waves of 2–7 Hz alone.", "median"),
        Measure("missing_run_s", levels.missing_run_s, "s", "Longest run without a value.", "median"),
        Measure("missing_share", levels.missing_share, "", "Share of the samples without a value.", "mean"),
        Measure("offset_mv", levels.offset_mv, "mV", "Absolute median.", "median"),
    )
}


def measure(
    x_mv: npt.ArrayLike, sampling_rate_hz: float, lsb_mv: float | npt.ArrayLike, *, calibrated: bool = True
) -> Measured:
    """Every measure of a batch of strips, and their R peaks: `measured` of `prepared` strips."""
    return measured(prepared(x_mv, sampling_rate_hz, lsb_mv), calibrated=calibrated)


def prepared(
    x_mv: npt.ArrayLike,
    sampling_rate_hz: float,
    lsb_mv: float | npt.ArrayLike,
    found: list[Detection] | None = None,
) -> Strips:
    """A batch of strips, ready to be measured: their spectrum taken, their R peaks found.

    Args:
        x_mv: strips in mV (stored units where not `calibrated`), shape (n, samples). NaN is bridged by a straight
            line first; a strip without any finite sample, or without any sample, is measured as a flat line.
        sampling_rate_hz: samples a second, the same for all strips, 50 to 2000.
        lsb_mv: one stored unit in the unit of `x_mv`, for all strips or one per strip; 0 where unknown.
        found: the beats of each strip where they are known, as those of windows of a longer lead.

    Raises:
        ValueError: the array does not have two dimensions.
    """
    x = bridge_gaps(x_mv)
    if x.shape[1]:
        gone = ~np.isfinite(x_mv)
        missing, longest = gone.mean(axis=1), longest_runs(gone) / sampling_rate_hz
        step = np.broadcast_to(np.asarray(lsb_mv, dtype=np.float64), len(x))[:, None]
    else:
        x, missing, step = np.zeros((len(x), 1)), np.ones(len(x)), np.zeros((len(x), 1))
        longest = np.zeros(len(x))
    bands = Bands(x, sampling_rate_hz)
    shapes = bands.between(*BEAT_BAND_HZ)
    beats_found = found or detected(bands)
    return Strips(x, sampling_rate_hz, step, missing, longest, bands, shapes, beats_found, slope_peaks(bands))


def measured(strips: Strips, *, calibrated: bool = True) -> Measured:
    """Every measure of prepared strips; where the gain is not known (`calibrated`), those in mV are NaN."""
    unknown = np.full(len(strips.x_mv), np.nan)
    known = [item for item in MEASURES.values() if calibrated or not item.needs_gain]
    # In this order each finds the results that it builds on.
    for function in (beats.beat_windows, *(item.function for item in known)):
        strips.results[function.__name__] = function(strips)
    values = {item.name: strips.results[item.name] if item in known else unknown for item in MEASURES.values()}
    return Measured(values, strips.r_peaks)


def summarise(values: Mapping[str, FloatArray]) -> dict[str, float]:
    """One value per measure for a lead from those of its windows; windows without a value (NaN) do not count.

    Args:
        values: column name -> one value per window, shape (windows,), as `measure` returns them.

    Raises:
        KeyError: no measure has that name.
    """
    summary = {}
    for name, windows in values.items():
        known = windows[~np.isnan(windows)]
        summary[name] = float(getattr(np, MEASURES[name].over_windows)(known)) if known.size else float("nan")
    return summary
