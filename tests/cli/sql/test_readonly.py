"""`vitalake sql` reads: what people ask is answered, and nothing that is asked writes or leads elsewhere."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import duckdb
import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from cli.sql.prompt import prompt
from cli.sql.readonly import GIVES_ROWS, READS_FILES, StatementRefusedError, close_off, judge
from cli.sql.session import Session
from resources.catalog import connect
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.conftest import Vitalake
from vitalake.datasets.declared import DATASETS
from vitalake.serving.example_queries import ANSWERS, LEFT_OUT

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKETS = ("raw", "lake", "restricted")
ROOT = Path(__file__).resolve().parents[3]

READS = [
    "SELECT 1",
    "FROM t",
    "FROM t SELECT a",
    "TABLE t",
    "VALUES (1), (2)",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "WITH x AS (SELECT 1) SELECT * FROM x",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) FROM r",
    "DESCRIBE t",
    "DESCRIBE SELECT 1",
    "SUMMARIZE t",
    "SUMMARIZE FROM t",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "SHOW t",
    "SHOW DATABASES",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE FROM t",
    "EXPLAIN (FORMAT json) SELECT 1",
    "EXPLAIN (ANALYZE, FORMAT json) FROM t",
    "EXPLAIN (SELECT 1)",
    "EXPLAIN /* why */ ANALYZE -- and how\n SELECT 1",
    "PIVOT t ON a USING sum(b)",
    "EXPLAIN PIVOT t ON a USING sum(b)",
    "PIVOT t ON a, year(DATE '2020-01-01' + b) USING sum(b) AS s, max(b) GROUP BY a ORDER BY ALL LIMIT 2",
    "PIVOT t ON a IN (1, 2) USING sum(b)",
    "FROM t PIVOT (sum(b) FOR a IN (1, 2))",
    "WITH x AS (SELECT * FROM t) PIVOT x ON a USING sum(b)",
    "SELECT * FROM (PIVOT t ON a USING sum(b))",
    "WITH p AS (PIVOT t ON a USING sum(b)) SELECT * FROM p; SELECT 1",
    "PIVOT t ON a",
    "PIVOT t ON /* which */ a -- and no more",
    "PIVOT (FROM t JOIN t u ON t.a = u.a SELECT t.*) ON a, b",
    "PIVOT t JOIN (SELECT 1 AS c, 2 AS d) u ON t.a = u.c ON b USING sum(d)",
    "PIVOT t ON a USING sum(b); -- done",
    "UNPIVOT t ON a, b",
    "SET TimeZone = 'Europe/Berlin'",
    "SET threads = 1;",
    "SET threads TO 2",
    "SET memory_limit = '2GB'",
    "RESET threads",
    "PRAGMA version",
    "PRAGMA table_info('t')",
    "PRAGMA show_tables",
    "CREATE TEMP TABLE q AS SELECT 1",
    'CREATE OR REPLACE TEMPORARY VIEW "my ""own""; view" AS FROM t',
    "CREATE TEMP TABLE IF NOT EXISTS q AS (SELECT 1)",
    "FROM range(3)",
    "SELECT * FROM unnest([1, 2])",
    "FROM 'here.csv'",
    "FROM glob('*')",
    "FROM read_csv('here.csv', header = true, types = {'a': 'BIGINT'})",
    "FROM read_text('file:///etc/hostname')",
    "FROM read_parquet(['here.parquet', 's3://lake/x/*.parquet'], hive_types = {'d': DATE})",
    "FROM duckdb_tables()",
    "-- first\nSELECT 2 -- second\n;SELECT 'é;', 3;;",
    "SELECT 1 -- and no more",
    "SELECT\u00a01; SELECT 2",
    "SELECT 'https://example.org' AS u, 's3://other/x?y' AS v, 5-3, 4/2, a->>'x' FROM (SELECT '{}'::JSON AS a)",
    "SELECT list_transform([1], lambda x: x + 1)",
    "SELECT * FROM t ASOF JOIN t u ON t.a >= u.a",
    "SELECT count(*) FILTER (a > 1) OVER (ORDER BY b) FROM t QUALIFY true",
]
OF_THE_LAKE = [
    *(query for _, query in (*ANSWERS.values(), LEFT_OUT)),
    *(view.select for dataset in DATASETS for view in dataset.views),
]
# Each hides in every place where a query may stand; what is in it does not matter.
HIDDEN = "(SELECT true FROM query('SELECT 1'))"
PLACES = [
    "SELECT {}",
    "SELECT 1 WHERE {}",
    "SELECT 1 LIMIT {}",
    "SELECT 1 ORDER BY {}",
    "SELECT CASE WHEN {} THEN 1 END",
    "SELECT {}::INT",
    "SELECT [1 FOR x IN [1] IF {}]",
    "SELECT list_transform([1], lambda x: {})",
    "SELECT ([1])[{}]",
    "SELECT 1 WHERE 1 IN {}",
    "SELECT EXISTS {}",
    "SELECT ARRAY {}",
    "SELECT 1 UNION {}",
    "SELECT DISTINCT ON ({}) a FROM t",
    "SELECT * REPLACE ({} AS a) FROM t",
    "SELECT COLUMNS(lambda x: {}) FROM t",
    "SELECT sum(a) FILTER (WHERE {}) FROM t",
    "SELECT sum(a) OVER (PARTITION BY {}) FROM t",
    "SELECT sum(a) OVER (ORDER BY a ROWS {} PRECEDING) FROM t",
    "SELECT sum(a ORDER BY {}) FROM t",
    "FROM t SELECT a GROUP BY {}",
    "FROM t SELECT a GROUP BY a HAVING {}",
    "FROM t QUALIFY {}",
    "FROM t JOIN t u ON {}",
    "FROM t, LATERAL {}",
    "FROM {}",
    "FROM range({}::INT)",
    "VALUES ({})",
    "FROM (VALUES ({})) v",
    "WITH x AS {} FROM x",
    "WITH x AS MATERIALIZED {} FROM x",
    "WITH RECURSIVE r AS (SELECT 1 UNION ALL {}) FROM r",
    "DESCRIBE {}",
    "SUMMARIZE {}",
    "EXPLAIN {}",
    "EXPLAIN ANALYZE {}",
    "PIVOT t ON a USING sum({})",
    "PIVOT {} ON a",
    "PIVOT t ON a IN (1) USING max({})",
    "UNPIVOT {} ON a",
    "CREATE TEMP TABLE x AS {}",
    "CREATE TEMP VIEW x AS {}",
    "SELECT 1; SELECT {}",
]
# {raw}, {lake}: buckets of ours; {stranger}: an address of somebody else; {folder}: a folder of ours.
WRITES = [
    "COPY (SELECT 1) TO 's3://{raw}/new.csv'",
    "COPY (SELECT 1) TO 's3://{raw}/kept.csv'",
    "COPY numbers TO 's3://{lake}/numbers' (FORMAT parquet, PARTITION_BY (number))",
    "COPY (SELECT 1) TO '{folder}/new.csv'",
    "COPY (SELECT 1) TO '{folder}/kept.csv' (USE_TMP_FILE false)",
    "COPY (SELECT 1) TO '{folder}/lake.duckdb' (FORMAT csv, USE_TMP_FILE false)",
    "/* a /* nested */ comment */ COPY (SELECT 1) TO '{folder}/new.csv'",
    "SELECT 1; COPY (SELECT 1) TO '{folder}/new.csv'; SELECT 2",
    "PIVOT numbers ON number % 2; COPY (SELECT 1) TO '{folder}/new.csv'",
    "PIVOT numbers ON number % 2; SELECT\u00a01; COPY (SELECT 1) TO '{folder}/new.csv'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/new.csv'",
    "EXPLAIN ANALYZE INSERT INTO numbers SELECT 1",
    "WITH a AS (COPY (SELECT 1) TO '{folder}/new.csv') SELECT 1",
    "PREPARE p AS COPY (SELECT 1) TO '{folder}/new.csv'; EXECUTE p",
    "SELECT * FROM query('COPY (SELECT 1) TO ''{folder}/new.csv''')",
    "CALL query('COPY (SELECT 1) TO ''{folder}/new.csv''')",
    "EXPORT DATABASE '{folder}/exported'",
    "EXPORT DATABASE 's3://{raw}/exported'",
    "IMPORT DATABASE '{folder}/exported'",
    "IMPORT DATABASE 's3://{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false'",
    "PRAGMA import_database('s3://{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false')",
    "ATTACH '{folder}/new.duckdb' AS n (READ_WRITE)",
    "ATTACH '{folder}/new.duckdb' AS n (READ_WRITE); CREATE TABLE n.t AS SELECT 1",
    "ATTACH ':memory:' AS n; COPY FROM DATABASE lake TO n",
    "DETACH lake",
    "USE memory",
    "CREATE TABLE t AS SELECT 1",
    "CREATE VIEW v AS SELECT 1",
    "CREATE SCHEMA s",
    "CREATE TEMP MACRO m(x) AS TABLE FROM query(x)",
    "CREATE TEMP TABLE t (a INT)",
    "INSERT INTO numbers SELECT 1",
    "UPDATE numbers SET number = 1",
    "DELETE FROM numbers",
    "TRUNCATE numbers",
    "DROP VIEW numbers",
    "COMMENT ON VIEW numbers IS 'x'",
    "ALTER VIEW numbers RENAME TO n",
    "VACUUM",
    "ANALYZE",
    "CHECKPOINT",
    "FROM checkpoint()",
    "FORCE CHECKPOINT",
    "BEGIN",
    "INSTALL spatial",
    "FORCE INSTALL httpfs FROM '{folder}'",
    "LOAD '{folder}/new.duckdb_extension'",
    "UPDATE EXTENSIONS",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE OR REPLACE SECRET vitalake (TYPE s3, ENDPOINT '{stranger}', USE_SSL false)",
    "DROP SECRET vitalake",
    "SET s3_endpoint = '{stranger}'",
    "SET enable_profiling = 'json'; SET profiling_output = '{folder}/new.json'; SELECT 1",
    "SET log_query_path = '{folder}/new.log'; SELECT 1",
    "SET temp_directory = '{folder}/new'",
    "SET threads = (SELECT 1)",
    "SET VARIABLE x = 1",
    "RESET temp_directory",
    "PRAGMA enable_profiling",
    "PRAGMA profiling_output = '{folder}/new.json'",
    "PRAGMA add_parquet_key('a', '0123456789112345')",
    "CALL enable_logging(storage = 'file', storage_path = '{folder}')",
    "FROM enable_logging(storage = 'file', storage_path = '{folder}')",
    "FROM enable_profiling(save_location = '{folder}/new.json')",
    "SELECT write_log('x')",
    "FROM query_table('numbers')",
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "FROM system.main.\"QUERY\"('SELECT 1')",
    "FROM arrow_scan(1, 2, 3)",
]
ELSEWHERE = [
    "FROM read_csv('http://{stranger}/x.csv')",
    "FROM 'http://{stranger}/x.csv'",
    'SELECT * FROM "http://{stranger}/x"."csv"',
    "FROM read_parquet('s3://{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false')",
    "FROM 's3://{lake}/x.parquet?s3_endpoint={stranger}&s3_use_ssl=false'",
    'FROM "s3://{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false"."parquet"',
    "FROM read_text(['{folder}/kept.csv', 's3://{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false'])",
    "FROM read_text('s3://{lake}/x' || '?s3_endpoint={stranger}&s3_use_ssl=false')",
    "FROM read_text(concat('s3://{lake}/x', '?s3_endpoint={stranger}&s3_use_ssl=false'))",
    "FROM read_text(E's3://{lake}/x\\x3fs3_endpoint={stranger}&s3_use_ssl=false')",
    "FROM E's3://{lake}/x.csv\\x3fs3_endpoint={stranger}&s3_use_ssl=false'",
    "FROM glob('s3://{lake}/*?s3_endpoint={stranger}&s3_use_ssl=false')",
    "FROM parquet_metadata('s3://{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false')",
    "FROM sniff_csv('s3://{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false')",
    "DESCRIBE 's3://{lake}/x.parquet?s3_endpoint={stranger}&s3_use_ssl=false'",
    "SUMMARIZE 's3://{lake}/x.parquet?s3_endpoint={stranger}&s3_use_ssl=false'",
    "PIVOT 's3://{lake}/x.parquet?s3_endpoint={stranger}&s3_use_ssl=false' ON a",
    "CREATE TEMP VIEW v AS FROM 's3://{lake}/x.parquet?s3_endpoint={stranger}&s3_use_ssl=false'",
    # What DuckDB works out later, or reads through another of its functions.
    "FROM read_text('file:///s3://{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false'[9:])",
    "FROM glob('file:///s3://{lake}/x*?s3_endpoint={stranger}&s3_use_ssl=false'[9:])",
    "FROM read_text('file:///s3://{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false')",
    "FROM read_text(['', 's3://{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false'][2])",
    "FROM read_text('[\"s3:\\//{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false\"]'::VARCHAR[])",
    "FROM read_text('[\"s3:\\/\\/{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false\"]'::JSON::VARCHAR[])",
    "FROM read_text('s3:\\x2F\\x2F{lake}/x?s3_endpoint={stranger}&s3_use_ssl=false'::BLOB::VARCHAR)",
    "FROM read_text(CASE WHEN true THEN 's3:/' END)",
    "FROM read_text(coalesce(NULL, 's3:/'))",
    "FROM read_text('s3:/' COLLATE NOCASE)",
    "FROM histogram('\"s3://{lake}/x.csv?s3_endpoint={stranger}&s3_use_ssl=false\"', a)",
    "FROM histogram_values('\"s3://{lake}/x.csv?s3_endpoint={stranger}&s3_use_ssl=false\"', a)",
    # A key that somebody has uploaded may end in settings, and a pattern would find it.
    "FROM read_csv('s3://{raw}/**')",
    "FROM read_text('s3://{raw}/ecg/[a-z]')",
    "FROM 's3://{raw}/ecg/*.csv'",
    "FROM read_text(getvariable('x'))",
    "FROM read_text('s3a://{lake}/x')",
    "FROM read_text('s3://somebody/x')",
    "FROM read_text('hf://datasets/x/y.csv')",
]


@pytest.fixture
def catalog(settings: Settings, home: Path, raw: ObjectStore) -> Settings:
    """A catalog of one view, an object in the raw bucket, and a file."""
    with duckdb.connect(str(settings.catalog_path)) as connection:
        connection.execute("CREATE VIEW numbers AS SELECT range AS number FROM range(200)")
    raw.put("kept.csv", b"a,b\n1,2\n", expected=None)
    (home / "kept.csv").write_text("a,b\n1,2\n")
    return settings


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[bytes]]]:
    """A server of somebody else: its address, and what it was sent."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller:
                    heard.append(caller.recv(10_000))

        threading.Thread(target=listen, daemon=True).start()
        host, port = server.getsockname()
        yield f"{host}:{port}", heard
        server.shutdown(socket.SHUT_RDWR)


