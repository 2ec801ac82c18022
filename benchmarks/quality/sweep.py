"""What becomes of hearts that nobody recorded: beats found, rates told, and rates that are wrong and look right.

Belongs here: judging the sweep and counting. Does not belong here: making the hearts (`hearts.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.quality.cases import IntArray
from benchmarks.quality.hearts import Heart, stored
from benchmarks.quality.scores import Beats, score_beats
from vitalake.ecg.assess import LeadAssessment, assess
from vitalake.ecg.quality.rules import BEAT_DOUBT, Quality
from vitalake.ecg.recording import Recording
from vitalake.ecg.signals.rhythm import rhythm_features
from vitalake.ecg.tabulate import unusable_stretches_s

BATCH = 64
WRONG_RATE = 0.05


@dataclass(frozen=True)
class Outcome:
    """One heart as the product tells of it.

    Args:
        beats: found, invented and missed, those within 150 ms of an end forgiven.
        count_error: beats found minus beats there are, ends included.
        rate_bpm: None where it is not told.
        true_bpm: of the beats there are, without intervals that are not plausible; None below two.
    """

    heart: Heart
    peaks: IntArray
    beats: Beats
    count_error: int
    verdict: Quality
    plausible: bool
    rate_bpm: float | None
    true_bpm: float | None

    @property
    def told(self) -> bool:
        """Whether a reader of the tables takes the rate for good."""
        return self.verdict == "acceptable" and self.plausible and self.rate_bpm is not None

    @property
    def wrong(self) -> bool:
        """Whether the count of beats is off by two or more, or the rate by more than a twentieth."""
        if abs(self.count_error) > 1:
            return True
        if self.rate_bpm is None or self.true_bpm is None:
            return False
        return abs(self.rate_bpm / self.true_bpm - 1) > WRONG_RATE


def outcomes(hearts: Iterable[Heart]) -> list[Outcome]:
    """Each heart judged as a recording of one lead."""
    every = list(hearts)
    found = []
    for first in range(0, len(every), BATCH):
        batch = every[first : first + BATCH]
        judged = assess([Recording((stored(heart),), "generated") for heart in batch])
        for heart, assessment in zip(batch, judged, strict=True):
            (lead,) = assessment.leads
            assert lead is not None
            found.append(_outcome(heart, lead))
    return found


def total(some: Sequence[Outcome]) -> Beats:
    """The beats of all of them."""
    return sum((outcome.beats for outcome in some), Beats())


def _outcome(heart: Heart, judged: LeadAssessment) -> Outcome:
    lead = stored(heart)
    rate = heart.sampling_rate_hz
    told = rhythm_features(
        judged.r_peaks,
        rate,
        lead.duration_s,
        unusable_stretches_s(lead, judged.windows),
        doubtful=judged.values["beat_doubt"] > BEAT_DOUBT,
    )
    return Outcome(
        heart,
        judged.r_peaks,
        score_beats(heart.beats, judged.r_peaks, rate, len(heart.x_mv), (), forgive_edges=True),
        len(judged.r_peaks) - len(heart.beats),
        judged.verdict.verdict,
        bool(told["rr_plausible"]),
        told["heart_rate_bpm"],
        rhythm_features(heart.beats, rate, lead.duration_s)["heart_rate_bpm"],
    )
