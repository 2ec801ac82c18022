"""Measures of leads beside the thresholds of the rules, as words for people.

Belongs here: units, limits and crossings as text. Does not belong here: the rules (`rules.py`), or how a table
of them looks (`vitalake/ecg/pictures/report_page.py`, the command line).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from vitalake.ecg.quality.quality_model import MODEL_REASON, lead_model
from vitalake.ecg.quality.rules import RULES, QualityRule
from vitalake.ecg.signals.measures import MEASURES
from vitalake.ecg.tables import MEASURE_NAMES, POOR

Crossed = Literal["", "notes", "warns", "rejects"]
CROSSINGS: tuple[Crossed, ...] = ("", "notes", "warns", "rejects")
CROSSED_SIGNS: dict[Crossed, str] = {"": "", "notes": "i", "warns": "!", "rejects": "✕"}


class Cell(NamedTuple):
    """A value of one lead as text, ``—`` where there is none, and the worst that a rule says of it."""

    text: str
    crossed: Crossed


class MeasureLine(NamedTuple):
    """One measure: name, unit (empty for a pure number), limits with the ids of their rules, a cell per lead."""

    name: str
    unit: str
    limits: str
    cells: tuple[Cell, ...]


def measure_lines(leads: Sequence[Mapping[str, float | None]]) -> list[MeasureLine]:
    """Every measure of `ecg_signals` for these leads, in the order of its columns, and the model's probability."""
    units = {name: MEASURES[name].unit for name in MEASURE_NAMES} | {POOR.name: ""}
    return [
        MeasureLine(name, unit, thresholds_of(name), tuple(_cell(name, lead.get(name)) for lead in leads))
        for name, unit in units.items()
    ]


def thresholds_of(name: str) -> str:
    """What the rules say of a measure: ``Q01: ≥ 0.2 warns, ≥ 1 rejects``; empty where none does."""
    found: dict[str, list[str]] = {}
    for rule in _rules(name):
        sign = rule.comparison.replace(">=", "≥").replace("<=", "≤")
        mild = "warns" if rule.marginal else "notes"
        for threshold, effect in ((rule.warn, mild), (rule.reject, "rejects")):
            if threshold is not None:
                found.setdefault(rule.id, []).append(f"{sign} {threshold:g} {effect}")
    return "; ".join(f"{rule}: {', '.join(words)}" for rule, words in found.items())


def _cell(name: str, value: float | None) -> Cell:
    if value is None:
        return Cell("—", "")
    worst: Crossed = ""
    for rule in _rules(name):
        effects: tuple[tuple[float | None, Crossed], ...] = (
            (rule.warn, "warns" if rule.marginal else "notes"),
            (rule.reject, "rejects"),
        )
        for threshold, effect in effects:
            if rule.fires(np.array([value]), threshold).any():
                worst = max(worst, effect, key=CROSSINGS.index)
    if 0 < abs(value) < 0.0005:
        return Cell("<0.001", worst)
    return Cell(f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}", worst)


@cache
def _rules(name: str) -> tuple[QualityRule, ...]:
    """The rules about a measure; the model warns and rejects like one."""
    if name != POOR.name:
        return tuple(rule for rule in RULES if rule.measure == name)
    at = lead_model().limits
    return (QualityRule(MODEL_REASON, name, ">=", at.warn, at.reject, "", "", ""),)
