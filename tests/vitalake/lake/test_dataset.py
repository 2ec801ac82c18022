"""What the parts of a dataset may be called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from vitalake.lake.dataset import Combined, Dataset, Rule, SqlView
from vitalake.lake.sinks import Sink
from vitalake.lake.tables import Column

RULE = Rule("X01", "length > 0", "it is empty")


@pytest.mark.parametrize("name", ["body-weight", "Notes", "a/b", ""])
def test_a_dataset_and_a_view_need_a_name_that_folders_and_sql_take(notes: Dataset, name: str) -> None:
    with pytest.raises(ValueError, match=f"dataset '{name}'"):
        replace(notes, name=name)
    with pytest.raises(ValueError, match=f"view '{name}'"):
        SqlView(name, "SELECT 1", "One.", {})


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda notes: replace(notes, tables=notes.tables * 2), "_texts"),
        (lambda notes: replace(notes, views=(SqlView(f"raw_{notes.name}", "SELECT 1", "One.", {}),)), "raw_"),
        (lambda notes: replace(notes, sinks=(Sink(notes.tables[0].name, "v", (), "json", "V."),)), "_texts"),
        (lambda notes: replace(notes, rules=(RULE, replace(RULE, holds="true"))), "X01"),
    ],
    ids=["tables", "a view and the manifest", "a sink and a table", "rules"],
)
def test_two_things_of_a_dataset_do_not_have_one_name(
    notes: Dataset, change: Callable[[Dataset], Dataset], name: str
) -> None:
    with pytest.raises(ValueError, match=f"'{notes.name}': .*{name}.* names two things"):
        change(notes)


def test_of_hours_no_table_has_an_hour_of_its_own(notes: Dataset) -> None:
    [texts] = notes.tables
    hourly = replace(texts, columns=(*texts.columns, Column("hour", "int32", "An hour.")))
    assert replace(notes, tables=(hourly,)).partition == "day"  # where it is a column as any other
    with pytest.raises(ValueError, match=f"{texts.name} has a column 'hour' already .* 'measured_hour'"):
        replace(notes, tables=(hourly,), partition="hour")
    whole = replace(hourly, name="ever", whole=True)
    assert replace(notes, combined=(Combined((whole,), {}, lambda _: {}),), partition="hour").combined


def test_a_partition_is_a_day_or_an_hour(notes: Dataset) -> None:
    with pytest.raises(ValueError, match="partition is 'day' or 'hour', not 'week'"):
        replace(notes, partition="week")  # type: ignore[arg-type]
