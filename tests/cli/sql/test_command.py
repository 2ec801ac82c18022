"""`vitalake sql` on a lake with something in it."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from pyarrow import parquet
from pydantic import SecretStr

from cli.environment import write_env
from cli.sql.prompt import is_complete, prompt
from cli.sql.results import plain, unique
from cli.sql.session import Session
from cli.up import publish_empty
from resources.catalog import init_sql
from resources.settings import Settings
from tests.cli.conftest import Vitalake

WRONG_KEYS = {"aws_secret_access_key": SecretStr("not the secret")}


@pytest.fixture
def catalog(settings: Settings, home: Path) -> Settings:  # noqa: ARG001 (its `env` is needed)
    """A catalog of one view, for what needs no lake."""
    with duckdb.connect(str(settings.catalog_path)) as connection:
        connection.execute("CREATE VIEW numbers AS SELECT range AS number FROM range(200)")
        connection.execute("COMMENT ON VIEW numbers IS 'What one counts with.'")
        connection.execute("COMMENT ON COLUMN numbers.number IS 'One of them.'")
    return settings


@pytest.fixture
def session(catalog: Settings) -> Iterator[Session]:
    with duckdb.connect(str(catalog.catalog_path), read_only=True) as connection:
        yield Session(connection, catalog)


@pytest.mark.usefixtures("lake")
def test_a_table_of_the_lake(vitalake: Vitalake) -> None:
    answer = vitalake("sql", "SELECT date, count(*) AS recordings FROM ecg_recordings GROUP BY ALL ORDER BY ALL")
    assert answer.code == 0, answer.err
    assert [line.split() for line in answer.out.splitlines()[2:4]] == [["2026-01-05", "3"], ["2026-01-06", "2"]]
    assert "2 rows" in answer.out


@pytest.mark.usefixtures("lake")
def test_long_lists_are_shortened_in_tables_only(vitalake: Vitalake) -> None:
    query = "SELECT samples FROM ecg_signals ORDER BY source_key LIMIT 1"
    assert "… 3,600 values]" in vitalake("sql", query).out
    [row] = json.loads(vitalake("sql", query, "--format", "json").out)
    assert len(row["samples"]) == 3600
    [_, [cell]] = csv.reader(StringIO(vitalake("sql", query, "--format", "csv").out))
    assert json.loads(cell) == row["samples"]


@pytest.mark.usefixtures("catalog")
def test_rows_beyond_the_limit_are_counted(vitalake: Vitalake) -> None:
    assert "200 rows; 150 more (--limit)" in vitalake("sql", "FROM numbers").out
    assert "200 rows; 197 more (--limit)" in vitalake("sql", "FROM numbers", "--limit", "3").out
    assert len(json.loads(vitalake("sql", "FROM numbers", "--format", "json").out)) == 200


@pytest.mark.usefixtures("catalog")
def test_every_kind_of_value_survives_json_and_csv(vitalake: Vitalake) -> None:
    query = """SELECT NULL AS nothing, true AS yes, 'a,"b"\nü' AS text, DATE '2026-01-05' AS day, 1.5 AS decimal,
        TIMESTAMPTZ '2026-01-05 01:02:03+00' AS at, 'nan'::DOUBLE AS nan, [1, NULL] AS list, {'a': 1} AS struct,
        sum(range) AS total, 1 AS total FROM range(3)"""
    [row] = json.loads(vitalake("sql", query, "--format", "json").out)
    assert row == {
        "nothing": None,
        "yes": True,
        "text": 'a,"b"\nü',
        "day": "2026-01-05",
        "decimal": 1.5,
        "at": "2026-01-05T01:02:03+00:00",
        "nan": None,
        "list": [1, None],
        "struct": {"a": 1},
        "total": 3,
        "total_1": 1,
    }
    names, values = csv.reader(StringIO(vitalake("sql", query, "--format", "csv").out))
    assert names == list(row)
    assert values[:3] == ["", "true", 'a,"b"\nü']


@pytest.mark.usefixtures("catalog")
def test_parquet_needs_a_file_and_holds_everything(vitalake: Vitalake, tmp_path: Path) -> None:
    assert "--output" in vitalake("sql", "FROM numbers", "--format", "parquet").err
    path = tmp_path / "numbers.parquet"
    answer = vitalake("sql", "FROM numbers", "--format", "parquet", "--output", str(path))
    assert f"200 rows written to {path}" in answer.out
    assert parquet.read_table(path)["number"].to_pylist() == list(range(200))


@pytest.mark.usefixtures("catalog")
def test_a_query_that_fails_leaves_no_file_and_spares_the_old_one(vitalake: Vitalake, tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("as it was")
    fails_late = "SELECT CASE WHEN number < 150 THEN 1 ELSE error('late') END FROM numbers"
    answer = vitalake("sql", fails_late, "--format", "csv", "--output", str(path))
    assert answer.code == 1
    assert "late" in answer.err
    assert path.read_text() == "as it was"
    assert [each.name for each in tmp_path.iterdir() if "numbers" in each.name] == ["numbers.csv"]


@pytest.mark.usefixtures("catalog")
def test_several_statements(vitalake: Vitalake) -> None:
    assert vitalake("sql", "SET threads = 1; SELECT 41 AS a; SELECT 42 AS b;").out.split() == [
        *("a", "──", "41", "1", "row", "b", "──", "42", "1", "row")
    ]
    assert json.loads(vitalake("sql", "SELECT 41 AS a; SELECT 42 AS b", "--format", "json").out) == [{"b": 42}]


@pytest.mark.parametrize(
    ("query", "words"),
    [("SELEC 1", "syntax error"), ("FROM nowhere", "nowhere"), ("CREATE TABLE t AS SELECT 1", "read-only")],
)
@pytest.mark.usefixtures("catalog")
def test_sql_errors_go_to_stderr(vitalake: Vitalake, query: str, words: str) -> None:
    answer = vitalake("sql", query)
    assert (answer.code, answer.out) == (1, "")
    assert words in answer.err


@pytest.mark.usefixtures("catalog")
def test_the_query_can_come_from_standard_input(vitalake: Vitalake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("SELECT 42 AS answer"))
    assert "42" in vitalake("sql").out
    monkeypatch.setattr(sys, "stdin", StringIO(" \n"))
    assert vitalake("sql").code == 2


@pytest.mark.usefixtures("catalog")
def test_tables_and_schema_say_what_things_mean(vitalake: Vitalake) -> None:
    assert "What one counts with." in vitalake("sql", ".tables").out
    assert "One of them." in vitalake("sql", ".schema numbers").out
    assert "no table nowhere" in vitalake("sql", ".schema nowhere").err
    assert ".help lists them" in vitalake("sql", ".tabels").err


def test_without_a_catalog_or_a_store_it_says_what_to_do(
    vitalake: Vitalake, lake: Settings, tmp_path: Path
) -> None:
    answer = vitalake("sql", "SELECT 1", "--home", str(tmp_path / "elsewhere"))
    assert (answer.code, "vitalake up" in answer.err) == (2, True)
    write_env(lake.home / "env", {"VITALAKE_S3_ENDPOINT": "http://127.0.0.1:1"})
    answer = vitalake("sql", "FROM ecg_features")
    assert answer.code == 1
    assert "no S3 server answers" in answer.err


def test_who_may_not_read_names_is_told_so(
    vitalake: Vitalake, settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_empty(settings)
    monkeypatch.setattr("resources.catalog.init_sql", lambda _: init_sql(settings.model_copy(update=WRONG_KEYS)))
    answer = vitalake("sql", "FROM retina_patients", "--home", str(home))
    assert answer.code == 1
    assert f"what names people lies in {settings.restricted_bucket}" in answer.err
    assert "names people" not in vitalake("sql", "FROM retina_scans", "--home", str(home)).err


@pytest.mark.usefixtures("catalog")
def test_control_characters_do_not_reach_the_terminal(vitalake: Vitalake) -> None:
    out = vitalake("sql", "SELECT 'a' || chr(27) || '[2Jb' AS key").out
    assert "\x1b" not in out
    assert "a\\x1b[2Jb" in out


def test_the_prompt_reads_statements_over_several_lines(
    session: Session, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("SELECT 40 + 2\r AS answer;\r.tables\rSELEC;\r.quit\r")
        prompt(session, home / "sql_history")
    out = capsys.readouterr().out
    assert "42" in out
    assert "What one counts with." in out
    assert "syntax error" in out
    history = home / "sql_history"
    assert "+SELECT 40 + 2\n+ AS answer;" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0  # queries may name subjects


def test_when_enter_ends_an_input() -> None:
    assert all(map(is_complete, ("", ".tables", "SELECT 1; ", " .schema t")))
    assert not any(map(is_complete, ("SELECT 1", "SELECT 1;\nSELECT")))


def test_repeated_names_are_numbered() -> None:
    assert unique(["a", "a", "a_1", "a"]) == ["a", "a_1", "a_1_1", "a_2"]


def test_numbers_that_are_none_become_null() -> None:
    assert plain([float("inf"), float("-inf"), 1.0]) == [None, None, 1.0]
