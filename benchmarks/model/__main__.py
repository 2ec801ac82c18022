"""Train and validate the quality model; figures as JSON lines and a table.

python -m benchmarks.model            # validate only
python -m benchmarks.model --write    # and write vitalake/ecg/quality/model/, and what docs/quality.md shows of it

Data: $VITALAKE_TEST_DATA, else ../shared/data. The same seed gives the same files. Every figure is of recordings
the model did not see: five folds over the groups of all sets together, repeated. `nested` chooses the limits inside
the training folds too, and decides; `fixed` has the limits that are written, chosen with all predictions in view.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.model.intervals import intervals, over_repeats
from benchmarks.model.limits import LIMITS, RECORD_REJECT, RECORD_WARN, choose, shipped
from benchmarks.model.validation import (
    Labels,
    Limits,
    Scored,
    Sets,
    figures,
    folds,
    out_of_fold,
    predict,
    rules_figures,
    strip_probabilities,
    summary,
    train,
    train_record,
)
from benchmarks.quality.tasks import CROSS_VALIDATION, TASKS, digest_of

FloatArray = npt.NDArray[np.float64]

REPEATS = 10
# By task of the accuracy report (benchmarks/quality/tasks.py), where its target is.
REPORTED = {
    "record_accuracy": "cinc2011_record_accuracy",
    "record_balanced": "cinc2011_record_balanced_accuracy",
    "record_good_marginal": "cinc2011_good_records_marginal",
    "lead_accuracy": "cinc2011_lead_accuracy",
    "lead_kept": "cinc2011_good_leads_kept",
    "c17_sensitivity": "cinc2017_noisy_sensitivity",
    "c17_specificity": "cinc2017_noisy_specificity",
    "c17_rejected_noisy": "cinc2017_noisy_rejected",
    "c17_rejected_clean": "cinc2017_clean_rejected",
    "rhythm_rejected": "plawiak_unacceptable",
}


def validate(sets: Sets, seed: int) -> tuple[dict[str, Scored], dict[str, Scored]]:
    """One repeat: what is right with nested and with fixed limits."""
    every = np.ones(len(sets.source), dtype=np.bool_)
    p = np.full(len(every), np.nan)
    fold_of = np.zeros(len(every), dtype=np.int64)
    nested: list[Limits] = []
    for number, test in enumerate(folds(sets, every, seed)):
        nested.append(choose(sets, out_of_fold(sets, ~test, 1000 * seed + number)))
        p[test] = predict(sets, train(sets, ~test), test)
        fold_of[test] = number
    fixed = [shipped(each.record.weights, each.record.intercept) for each in nested]
    first, second = (figures(sets, p, [limits[fold] for fold in fold_of]) for limits in (nested, fixed))
    return first, second


def without_one_set(sets: Sets) -> dict[str, float]:
    """What a model that never saw a set does on it."""
    found = {}
    for number, name in enumerate(("cinc2011", "cinc2017", "plawiak", "mitdb")):
        rows = sets.source == number
        alike = np.isin(sets.group, sets.group[rows])
        p = predict(sets, train(sets, ~alike), rows)
        if number == 0:
            known = sets.bad[rows] >= 0
            found["auc_" + name] = auc(p[known], sets.bad[rows][known])
        elif number == 1:
            every = np.full(len(sets.source), np.nan)
            every[rows] = p
            found["auc_" + name] = auc(*strip_probabilities(sets, every))
        else:
            found["above_reject_" + name] = float((p >= LIMITS.reject).mean())
    return found


def auc(p: FloatArray, y: Labels) -> float:
    """Area under the ROC curve: how often a bad one has the higher probability."""
    bad, good = p[y == 1][:, None], p[y == 0][None, :]
    return float((bad > good).mean() + 0.5 * (bad == good).mean())


def write(sets: Sets, folder: Path) -> None:
    """Fit both models on everything and store them."""
    every = np.ones(len(sets.source), dtype=np.bool_)
    p = np.mean([out_of_fold(sets, every, seed) for seed in range(3)], axis=0)
    chosen = choose(sets, p)
    print(
        f"limits that all records would choose: {chosen.lead}, record warn {chosen.record.warn:g}", file=sys.stderr
    )
    weights, intercept = train_record(sets, p)
    lead = {"limits": LIMITS._asdict(), **train(sets, every)}
    inputs = ["log odds of the worst lead", "of the second", "of the third", "of the sixth", "mean probability"]
    record = {
        "warn": RECORD_WARN,
        "reject": RECORD_REJECT,
        "intercept": round(intercept, 6),
        "inputs": inputs,
        "weights": [round(float(each), 6) for each in weights],
    }
    folder.mkdir(exist_ok=True)
    for name, model in (("lead.json", lead), ("record.json", record)):
        (folder / name).write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """1 if a nested figure misses its target in the mean over repeats."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--write", action="store_true", help="write the models into the package")
    arguments.add_argument("--repeats", type=int, default=REPEATS)
    given = arguments.parse_args()
    root = Path(__file__).resolve().parents[2]
    data = Path(os.environ.get("VITALAKE_TEST_DATA", root.parent / "shared" / "data"))
    sets = Sets(data)
    repeats = [validate(sets, seed) for seed in range(given.repeats)]
    rules = summary(rules_figures(sets))
    nested, fixed = ([summary(repeat[which]) for repeat in repeats] for which in (0, 1))
    spread = intervals(over_repeats([repeat[0] for repeat in repeats]))
    tasks = {task.id: task for task in TASKS}
    table = Table("figure", "rules", "nested", "95 %", "fixed", "target", "ok")
    stored: dict[str, Any] = {}
    missed = False
    for name in rules:
        values, shipped_values = (np.array([each[name] for each in of]) for of in (nested, fixed))
        task = tasks.get(REPORTED.get(name, ""))
        ok = task is None or task.met(round(float(values.mean()), 6))
        missed |= not ok
        line: dict[str, Any] = {"value": round(float(values.mean()), 4), "sd": round(float(values.std()), 4)}
        line |= {"ci95": [round(each, 4) for each in spread.get(name, ())]}
        line |= {"fixed": round(float(shipped_values.mean()), 4), "rules": round(rules[name], 4)}
        target = None if task is None else task.target
        print(json.dumps({"bench": f"quality_{name}", **line, "unit": "", "target": target, "ok": ok}), flush=True)
        table.add_row(
            name,
            f"{rules[name]:.4f}",
            f"{values.mean():.4f} ± {values.std():.4f}",
            "–".join(f"{each:.3f}" for each in spread.get(name, ())),
            f"{shipped_values.mean():.4f}",
            "" if task is None else f"{task.comparison} {task.target:g}",
            "yes" if ok else "NO",
        )
        if task is not None:
            ci95 = line["ci95"] if task.unit == "share" else []
            stored[task.id] = {"nested": line["value"], "fixed": line["fixed"], "ci95": ci95}
    for name, value in without_one_set(sets).items():
        line = {"bench": f"quality_left_out_{name}", "value": round(value, 4), "unit": "", "target": None}
        print(json.dumps({**line, "ok": True}))
    if given.write:
        write(sets, root / "vitalake" / "ecg" / "quality" / "model")
        content = {"trained_on": digest_of(data), "figures": stored}
        CROSS_VALIDATION.write_text(json.dumps(content, indent=1) + "\n")
    Console(width=130).print(table)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
