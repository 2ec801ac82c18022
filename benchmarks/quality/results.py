"""What one run found, before it is printed, drawn or written down.

Belongs here: the record of a run, and the one line that says each figure. Does not belong here: how it is laid out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from benchmarks.quality.tasks import TASKS, CrossValidated, Task


@dataclass(frozen=True)
class Comparison:
    """Figures of several programs on the same recordings.

    Args:
        on: how many recordings, in words.
        figures: figure by task, by program.
        remarks: what became of a program that could not answer everything, by program.
        failures: strips on which it raised, by program.
    """

    on: str
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)


@dataclass
class Results:
    """Everything that the report says."""

    figures: dict[str, float] = field(default_factory=dict)
    crossed: dict[str, CrossValidated] = field(default_factory=dict)
    on: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    compared: dict[str, Comparison] = field(default_factory=dict)
    extras: dict[str, tuple[float, str, str]] = field(default_factory=dict)  # value, unit, words
    pictures: dict[str, str] = field(default_factory=dict)  # file name, what it shows

    def honest(self, task: Task) -> float | None:
        """The figure that decides: cross-validated where there is one, else as measured; None where skipped."""
        crossed = self.crossed.get(task.id)
        return self.figures.get(task.id) if crossed is None else crossed.value

    def met(self, task: Task) -> bool | None:
        """Whether the target is met; None where nothing was measured."""
        value = self.honest(task)
        return None if value is None else task.met(value)

    def why_not(self, task: Task) -> str:
        """Why a task has no figure."""
        return self.skipped.get(task.id) or self.skipped.get(task.source) or "nothing to measure it on"

    def lines(self) -> list[dict[str, Any]]:
        """One JSON line a figure; a cross-validated figure decides in place of the one as shipped."""
        found = []
        for task in TASKS:
            crossed = self.crossed.get(task.id)
            if task.id in self.figures:
                found.append(_line(task.id, self.figures[task.id], task, decides=crossed is None))
            if crossed is not None:
                found.append(_line(f"{task.id}_cross_validated", crossed.value, task, decides=True))
            for comparison in (self.compared[name] for name in (task.source,) if name in self.compared):
                for program, figures in comparison.figures.items():
                    if task.id in figures:
                        found.append(_line(f"{task.id}.{program}", figures[task.id], task, decides=False))
        for program, spent in self.compared["cpu"].figures.items() if "cpu" in self.compared else ():
            for part in sorted(spent.keys() & {"detect", "quality"}):
                found.append(_extra(f"cpu_{part}.{program}", spent[part], "ms"))
        for name, (value, unit, _) in self.extras.items():
            found.append(_extra(name, value, unit))
        return found


def _extra(name: str, value: float, unit: str) -> dict[str, Any]:
    return {"bench": name, "value": round(value, 4), "unit": unit, "target": None, "ok": True}


def _line(name: str, value: float, task: Task, *, decides: bool) -> dict[str, Any]:
    return {
        "bench": name,
        "value": None if math.isnan(value) else round(value, 4),
        "unit": task.unit,
        "target": task.target if decides else None,
        "ok": task.met(value) if decides else True,
    }
