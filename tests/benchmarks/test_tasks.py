"""Targets, and the figures that the training script leaves behind."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks.quality import tasks
from benchmarks.quality.tasks import TASKS, CrossValidated, cross_validated


def test_a_target_is_met_at_its_very_value_and_never_by_nothing() -> None:
    for task in TASKS:
        worse = math.nextafter(task.target, -math.inf if task.comparison == ">=" else math.inf)
        assert (task.met(task.target), task.met(worse), task.met(math.nan)) == (True, False, False)


def test_cross_validated_figures_hold_for_the_recordings_they_were_made_from_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, data = tmp_path / "cross_validation.json", tmp_path / "data"
    (data / "cinc2011").mkdir(parents=True)
    (data / "cinc2011" / "a.npz").write_bytes(b"1")
    monkeypatch.setattr(tasks, "CROSS_VALIDATION", file)
    assert cross_validated(data) == {}
    figure = {"fixed": 0.961, "nested": 0.95, "ci95": [0.94, 0.96]}
    figures = {"cinc2011_lead_accuracy": figure, "no task": figure}
    file.write_text(json.dumps({"trained_on": tasks.digest_of(data), "figures": figures}))
    assert cross_validated(data) == {"cinc2011_lead_accuracy": CrossValidated(0.95, (0.94, 0.96))}
    (data / "cinc2011" / "b.npz").write_bytes(b"2")
    assert cross_validated(data) == {}
