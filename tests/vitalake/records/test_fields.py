"""What fields and rules may be called."""

from __future__ import annotations

from typing import Any

import pytest

from vitalake.lake.dataset import Rule
from vitalake.records.fields import Field


@pytest.mark.parametrize(
    "name", ["date", "source_key", "source_version", "record_number", "uploaded_at", "warnings"]
)
def test_a_column_that_every_table_has_is_taken(name: str) -> None:
    with pytest.raises(ValueError, match=rf"'{name}': every table has .*Field\('day', 'scanned_on', …\)"):
        Field("day", name, "date", "Day of the scan.")
    assert Field(name, "scanned_on", "date", "Day of the scan.").as_column.name == "scanned_on"


def test_a_column_needs_a_name_that_sql_takes() -> None:
    with pytest.raises(ValueError, match=r"column 'Price \(USD\)'.*'price_usd'"):
        Field("Price (USD)", "Price (USD)", "float64", "Price.")


@pytest.mark.parametrize("kind", ["integer", "list<string>"])
def test_a_kind_that_no_field_can_be_is_refused_with_those_that_it_can(kind: Any) -> None:
    with pytest.raises(ValueError, match=rf"'weight': there is no kind '{kind}'; there are string, int32, int64"):
        Field("weight", "weight", kind, "Weight.")


@pytest.mark.parametrize("name", ["w01", "W1", "W001", "weight", "S01", "D04", "E01", "M01", "Q01"])
def test_an_id_of_a_rule_is_a_letter_of_its_own_and_two_digits(name: str) -> None:
    with pytest.raises(ValueError, match=f"rule '{name}': .* e.g. 'W01'"):
        Rule(name, "weight > 0", "weight is not above 0")
