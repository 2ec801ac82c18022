"""Values beside their limits: the words follow the rule table, the signs follow the rules."""

from __future__ import annotations

import pytest

from vitalake.ecg.quality.quality_model import lead_model
from vitalake.ecg.quality.rules import RULES
from vitalake.ecg.quality.threshold_text import measure_lines, thresholds_of
from vitalake.ecg.tables import MEASURE_NAMES


def test_every_measure_has_a_line_and_every_lead_a_cell() -> None:
    lines = measure_lines([{"flat_run_s": 0.01}, {}])
    assert [line.name for line in lines] == [*MEASURE_NAMES, "poor_probability"]
    assert [cell.text for cell in lines[0].cells] == ["0.01", "—"]
    assert lines[0].unit == "s"


@pytest.mark.parametrize(("value", "crossed"), [(0.19, ""), (0.2, "warns"), (1.0, "rejects"), (None, "")])
def test_a_crossed_limit_is_told_by_its_effect(value: float | None, crossed: str) -> None:
    [flat] = [line for line in measure_lines([{"flat_run_s": value}]) if line.name == "flat_run_s"]
    assert flat.cells[0].crossed == crossed


def test_a_rule_that_changes_no_verdict_only_notes() -> None:
    [offset] = [line for line in measure_lines([{"offset_mv": 6.0}]) if line.name == "offset_mv"]
    assert offset.cells[0].crossed == "notes"
    assert offset.limits == "S11: ≥ 5 notes"


def test_the_model_has_limits_like_a_rule() -> None:
    at = lead_model().limits
    values = (at.warn - 1e-6, at.warn, at.reject)
    poor = measure_lines([{"poor_probability": value} for value in values])[-1]
    assert [cell.crossed for cell in poor.cells] == ["", "warns", "rejects"]
    assert poor.limits == f"M01: ≥ {at.warn:g} warns, ≥ {at.reject:g} rejects"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (3e-5, "<0.001"), (0.01234, "0.0123"), (-0.5, "-0.5"), (12345.6, "12,346")]
)
def test_values_keep_three_digits(value: float, text: str) -> None:
    assert measure_lines([{"kurtosis": value}])[list(MEASURE_NAMES).index("kurtosis")].cells[0].text == text


def test_limits_name_every_threshold_of_the_rule_table() -> None:
    for rule in RULES:
        for threshold in (rule.warn, rule.reject):
            if threshold is not None:
                assert f"{rule.id}: " in thresholds_of(rule.measure)
                assert f"{threshold:g} " in thresholds_of(rule.measure)
