"""`vitalake sql` on a lake with something in it."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
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
from cli.sql.results import write_parquet, write_text
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


def written_json(query: str) -> list[dict[str, object]]:
    file = StringIO()
    with duckdb.connect() as connection:
        write_text(connection.sql(query), "json", file)
    rows: list[dict[str, object]] = json.loads(file.getvalue(), parse_constant=pytest.fail, parse_float=Decimal)
    return rows


def written_csv(query: str) -> list[list[str]]:
    file = StringIO(newline="")
    with duckdb.connect() as connection:
        write_text(connection.sql(query), "csv", file, exact=True)
    return list(csv.reader(StringIO(file.getvalue(), newline="")))


@pytest.mark.parametrize("names", [["a", "a", "a_1", "a"], ["r", "R", "rr"], ['"', "=1", "=1"]])
def test_repeated_names_are_numbered(names: list[str]) -> None:
    query = "SELECT " + ", ".join(
        f'{at} AS "{name.replace(chr(34), chr(34) * 2)}"' for at, name in enumerate(names)
    )
    [row] = written_json(query)
    assert list(row.values()) == list(range(len(names)))
    assert next(iter(row)) == names[0]
    assert written_csv(query) == [list(row), [str(at) for at in range(len(names))]]


@pytest.mark.parametrize("within", ["{}", "[{}]", "{{'a': {}}}", "map {{'k': {}}}", "[{{'a': [row(1, {})]}}]"])
def test_numbers_that_are_none_become_null_in_json_wherever_they_stand(within: str) -> None:
    for number in ("'nan'::DOUBLE", "'inf'::FLOAT", "'-inf'::DOUBLE"):
        [row] = written_json(f"SELECT {within.format(number)} AS v, 1.5 AS r")
        [same] = written_json(f"SELECT {within.format('NULL::DOUBLE')} AS v, 1.5 AS r")
        assert row == same
    assert written_json(f"SELECT {within.format('NULL::DOUBLE')} AS v") != written_json("SELECT NULL AS w")
    assert written_csv("SELECT 'nan'::DOUBLE AS a, '-inf'::FLOAT AS b, ['nan'::FLOAT] AS c")[1] == [
        "nan",
        "-inf",
        "[null]",
    ]


def test_numbers_have_all_their_digits() -> None:
    numbers = {
        "d": "12345678901234567890.123456789",
        "h": "170141183460469231731687303715884105727",
        "n": "-9007199254740993",
    }
    query = "SELECT {d}::DECIMAL(38, 9) AS d, {h}::HUGEINT AS h, {n}::BIGINT AS n, [{h}::HUGEINT] AS l".format(
        **numbers
    )
    [row] = written_json(query)
    assert {name: str(row[name]) for name in numbers} == numbers
    [names, values] = written_csv(query)
    assert dict(zip(names, values, strict=True)) == {**numbers, "l": f"[{numbers['h']}]"}


def test_times_are_iso_8601_in_their_zone_and_bytes_are_hex_digits() -> None:
    query = r"""SELECT TIMESTAMPTZ '2026-01-05 01:02:03.5+00' AS at, TIMESTAMP '2026-01-05 01:02:03' AS local,
        [TIMESTAMPTZ '2026-07-05 01:02:03+00'] AS list, DATE 'infinity' AS never, '\xAA\x00A'::BLOB AS bytes"""
    with duckdb.connect() as connection:
        for zone, at, listed in (
            ("UTC", "2026-01-05T01:02:03.5+00:00", "2026-07-05T01:02:03+00:00"),
            ("Europe/Berlin", "2026-01-05T02:02:03.5+01:00", "2026-07-05T03:02:03+02:00"),
            ("Asia/Kolkata", "2026-01-05T06:32:03.5+05:30", "2026-07-05T06:32:03+05:30"),
        ):
            connection.execute(f"SET TimeZone = '{zone}'")
            file = StringIO()
            write_text(connection.sql(query), "json", file)
            assert json.loads(file.getvalue()) == [
                {"at": at, "local": "2026-01-05T01:02:03", "list": [listed], "never": "infinity", "bytes": "aa0041"}
            ]
            file = StringIO()
            write_text(connection.sql(query), "csv", file)
            assert file.getvalue().splitlines()[1].startswith(f"{at},2026-01-05T01:02:03,")


def test_a_table_does_not_say_utc_of_another_zone(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    for zone, shown in (("UTC", "2026-01-05 01:02:03 UTC"), ("Europe/Berlin", "2026-01-05 02:02:03+01:00")):
        assert session.run(f"SET TimeZone = '{zone}'; SELECT TIMESTAMPTZ '2026-01-05 01:02:03+00' AS at") is None
        assert shown in capsys.readouterr().out


def test_parquet_loses_nothing_of_any_type(tmp_path: Path) -> None:
    """DuckDB by itself makes doubles of whole numbers of 128 bits, and cuts intervals to milliseconds."""
    with duckdb.connect() as connection:
        every = connection.sql("FROM test_all_types()")
        for name in every.columns:
            column = every.project(f'"{name}" AS v')
            if name in {"hugeint", "uhugeint"}:  # of which parquet holds 38 digits
                column = connection.sql(f"SELECT repeat('9', 38)::{name} AS v")
            path = tmp_path / f"{name}.parquet"  # of one path DuckDB would keep what it has read within a second
            write_parquet(column, path)
            back = connection.sql(f"FROM read_parquet('{path}')").project("v::VARCHAR").fetchall()
            assert back == column.project("v::VARCHAR").fetchall(), name
        for value in ("[2::HUGEINT]", "{'a': 2::HUGEINT}", "row(2::HUGEINT)", "map {1: 2::HUGEINT}"):
            write_parquet(connection.sql(f"SELECT {value} AS v"), path)
            assert "double" not in str(parquet.read_schema(path))
        with pytest.raises(duckdb.ConversionException):
            write_parquet(connection.sql("SELECT 170141183460469231731687303715884105727 AS v"), path)


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("form", ["csv", "json"])
def test_whatever_has_rows_can_be_written(vitalake: Vitalake, form: str) -> None:
    def written(query: str) -> str:
        answer = vitalake("sql", query, "--format", form)
        assert answer.code == 0, answer.err
        return answer.out

    pivot = "PIVOT (SELECT number % 2 AS odd, number FROM numbers) ON odd USING count(*)::INT"
    assert "number" in written("DESCRIBE numbers")
    assert "200" in written("SUMMARIZE numbers")
    assert "number" in written("PRAGMA table_info('numbers')")
    assert "physical_plan" in written("EXPLAIN FROM numbers")
    assert "numbers" in written("SHOW TABLES")
    assert "100" in written(pivot)
    assert "100" in written(f"SET threads = 1; {pivot} -- and no more")
    assert "EXPLAIN of a PIVOT" in vitalake("sql", f"EXPLAIN {pivot}", "--format", form).err
    assert written("SELECT 1 AS n WHERE false") == {"csv": "n\n", "json": "[\n]\n"}[form]
