"""A rule that cannot be asked: which it is, and whether it is the rule or a value."""

from __future__ import annotations

import pyarrow as pa
import pytest

from vitalake.datasets.declared import DATASETS
from vitalake.errors import PermanentError
from vitalake.lake.dataset import Dataset, Rule
from vitalake.records.rules import WrongRuleError, broken

GOOD = Rule("X01", "weight > 0", "weight is not above 0")
RECORDS = {"weight": pa.array([3, -1, None]), "note": pa.array(["4", "Ada", None])}


@pytest.mark.parametrize(
    ("holds", "said"),
    [
        ("wieght > 0", 'Referenced column "wieght" not found.*"weight"'),
        ("weight >", "Parser Error: syntax error"),
        ("weigh(weight) > 0", "weigh does not exist"),
        ("sum(weight) > 0", "cannot contain aggregates"),
        ("weight > 0 -- kg", "Parser Error"),
        ("weight > 0) OR (note IS NULL", 'Parser Error: syntax error at or near "\\)"'),
        ("weight > 0), (note IS NULL", 'Parser Error: syntax error at or near "\\)"'),
        ("(weight > 0", "Parser Error: syntax error at end of input"),
    ],
)
@pytest.mark.parametrize("count", [0, 3])
def test_a_wrong_rule_is_named_with_what_duckdb_says_of_it_however_many_rows(
    holds: str, said: str, count: int
) -> None:
    records = {name: column.slice(0, count) for name, column in RECORDS.items()}
    with pytest.raises(WrongRuleError, match=f"rule X02 is wrong, not the data: .*{said}") as failed:
        broken(records, [GOOD, Rule("X02", holds, "…")])
    assert failed.value.rule == "X02"
    assert "LINE" not in str(failed.value)
    assert "Ada" not in str(failed.value)


def test_a_rule_that_fails_on_a_value_is_named_without_it() -> None:
    rule = Rule("X02", "CAST(note AS INTEGER) > 0", "note is not above 0")
    with pytest.raises(PermanentError, match=r"rule X02 fails on some value .*TRY_CAST") as failed:
        broken(RECORDS, [GOOD, rule])
    assert "Ada" not in str(failed.value)
    assert "X01" not in str(failed.value)


def test_a_column_may_be_called_as_what_the_query_is_made_of() -> None:
    records = {name: pa.array([1, 2]) for name in ("records", "rule", "broken", "position")}
    rules = [Rule("X01", " AND ".join(f"{name} > 1" for name in records), "…"), Rule("X02", "rule < 2", "…")]
    assert [mask.tolist() for mask in broken(records, rules)] == [[True, False], [False, True]]


@pytest.mark.parametrize("dataset", [each for each in DATASETS if each.rules], ids=lambda each: each.name)
def test_every_declared_rule_can_be_asked(dataset: Dataset) -> None:
    assert list(dataset.tabulate([]).refusals) == []
