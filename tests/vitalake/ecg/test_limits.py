"""Values beside their limits: the words follow the rule table, the signs follow the rules."""

from __future__ import annotations

import pytest

from vitalake.ecg.limits import limits_of, measure_lines
from vitalake.ecg.quality import RULES
from vitalake.ecg.tables import MEASURE_NAMES


def test_every_measure_has_a_line_and_every_lead_a_cell() -> None:
    lines = measure_lines([{"flat_run_s": 0.01}, {}])
    assert [line.name for line in lines] == list(MEASURE_NAMES)
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


def test_limits_name_every_threshold_of_the_rule_table() -> None:
    for rule in RULES:
        for threshold in (rule.warn, rule.reject):
            if threshold is not None:
                assert f"{rule.id}: " in limits_of(rule.measure)
                assert f"{threshold:g} " in limits_of(rule.measure)
