"""Fitting the quality model: ranks from quantiles, then a logistic regression whose weights may be held to a sign.

Belongs here: optimisation. Does not belong here: data (`sources.py`), validation (`__main__.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

FloatArray = npt.NDArray[np.float64]

KNOTS = 9
STRENGTH = 0.3  # inverse of the ridge penalty, as C of scikit-learn
DEFAULT_RANK = 0.5


def knots_and_ranks(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Quantiles of a feature, each once, and the mean rank of each; NaN does not count."""
    ordered = np.sort(values[np.isfinite(values)])
    knots = np.unique([float(f"{value:.6g}") for value in np.quantile(ordered, np.linspace(0, 1, KNOTS))])
    if len(knots) < 2:
        knots = np.array([knots[0], knots[0] + 1])
    below, up_to = np.searchsorted(ordered, knots, "left"), np.searchsorted(ordered, knots, "right")
    ranks = (below + up_to) / (2 * len(ordered))
    ranks[0], ranks[-1] = 0.0, 1.0
    return knots, np.round(ranks, 6)


def logistic_regression(
    x: FloatArray,
    y: npt.NDArray[np.float64 | np.int64],
    weight: FloatArray,
    signs: FloatArray | None = None,
    strength: float = STRENGTH,
) -> tuple[FloatArray, float]:
    """Weights, shape (features,), and intercept that minimise strength · weighted log loss + |weights|² / 2.

    Args:
        x: shape (n, features).
        y: 1 bad, 0 good, shape (n,).
        weight: of each row, shape (n,).
        signs: 1: the weight is at least 0, -1: at most 0, 0: free; shape (features,). None: all free.
        strength: inverse of the penalty.
    """
    direction = 2 * y - 1
    with_one = np.column_stack([x, np.ones(len(x))])

    def loss(beta: FloatArray) -> tuple[float, FloatArray]:
        margin = (with_one @ beta) * direction
        wrong = 0.5 * (1 - np.tanh(0.5 * margin))
        slope = -strength * (with_one.T @ (weight * direction * wrong))
        slope[:-1] += beta[:-1]
        return float(strength * (weight * np.logaddexp(0, -margin)).sum() + 0.5 * beta[:-1] @ beta[:-1]), slope

    held = np.zeros(x.shape[1]) if signs is None else signs
    bounds = [(0 if s > 0 else None, 0 if s < 0 else None) for s in held] + [(None, None)]
    options = {"maxiter": 5000, "ftol": 1e-12, "gtol": 1e-7}
    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B", options=options)
    return np.asarray(found.x[:-1], dtype=np.float64), float(found.x[-1])


def fit_lead(
    columns: Mapping[str, FloatArray], signs: Mapping[str, int], y: FloatArray, weight: FloatArray
) -> dict[str, Any]:
    """A lead's model as it is stored, without limits: features with knots, ranks, default, weight; intercept."""
    scales = {name: knots_and_ranks(columns[name]) for name in signs}
    x = np.column_stack(
        [np.where(np.isnan(columns[name]), DEFAULT_RANK, np.interp(columns[name], *scales[name])) for name in signs]
    )
    held = np.array(list(signs.values()), dtype=np.float64)
    weights, intercept = logistic_regression(x - 0.5, y, weight, held)
    features = [
        {
            "name": name,
            "sign": sign,
            "weight": round(float(each), 6),
            "default": DEFAULT_RANK,
            "knots": scales[name][0].tolist(),
            "ranks": scales[name][1].tolist(),
        }
        for (name, sign), each in zip(signs.items(), weights, strict=True)
    ]
    return {"intercept": round(intercept, 6), "features": features}
