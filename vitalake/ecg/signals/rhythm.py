"""What the beats of one lead say about the heart: rate, intervals, variability.

Belongs here: numbers that follow from R peaks. Does not belong here: finding the peaks (`peaks.py`), the formulas
of variability (`hrv.py`), judging the signal (`vitalake/ecg/quality/rules.py`), or which stretches of it are
unusable (`vitalake/ecg/tabulate.py`).

An interval counts where it was seen: none of it lies in an unusable stretch, and it lasts 0.19 to 3.1 s.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import numpy.typing as npt

from vitalake.ecg.signals import hrv

# 300 to 20 beats a minute (Orphanidou et al. 2015, IEEE JBHI 19(3):832), and what noise and the step of the
# sampling rate move two peaks by.
RR_PLAUSIBLE_S = (0.19, 3.1)
ULTRA_SHORT_S = 300.0  # Shaffer & Ginsberg 2017, Front. Public Health 5:258


class RhythmFeatures(TypedDict):
    """One row of features; None where the lead holds too little to say."""

    beat_count: int
    heart_rate_bpm: float | None
    rate_unknown_because: str | None
    rr_mean_s: float | None
    rr_plausible: bool | None
    rr_used_share: float | None
    sdnn_ms: float | None
    rmssd_ms: float | None
    pnn50_share: float | None
    lf_ms2: float | None
    hf_ms2: float | None
    lf_hf_ratio: float | None
    ultra_short: bool


def rhythm_features(
    peaks: npt.ArrayLike,
    sampling_rate_hz: float,
    duration_s: float | None = None,
    unusable_s: npt.ArrayLike = (),
    *,
    doubtful: bool = False,
) -> RhythmFeatures:
    """Rhythm of one lead. "Usable" is an interval without anything of `unusable_s` in it, and of 0.19 to 3.1 s.

    * `beat_count`: number of R peaks.
    * `rr_mean_s`: mean usable interval in s; None where there is none.
    * `heart_rate_bpm`: 60 / `rr_mean_s`, beats a minute; None where there is none.
    * `rate_unknown_because`: why there is none, in words; None where there is one.
    * `rr_plausible`: every interval, usable or not, lies within 0.19 to 3.1 s; None below two peaks.
    * `rr_used_share`: usable intervals over all, 0 to 1; None below two peaks.
    * `sdnn_ms`, `rmssd_ms`, `pnn50_share`: see `hrv.variability`, of usable intervals between all detected beats,
      not only normal ones; None below three, the latter two below two pairs of neighbours.
    * `lf_ms2`, `hf_ms2`, `lf_hf_ratio`: see `hrv.power`; None below 120, 60 and 120 s of lead or where less than
      0.9 of that in one window of 5 min is usable, the ratio also where `hf_ms2` is 0.
    * `ultra_short`: the lead is shorter than 5 min, and what is said of its variability an estimate at best.

    Args:
        peaks: ascending sample indices of the R peaks, shape (beats,).
        sampling_rate_hz: samples a second.
        duration_s: length of the lead in s; the time from the first to the last beat where not given.
        unusable_s: see `usable_intervals`.
        doubtful: which of the peaks are beats is not certain enough to derive anything from them.
    """
    beats_s = np.asarray(peaks, dtype=np.float64) / sampling_rate_hz
    rr_s = np.diff(beats_s)
    if duration_s is None:
        duration_s = float(rr_s.sum())
    shortest, longest = RR_PLAUSIBLE_S
    plausible = (rr_s >= shortest) & (rr_s <= longest)
    usable = usable_intervals(beats_s, unusable_s)
    used = plausible & usable
    mean = float(rr_s[used].mean()) if used.any() else None
    used_s = np.where(used, rr_s, np.nan)
    in_time = hrv.variability(used_s)
    low, high = hrv.power(beats_s, used_s, duration_s)
    return {
        "beat_count": len(beats_s),
        "heart_rate_bpm": None if mean is None else 60.0 / mean,
        "rate_unknown_because": None if mean is not None else _why_unknown(rr_s, usable, doubtful),
        "rr_mean_s": mean,
        "rr_plausible": bool(plausible.all()) if len(rr_s) else None,
        "rr_used_share": float(used.mean()) if len(rr_s) else None,
        "sdnn_ms": in_time.sdnn_ms,
        "rmssd_ms": in_time.rmssd_ms,
        "pnn50_share": in_time.pnn50_share,
        "lf_ms2": low,
        "hf_ms2": high,
        "lf_hf_ratio": low / high if low is not None and high else None,
        "ultra_short": duration_s < ULTRA_SHORT_S,
    }


def _why_unknown(rr_s: npt.NDArray[np.float64], usable: npt.NDArray[np.bool_], doubtful: bool) -> str:
    if doubtful:
        return "it is uncertain which waves are beats"
    if not len(rr_s):
        return "fewer than two beats"
    if not usable.any():
        return "no interval between beats lies in usable signal"
    return "no interval between beats is 0.19 to 3.1 s long"


def usable_intervals(beats_s: npt.ArrayLike, unusable_s: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which intervals, their beats included, nothing unusable lies in; shape (beats - 1,), empty below two beats.

    Args:
        beats_s: times of the beats in s, ascending, shape (beats,).
        unusable_s: stretches in s as in the column `unusable_s` of `ecg_signals`: start, stop, start, stop …,
            ascending; a stretch holds its start and not its stop.
    """
    # Odd: within a stretch; even and the same for both beats: no stretch begins or ends between them.
    place = np.searchsorted(np.asarray(unusable_s, dtype=np.float64), beats_s, side="right")
    return np.asarray((place[1:] == place[:-1]) & (place[1:] % 2 == 0), dtype=np.bool_)
