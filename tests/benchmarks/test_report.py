"""The page and the lines: what is skipped says why, and the cross-validated figure is the one that decides."""

from __future__ import annotations

from benchmarks.quality.report import page
from benchmarks.quality.results import Comparison, Results
from benchmarks.quality.tasks import TASKS, CrossValidated

LEADS = next(task for task in TASKS if task.id == "cinc2011_lead_accuracy")


def test_a_cross_validated_figure_decides_in_place_of_the_one_as_shipped() -> None:
    results = Results({LEADS.id: 0.99}, crossed={LEADS.id: CrossValidated(0.95, (0.94, 0.9612))})
    assert results.met(LEADS) is False
    decisive = {line["bench"]: line["ok"] for line in results.lines() if line["target"] is not None}
    assert decisive == {f"{LEADS.id}_cross_validated": False}
    assert "| 99.00 %* | 95.00 % | 94.0–96.1 | **no** |" in page(results)


def test_a_missing_data_set_is_no_failure_and_gives_its_reason() -> None:
    results = Results(skipped={"cinc2011": "no *.npz in cinc2011/"})
    assert results.met(LEADS) is None
    assert results.lines() == []
    assert "skipped: no *.npz in cinc2011/" in page(results)


def test_a_program_that_is_not_installed_says_so_in_its_cell() -> None:
    results = Results({LEADS.id: 0.97})
    results.compared["cinc2011"] = Comparison(
        "5 of 10", {"Vitalake": {LEADS.id: 0.97}}, {"NeuroKit2": "not installed (neurokit2)"}
    )
    assert "| 5 of 10 | 97.00 %* | not installed | – |" in page(results)
