"""Folds over all sets together, and what is right in each task once rules and model are combined.

Belongs here: how the quality model is trained on some records and judged on others. Does not belong here: reading
(`sources.py`), fitting (`fit.py`), the report (`__main__.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.model.fit import fit_lead, logistic_regression
from benchmarks.model.sources import Source, cinc2011, cinc2017, mitdb, plawiak
from vitalake.ecg.quality.quality_model import combine, over_windows
from vitalake.ecg.quality.regression import ModelThresholds, lead_model_from, record_features
from vitalake.ecg.quality.rules import judge, judge_record
from vitalake.ecg.signals.measures import MEASURES, summarise

FloatArray = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

# 1: more of it can only make a lead worse, -1: better, 0: nobody can say.
SIGNS = {
    "still_share": 1,
    "flat_share": 1,
    "reach_mv": 1,
    "amplitude_min_share": -1,
    "wander_share": 1,
    "muscle_share": 1,
    "share_15_20": 0,
    "share_20_30": 0,
    "high_burst": 1,
    "energy_quiet": 1,
    "energy_middle": 1,
    "beat_correlation": -1,
    "detector_agreement": -1,
    "beat_repeats": -1,
    "shape_repeats": -1,
}
LIMITS = ModelThresholds(clear=0.20, warn=0.30, reject=0.75)
RECORD_REJECT = 0.5
RECORD_STRENGTH = 1.0
FOLDS = 5


class Sets:
    """All sets one after the other, and what the rules say of them."""

    def __init__(self, data: Path) -> None:
        leads, self.records = cinc2011(data)
        sources = [leads, cinc2017(data), plawiak(data), mitdb(data)]
        self.source = np.repeat(np.arange(4), [len(source) for source in sources])
        self.columns = {name: np.concatenate([s.columns[name] for s in sources]) for name in sources[0].columns}
        self.record, self.group, self.bad, self.weight = (
            np.concatenate([getattr(s, name) for s in sources]) for name in ("record", "group", "bad", "weight")
        )
        self.rules = judge(self.columns)
        self.strips = _by_record(sources[1])
        rows = {name: np.flatnonzero(self.source == 1)[at] for name, at in self.strips.items()}
        self.noisy = {name: int(self.bad[at[0]]) for name, at in rows.items()}
        self.windows = rows
        summed = [summarise({name: self.columns[name][at] for name in MEASURES}) for at in rows.values()]
        self.c17_rules = judge({name: np.array([each[name] for each in summed]) for name in MEASURES})
        self.leads = {name: at for name, at in _by_record(leads).items() if name in self.records}
        index = self.columns["quality_index"]
        self.record_rules = [
            judge_record([self.rules[row] for row in at], list(index[at])) for at in self.leads.values()
        ]


def _by_record(source: Source) -> dict[str, npt.NDArray[np.int64]]:
    return {str(name): np.flatnonzero(source.record == name) for name in dict.fromkeys(source.record)}


def folds(sets: Sets, among: npt.NDArray[np.bool_], seed: int) -> Iterator[npt.NDArray[np.bool_]]:
    """Test masks, shape (strips,): groups dealt out in turn, those of one set and label after each other."""
    rng = np.random.default_rng(seed)
    kinds: dict[str, tuple[int, int]] = {}
    for group, source, bad in zip(sets.group[among], sets.source[among], sets.bad[among], strict=True):
        _, worst = kinds.get(str(group), (0, -1))
        label = sets.records.get(str(group), 0) * 2 if source == 0 else 0
        kinds[str(group)] = (int(source), max(worst, int(bad > 0) + label))
    names = sorted(kinds)
    order = sorted(rng.permutation(len(names)), key=lambda at: kinds[names[at]])
    fold = {names[at]: place % FOLDS for place, at in enumerate(order)}
    of_strip = np.array([fold.get(str(group), -1) for group in sets.group])
    for number in range(FOLDS):
        yield (of_strip == number) & among


def train(sets: Sets, rows: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """A lead's model of some strips."""
    rows = rows & (sets.weight > 0)
    columns = {name: sets.columns[name][rows] for name in SIGNS}
    return fit_lead(columns, SIGNS, np.maximum(sets.bad[rows], 0), sets.weight[rows])


def predict(sets: Sets, stored: dict[str, Any], rows: npt.NDArray[np.bool_]) -> FloatArray:
    """Probabilities of some strips."""
    return lead_model_from({**stored, "limits": LIMITS._asdict()}).probability(
        {name: sets.columns[name][rows] for name in SIGNS}
    )


