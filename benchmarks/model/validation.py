"""Folds over all sets together, and what is right in each task once rules and model are combined.

Belongs here: how the quality model is trained on some records and judged on others. Does not belong here: reading
(`sources.py`), fitting (`fit.py`), limits (`limits.py`), intervals (`intervals.py`), the report (`__main__.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.model.fit import fit_lead, logistic_regression
from benchmarks.model.sources import Source, cinc2011, cinc2017, mitdb, plawiak
from vitalake.ecg.quality.quality_model import combine, combine_record, over_windows
from vitalake.ecg.quality.regression import ModelThresholds, RecordModel, lead_model_from, record_features
from vitalake.ecg.quality.rules import Verdict, judge, judge_record
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
    "beat_doubt": 1,
    "detector_agreement": -1,
    "beat_repeats": -1,
    "shape_repeats": -1,
}
NO_LIMITS = ModelThresholds(1.0, 1.0, 1.0)  # where probabilities alone are asked for
RECORD_STRENGTH = 1.0
FOLDS = 5


class Limits(NamedTuple):
    """What turns probabilities into verdicts: of leads, and of records with their model's weights."""

    lead: ModelThresholds
    record: RecordModel


class Scored(NamedTuple):
    """Items of one task: whether each is right (a share where repeats differ), its group, its weight."""

    right: FloatArray
    group: npt.NDArray[Any]
    weight: FloatArray

    @property
    def share(self) -> float:
        """Of the weight, how much is right."""
        return float(np.average(self.right, weights=self.weight))


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
        rows = {name: np.flatnonzero(self.source == 1)[at] for name, at in _by_record(sources[1]).items()}
        self.noisy = {name: int(self.bad[at[0]]) for name, at in rows.items()}
        self.windows = rows
        summed = [summarise({name: self.columns[name][at] for name in MEASURES}) for at in rows.values()]
        self.c17_rules = judge({name: np.array([each[name] for each in summed]) for name in MEASURES})
        self.leads = {name: at for name, at in _by_record(leads).items() if name in self.records}
        index = self.columns["quality_index"]
        self.record_rules = [
            judge_record([self.rules[row] for row in at], list(index[at])) for at in self.leads.values()
        ]
        self.record_group = np.array([self.group[at[0]] for at in self.leads.values()])
        copies = Counter(self.record_group.tolist())
        self.record_once = np.array([1.0 / copies[group] for group in self.record_group])


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
    return lead_model_from({**stored, "limits": NO_LIMITS._asdict()}).probability(
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
    x, y, at = record_inputs(sets, p)
    return logistic_regression(x, y, sets.record_once[at], np.ones(x.shape[1]), RECORD_STRENGTH)


def strip_probabilities(sets: Sets, p: FloatArray) -> tuple[FloatArray, Labels]:
    """Probability and label of each CinC 2017 record."""
    return np.array([over_windows(p[at]) for at in sets.windows.values()]), np.array(list(sets.noisy.values()))


def lead_verdicts(
    sets: Sets, p: FloatArray, limits: Sequence[ModelThresholds], rows: npt.NDArray[np.int64]
) -> list[Verdict]:
    """The final verdict on some strips, with as many limits."""
    index = sets.columns["quality_index"]
    return [combine(sets.rules[row], p[row], index[row], at) for row, at in zip(rows, limits, strict=True)]


def whole_strips(sets: Sets, p: FloatArray, limits: Sequence[ModelThresholds]) -> list[Verdict]:
    """The final verdict on each CinC 2017 record."""
    index, (strip, _) = sets.columns["quality_index"], strip_probabilities(sets, p)
    return [
        combine(rule, at, float(index[rows].mean()), limits[rows[0]])
        for rule, at, rows in zip(sets.c17_rules, strip, sets.windows.values(), strict=True)
    ]


def figures(sets: Sets, p: FloatArray, limits: Sequence[Limits]) -> dict[str, Scored]:
    """What is right in each task: the final verdicts against the labels; `limits` are of each strip's fold."""
    of_lead = [each.lead for each in limits]
    final = lead_verdicts(sets, p, of_lead, np.arange(len(p)))
    records = [
        combine_record([final[row] for row in rows], list(p[rows]), limits[rows[0]].record).verdict
        for rows in sets.leads.values()
    ]
    rejected = _is(final, "unacceptable")
    labelled = (sets.source == 0) & (sets.bad >= 0)
    whole = whole_strips(sets, p, of_lead)
    return {
        **_of_records(sets, np.array(records)),
        **_of_leads(sets, rejected, labelled),
        **_of_strips(sets, _is(whole, "unacceptable"), _is(whole, "acceptable")),
        "rhythm_rejected": _scored(rejected, sets.group, sets.source == 2),
    }


def rules_figures(sets: Sets) -> dict[str, Scored]:
    """The same of the rules alone."""
    rejected = _is(sets.rules, "unacceptable")
    return {
        **_of_records(sets, np.array([each.verdict for each in sets.record_rules])),
        **_of_leads(sets, rejected, (sets.source == 0) & (sets.bad >= 0)),
        **_of_strips(sets, _is(sets.c17_rules, "unacceptable"), _is(sets.c17_rules, "acceptable")),
        "rhythm_rejected": _scored(rejected, sets.group, sets.source == 2),
    }


def summary(scored: dict[str, Scored]) -> dict[str, float]:
    """Shares, the number of rhythms rejected, and balanced accuracy."""
    means = {name: each.share for name, each in scored.items()}
    means["rhythm_rejected"] = float(scored["rhythm_rejected"].right.sum())
    for name, (bad, good) in BALANCED.items():
        means[name] = 0.5 * (means[bad] + means[good])
    return means


# Balanced accuracy is the mean of the shares of bad ones found and of good ones kept.
BALANCED = {
    "record_balanced": ("record_bad_found", "record_good_kept"),
    "record_once_balanced": ("record_once_bad_found", "record_once_good_kept"),
}


def _of_records(sets: Sets, verdict: npt.NDArray[np.str_]) -> dict[str, Scored]:
    truth, group = np.array([sets.records[name] for name in sets.leads]) == 1, sets.record_group
    right = (verdict == "unacceptable") == truth
    passed = verdict == "acceptable"
    scored: dict[str, Scored] = {}
    for prefix, weight in (("record_", np.ones(len(right))), ("record_once_", sets.record_once)):
        scored |= {
            prefix + "accuracy": _scored(right, group, weight > 0, weight),
            prefix + "bad_found": _scored(right, group, truth, weight),
            prefix + "good_kept": _scored(right, group, ~truth, weight),
            prefix + "good_marginal": _scored(verdict == "marginal", group, ~truth, weight),
        }
    kept = verdict != "unacceptable"
    scored["acceptable_is_good"] = _scored(~truth, group, passed, sets.record_once)
    scored["marginal_is_good"] = _scored(~truth, group, kept & ~passed, sets.record_once)
    return scored


def _of_leads(sets: Sets, rejected: npt.NDArray[np.bool_], labelled: npt.NDArray[np.bool_]) -> dict[str, Scored]:
    right = rejected == (sets.bad == 1)
    return {
        "lead_accuracy": _scored(right, sets.group, labelled),
        "lead_kept": _scored(right, sets.group, labelled & (sets.bad == 0)),
        "lead_bad_found": _scored(right, sets.group, labelled & (sets.bad == 1)),
    }


def _of_strips(sets: Sets, out: npt.NDArray[np.bool_], passed: npt.NDArray[np.bool_]) -> dict[str, Scored]:
    noisy, name = np.array(list(sets.noisy.values())) == 1, np.array(list(sets.noisy))
    return {
        "c17_sensitivity": _scored(~passed, name, noisy),
        "c17_specificity": _scored(passed, name, ~noisy),
        "c17_rejected_noisy": _scored(out, name, noisy),
        "c17_rejected_clean": _scored(out, name, ~noisy),
    }


def _scored(
    right: npt.NDArray[np.bool_],
    group: npt.NDArray[Any],
    among: npt.NDArray[np.bool_],
    weight: FloatArray | None = None,
) -> Scored:
    each = np.ones(len(right)) if weight is None else weight
    return Scored(right[among].astype(np.float64), group[among], each[among])


def _is(verdicts: Sequence[Verdict], quality: str) -> npt.NDArray[np.bool_]:
    return np.array([each.verdict == quality for each in verdicts])
