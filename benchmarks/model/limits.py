"""Which limits the probabilities are held against: those shipped, and how they are chosen from some records.

Belongs here: the choice of limits. Does not belong here: what becomes of the verdicts (`validation.py`).
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

from benchmarks.model.validation import (
    FloatArray,
    Limits,
    Sets,
    lead_verdicts,
    record_inputs,
    strip_probabilities,
    train_record,
    whole_strips,
)
from vitalake.ecg.quality.quality_model import combine_record
from vitalake.ecg.quality.regression import ModelThresholds, RecordModel
from vitalake.ecg.quality.rules import WAVES

# What is shipped: what `choose` returned for all records, rounded.
LIMITS = ModelThresholds(clear=0.20, warn=0.42, reject=0.75)
RECORD_WARN = 0.07
RECORD_REJECT = 0.5

REJECTS = np.arange(0.70, 0.81, 0.05)
WARNS = np.arange(0.20, 0.51, 0.02)
RECORD_WARNS = np.arange(0.02, 0.31, 0.01)
RHYTHM_MARGIN = 0.03  # below reject for every rhythm seen: there are others
MOST_CLEAN_REJECTED = 0.01
MOST_GOOD_LEADS_REJECTED = 0.009
MOST_GOOD_RECORDS_MARGINAL = 0.12


def shipped(weights: FloatArray, intercept: float) -> Limits:
    """The limits that are shipped, with the weights of a record model."""
    return Limits(LIMITS, RecordModel(weights, intercept, RECORD_WARN, RECORD_REJECT))


def choose(sets: Sets, p: FloatArray) -> Limits:
    """Limits from the records that have out-of-fold probabilities; the others (NaN) are not looked at."""
    known = ~np.isnan(p)
    lead = ModelThresholds(LIMITS.clear, LIMITS.warn, _reject(sets, p, known))
    lead = lead._replace(warn=_warn(sets, p, lead))
    weights, intercept = train_record(sets, p)
    model = RecordModel(weights, intercept, RECORD_WARN, RECORD_REJECT)
    return Limits(lead, RecordModel(weights, intercept, _record_warn(sets, p, Limits(lead, model)), RECORD_REJECT))


def _reject(sets: Sets, p: FloatArray, known: npt.NDArray[np.bool_]) -> float:
    """The lowest that stays clear of every rhythm, and rejects 1 % of clean strips and of good leads at most."""
    strip, noisy = strip_probabilities(sets, p)
    clean = strip[(noisy == 0) & ~np.isnan(strip)]
    spared = np.array([WAVES in each.reasons for each in sets.rules])
    rhythm = p[(sets.source == 2) & known & ~spared]
    good = np.flatnonzero((sets.source == 0) & (sets.bad == 0) & known)
    for reject in REJECTS:
        if (rhythm >= reject - RHYTHM_MARGIN).any() or (clean >= reject).mean() > MOST_CLEAN_REJECTED:
            continue
        final = lead_verdicts(sets, p, [LIMITS._replace(reject=float(reject))] * len(good), good)
        if np.mean([each.verdict == "unacceptable" for each in final]) <= MOST_GOOD_LEADS_REJECTED:
            return float(reject)
    return float(REJECTS[-1])


def _warn(sets: Sets, p: FloatArray, lead: ModelThresholds) -> float:
    """The middle one of those that tell noisy strips from others best."""
    strip, noisy = strip_probabilities(sets, p)
    here = ~np.isnan(strip)
    scores = []
    for warn in WARNS:
        whole = whole_strips(sets, p, [lead._replace(warn=float(warn))] * len(p))
        passed = np.array([each.verdict == "acceptable" for each in whole])
        scores.append((~passed)[here & (noisy == 1)].mean() + passed[here & (noisy == 0)].mean())
    best = np.flatnonzero(np.isclose(scores, max(scores)))
    return float(WARNS[best[len(best) // 2]])


def _record_warn(sets: Sets, p: FloatArray, limits: Limits) -> float:
    """The lowest that leaves few good records marginal."""
    _, label, at = record_inputs(sets, p)
    rows = list(sets.leads.values())
    good = [i for i, bad in zip(at, label, strict=True) if not bad]
    leads = [lead_verdicts(sets, p, [limits.lead] * len(rows[i]), rows[i]) for i in good]

    def few(warn: float) -> bool:
        model = RecordModel(limits.record.weights, limits.record.intercept, warn, RECORD_REJECT)
        marginal = [
            combine_record(each, list(p[rows[i]]), model).verdict == "marginal"
            for i, each in zip(good, leads, strict=True)
        ]
        return bool(np.average(marginal, weights=sets.record_once[good]) <= MOST_GOOD_RECORDS_MARGINAL)

    first = bisect_left(range(len(RECORD_WARNS) - 1), True, key=lambda at: few(float(RECORD_WARNS[at])))
    return float(RECORD_WARNS[first])
