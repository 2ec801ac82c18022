from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vitalake.entities.current_entities import entity, table
from vitalake.entities.matching import MATCHES, load, matches
from vitalake.lake.columns import rows_of


def found(*entities: dict[str, Any]) -> list[dict[str, Any]]:
    """The matches between these."""
    with duckdb.connect() as connection:
        load(connection, table(entities))
        pairs = matches(connection)
    assert pairs.schema.equals(MATCHES.arrow_schema(), check_metadata=True)
    return rows_of(pairs)


def match(left: dict[str, Any], right: dict[str, Any], name: str = "Acme Rockets") -> dict[str, Any]:
    """The one match between an entity of crm and one of erp that have these values."""
    (row,) = found(entity("crm_1", **left), entity("erp_1", **{"name": name} | right))
    return row


@pytest.mark.parametrize("column", ["revenue", "employees"])
@pytest.mark.parametrize(
    ("left", "right", "points"),
    [
        (200, 50, 6.25),
        (50, 200, 6.25),
        (3, 3, 25),
        (0, 0, 25),
        (0, 5, 0),
        (None, 5, 0),
        (5, None, 0),
        (None, None, 0),
    ],
)
def test_numbers_give_points_by_their_ratio(column: str, left: int, right: int, points: float) -> None:
    assert match({column: left}, {column: right})[f"{column}_points"] == points


@pytest.mark.parametrize("strange", [float("nan"), float("inf"), -5.0])
def test_a_revenue_that_is_none_gives_no_points(strange: float) -> None:
    assert match({"revenue": strange}, {"revenue": strange})["revenue_points"] == 0


@pytest.mark.parametrize(
    ("left", "right", "points"),
    [("Tech", " TECH\t", 25), ("ÉNERGIE", "énergie", 25), ("Tech", "Retail", 0), ("Tech", None, 0), ("", " ", 0),
     (None, None, 0)],
)  # fmt: skip
def test_industries_are_equal_or_not(left: str, right: str, points: float) -> None:
    assert match({"industry": left}, {"industry": right})["industry_points"] == points


@pytest.mark.parametrize(
    ("employees", "industry", "score", "confidence", "action"),
    [
        (100, "Tech", 100, "very_high", "auto_merge"),
        (60, "Tech", 90, "very_high", "auto_merge"),
        (59, "Tech", 89.75, "high", "auto_merge"),
        (20, "Tech", 80, "high", "auto_merge"),
        (19, "Tech", 79.75, "high", "review"),
        (80, "Retail", 70, "high", "review"),
        (79, "Retail", 69.75, "medium", "review"),
        (40, "Retail", 60, "medium", "review"),
        (39, "Retail", 59.75, "medium", "investigate"),
        (0, "Retail", 50, "medium", "investigate"),
    ],
)
def test_the_score_decides_confidence_and_action(
    employees: int, industry: str, score: float, confidence: str, action: str
) -> None:
    left = {"revenue": 5.0, "employees": 100, "industry": "tech"}
    row = match(left, {"revenue": 5.0, "employees": employees, "industry": industry})
    assert (row["score"], row["confidence"], row["action"]) == (score, confidence, action)


def test_a_name_alone_is_of_low_confidence() -> None:
    row = match({}, {}, name="Acme Rocket")
    assert row["score"] == row["name_points"] == round(25 * row["similarity"], 4) < 25
    assert (row["confidence"], row["action"]) == ("low", "investigate")


def test_single_precision_lifts_no_score_over_a_threshold_and_keeps_none_below() -> None:
    left = {"name": "abc", "revenue": 5.0, "employees": 50, "industry": "tech"}
    row = match(left, left | {"name": "abc a", "employees": 20})  # 4 trigrams of 5: 20 + 25 + 10 + 25
    assert row["similarity"] > 0.8
    assert (row["name_points"], row["score"], row["action"]) == (20, 80, "auto_merge")


def test_a_pair_says_who_they_are_and_what_to_do() -> None:
    left = {"revenue": 5.0, "employees": 50, "industry": "tech"}
    merge, review, investigate = (
        match(left, right)["recommendation"] for right in (left, left | {"revenue": None}, {"employees": 50})
    )
    assert merge == 'Merge crm_1 "Acme Rockets" and erp_1 "Acme Rockets" into one record.'
    assert review == (
        'Compare crm_1 "Acme Rockets" and erp_1 "Acme Rockets" by hand, and merge them if they are one business '
        "(differing or missing: revenue)."
    )
    assert investigate == (
        'Keep crm_1 "Acme Rockets" and erp_1 "Acme Rockets" apart '
        "unless another source shows that they are one business (differing or missing: revenue, industry)."
    )


VALUES = {
    "revenue": st.one_of(st.none(), st.floats()),
    "employees": st.one_of(st.none(), st.integers(0, 10**12)),
    "industry": st.sampled_from(["a", "A ", None]),
}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.fixed_dictionaries(VALUES), max_size=6))
def test_points_are_in_their_bounds_and_the_score_is_their_sum(values: list[dict[str, Any]]) -> None:
    systems = ("crm", "erp")
    rows = found(*[entity(f"{systems[n % 2]}_{n}", **each) for n, each in enumerate(values)])
    assert len(rows) == (len(values) // 2) * (len(values) - len(values) // 2), "all names are equal"
    for row in rows:
        points = [row[f"{of}_points"] for of in ("name", "revenue", "employees", "industry")]
        assert all(0 <= each <= 25 for each in points)
        assert row["score"] == pytest.approx(sum(points))
        assert (row["left_system"], row["right_system"]) == ("crm", "erp")


@pytest.mark.parametrize(
    "broken", [entity("crm_1"), entity("erp_1") | {"name": None}, entity("erp_1", source_system=None)]
)
def test_entities_that_are_not_one_per_id_or_lack_a_name_are_an_error(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one per canonical_id"):
        found(entity("crm_1"), broken)


def test_of_very_many_matches_the_best_of_either_side_are_kept_and_that_is_told() -> None:
    """Stores that differ in one letter; the nearer in revenue, the better."""
    stores = [
        entity(f"{system}_{n:03}", f"Northwind Traders {chr(0x4E00 + n)}", revenue=1e6 * 1.01**n)
        for system in ("crm", "erp") for n in range(180)
    ]  # fmt: skip
    with duckdb.connect() as connection:
        load(connection, table(stores))
        pairs = {(row["left_id"], row["right_id"]) for row in rows_of(matches(connection))}
        told = connection.execute("SELECT canonical_id, why FROM left_out JOIN entities USING (entity)").fetchall()
    of_first = sorted(right for left, right in pairs if left == "crm_000")
    # Its own hundred, and nobody else's: those further away have a hundred that are nearer.
    assert of_first == [f"erp_{n:03}" for n in range(100)]
    assert len({right for left, right in pairs if left == "crm_090"}) >= 100
    assert 180 * 100 <= len(pairs) <= 2 * 180 * 100
    assert ("crm_000", "it has more than 100 matches in a system") in told


def test_names_that_say_nothing_make_no_pairs() -> None:
    """A thousand nameless entities in each of two systems would be a million pairs."""
    nameless = [entity(f"{system}_{n}", "Unknown") for system in ("crm", "erp") for n in range(300)]
    alike = [entity(f"{system}_b{n}", "Branch Office") for system in ("crm", "erp") for n in range(101)]
    known = [entity("crm_k", "Acme Rockets Inc"), entity("erp_k", "Acme Rockets Inc")]
    pairs = [(row["left_id"], row["right_id"]) for row in found(*nameless, *alike, *known)]
    assert pairs == [("crm_k", "erp_k")]
