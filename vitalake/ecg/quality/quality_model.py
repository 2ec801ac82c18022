"""The quality model beside the rules: probabilities of leads and records, and the verdicts that follow from both.

Belongs here: the stored models, read once, and how they join the verdict of the rules. Does not belong here:
features (`vitalake/ecg/signals/measures.py`, `model_features.py`), evaluation (`regression.py`), the rules
(`rules.py`), training (`benchmarks/model`). Card: `docs/quality-model.md`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from vitalake.ecg.quality.regression import (
    LeadModel,
    ModelThresholds,
    RecordModel,
    lead_model_from,
    record_model_from,
)
from vitalake.ecg.quality.rules import FATAL, QUALITIES, RULES, Verdict, lost_by_lead, record_verdict
from vitalake.ecg.signals.filters import FloatArray

MODEL_REASON = "M01"

# A lead that does not move, sticks at its limit or has gaps is lost, whatever its beats look like: no appeal.
APPEAL_QUALITY = 0.60  # noise without a heart seldom comes so far, and no good lead that was cleared lay below
BEYOND_APPEAL = FATAL | {"S06"}
# What the model judges itself: a warning for one of these alone does not outlive a low probability.
JUDGED_BY_MODEL = frozenset({"Q06", "Q14"})
STANDING_WARNINGS = (
    frozenset(rule.id for rule in RULES if rule.marginal and rule.warn is not None) - JUDGED_BY_MODEL
)


def lead_probability(values: Mapping[str, npt.ArrayLike]) -> FloatArray:
    """Probability that each strip cannot be used, shape (n,).

    Args:
        values: columns of `measures.measure` and of `model_features.learned_features` by name, shape (n,) each;
            NaN where a value is missing or needs a gain that nobody knows. Further columns are ignored.

    Raises:
        KeyError: the column of a feature is missing.
    """
    return lead_model().probability(values)


def over_windows(probabilities: npt.ArrayLike) -> float:
    """Probability of a long lead from those of its windows: their mean; NaN where there is none."""
    known = np.asarray(probabilities, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if known.size else float("nan")


def record_probability(probabilities: npt.ArrayLike) -> float:
    """Probability that a record cannot be used from those of its leads, shape (leads,); NaN below eight leads."""
    return record_model().probability(probabilities)


def combine(
    rules: Verdict, probability: float, quality_index: float, limits: ModelThresholds | None = None
) -> Verdict:
    """The final verdict on a lead from that of the rules and the model's probability; NaN leaves it to the rules.

    * From `reject` on: unacceptable, from `warn` on: at least marginal, each with the reason M01.
    * Below `clear`, a reject for range or beats alone (neither flat, low nor stuck at a limit) becomes marginal, if
      the quality index is 0.60 or more: the model has not seen noise without a heart, and must not clear it.
    * Below `warn`, marginal for wander or beats drowned in noise alone becomes acceptable.

    All reasons of the rules are kept, so that a query can still find them.
    """
    if np.isnan(probability):
        return rules
    at = lead_model().limits if limits is None else limits
    severity = QUALITIES.index(rules.verdict)
    appeal = quality_index >= APPEAL_QUALITY and BEYOND_APPEAL.isdisjoint(rules.reasons)
    if severity == 2 and probability < at.clear and appeal:
        severity = 1
    elif severity == 1 and probability < at.warn and STANDING_WARNINGS.isdisjoint(rules.reasons):
        severity = 0
    if probability < at.warn:
        return Verdict(QUALITIES[severity], rules.reasons)
    severity = max(severity, 2 if probability >= at.reject else 1)
    return Verdict(QUALITIES[severity], tuple(sorted({*rules.reasons, MODEL_REASON})))


def combine_record(leads: Sequence[Verdict], probabilities: Sequence[float]) -> Verdict:
    """The final verdict on a record from the final verdicts on its leads and their probabilities.

    With at least eight leads that have a probability the record model alone says what is unacceptable: it learned
    what people called an unacceptable record, and with the rules' verdict beside it it was wrong more often. With
    fewer, a record is unacceptable when a lead is rejected as flat, off, stuck or low, or when every lead is: a
    single lead is its record. What is not unacceptable is marginal when any lead is not acceptable.

    Args:
        leads: what `combine` returned, one per lead.
        probabilities: of the same leads; NaN where there is none.

    Raises:
        ValueError: there is no lead, or not one probability per lead.
    """
    if len(leads) != len(probabilities):
        raise ValueError(f"{len(leads)} leads, but {len(probabilities)} probabilities")
    whole = record_probability(probabilities)
    if np.isnan(whole):
        return record_verdict(leads, lost=lost_by_lead(leads))
    lost = whole >= record_model().reject
    found = record_verdict(leads, lost=lost)
    return Verdict(found.verdict, tuple(sorted({*found.reasons, MODEL_REASON}))) if lost else found


@cache
def lead_model() -> LeadModel:
    """The model of a lead, read once."""
    return lead_model_from(_stored("lead.json"))


@cache
def record_model() -> RecordModel:
    """The model of a record, read once."""
    return record_model_from(_stored("record.json"))


def _stored(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((files("vitalake.ecg.quality") / "model" / name).read_text("utf-8"))
    return content
