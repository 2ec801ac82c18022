"""Targets, and the figures that the training script leaves behind."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks.quality import tasks
from benchmarks.quality.tasks import TASKS, cross_validated


def test_a_target_is_met_at_its_very_value_and_never_by_nothing() -> None:
    for task in TASKS:
        worse = math.nextafter(task.target, -math.inf if task.comparison == ">=" else math.inf)
        assert (task.met(task.target), task.met(worse), task.met(math.nan)) == (True, False, False)


def test_cross_validated_figures_are_those_of_known_tasks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "cross_validation.json"
    monkeypatch.setattr(tasks, "CROSS_VALIDATION", file)
    assert cross_validated() is None
    file.write_text(json.dumps({"cinc2011_lead_accuracy": 0.961, "folds": 5, "model": {"trees": 80}}))
    assert cross_validated() == {"cinc2011_lead_accuracy": 0.961}
