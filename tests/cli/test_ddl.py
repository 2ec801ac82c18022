"""`vitalake ddl`: statements for every table, for the bucket that was named, without a running system."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from tests.cli.conftest import Vitalake
from vitalake.datasets.declared import DATASETS

TABLES = [table.name for dataset in DATASETS for table in dataset.all_tables]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder with nothing in it."""
    monkeypatch.setenv("VITALAKE_HOME", str(tmp_path))


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("engine", ["athena", "trino"])
def test_every_table_of_the_named_bucket(vitalake: Vitalake, engine: str) -> None:
    answer = vitalake("ddl", engine, "--bucket", "my-lake")
    assert (answer.code, answer.err) == (0, "")
    statements = [tree for tree in sqlglot.parse(answer.out, dialect=engine) if tree is not None]
    assert [tree.find(exp.Table).name for tree in statements] == TABLES  # type: ignore[union-attr]
    assert [answer.out.count(f"s3://my-lake/{name}/") > 0 for name in TABLES] == [True] * len(TABLES)


@pytest.mark.usefixtures("nowhere")
def test_bucket_and_first_day_are_those_of_the_settings(
    vitalake: Vitalake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITALAKE_LAKE_BUCKET", "configured")
    monkeypatch.setenv("VITALAKE_FIRST_DAY", "2024-02-29")
    said = vitalake("ddl", "athena").out
    assert said.count("LOCATION 's3://configured/") == said.count("'2024-02-29,NOW+1DAYS'") == len(TABLES)


@pytest.mark.usefixtures("nowhere")
def test_another_engine_is_a_usage_error_that_names_those_there_are(vitalake: Vitalake) -> None:
    answer = vitalake("ddl", "oracle")
    assert answer.code == 2
    assert "athena" in answer.err
    assert "trino" in answer.err
