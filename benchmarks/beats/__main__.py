"""Fit what each piece of evidence for a beat weighs; figures as JSON lines, the table for `peaks.py` as text.

python -m benchmarks.beats            # figures on recordings that the weights have not seen, then the table
python -m benchmarks.beats --table    # the table only

Data: $VITALAKE_TEST_DATA, else ../shared/data, and the generated hearts. The same seed gives the same table.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.beats.contexts import Marked, annotated, generated
from benchmarks.model.fit import logistic_regression
from benchmarks.quality import sources
from benchmarks.quality.cases import Case
from benchmarks.quality.scores import Beats, score_beats
from vitalake.ecg.signals import peaks
from vitalake.ecg.signals.filters import FloatArray

# Where the straight lines meet, by piece of evidence.
KNOTS: dict[str, tuple[float, ...]] = {
    "height": (-2.0, -0.8, 0.3),
    "breadth": (-2.0, -1.0, 0.3),
    "alike": (0.8, 1.0),
    "contrast": (0.0, 3.0),
    "since": (0.18, 0.36),
    "until": (0.18, 0.3),
}
STRENGTH = 1.0
SEED = 0

Weights = dict[str, tuple[tuple[float, float], ...]]


def segments(evidence: dict[str, FloatArray]) -> FloatArray:
    """How far each piece of evidence has come along each of its lines, shape (m, lines)."""
    columns = []
    for name, knots in KNOTS.items():
        for low, high in itertools.pairwise(knots):
            columns.append(np.clip(evidence[name], low, high) - low)
    return np.stack(columns, axis=1)


def fitted(marked: Sequence[Marked]) -> tuple[Weights, float]:
    """Log odds at each knot, and without any evidence."""
    x = np.concatenate([segments(each.evidence) for each in marked])
    y = np.concatenate([each.is_beat for each in marked]).astype(np.int64)
    weight = np.concatenate([np.full(len(each.is_beat), each.weight) for each in marked])
    mean, scale = x.mean(axis=0), x.std(axis=0)
    slopes, prior = logistic_regression((x - mean) / scale, y, weight, np.ones(x.shape[1]), STRENGTH)
    slopes = slopes / scale
    prior -= float((slopes * mean).sum())
    table: Weights = {}
    steps = iter(slopes)
    for name, knots in KNOTS.items():
        odds = [0.0]
        for low, high in itertools.pairwise(knots):
            odds.append(odds[-1] + float(next(steps)) * (high - low))
        # Level at the top: what is typical speaks neither way.
        table[name] = tuple((knot, round(value - odds[-1], 2)) for knot, value in zip(knots, odds, strict=True))
        prior += odds[-1]
    return table, round(prior, 2)


def unseen(real: Sequence[Marked], made: Sequence[Marked], cases: Sequence[Case]) -> Beats:
    """Beats of MIT-BIH records, each with weights that have not seen the record nor fragments of it."""
    total = Beats()
    kept = peaks.WEIGHTS, peaks.PRIOR
    for case in cases:
        peaks.WEIGHTS, peaks.PRIOR = fitted([*(m for m in real if m.group != f"mitdb {case.name}"), *made])
        found = of_case(case)
        print(
            json.dumps({"bench": f"beats_unseen_{case.name}", "value": round(found.f1, 4), "unit": "F1"}),
            flush=True,
        )
        total += found
    peaks.WEIGHTS, peaks.PRIOR = kept
    return total


def of_case(case: Case) -> Beats:
    """Beats of the first lead, a block at a time as the product does."""
    from vitalake.ecg.assess import beats_of

    lead = case.recording.leads[0]
    assert case.beats is not None
    return score_beats(
        case.beats,
        beats_of(lead).peaks,
        lead.sampling_rate_hz,
        len(lead.samples),
        case.excluded,
        forgive_edges=True,
    )


def main() -> int:
    """Always 0: the targets are those of `benchmarks.quality`."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--table", action="store_true", help="only the table")
    given = arguments.parse_args()
    data = sources.data_folder()
    real, made = annotated(data), list(generated(SEED))
    if not given.table:
        total = unseen(real, made, sources.load("mitdb", data))
        print(json.dumps({"bench": "beats_unseen", "value": round(total.f1, 4), "unit": "F1"}))
    table, prior = fitted([*real, *made])
    print("WEIGHTS: dict[str, tuple[tuple[float, float], ...]] = {")
    for name, points in table.items():
        print(f'    "{name}": {points},')
    print(f"}}\nPRIOR = {prior}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
