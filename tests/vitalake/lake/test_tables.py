"""What tables and columns may be called."""

from __future__ import annotations

from typing import Any

import pytest

from vitalake.lake.tables import Column, Table


def table(*names: str, whole: bool = False) -> Table:
    return Table("things", "Things.", tuple(Column(name, "string", "A text.") for name in names), whole=whole)


@pytest.mark.parametrize(
    ("name", "better"),
    [("price usd", "price_usd"), ("body-weight", "body_weight"), ("ID", "id"), ("2nd_place", "nd_place"), ("", "")],
)
def test_a_name_that_sql_and_folders_cannot_take_is_refused_with_one_that_they_can(name: str, better: str) -> None:
    with pytest.raises(ValueError, match=f"column '{name}'.* '{better}"):
        Column(name, "string", "A text.")
    with pytest.raises(ValueError, match=f"table '{name}'.* '{better}"):
        Table(name, "Things.", ())


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do() -> None:
    kind: Any = "integer"
    with pytest.raises(ValueError, match=r"'weight'.*no kind 'integer'.*int32, int64.*list<float64>"):
        Column("weight", kind, "Weight.")


def test_a_column_is_declared_once() -> None:
    with pytest.raises(ValueError, match="'things': column b is declared twice"):
        table("a", "b", "b")


def test_the_column_of_the_partition_is_taken_but_for_tables_over_all_days() -> None:
    """It would be replaced by the partition's day without a word."""
    with pytest.raises(ValueError, match=r"'things'.*column 'date' already.*'scanned_on'"):
        table("a", "date")
    assert table("a", "date", whole=True).names == ["a", "date"]
