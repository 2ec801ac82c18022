"""What goes wrong while a result is read or written: one message, the right one, and the session goes on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import duckdb
import pytest
from pyarrow import parquet

from cli.console import PlainConsole
from cli.environment import write_env
from cli.sql.result_table import show_table
from cli.sql.session import Session
from resources.settings import Settings
from tests.cli.conftest import Vitalake

# With one thread: of several, another may end first, and then DuckDB says only that it was interrupted.
BREAKS = (
    "SET threads = 1; SELECT CASE WHEN range > 150000 THEN error('boom') ELSE range END AS n FROM range(200000)"
)
NEVER = ("DATE 'infinity'", "TIMESTAMPTZ '-infinity'", "DATE '-5000-01-01'", "[TIMESTAMP '290000-01-01']")
FORMS = ("table", "csv", "json", "parquet")


@pytest.fixture(autouse=True)
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with an empty catalog, for what needs no store."""
    home = tmp_path / "home"
    home.mkdir()
    keys = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
    write_env(home / "env", {"VITALAKE_S3_ENDPOINT": "http://127.0.0.1:1", **keys})
    duckdb.connect(str(home / "lake.duckdb")).close()
    monkeypatch.setenv("VITALAKE_HOME", str(home))
    return home


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("form", FORMS[:3])
def test_a_query_that_breaks_while_its_rows_stream_is_an_error_of_the_query(vitalake: Vitalake, form: str) -> None:
    answer = vitalake("sql", BREAKS, "--format", form)
    assert (answer.code, lines(answer.err)) == (1, ["Invalid Input Error: boom"])


@pytest.mark.parametrize("form", FORMS)
def test_it_is_no_error_of_the_file_that_is_written(vitalake: Vitalake, tmp_path: Path, form: str) -> None:
    answer = vitalake("sql", BREAKS, "--format", form, "--output", str(tmp_path / "rows"))
    assert (answer.code, lines(answer.err)) == (1, ["Invalid Input Error: boom"])
    assert [each.name for each in tmp_path.iterdir()] == ["home"]


def test_where_duckdb_does_not_say_why_a_query_broke_there_is_a_way_to_see_it() -> None:
    with duckdb.connect() as connection:
        reader = connection.execute("FROM range(1000000)").to_arrow_reader(2048)
        next(reader)
        connection.interrupt()  # what a thread that breaks does to the others
        with pytest.raises(duckdb.Error, match="SET threads = 1"):
            show_table(reader, PlainConsole(file=StringIO()), 10)


@pytest.mark.parametrize("form", FORMS)
def test_ctrl_c_ends_a_query_and_not_the_session(tmp_path: Path, form: str) -> None:
    with duckdb.connect() as connection:
        session = Session(connection, Settings(), form, tmp_path / "rows")
        assert session.run("SELECT 1") is None  # what is imported once
        (tmp_path / "rows").unlink()
        queries = ["SELECT count(*) FROM range(1000000000000)"]
        if form != "table":  # after some rows; Arrow, by which a table comes, does not look for it
            queries.append("FROM range(1000000000000) t(n) WHERE n < 9000 OR n % 100000000000 = 0")
        for query in queries:
            press = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
            with pytest.raises(KeyboardInterrupt):
                press.start()
                session.run(query)
            assert [each.name for each in tmp_path.iterdir()] == ["home"]
        assert session.run("SELECT 1") is None


