"""Whether two ways of doing the same work found the same: asked before any time of theirs is shown.

Belongs here: comparing rows. Does not belong here: which rows and columns two ways have in common (the benchmarks).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Rows = Mapping[str, Mapping[str, Any]]


def agree(who: str, ours: Rows, theirs: Rows, within: Mapping[str, float], *, share: float = 1.0) -> None:
    """Both have the same keys, and at least a share of them the same values.

    Args:
        who: the other, for the message.
        ours: key → a row. Two NaN are the same, as two None are.
        theirs: the same of the other.
        within: column → how far two numbers, or any two of two lists of them, may be apart; other values are equal.
        share: of the keys, 0 to 1.

    Raises:
        AssertionError: they differ, and where.
    """
    if not ours or ours.keys() != theirs.keys():
        odd = sorted(ours.keys() ^ theirs.keys())
        raise AssertionError(
            f"{who}: {len(ours)} recordings of ours, {len(theirs)} of theirs; of one only: {odd[:3]}"
        )
    wrong: dict[str, list[str]] = {}
    for key, row in ours.items():
        columns = [name for name, most in within.items() if not _near(row[name], theirs[key][name], most)]
        if columns:
            wrong[key] = columns
    if len(wrong) > (1 - share) * len(ours) + 1e-9:
        key, [name, *_] = next(iter(wrong.items()))
        pair = f"{ours[key][name]!r:.60} and {theirs[key][name]!r:.60}"
        raise AssertionError(f"{who}: {len(wrong)} of {len(ours)} differ; {key}: {name} is {pair}")


def _near(one: Any, other: Any, most: float) -> bool:
    if one is None or other is None:
        return one is other
    a, b = np.asarray(one), np.asarray(other)
    if a.dtype.kind not in "biuf" or b.dtype.kind not in "biuf":
        return bool(one == other)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=0.0, atol=most, equal_nan=True))
