"""Scores that truly vary, each part for a reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vitalake.entities.samples import read


def row_of(**fields: Any) -> dict[str, Any]:
    """The row of a record of system legacy; of a good one but for `fields`."""
    good = {"id": 1, "name": "Aalborg Analytics", "revenue": 2e6, "employees": 20, "industry": "technology"}
    (row,) = read({"entities/legacy/x.json": [good | fields]}).rows
    return row


def test_a_record_with_everything_in_place_has_100() -> None:
    row = row_of(city="Aalborg")
    parts = ("completeness", "validity", "consistency", "quality_score")
    assert [row[part] for part in parts] == [100.0] * 4


@pytest.mark.parametrize(
    ("fields", "completeness"),
    [
        ({"revenue": None}, 80.0),
        ({"revenue": 0}, 100.0),
        ({"revenue": None, "employees": None, "industry": " "}, 40.0),
        ({"city": None, "country": "DK"}, 90.0),
        ({"city": "", "tags": []}, 80.0),
    ],
)
def test_completeness_is_the_share_of_what_is_there(fields: dict[str, Any], completeness: float) -> None:
    assert row_of(**fields)["completeness"] == completeness


@pytest.mark.parametrize(
    ("fields", "validity"),
    [
        ({"name": "N/A"}, 75.0),
        ({"name": "?!"}, 75.0),
        ({"name": "株式"}, 100.0),
        ({"name": "a.\nb"}, 100.0),
        ({"name": ". a ."}, 75.0),
        ({"revenue": 2e12}, 75.0),
        ({"revenue": 2e12, "industry": None}, 66.67),
        ({"employees": 6_000_000}, 75.0),
        ({"industry": "unknown"}, 75.0),
        ({"industry": 511210}, 100.0),
        ({"industry": 5}, 75.0),
        ({"name": "test", "revenue": None, "employees": None, "industry": None}, 0.0),
    ],
)
def test_validity_is_the_share_of_what_is_plausible(fields: dict[str, Any], validity: float) -> None:
    assert row_of(**fields)["validity"] == validity


@pytest.mark.parametrize(
    ("revenue", "employees", "consistency"),
    [
        (200_000, 20, 100.0),
        (40_000_000, 20, 100.0),
        (20_000, 20, 50.0),
        (400_000_000, 20, 50.0),
        (2, 20, 0.0),
        (0, 0, 100.0),
        (0, 20, 50.0),
        (None, 20, 50.0),
    ],
)
def test_consistency_falls_with_each_factor_of_ten(
    revenue: float | None, employees: int, consistency: float
) -> None:
    assert row_of(revenue=revenue, employees=employees)["consistency"] == pytest.approx(consistency, abs=0.01)


@pytest.mark.parametrize(
    ("revenue", "employees", "entity_type"),
    [
        (10_000_000, 1000, "medium_business"),
        (10_000_001, None, "large_enterprise"),
        (None, 1001, "large_enterprise"),
        (1_000_000, 100, "small_business"),
        (0, 101, "medium_business"),
        (None, None, "small_business"),
    ],
)
def test_the_type_follows_revenue_and_employees(
    revenue: float | None, employees: int | None, entity_type: str
) -> None:
    assert row_of(revenue=revenue, employees=employees)["entity_type"] == entity_type


def test_the_digest_is_of_the_content_and_of_nothing_else() -> None:
    (legacy,) = read({"entities/legacy/x.json": [{"id": 1, "name": "a", "revenue": 5, "x": {"p": 1, "q": 2}}]}).rows
    other = {"x": {"q": 2, "p": 1}, "customer_id": 2, "name": " a ", "revenue": "5.0"}
    (crm,) = read({"entities/crm/y.json": [other]}).rows
    assert legacy["content_sha256"] == crm["content_sha256"]
    changes: list[dict[str, Any]] = [
        {"name": "b"}, {"revenue": 2e6 + 0.5}, {"revenue": None}, {"revenue": 0}, {"employees": 21},
        {"industry": "20"}, {"industry": None}, {"industry": "null"}, {"x": None}, {"x": 1}, {"x": "1"},
    ]  # fmt: skip
    digests = [row_of(**fields)["content_sha256"] for fields in ({}, *changes)]
    assert len(set(digests)) == len(digests)