def test_the_session_goes_on_after_a_query_that_broke(capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect() as connection:
        session = Session(connection, Settings())
        assert session.run(BREAKS) == "Invalid Input Error: boom"
        assert session.run("SELECT 40 + 2 AS answer") is None
    assert "42" in capsys.readouterr().out


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_cannot_be_written_is_named(vitalake: Vitalake, tmp_path: Path, form: str) -> None:
    (tmp_path / "taken").mkdir()
    answer = vitalake("sql", "SELECT 1 AS n", "--format", form, "--output", str(tmp_path / "taken"))
    assert (answer.code, lines(answer.err)) == (1, [f"cannot write {tmp_path / 'taken'}: Is a directory"])


@pytest.mark.parametrize("value", NEVER)
def test_a_time_beyond_the_calendar_is_named_with_its_column(vitalake: Vitalake, value: str) -> None:
    answer = vitalake("sql", f"SELECT 1 AS n, {value} AS due")
    [said] = lines(answer.err)
    assert answer.code == 1
    assert "column 'due'" in said
    assert "years 1 to 9999" in said
    assert "::VARCHAR" in said


@pytest.mark.parametrize("form", ["csv", "json"])
def test_csv_and_json_have_it_as_duckdb_says_it(vitalake: Vitalake, form: str) -> None:
    out = vitalake("sql", f"SELECT {', '.join(NEVER)}", "--format", form).out
    for said in ("infinity", "-infinity", "5001-01-01 (BC)", "290000-01-01T00:00:00"):
        assert said in out


def test_what_that_message_advises_works(vitalake: Vitalake, tmp_path: Path) -> None:
    assert "infinity" in vitalake("sql", "SELECT (DATE 'infinity')::VARCHAR AS due").out
    path = tmp_path / "due.parquet"
    assert vitalake("sql", "SELECT DATE 'infinity' AS due", "--format", "parquet", "--output", str(path)).code == 0
    assert duckdb.sql(f"SELECT due::VARCHAR FROM '{path}'").fetchall() == [("infinity",)]  # noqa: S608


def test_what_parquet_has_no_type_for_is_text(vitalake: Vitalake, tmp_path: Path) -> None:
    path = tmp_path / "spans.parquet"
    query = "SELECT 1 AS n, INTERVAL '-12 days' AS span"
    assert vitalake("sql", query, "--format", "parquet", "--output", str(path)).code == 0
    assert parquet.read_table(path)["span"].to_pylist() == ["-12 days"]


def test_a_query_that_is_no_text_is_refused(vitalake: Vitalake, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = vitalake("sql", b"SELECT '\xff'".decode(errors="surrogateescape"))  # as Python reads an argument
    assert (answer.code, lines(answer.err)) == (1, ["the query is not UTF-8 text: save or type it as UTF-8"])
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"SELECT '\xff'"), "utf-8"))
    answer = vitalake("sql")
    assert answer.code == 2
    assert "not UTF-8 text" in answer.err


def test_a_port_that_cannot_be_is_a_setting_that_cannot_be_used(vitalake: Vitalake, catalog: Path) -> None:
    for name in ("VITALAKE_S3_ENDPOINT", "VITALAKE_WEBSERVER_URL"):
        write_env(catalog / "env", {"VITALAKE_S3_ENDPOINT": "http://127.0.0.1:1", name: "http://127.0.0.1:99999"})
        for command in (("sql", "FROM nowhere"), ("status",), ("quarantine", "list")):
            answer = vitalake(*command)
            assert answer.code == 2, answer.err
            assert name.removeprefix("VITALAKE_").lower() in answer.err
            assert "at most 65535" in answer.err
            assert str(catalog / "env") in answer.err


@pytest.mark.parametrize("text", [b"VITALAKE_SLACK_CHANNEL='#\xe4rzte'\n", "A='1'\n".encode("utf-16")])
def test_an_env_file_that_is_not_utf_8_is_named(vitalake: Vitalake, catalog: Path, text: bytes) -> None:
    (catalog / "env").write_bytes(text)
    for command in (("sql", "SELECT 1"), ("status",), ("up", "--exit")):
        answer = vitalake(*command)
        [said] = lines(answer.err)
        assert (answer.code, "Traceback" in answer.err) == (2, False)
        assert f"{catalog / 'env'} cannot be read" in said
        assert "UTF-8" in said


@pytest.mark.parametrize("form", FORMS)
def test_what_others_put_in_the_way_of_a_file_is_not_followed(
    vitalake: Vitalake, tmp_path: Path, form: str
) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "shared"
    victim.write_text("as it was")
    folder.mkdir()
    (folder / f".rows.{os.getpid()}").symlink_to(victim)
    assert vitalake("sql", "SELECT 1 AS n", "--format", form, "--output", str(folder / "rows")).code == 0
    assert victim.read_text() == "as it was"
    assert (folder / "rows").stat().st_size > 0
    assert len(list(folder.iterdir())) == 2