@cache
def client(settings: Settings) -> S3Client:
    secret = settings.aws_secret_access_key
    connected: S3Client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.aws_region,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
    )
    return connected


def everything(settings: Settings) -> dict[str, object]:
    """What there is in the buckets and in this machine's folders that DuckDB knows."""
    found: dict[str, object] = {}
    for bucket in settings.buckets:
        for item in client(settings).list_objects_v2(Bucket=bucket).get("Contents", []):
            found[f"{bucket}/{item['Key']}"] = item["ETag"]
    for folder in (settings.home, Path.home() / ".duckdb"):
        for base, _, files in os.walk(folder):
            found |= {f"{base}/{name}": Path(base, name).stat().st_mtime_ns for name in files}
    return found


@pytest.mark.parametrize("query", [*READS, *OF_THE_LAKE])
def test_what_reads_is_let_through_as_it_is(query: str) -> None:
    assert "".join("".join(each.text for each in judge(query, BUCKETS)).split()).strip(";")


def test_what_is_let_through_runs(catalog: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """All that needs no file that is not there, by the same connection as the command has."""
    with connect(catalog) as connection:
        connection.execute("CREATE TEMP TABLE t AS SELECT 1 AS a, 2 AS b")
        session = Session(connection, catalog)
        close_off(connection, catalog.buckets, catalog.home)
        for query in READS:
            if "here." not in query:
                assert session.run(query) is None, query
        for place in (f"s3://{catalog.raw_bucket}/kept.csv", str(catalog.home / "kept.csv")):
            assert session.run(f"SELECT b + 40 AS answer FROM '{place}'") is None, place  # noqa: S608
    assert capsys.readouterr().out.count("42") >= 2


@pytest.mark.parametrize("place", PLACES)
def test_a_function_that_is_not_known_is_found_wherever_it_hides(place: str) -> None:
    with pytest.raises(StatementRefusedError, match="query is not known"):
        judge(place.format(HIDDEN), BUCKETS)
    assert judge(place.format(HIDDEN.replace("query('SELECT 1')", "range(1)")), BUCKETS)


def test_nothing_that_is_asked_writes_anything(
    vitalake: Vitalake, catalog: Settings, stranger: tuple[str, list[bytes]]
) -> None:
    address, heard = stranger
    names = {"raw": catalog.raw_bucket, "lake": catalog.lake_bucket, "folder": catalog.home, "stranger": address}
    vitalake("sql", "SELECT 1")  # whatever a first time leaves
    before = everything(catalog)
    for attack in [*WRITES, *ELSEWHERE]:
        query = attack.format_map(names)
        answer = vitalake("sql", query)
        assert (answer.code, answer.out) == (1, ""), query
        assert len(answer.err.strip().splitlines()) == 1 or "Parser Error" in answer.err, (query, answer.err)
        assert "`vitalake sql`" in answer.err or "Parser Error" in answer.err, (query, answer.err)
        assert everything(catalog) == before, query
        assert heard == [], query


def test_the_prompt_refuses_the_same_and_goes_on(
    catalog: Settings, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(catalog)
    with connect(catalog) as connection, create_pipe_input() as keys:
        for attack in ("COPY numbers TO 'new.csv';\r", "SET s3_region = 'x';\r", "SELECT 40 + 2 AS answer;\r"):
            keys.send_text(attack)
        keys.send_text(".quit\r")
        with create_app_session(input=keys, output=DummyOutput()):
            prompt(Session(connection, catalog), home / "sql_history")
    out = capsys.readouterr().out
    assert out.count("is read-only") == 2
    assert "--output FILE" in out
    assert "42" in out
    assert everything(catalog).keys() - before.keys() == {str(home / "sql_history")}


@pytest.mark.parametrize("form", ["table", "csv"])
def test_standard_input_is_judged_too(
    vitalake: Vitalake, catalog: Settings, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    before = everything(catalog)
    monkeypatch.setattr(sys, "stdin", StringIO(f"SELECT 42;\nCOPY numbers TO '{catalog.home}/new.csv'"))
    answer = vitalake("sql", "--format", form)
    assert (answer.code, answer.out) == (1, "")
    assert "`vitalake sql` is read-only" in answer.err
    assert everything(catalog) == before


def test_nothing_of_a_script_runs_when_a_part_of_it_is_refused(vitalake: Vitalake, catalog: Settings) -> None:  # noqa: ARG001
    assert vitalake("sql", "SELECT 42; CREATE TABLE t AS SELECT 1").out == ""


@pytest.mark.parametrize("attack", ELSEWHERE[:3])
def test_the_connection_itself_reaches_no_stranger(
    catalog: Settings, stranger: tuple[str, list[bytes]], attack: str
) -> None:
    """As though the judgement had been fooled."""
    address, heard = stranger
    with connect(catalog) as connection:
        close_off(connection, catalog.buckets, catalog.home)
        with pytest.raises(duckdb.Error, match=r"disabled by configuration|does not exist"):
            connection.execute(attack.format(stranger=address))
        with pytest.raises(duckdb.Error, match="disabled by configuration"):
            connection.execute("FROM read_text('s3://somebody/x')")
        with pytest.raises(duckdb.Error):
            connection.execute("SET enable_external_access = true")
    assert heard == []


def test_a_large_query_has_room_in_a_folder_of_its_own(vitalake: Vitalake, catalog: Settings) -> None:
    before = everything(catalog)
    large = "SELECT count(*) AS n FROM (SELECT range, hash(range) AS h FROM range(3000000) ORDER BY h)"
    answer = vitalake("sql", f"SET threads = 1; SET memory_limit = '60MB'; {large}")
    assert (answer.code, "3000000" in answer.out.replace(",", "")) == (0, True), answer.err
    asked = vitalake("sql", "SELECT current_setting('temp_directory') AS folder", "--format", "csv").out.split()[1]
    assert Path(asked).parent == catalog.home
    assert not Path(asked).exists()
    assert everything(catalog) == before


def test_every_function_of_this_duckdb_is_judged() -> None:
    """Another version may bring functions that write; then they have to be looked at."""
    with duckdb.connect() as connection:
        kinds = "function_type IN ('table', 'table_macro')"
        query = f"SELECT DISTINCT function_name FROM duckdb_functions() WHERE {kinds}"  # noqa: S608
        rows = {name for (name,) in connection.execute(query).fetchall()}
        query = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE has_side_effects"
        effects = {name for (name,) in connection.execute(query).fetchall()}
    refused = {name for name in rows if not name.startswith(("duckdb_", "pragma_"))} - GIVES_ROWS - READS_FILES
    assert refused == {
        *("arrow_scan", "arrow_scan_dumb", "pandas_scan", "python_map_function", "seq_scan"),
        *("checkpoint", "force_checkpoint", "truncate_duckdb_logs", "read_duckdb", "which_secret"),
        *("disable_logging", "enable_logging", "disable_profiling", "enable_profiling"),
        *("json_execute_serialized_sql", "query", "query_table"),
        *("histogram", "histogram_values"),  # macros over query_table
    }
    assert effects == {
        *("nextval", "currval", "setseed", "random", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "sleep_ms"),
        *("current_connection_id", "current_query", "current_query_id", "current_transaction_id"),
        *("error", "stats", "write_log"),
    }


WORDS = ["COPY", "(", ")", "SELECT 1", "FROM", "t", "TO", "'x.csv'", ";", "PIVOT", "ON", "a", ",", "IN", "EXPLAIN"]
WORDS += ["ANALYZE", "WITH", "AS", "CREATE", "TEMP", "TABLE", "VIEW", "SET", "threads", "=", "1", "--", "\n", "/*"]
WORDS += [
    "*/",
    "é",
    "\u00a0",
    '"',
    "'",
    "$$",
    "USING",
    "sum(b)",
    "query('SELECT 1')",
    "INSERT INTO",
    "E'\\''",
    "{",
    "]",
]


@given(strategies.lists(strategies.sampled_from(WORDS), max_size=12).map(" ".join))
@hypothesis_settings(max_examples=600)
def test_whatever_is_let_through_is_of_a_kind_that_reads(text: str) -> None:
    try:
        judged = judge(text, BUCKETS)
    except (StatementRefusedError, duckdb.Error):
        return
    with duckdb.connect() as connection:
        for each in judged:
            kinds = [statement.type.name for statement in connection.extract_statements(each.text)]
            assert kinds[-1] in {"SELECT", "EXPLAIN", "SET", "CREATE"}
            assert "query(" not in each.text
            assert "COPY" not in kinds
            if kinds == ["CREATE"]:
                assert "TEMP" in each.text


def test_a_query_is_judged_without_the_import_of_pandas() -> None:
    """A second before every answer, for nothing."""
    program = "import sys, cli.sql.readonly as it\nit.judge(sys.argv[1], ['raw'])\nprint('pandas' in sys.modules)"
    text = "SELECT 'it''s', $$a'b$$, \"c\" FROM t -- who's there"
    argv = [sys.executable, "-c", program, text]
    done = subprocess.run(argv, cwd=ROOT, check=True, timeout=120, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("text", ["SELECT 1 \0", "SELECT 1; SELECT '\0'", "SELECT 1 \0; DROP TABLE t"])
def test_a_query_that_ends_before_its_text_is_refused(text: str) -> None:
    with pytest.raises((StatementRefusedError, duckdb.Error)):
        judge(text, BUCKETS)
