"""Figures that an export declares are computed again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.entities.mapping import Entity
from vitalake.entities.summary import Reconciled, Values, compare


def entity(revenue: float | None, employees: int | None, industry: str | None = None) -> Entity:
    return Entity(1, "1", "x", revenue, employees, industry, "{}", None, 0, 0)


def values(*entities: Entity) -> Values:
    found = Values()
    for each in entities:
        found.add([each])
    return found


THREE = values(entity(100.0, 3, "a"), entity(50.5, None, "b"), entity(None, 4, "a"))


def compared(summary: dict[str, Any], declared: int | None = None, count: int = 3) -> Reconciled:
    return compare(summary, declared, THREE, count)


@pytest.mark.parametrize(
    "summary",
    [
        {"totalRecords": 3, "totalRevenue": 150.5, "total_employees": 7},
        {"recordCount": "3", "averageRevenue": 75.25, "avg_employees": 3.5, "maxRevenue": 100, "minRevenue": 50.5},
        {"averageRevenue": 75.3},
        {"revenue": {"total": 151, "median": 75.25}, "employees": {"sum": 7}},
        {"uniqueIndustries": 2, "totalCustomers": 3},
    ],
)
def test_true_figures_reconcile_by_whatever_name_and_however_rounded(summary: dict[str, Any]) -> None:
    found = compared(summary, declared=3)
    assert (found.differences, found.unchecked) == ([], [])
    assert found.figures


def test_false_figures_are_told_with_what_was_found() -> None:
    found = compared({"totalRevenue": 151.5, "averageRevenue": 75.31, "totalRecords": 4}, declared=4)
    assert found.differences == [
        "metadata.recordCount: declared 4, found 3",
        "summary.totalRevenue: declared 151.5, found 150.5",
        "summary.averageRevenue: declared 75.31, found 75.25",
        "summary.totalRecords: declared 4, found 3",
    ]


def test_the_path_of_a_false_figure_is_told_as_far_as_it_is_made_of_its_name() -> None:
    found = compared({"totalrevenue": 1, "Ж.Total-Revenue": 2, "revenue": {"Ж": {"total": 3}}})
    said = [difference.partition(": declared")[0] for difference in found.differences]
    assert said == ["summary.totalrevenue", "summary.?.?", "summary.revenue.?.total"]


def test_a_sum_that_lacks_quarantined_records_says_so() -> None:
    found = compared({"totalRevenue": 200, "totalRecords": 5}, declared=5, count=5)
    assert found.differences == ["summary.totalRevenue: declared 200, found 150.5 (without 2 quarantined)"]


def test_figures_that_nobody_here_knows_are_listed_and_words_are_not() -> None:
    found = compared({"churn": 0.5, "by_industry": {"a": 2, "b": 1}, "note": "ok", "none": None, "flag": True})
    assert found == Reconciled([], ["summary.?", "summary.by_industry.?", "summary.by_industry.?"])


def test_figures_in_a_list_are_not_passed_over() -> None:
    found = compared({"bySystem": [{"totalRevenue": 5}, {"name": "crm"}], "totals": [[1], 2]})
    assert found.unchecked == ["summary.bySystem[0].totalRevenue", "summary.totals[0][0]", "summary.totals[1]"]
    assert len(compared({"x": list(range(5000))}).unchecked) == 1000


def test_of_no_values_a_sum_is_0_and_an_average_is_none() -> None:
    assert compare({"totalRevenue": 0, "averageRevenue": 0}, 0, values(), 0).differences == []
    assert compare({"averageRevenue": 5}, 0, values(), 0).differences == [
        "summary.averageRevenue: declared 5, found none"
    ]


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(10**400) | st.just("1e300")
figures = st.sampled_from(["totalRevenue", "averageRevenue", "medianRevenue", "totalRecords", "maxEmployees", "x"])


@given(
    st.dictionaries(figures, numbers | st.text() | st.dictionaries(figures, numbers)),
    st.lists(st.builds(entity, st.none() | st.floats(0, 1.7e308), st.none() | st.integers(0, 2**63 - 1))),
)
def test_no_figure_of_any_size_fails_the_reading(summary: dict[str, Any], entities: list[Entity]) -> None:
    compare(summary, None, values(*entities), len(entities))