def out_of_fold(sets: Sets, among: npt.NDArray[np.bool_], seed: int) -> FloatArray:
    """Probability of each strip from a model without its group; NaN outside `among`."""
    p = np.full(len(sets.source), np.nan)
    for test in folds(sets, among, seed):
        p[test] = predict(sets, train(sets, among & ~test), test)
    return p


def record_inputs(sets: Sets, p: FloatArray) -> tuple[FloatArray, Labels, list[int]]:
    """Inputs and labels of the records whose leads have probabilities, and their positions."""
    at = [i for i, rows in enumerate(sets.leads.values()) if not np.isnan(p[rows[0]])]
    names = list(sets.leads)
    x = record_features(np.stack([p[sets.leads[names[i]]] for i in at]))
    return x, np.array([sets.records[names[i]] for i in at]), at


def train_record(sets: Sets, p: FloatArray) -> tuple[FloatArray, float]:
    """The record model from out-of-fold probabilities; a worse lead never makes a record better."""
    x, y, _ = record_inputs(sets, p)
    return logistic_regression(x, y, np.ones(len(y)), np.ones(x.shape[1]), RECORD_STRENGTH)


def strip_probabilities(sets: Sets, p: FloatArray) -> tuple[FloatArray, Labels]:
    """Probability and label of each CinC 2017 record."""
    return np.array([over_windows(p[at]) for at in sets.windows.values()]), np.array(list(sets.noisy.values()))


def choose_limits(sets: Sets, p: FloatArray) -> ModelThresholds:
    """The lowest reject that no rhythm, 1 % of clean strips and 1 % of good leads reach; the best warning."""
    strip, noisy = strip_probabilities(sets, p)
    known = ~np.isnan(strip)
    strip, noisy = strip[known], noisy[known]
    good = p[(sets.source == 0) & (sets.bad == 0) & ~np.isnan(p)]
    rhythm = p[(sets.source == 2) & ~np.isnan(p)]
    grid = np.arange(0.40, 0.81, 0.02)
    fine = [
        t
        for t in grid
        if (rhythm < t).all() and (strip[noisy == 0] >= t).mean() <= 0.01 and (good >= t).mean() <= 0.01
    ]
    reject = float(fine[0] if fine else grid[-1])
    warns = np.arange(0.14, 0.41, 0.02)
    scores = [(strip[noisy == 1] >= t).mean() + (strip[noisy == 0] < t).mean() for t in warns]
    best = np.flatnonzero(np.isclose(scores, max(scores)))
    return ModelThresholds(LIMITS.clear, float(warns[best[len(best) // 2]]), reject)


def figures(
    sets: Sets, p: FloatArray, limits: list[ModelThresholds], q: FloatArray
) -> dict[str, npt.NDArray[np.bool_]]:
    """What is right, per item of each task: the final verdicts against the labels.

    `limits` are of each strip's fold; `q` are probabilities of records.
    """
    index = sets.columns["quality_index"]
    final = [combine(*each) for each in zip(sets.rules, p, index, limits, strict=True)]
    rejected = np.array([each.verdict == "unacceptable" for each in final])
    labelled = (sets.source == 0) & (sets.bad >= 0)
    strip, noisy = strip_probabilities(sets, p)
    whole = [
        combine(rule, at, float(index[rows].mean()), limits[rows[0]])
        for rule, at, rows in zip(sets.c17_rules, strip, sets.windows.values(), strict=True)
    ]
    out = np.array([each.verdict == "unacceptable" for each in whole])
    passed = np.array([each.verdict == "acceptable" for each in whole])
    truth = np.array([sets.records[name] for name in sets.leads])
    right = (q >= RECORD_REJECT) == (truth == 1)
    return {
        "record_accuracy": right,
        "record_bad_found": right[truth == 1],
        "record_good_kept": right[truth == 0],
        "lead_accuracy": (rejected == (sets.bad == 1))[labelled],
        "lead_kept": ~rejected[labelled & (sets.bad == 0)],
        "lead_bad_found": rejected[labelled & (sets.bad == 1)],
        "c17_sensitivity": ~passed[noisy == 1],
        "c17_specificity": passed[noisy == 0],
        "c17_rejected_noisy": out[noisy == 1],
        "c17_rejected_clean": out[noisy == 0],
        "rhythm_rejected": rejected[sets.source == 2],
    }


def summary(right: dict[str, npt.NDArray[np.bool_]]) -> dict[str, float]:
    """Shares, the number of rhythms rejected, and balanced accuracy."""
    means = {name: float(each.mean()) for name, each in right.items()}
    means["rhythm_rejected"] = float(right["rhythm_rejected"].sum())
    means["record_balanced"] = 0.5 * (means["record_bad_found"] + means["record_good_kept"])
    return means
