"""What the beats of one lead say about the heart: rate, intervals, variability.

Belongs here: numbers that follow from R peaks. Does not belong here: finding the peaks (`peaks.py`), the formulas
of variability (`hrv.py`) or judging the signal (`quality.py`): an implausible interval is flagged and kept, it may
be the arrhythmia that was looked for.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import numpy.typing as npt

from vitalake.ecg import hrv

RR_PLAUSIBLE_S = (0.2, 3.0)  # 300 to 20 beats a minute; Orphanidou et al. 2015, IEEE JBHI 19(3):832


class RhythmFeatures(TypedDict):
    """One row of features; None where the lead holds too little to say."""

    beat_count: int
    heart_rate_bpm: float | None
    rr_mean_s: float | None
    rr_plausible: bool | None
    sdnn_ms: float | None
    rmssd_ms: float | None
    pnn50_share: float | None
    lf_ms2: float | None
    hf_ms2: float | None
    lf_hf_ratio: float | None
    ultra_short: bool


def rhythm_features(
    peaks: npt.ArrayLike, sampling_rate_hz: float, duration_s: float | None = None
) -> RhythmFeatures:
    """Rhythm of one lead.

    * `beat_count`: number of R peaks.
    * `rr_mean_s`: mean interval between neighbours in s; None below two peaks.
    * `heart_rate_bpm`: 60 / `rr_mean_s`, beats a minute; None below two peaks.
    * `rr_plausible`: every interval lies within 0.2 to 3 s; None below two peaks. No interval is removed.
    * `sdnn_ms`, `rmssd_ms`, `pnn50_share`: see `hrv.variability`; None below three intervals.
    * `lf_ms2`, `hf_ms2`, `lf_hf_ratio`: see `hrv.power`; None below 60 s, the ratio also where `hf_ms2` is 0.
    * `ultra_short`: the lead is shorter than 60 s, and what is said of its variability an estimate at best.

    Args:
        peaks: ascending sample indices of the R peaks, shape (beats,).
        sampling_rate_hz: samples a second.
        duration_s: length of the lead in s; the time from the first to the last beat where not given.
    """
    beats_s = np.asarray(peaks, dtype=np.float64) / sampling_rate_hz
    rr_s = np.diff(beats_s)
    if duration_s is None:
        duration_s = float(rr_s.sum())
    ultra_short = duration_s < hrv.LEAST_S
    mean = float(rr_s.mean()) if len(rr_s) else None
    shortest, longest = RR_PLAUSIBLE_S
    in_time = hrv.variability(rr_s)
    by_frequency = None if ultra_short else hrv.power(beats_s)
    return {
        "beat_count": len(beats_s),
        "heart_rate_bpm": None if mean is None else 60.0 / mean,
        "rr_mean_s": mean,
        "rr_plausible": None if mean is None else bool(rr_s.min() >= shortest and rr_s.max() <= longest),
        "sdnn_ms": in_time and in_time.sdnn_ms,
        "rmssd_ms": in_time and in_time.rmssd_ms,
        "pnn50_share": in_time and in_time.pnn50_share,
        "lf_ms2": by_frequency and by_frequency.lf_ms2,
        "hf_ms2": by_frequency and by_frequency.hf_ms2,
        "lf_hf_ratio": by_frequency.lf_ms2 / by_frequency.hf_ms2 if by_frequency and by_frequency.hf_ms2 else None,
        "ultra_short": ultra_short,
    }
