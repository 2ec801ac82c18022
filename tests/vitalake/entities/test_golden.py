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
from vitalake.entities import trigrams
from vitalake.entities.golden import GOLDEN, matches_and_golden
from vitalake.entities.golden import golden as golden_records
from vitalake.entities.matching import MATCHES, load
from vitalake.lake.columns import rows_of

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


def test_the_branches_of_a_chain_stay_as_many_as_each_system_has() -> None:
    """Every branch is so like every other that the two would be merged, were there no better match."""
    stores = [
        entity(f"{system}_{n}", f"Northwind Traders Store {n}", revenue=1e5 * 1.03**n, employees=n, industry="x")
        for system in ("crm", "erp")
        for n in range(100, 140)
    ]  # fmt: skip
    assert [row["member_ids"] for row in golden(*stores)] == [[f"crm_{n}", f"erp_{n}"] for n in range(100, 140)]
    actions = [row["action"] for row in rows_of(matches_and_golden(table(stores))[MATCHES.name])]
    assert actions.count("auto_merge") > 500


def test_a_match_that_is_not_the_best_of_both_is_not_merged() -> None:
    one, other = entity("crm_1", **SURE), entity("crm_2", **SURE | {"employees": 49})
    theirs = entity("erp_1", **SURE)
    assert [row["member_ids"] for row in golden(other, one, theirs)] == [["crm_1", "erp_1"], ["crm_2"]]


def test_between_equally_good_matches_nothing_is_guessed() -> None:
    twins = [entity("crm_1", **SURE), entity("crm_2", **SURE)]
    theirs = entity("erp_1", **SURE)
    assert [row["member_count"] for row in golden(*twins, theirs)] == [1, 1, 1]
    third = entity("legacy_1", **SURE)
    assert [row["member_ids"] for row in golden(*twins, theirs, third)] == [
        ["crm_1"], ["crm_2"], ["erp_1", "legacy_1"]
    ]  # fmt: skip


def merged(*pairs: tuple[str, str, float]) -> list[list[str]]:
    """The members of the golden records of entities with these scores."""
    ids = sorted({each for left, right, _ in pairs for each in (left, right)})
    with duckdb.connect() as connection:
        load(connection, table([entity(each) for each in ids]))
        return [row["member_ids"] for row in rows_of(golden_records(connection, scored(*pairs)))]


def scored(*pairs: tuple[str, str, float]) -> pa.Table:
    """These, as merging is given them."""
    rows = [
        {"left_id": left, "right_id": right, "left_system": left.partition("_")[0],
         "right_system": right.partition("_")[0], "similarity": 0.9, "score": float(score),
         "action": "auto_merge" if score >= 80 else "review"}
        for left, right, score in pairs
    ]  # fmt: skip
    return pa.table({name: [row[name] for row in rows] for name in rows[0]})


def test_two_ids_of_a_system_are_never_one_also_not_through_a_third() -> None:
    chain = [("crm_1", "erp_1", 95), ("erp_1", "old_1", 90), ("crm_2", "old_1", 85), ("crm_2", "erp_2", 82)]
    assert merged(*chain) == [["crm_1", "erp_1", "old_1"], ["crm_2", "erp_2"]]
    assert merged(*chain[:2], ("crm_1", "old_1", 99), ("crm_2", "old_1", 98)) == [
        ["crm_1", "erp_1", "old_1"], ["crm_2"]
    ]  # fmt: skip
    equal = [("crm_1", "erp_1", 95), ("erp_1", "old_1", 90), ("crm_2", "old_1", 90)]
    assert merged(*equal) == merged(*equal[::-1]) == [["crm_1", "erp_1"], ["crm_2"], ["old_1"]]


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
    pairs = scored(("crm_1", "erp_1", 90), ("erp_1", "legacy_1", 85), ("crm_1", "legacy_1", 70))
    with duckdb.connect() as connection:
        load(connection, table(entities))
        (row,) = rows_of(golden_records(connection, pairs))
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
def test_nobody_is_lost_and_only_the_best_of_both_sides_are_one(entities: list[dict[str, Any]]) -> None:
    found = matches_and_golden(table(entities))
    rows = rows_of(found[GOLDEN.name])
    groups = [set(row["member_ids"]) for row in rows]
    assert sorted(each for group in groups for each in group) == sorted(each["canonical_id"] for each in entities)
    assert [row["golden_id"] for row in rows] == sorted(min(group) for group in groups)
    mutual = best_of_both(rows_of(found[MATCHES.name]))
    for row, group in zip(rows, groups, strict=True):
        assert row["member_count"] == len(group) == len(row["source_systems"])
        assert connected(min(group), [pair for pair in mutual if pair <= group]) == group
    # Where the pairs bring no two ids of a system together, all of them are merged.
    for one in {each for pair in mutual for each in pair}:
        together = connected(one, mutual)
        if len({each.partition("_")[0] for each in together}) == len(together):
            assert together in groups


def best_of_both(matches: list[dict[str, Any]]) -> list[set[str]]:
    """Pairs to be merged, each of which no other pair of the two systems of either reaches."""
    found = []
    for row in matches:
        pair = {row["left_id"], row["right_id"]}
        systems = {row["left_system"], row["right_system"]}
        rivals = [
            each for each in matches
            if each is not row and pair & {each["left_id"], each["right_id"]}
            and systems == {each["left_system"], each["right_system"]}
        ]  # fmt: skip
        if row["action"] == "auto_merge" and all(each["score"] < row["score"] for each in rivals):
            found.append(pair)
    return found


def connected(one: str, pairs: list[set[str]]) -> set[str]:
    """What pairs connect with this, itself included."""
    found = {one}
    while more := {each for pair in pairs if pair & found for each in pair} - found:
        found |= more
    return found


STORES = [entity(f"{system}_{n}", f"Northwind Traders Store {n}", **SURE) for system in ("crm", "erp")
          for n in range(100, 130)]  # fmt: skip


def test_what_was_left_out_is_told_for_each_member(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trigrams, "MOST_CROWDED", 20)
    rows = golden(*STORES, entity("crm_n", "N/A"), entity("erp_n", "Zenith Foods"))
    told = {row["golden_id"]: row["left_out"] for row in rows}
    assert told["crm_n"] == ["crm_n: its name says nothing"]
    assert told["erp_n"] == []
    crowded = "parts of its name are in more than 20 names of each of two systems"
    assert told["crm_115"] == [f"crm_115: {crowded}", f"erp_115: {crowded}"]


def test_who_was_not_compared_with_all_is_merged_with_its_namesake_only(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = entity("crm_o", "Northwind Traders Stores 131x", **SURE)
    theirs = entity("erp_o", "Northwind Traders Store 131x", **SURE)
    assert ["crm_o", "erp_o"] in [row["member_ids"] for row in golden(odd, theirs)]
    monkeypatch.setattr(trigrams, "MOST_CROWDED", 20)
    rows = golden(*STORES, odd, theirs)
    assert ["crm_115", "erp_115"] in [row["member_ids"] for row in rows]
    assert [row["member_count"] for row in rows if {"crm_o", "erp_o"} & {*row["member_ids"]}] == [1, 1]
