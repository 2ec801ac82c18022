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
from vitalake.ecg.quality.rules import QUALITIES, RULES, WAVES, Verdict, lost_by_lead, record_verdict
from vitalake.ecg.signals.filters import FloatArray

MODEL_REASON = "M01"

APPEAL_QUALITY = 0.60  # noise without a heart seldom comes so far, and no good lead that was cleared lay below
# A lead that does not move, sticks at its limit, leaves the range of an ECG or has gaps is lost, whatever its beats
# look like. Only what a rule opens to appeal is weighed against the model.
STANDING_REJECTS = frozenset(rule.id for rule in RULES if rule.reject is not None and not rule.appeal)
STANDING_WARNINGS = frozenset(
    rule.id for rule in RULES if rule.marginal and rule.warn is not None and not rule.appeal
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

    * From `reject` on: unacceptable, from `warn` on: at least marginal, each with the reason M01. Waves as of
      flutter (Q19) are marginal from `reject` on, too: no rhythm is rejected.
    * Below `clear`, marginal by rules that are open to appeal alone (`QualityRule.appeal`) becomes acceptable, and
      unacceptable by them marginal, if the quality index is 0.60 or more: the model has not seen noise without a
      heart, and must not clear it.

    Any other reject stands. All reasons of the rules are kept, so that a query can still find them.
    """
    if np.isnan(probability):
        return rules
    at = lead_model().limits if limits is None else limits
    severity = QUALITIES.index(rules.verdict)
    appeal = quality_index >= APPEAL_QUALITY and STANDING_REJECTS.isdisjoint(rules.reasons)
    if severity == 2 and probability < at.clear and appeal:
        severity = 1
    elif severity == 1 and probability < at.clear and STANDING_WARNINGS.isdisjoint(rules.reasons):
        severity = 0
    if probability < at.warn:
        return Verdict(QUALITIES[severity], rules.reasons)
    severity = max(severity, 2 if probability >= at.reject and WAVES not in rules.reasons else 1)
    return Verdict(QUALITIES[severity], tuple(sorted({*rules.reasons, MODEL_REASON})))


def combine_record(
    leads: Sequence[Verdict], probabilities: Sequence[float], model: RecordModel | None = None
) -> Verdict:
    """The final verdict on a record from the final verdicts on its leads and their probabilities.

    With at least eight leads that have a probability:

    * unacceptable from the record model's `reject` on. It learned what people called an unacceptable record, and
      with the rules' verdict beside it it was wrong more often. Waves as of flutter (Q19) count as a doubt and no
      more: no rhythm costs a record.
    * marginal when half of the leads are not acceptable, or when a lead is unacceptable and the record model gives
      at least `warn`: the rhythm can be read, the shape only in the leads that are acceptable.
    * else acceptable, although a lead of it may not be.

    With fewer, a record is unacceptable when a lead is rejected as flat, off, stuck or low, or when every lead is
    (a single lead is its record), and marginal when any lead is not acceptable.

    Args:
        leads: what `combine` returned, one per lead.
        probabilities: of the same leads; NaN where there is none.
        model: None: the stored one.

    Raises:
        ValueError: there is no lead, or not one probability per lead.
    """
    if len(leads) != len(probabilities):
        raise ValueError(f"{len(leads)} leads, but {len(probabilities)} probabilities")
    at = record_model() if model is None else model
    doubt = lead_model().limits.warn
    whole = at.probability(
        [
            min(p, doubt) if WAVES in lead.reasons and lead.verdict != "unacceptable" else p
            for lead, p in zip(leads, probabilities, strict=True)
        ]
    )
    if np.isnan(whole):
        return record_verdict(leads, lost=lost_by_lead(leads))
    doubtful = sum(lead.verdict != "acceptable" for lead in leads)
    short_of_a_lead = any(lead.verdict == "unacceptable" for lead in leads) and whole >= at.warn
    reasons = {reason for lead in leads for reason in lead.reasons}
    if whole >= at.reject:
        return Verdict("unacceptable", tuple(sorted({*reasons, MODEL_REASON})))
    marginal = short_of_a_lead or 2 * doubtful >= len(leads)
    return Verdict("marginal" if marginal else "acceptable", tuple(sorted(reasons)))


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
