from __future__ import annotations

import random
from datetime import datetime, timezone
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vitalake.entities.current_entities import entity, table
from vitalake.columns import rows_of
from vitalake.entities.golden import GOLDEN, matches_and_golden
from vitalake.entities.golden import golden as golden_records
from vitalake.entities.matching import MATCHES, load

SURE: dict[str, Any] = {"revenue": 5e6, "employees": 50, "industry": "tech"}
NEWER = datetime(2026, 11, 21, tzinfo=timezone.utc)


def golden(*entities: dict[str, Any]) -> list[dict[str, Any]]:
    """The golden records of these."""
    found = matches_and_golden(table(entities))
    assert found["entities_golden"].schema.equals(GOLDEN.arrow_schema(), check_metadata=True)
    return rows_of(found["entities_golden"])


def test_pairs_that_merge_connect_also_what_they_do_not_name() -> None:
    names = ["Acme Rocket Works", "Acme Rocket Works Inc Ltd", "Acme Rocket Works Inc Ltd Holding"]
    ids = ["legacy_3", "erp_2", "crm_1"]
    entities = [entity(each, name, **SURE) for each, name in zip(ids, names, strict=True)]
    pairs = {
        (row["left_id"], row["right_id"]) for row in rows_of(matches_and_golden(table(entities))[MATCHES.name])
    }
    assert ("crm_1", "legacy_3") not in pairs
    (row,) = golden(*entities)
    assert row["golden_id"] == "crm_1"
    assert row["member_ids"] == ["crm_1", "erp_2", "legacy_3"]
    assert row["source_systems"] == ["crm", "erp", "legacy"]
    assert row["member_count"] == 3


def test_pairs_to_be_reviewed_stay_apart_and_who_matches_nothing_stands_alone() -> None:
    rows = golden(entity("crm_1", **SURE), entity("erp_1", revenue=5e6, employees=20), entity("erp_2", "Zenith"))
    assert [(row["golden_id"], row["member_ids"]) for row in rows] == [
        ("crm_1", ["crm_1"]), ("erp_1", ["erp_1"]), ("erp_2", ["erp_2"])
    ]  # fmt: skip


def test_each_value_is_of_the_best_member_that_has_it() -> None:
    entities = [
        entity("crm_1", "Acme", revenue=0.0, industry=" ", quality_score=90.0),
        entity("erp_1", "ACME", **SURE, quality_score=70.0),
        entity("legacy_1", "Acme Inc", employees=60, industry=" Tech ", quality_score=80.0),
    ]
    # A score of 80 needs all values of both, so that no pair found today fills a gap; one that a person merges may.
    pairs = [("crm_1", "erp_1", "auto_merge"), ("erp_1", "legacy_1", "auto_merge"), ("crm_1", "legacy_1", "review")]
    columns = dict(zip(("left_id", "right_id", "action"), zip(*pairs, strict=True), strict=True))
    with duckdb.connect() as connection:
        load(connection, table(entities))
        (row,) = rows_of(golden_records(connection, pa.table(columns)))
    assert (row["name"], row["name_from"], row["quality_score"]) == ("Acme", "crm_1", 90)
    assert (row["revenue"], row["revenue_from"]) == (0, "crm_1")
    assert (row["employees"], row["employees_from"]) == (60, "legacy_1")
    assert (row["industry"], row["industry_from"]) == ("Tech", "legacy_1")


def test_a_tie_goes_to_the_newest_upload_and_then_to_the_smallest_id() -> None:
    first, second = entity("crm_1", "ACME", **SURE), entity("erp_1", "Acme", **SURE)
    assert golden(first, second)[0]["name"] == "ACME"
    assert golden(first, second | {"uploaded_at": NEWER})[0]["name"] == "Acme"
    assert golden(first | {"quality_score": 51.0}, second | {"uploaded_at": NEWER})[0]["name"] == "ACME"


def test_a_value_that_no_member_has_is_null() -> None:
    (row,) = golden(entity("crm_1"))
    assert {row[of] for of in ("revenue", "employees", "industry", "revenue_from")} == {None}
    assert row["entity_type"] == "small_business"


@pytest.mark.parametrize(
    ("revenue", "employees", "kind"),
    [
        (10_000_000.01, 0, "large_enterprise"),
        (10_000_000.0, 1000, "medium_business"),
        (0.0, 1001, "large_enterprise"),
        (None, 1001, "large_enterprise"),
        (1_000_000.01, None, "medium_business"),
        (1_000_000.0, 101, "medium_business"),
        (1_000_000.0, 100, "small_business"),
    ],
)
def test_the_type_follows_from_the_values_chosen(revenue: float, employees: int, kind: str) -> None:
    assert golden(entity("crm_1", revenue=revenue, employees=employees))[0]["entity_type"] == kind


def test_the_type_is_that_of_the_golden_values_and_not_of_a_member() -> None:
    better = entity("crm_1", revenue=0.9e6, employees=90, industry="tech", quality_score=90.0)
    (row,) = golden(better, entity("erp_1", revenue=1.1e6, employees=90, industry="tech"))
    assert (row["member_count"], row["revenue"], row["entity_type"]) == (2, 0.9e6, "small_business")


def test_nothing_gives_two_tables_without_rows() -> None:
    found = matches_and_golden(table([]))
    assert {name: rows.num_rows for name, rows in found.items()} == {"entities_matches": 0, "entities_golden": 0}


NAMES = ["Acme Rockets", "ACME Rockets Inc", "Acme Rockets Inc Ltd", "Zenith Foods", "Zenith Food", "日立", ""]
ENTITIES = st.lists(
    st.builds(
        entity,
        st.builds("{}_{}".format, st.sampled_from(["crm", "erp", "old"]), st.integers(0, 12)),
        st.sampled_from(NAMES),
        revenue=st.sampled_from([None, 0.0, 1e6, 2e6]),
        employees=st.sampled_from([None, 50, 60]),
        industry=st.sampled_from([None, "tech", "food"]),
        quality_score=st.sampled_from([10.0, 20.0]),
    ),
    max_size=14,
    unique_by=lambda each: each["canonical_id"],
)


@settings(max_examples=40, deadline=None)
@given(ENTITIES, st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_changes_nothing(entities: list[dict[str, Any]], rng: random.Random) -> None:
    before = matches_and_golden(table(entities))
    rng.shuffle(entities)
    after = matches_and_golden(table(entities))
    assert all(before[name].equals(after[name]) for name in (MATCHES.name, GOLDEN.name))


@settings(max_examples=40, deadline=None)
@given(ENTITIES)
def test_groups_are_what_merged_pairs_connect_and_nobody_is_lost(entities: list[dict[str, Any]]) -> None:
    found = matches_and_golden(table(entities))
    groups = [{each["canonical_id"]} for each in entities]
    for row in rows_of(found[MATCHES.name]):
        if row["action"] == "auto_merge":
            left, right = (next(g for g in groups if row[side] in g) for side in ("left_id", "right_id"))
            groups = [g for g in groups if g not in (left, right)] + [left | right]
    rows = rows_of(found[GOLDEN.name])
    assert [(row["golden_id"], row["member_ids"]) for row in rows] == sorted((min(g), sorted(g)) for g in groups)
    assert [row["member_count"] for row in rows] == [len(row["member_ids"]) for row in rows]
