"""95 % intervals: whole groups are drawn anew, so that copies and cuts of one record do not count as independent.

Belongs here: the bootstrap. Does not belong here: what is right (`validation.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.model.validation import BALANCED, FloatArray, Scored

ROUNDS = 2000
TAILS = (0.025, 0.975)


def over_repeats(repeats: Sequence[dict[str, Scored]]) -> dict[str, Scored]:
    """Each item as the share of repeats in which it was right; where items change, all are pooled."""
    merged = {}
    for name, first in repeats[0].items():
        each = [repeat[name] for repeat in repeats]
        if all(len(one.right) == len(first.right) for one in each) and not name.endswith("_is_good"):
            merged[name] = first._replace(right=np.mean([one.right for one in each], axis=0))
        else:
            merged[name] = Scored(*(np.concatenate(parts) for parts in zip(*each, strict=True)))
    return merged


def intervals(scored: dict[str, Scored]) -> dict[str, tuple[float, float]]:
    """The interval of each share, and of balanced accuracies."""
    drawn = {name: draws(each) for name, each in scored.items()}
    for name, (bad, good) in BALANCED.items():
        drawn[name] = 0.5 * (drawn[bad] + drawn[good])
    found = {name: (float(low), float(high)) for name, (low, high) in _tails(drawn).items()}
    for name, each in scored.items():
        groups = len(np.unique(each.group))
        if each.share in (0.0, 1.0):  # nothing to draw from: the exact binomial limit
            open_end = TAILS[0] ** (1 / groups)
            found[name] = (open_end, 1.0) if each.share else (0.0, 1 - open_end)
    return found


def draws(scored: Scored) -> FloatArray:
    """The share in each of many samples of groups, shape (rounds,); the same ones every time."""
    rng = np.random.default_rng(0)
    _, number = np.unique(scored.group, return_inverse=True)
    right = np.bincount(number, weights=scored.right * scored.weight)
    total = np.bincount(number, weights=scored.weight)
    picked = rng.integers(0, len(total), (ROUNDS, len(total)))
    return np.asarray(right[picked].sum(axis=1) / total[picked].sum(axis=1), dtype=np.float64)


def _tails(drawn: dict[str, FloatArray]) -> dict[str, FloatArray]:
    return {name: np.quantile(each, TAILS) for name, each in drawn.items()}
