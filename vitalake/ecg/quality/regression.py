"""What the quality model computes: from features to probabilities, by numpy alone.

Belongs here: the two logistic regressions as stored data and their evaluation. Does not belong here: where they are
stored and how a verdict follows (`quality_model.py`), training (`benchmarks/model`).

A lead's features are first turned into ranks by straight lines between a few knots, so that no value outweighs the
others however large it is; a feature without a value (NaN) takes its declared default. Where physics says in which
direction a feature points, its weight was not allowed the other sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.signals.filters import FloatArray

LEAST_LEADS = 8  # below, a record says too little about its leads for the record model


class ModelThresholds(NamedTuple):
    """Probabilities of a lead from which on the model warns and rejects, and below which it clears."""

    clear: float
    warn: float
    reject: float


@dataclass(frozen=True)
class ModelFeature:
    """One input of a lead's model: its name, its way from value to rank, its weight.

    Args:
        name: of the measure or learned feature.
        knots: values in their own unit, ascending, shape (k,).
        ranks: what each becomes, 0 .. 1, ascending, shape (k,); values between two knots lie on a straight line,
            values beyond the outermost take theirs.
        default: rank of a strip for which the feature has no value.
        weight: change of log odds from rank 0 to rank 1.
    """

    name: str
    knots: FloatArray
    ranks: FloatArray
    default: float
    weight: float

    def rank(self, values: npt.ArrayLike) -> FloatArray:
        """Ranks of values, same shape."""
        given = np.asarray(values, dtype=np.float64)
        ranks = np.interp(np.nan_to_num(given, nan=0.0), self.knots, self.ranks)
        return np.where(np.isnan(given), self.default, ranks)


@dataclass(frozen=True)
class LeadModel:
    """Log odds of a lead = intercept + sum(weight · (rank - 0.5))."""

    features: tuple[ModelFeature, ...]
    intercept: float
    limits: ModelThresholds

    def probability(self, values: Mapping[str, npt.ArrayLike]) -> FloatArray:
        """See `lead_probability`."""
        score = self.intercept + sum(each.weight * (each.rank(values[each.name]) - 0.5) for each in self.features)
        return _logistic(np.asarray(score, dtype=np.float64))


@dataclass(frozen=True)
class RecordModel:
    """Log odds of a record = intercept + weights · `record_features`, shape (5,).

    From `reject` on a record is unacceptable, from `warn` on marginal where a lead of it is.
    """

    weights: FloatArray
    intercept: float
    warn: float
    reject: float

    def probability(self, probabilities: npt.ArrayLike) -> float:
        """See `record_probability`."""
        known = np.asarray(probabilities, dtype=np.float64)
        known = known[~np.isnan(known)]
        if len(known) < LEAST_LEADS:
            return float("nan")
        return float(_logistic(self.intercept + (record_features(known[None, :]) * self.weights).sum(axis=1))[0])


def record_features(probabilities: FloatArray) -> FloatArray:
    """What the record model looks at, shape (n, 5), of the leads' probabilities, shape (n, leads), leads ≥ 8.

    Log odds of the worst, second, third and sixth worst lead, limited to ± 4.6, and the mean probability.
    """
    worst_first = -np.sort(-probabilities, axis=1)
    odds = np.log((worst_first[:, [0, 1, 2, 5]] + 0.01) / (1.01 - worst_first[:, [0, 1, 2, 5]]))
    return np.column_stack([odds, probabilities.mean(axis=1)])


def lead_model_from(stored: Mapping[str, Any]) -> LeadModel:
    """The model that a `lead.json` describes."""
    features = tuple(
        ModelFeature(
            each["name"], np.array(each["knots"]), np.array(each["ranks"]), each["default"], each["weight"]
        )
        for each in stored["features"]
    )
    return LeadModel(features, stored["intercept"], ModelThresholds(**stored["limits"]))


def record_model_from(stored: Mapping[str, Any]) -> RecordModel:
    """The model that a `record.json` describes."""
    return RecordModel(np.array(stored["weights"]), stored["intercept"], stored["warn"], stored["reject"])


def _logistic(score: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * score)), dtype=np.float64)
