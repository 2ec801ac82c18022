"""What is asked of the product: the figures, their targets, and the best that others have published.

Belongs here: the table as data. Does not belong here: how a figure comes about (`figures.py`).
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CROSS_VALIDATION = Path(__file__).with_name("cross_validation.json")
FITTED_SETS = ("cinc2011", "cinc2017", "plawiak", "mitdb", "mitdb_more")


@dataclass(frozen=True)
class Task:
    """One figure; shares are 0 .. 1.

    Args:
        id: key in every table and in the cross-validation.
        source: data set, ``noise`` or ``cpu``.
        words: what it is.
        comparison: ``>=`` where the figure must reach the target, ``<=`` where it must not exceed it.
        unit: ``share``, ``strips``, ``kinds`` or ``ms``.
        published: the best known, with its source; empty where none is comparable.
        fitted: whether the model that was trained on public recordings has a say in it.
    """

    id: str
    source: str
    words: str
    comparison: Literal[">=", "<="]
    target: float
    unit: str = "share"
    published: str = ""
    fitted: bool = False

    def met(self, value: float) -> bool:
        """Whether a figure does; NaN does not."""
        if math.isnan(value):
            return False
        return value >= self.target if self.comparison == ">=" else value <= self.target


_HAYN = "93.2 % best of 49 teams, blind set-b; 93.3 fitted on set-a (Hayn 2012); 92.2 a flat-line rule"
_LEADS = "96.3–97.0 % gradient boosting, 37 features; 94.7 ECGAssess rules"
_PLAWIAK = "99.66 % BioSPPy hamilton, 99.48 XQRS, 98.93 sleepecg, 97.96 NeuroKit2"
_MITDB = "all 48 records: 98.77 % sleepecg, 98.60 NeuroKit2"
_LI = "same ordering (Li 2008)"

# fmt: off
TASKS: tuple[Task, ...] = (
    Task("cinc2011_record_accuracy", "cinc2011", "CinC 2011 records, accuracy", ">=", 0.935, published=_HAYN,
         fitted=True),
    Task("cinc2011_record_balanced_accuracy", "cinc2011", "CinC 2011 records, balanced accuracy", ">=", 0.90,
         fitted=True),
    Task("cinc2011_good_records_marginal", "cinc2011", "CinC 2011 good records, marginal", "<=", 0.15, fitted=True),
    Task("cinc2011_lead_accuracy", "cinc2011", "CinC 2011 leads, accuracy", ">=", 0.965, published=_LEADS,
         fitted=True),
    Task("cinc2011_good_leads_kept", "cinc2011", "CinC 2011 leads, good ones kept", ">=", 0.99, fitted=True),
    Task("cinc2017_noisy_sensitivity", "cinc2017", "CinC 2017 noisy, marginal or worse: sensitivity", ">=", 0.97,
         fitted=True),
    Task("cinc2017_noisy_specificity", "cinc2017", "CinC 2017 noisy, marginal or worse: specificity", ">=", 0.92,
         fitted=True),
    Task("cinc2017_noisy_rejected", "cinc2017", "CinC 2017 noisy, rejected outright", ">=", 0.50, fitted=True),
    Task("cinc2017_clean_rejected", "cinc2017", "CinC 2017 clean, rejected outright", "<=", 0.01, fitted=True),
    Task("plawiak_r_peaks_f1", "plawiak", "R peaks, Plawiak without flutter, F1", ">=", 0.998, published=_PLAWIAK),
    Task("mitdb_r_peaks_f1", "mitdb", "R peaks, MIT-BIH, F1", ">=", 0.995, published=_MITDB),
    Task("mitdb_worst_r_peaks_f1", "mitdb", "R peaks, worst record of MIT-BIH, F1", ">=", 0.97),
    Task("cpsc2019_r_peaks_f1", "cpsc2019", "R peaks, CPSC 2019, F1", ">=", 0.95),
    Task("hearts_r_peaks_f1", "hearts", "R peaks, generated hearts of 20–300/min, F1", ">=", 0.995),
    Task("hearts_miscounted", "hearts", "generated hearts without noise, miscounted by two or more", "<=", 0,
         "strips"),
    Task("sweep_r_peaks_f1", "sweep", "the same at 20 to 0 dB, where a rate is told: R peaks, F1", ">=", 0.995),
    Task("sweep_misleading", "sweep", "the same: wrong count or rate, yet acceptable and plausible", "<=", 0.005),
    Task("plawiak_unacceptable", "plawiak", "rhythm never rejects: Plawiak, unacceptable", "<=", 0, "strips",
         fitted=True),
    Task("noise_q_rises", "noise", "noise kinds for which mean Q ever rises as noise grows", "<=", 0, "kinds", _LI),
    Task("noise_wander_rejected", "noise", "strips that baseline wander rejects, at any ratio", "<=", 0, "strips",
         fitted=True),
    Task("noise_r_peaks_f1", "noise", "R peaks in noise, worst F1 of all kinds at 12 dB and above", ">=", 0.99),
    Task("cpu_strip", "cpu", "CPU per 10-s strip: parse, all measures, R peaks, in batch", "<=", 1.5, "ms",
         "NeuroKit2, whole pipeline 138 ms; XQRS alone 21 (own measurement)"),
)
# fmt: on


def digest_of(data: Path) -> str:
    """Which recordings the fitted sets hold: a digest of names and sizes."""
    files = (path for name in FITTED_SETS for path in (data / name).rglob("*") if path.is_file())
    lines = sorted(f"{path.relative_to(data).as_posix()} {path.stat().st_size}" for path in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class CrossValidated:
    """A figure of recordings that neither model nor limits had seen, and its 95 % interval, if it has one."""

    value: float
    interval: tuple[float, ...] = ()


def cross_validated(data: Path) -> dict[str, CrossValidated]:
    """Figures of the fitted model by task, in five folds of the recordings it was trained on, limits nested.

    Empty before it was trained (`python -m benchmarks.model --write`), and where `data` holds other recordings: on
    those the model as shipped is the honest one.

    Args:
        data: folder of the data sets.
    """
    if not CROSS_VALIDATION.exists():
        return {}
    stored = json.loads(CROSS_VALIDATION.read_text())
    if stored["trained_on"] != digest_of(data):
        return {}
    known = {task.id for task in TASKS}
    return {
        name: CrossValidated(float(figure["nested"]), tuple(figure["ci95"]))
        for name, figure in stored["figures"].items()
        if name in known
    }
