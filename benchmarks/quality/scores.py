"""The mathematics of scoring: beats matched one to one, two-by-two tables, ROC curves.

Belongs here: numbers from a reference and an answer. Does not belong here: what is compared (`figures.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.quality.cases import IntArray

TOLERANCE_S = 0.15  # ANSI/AAMI EC57:2012, 4.3: a detection within 150 ms of an annotation is that beat


@dataclass(frozen=True)
class Beats:
    """Beats found, invented and missed; they add up over strips."""

    found: int = 0
    invented: int = 0
    missed: int = 0

    def __add__(self, other: Beats) -> Beats:
        return Beats(self.found + other.found, self.invented + other.invented, self.missed + other.missed)

    @property
    def f1(self) -> float:
        """2·TP / (2·TP + FP + FN), 0 .. 1; NaN where there was nothing to find and nothing was found."""
        total = 2 * self.found + self.invented + self.missed
        return 2 * self.found / total if total else float("nan")


@dataclass(frozen=True)
class Counts:
    """A two-by-two table; positive is what is looked for: the bad lead, the noisy record."""

    tp: int
    fn: int
    tn: int
    fp: int

    @property
    def sensitivity(self) -> float:
        """Share of the positive that are called so; NaN without any."""
        return _share(self.tp, self.fn)

    @property
    def specificity(self) -> float:
        """Share of the negative that are called so; NaN without any."""
        return _share(self.tn, self.fp)

    @property
    def accuracy(self) -> float:
        """Share of all that are called what they are; NaN without any."""
        return _share(self.tp + self.tn, self.fn + self.fp)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of sensitivity and specificity: what a constant answer cannot raise above 0.5."""
        return (self.sensitivity + self.specificity) / 2


@dataclass(frozen=True)
class Roc:
    """A ROC curve from (0, 0) to (1, 1), one point a distinct score, and the area under it."""

    false_positive_rate: npt.NDArray[np.float64]
    true_positive_rate: npt.NDArray[np.float64]
    area: float


def match(
    reference: Sequence[int] | IntArray, detected: Sequence[int] | IntArray, tolerance: int
) -> list[tuple[int, int]]:
    """Pairs (position in `reference`, position in `detected`) at most `tolerance` samples apart, one to one.

    Both ascend. Taking the earliest partner for the earliest beat gives as many pairs as any matching can: all
    windows have one width, so whoever comes first also loses its partners first.
    """
    pairs, i, j = [], 0, 0
    while i < len(reference) and j < len(detected):
        apart = int(detected[j]) - int(reference[i])
        if abs(apart) <= tolerance:
            pairs.append((i, j))
        i += apart >= -tolerance
        j += apart <= tolerance
    return pairs


def score_beats(
    reference: IntArray,
    detected: IntArray,
    sampling_rate_hz: float,
    samples: int,
    excluded: Iterable[tuple[int, int]] = (),
    *,
    forgive_edges: bool = True,
) -> Beats:
    """Beats of one strip, matched within 150 ms.

    An unmatched beat within 150 ms of either end is no error: its partner may lie beyond the cut. Detections inside
    an `excluded` episode (first, last sample) are not counted, as EC57 does for ventricular flutter.
    """
    tolerance = round(TOLERANCE_S * sampling_rate_hz)
    pairs = match(reference, detected, tolerance)
    missed = np.delete(reference, [i for i, _ in pairs])
    invented = np.delete(detected, [j for _, j in pairs])
    for first, last in excluded:
        invented = invented[(invented < first) | (invented > last)]
    if forgive_edges:
        missed, invented = (left[(left >= tolerance) & (left < samples - tolerance)] for left in (missed, invented))
    return Beats(len(pairs), len(invented), len(missed))


def count(positive: Sequence[bool], called: Sequence[bool]) -> Counts:
    """The two-by-two table of what is positive and what is called so, item by item."""
    truth, answer = np.asarray(positive, dtype=np.bool_), np.asarray(called, dtype=np.bool_)
    if truth.shape != answer.shape:
        raise ValueError(f"{truth.size} references for {answer.size} answers")
    cells = (truth & answer, truth & ~answer, ~truth & ~answer, ~truth & answer)
    tp, fn, tn, fp = (int(cell.sum()) for cell in cells)
    return Counts(tp, fn, tn, fp)


def roc(positive: Sequence[bool], score: Sequence[float]) -> Roc:
    """ROC of a score that should be high for the positive; equal scores are one step, NaN counts as highest.

    Raises:
        ValueError: there is no positive or no negative item.
    """
    truth = np.asarray(positive, dtype=np.bool_)
    values = np.nan_to_num(np.asarray(score, dtype=np.float64), nan=np.inf)
    if truth.all() or not truth.any():
        raise ValueError("a ROC curve needs both positive and negative items")
    order = np.argsort(-values, kind="stable")
    descending = values[order]
    last_of_step = np.append(descending[1:] != descending[:-1], True)
    hits = np.cumsum(truth[order])[last_of_step]
    alarms = np.cumsum(~truth[order])[last_of_step]
    tpr, fpr = np.append(0.0, hits / truth.sum()), np.append(0.0, alarms / (~truth).sum())
    return Roc(fpr, tpr, float(np.trapezoid(tpr, fpr)))


def _share(yes: int, no: int) -> float:
    return yes / (yes + no) if yes + no else float("nan")
