"""What the beats of one strip say about the heart: rate and intervals.

Belongs here: numbers that follow from R peaks. Does not belong here: finding the peaks (`peaks.py`) or judging the
signal (`quality.py`): an implausible interval is flagged and kept, it may be the arrhythmia that was looked for.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import numpy.typing as npt

RR_PLAUSIBLE_S = (0.2, 3.0)  # 300 to 20 beats a minute; Orphanidou et al. 2015, IEEE JBHI 19(3):832


class RhythmFeatures(TypedDict):
    """One row of features; None where the strip holds too few beats to say."""

    beat_count: int
    heart_rate_bpm: float | None
    rr_mean_s: float | None
    rr_plausible: bool | None


def rhythm_features(peaks: npt.ArrayLike, sampling_rate_hz: float) -> RhythmFeatures:
    """Rhythm of one strip.

    * `beat_count`: number of R peaks.
    * `rr_mean_s`: mean interval between neighbours in s; None below two peaks.
    * `heart_rate_bpm`: 60 / `rr_mean_s`, beats a minute; None below two peaks.
    * `rr_plausible`: every interval lies within 0.2 to 3 s; None below two peaks. No interval is removed.

    Args:
        peaks: ascending sample indices of the R peaks, shape (beats,).
        sampling_rate_hz: samples a second.
    """
    beats = np.asarray(peaks, dtype=np.float64)
    if len(beats) < 2:
        return {"beat_count": len(beats), "heart_rate_bpm": None, "rr_mean_s": None, "rr_plausible": None}
    rr_s = np.diff(beats) / sampling_rate_hz
    mean = float(rr_s.mean())
    shortest, longest = RR_PLAUSIBLE_S
    return {
        "beat_count": len(beats),
        "heart_rate_bpm": 60.0 / mean,
        "rr_mean_s": mean,
        "rr_plausible": bool((rr_s >= shortest).all() and (rr_s <= longest).all()),
    }
