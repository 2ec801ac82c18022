"""`vitalake ddl`: statements for every table, for the bucket that was named, without a running system."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from tests.cli.conftest import Vitalake
from vitalake.datasets.declared import DATASETS

TABLES = [table for dataset in DATASETS for table in dataset.every_table]
BY_DAY = [table for table in TABLES if not table.whole]
RESTRICTED = [table for table in TABLES if table.restricted]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder with nothing in it."""
    monkeypatch.setenv("VITALAKE_HOME", str(tmp_path))


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("engine", ["athena", "trino"])
def test_every_table_of_the_named_bucket_and_names_in_theirs(
    vitalake: Vitalake, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITALAKE_RESTRICTED_BUCKET", "our-names")
    answer = vitalake("ddl", engine, "--bucket", "my-lake")
    assert (answer.code, answer.err) == (0, "")
    statements = [tree for tree in sqlglot.parse(answer.out, dialect=engine) if tree is not None]
    names = [tree.find(exp.Table).name for tree in statements]  # type: ignore[union-attr]
    assert names == [table.name for table in TABLES]
    assert RESTRICTED
    for table in TABLES:
        assert (f"s3://our-names/{table.name}/" in answer.out) == table.restricted
        assert (f"s3://my-lake/{table.name}/" in answer.out) != table.restricted


@pytest.mark.usefixtures("nowhere")
def test_bucket_and_first_day_are_those_of_the_settings(
    vitalake: Vitalake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITALAKE_LAKE_BUCKET", "configured")
    monkeypatch.setenv("VITALAKE_FIRST_DAY", "2024-02-29")
    said = vitalake("ddl", "athena").out
    assert said.count("LOCATION 's3://configured/") == len(TABLES) - len(RESTRICTED)
    assert said.count("'2024-02-29,NOW+1DAYS'") == len(BY_DAY)


@pytest.mark.usefixtures("nowhere")
def test_another_engine_is_a_usage_error_that_names_those_there_are(vitalake: Vitalake) -> None:
    answer = vitalake("ddl", "oracle")
    assert answer.code == 2
    assert "athena" in answer.err
    assert "trino" in answer.err
