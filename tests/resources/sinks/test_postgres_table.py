"""A view as a table of a real PostgreSQL server."""

# ruff: noqa: S608

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from string import ascii_letters, digits
from typing import Any

import duckdb
import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from resources.sinks.postgres_table import PostgresTable
from resources.sinks.view_rows import ViewRows
from tests.postgres_server import new_database
from vitalake.errors import PermanentError, TransientError
from vitalake.lake.sinks import Delivery, Sink

pytestmark = pytest.mark.store

SINK = Sink("prices_postgres", "prices", ("id",), "postgres", "Prices.")
FIRST = "SELECT i AS id, 'name ' || i AS name, i / 4 AS ratio, ['a', NULL] AS tags FROM range(5) t(i)"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in which the tests make the view."""
    with duckdb.connect(str(tmp_path / "source.duckdb")) as connection:
        yield connection


@pytest.fixture
def url(postgres_url: str, request: pytest.FixtureRequest) -> str:
    """A database of its own, whose clock is not in UTC."""
    name = f"d{abs(hash(request.node.nodeid))}"
    found = new_database(postgres_url, name)
    with create_engine(found).begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET timezone = 'America/New_York'"))
    return found


@pytest.fixture
def server(url: str) -> Engine:
    return create_engine(url, isolation_level="AUTOCOMMIT")


def rows(server: Engine, columns: str = "*", table: str = "vitalake.prices") -> list[Any]:
    with server.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY 1"))]


def run(server: Engine, sql: str) -> None:
    with server.connect() as connection:
        connection.execute(text(sql))


def deliver(url: str, source: duckdb.DuckDBPyConnection, select: str, sink: Sink = SINK) -> Delivery:
    source.execute(f"CREATE OR REPLACE VIEW {sink.view} AS {select}")
    return PostgresTable(url).deliver(ViewRows(source, sink), lambda _done, _total: None)


def test_every_type_survives(url: str, source: duckdb.DuckDBPyConnection, server: Engine) -> None:
    select = """SELECT 1::INTEGER AS id, 2::BIGINT AS big, 0.1::DOUBLE AS ratio, 'nan'::DOUBLE AS nan, true AS yes,
        TIMESTAMPTZ '2025-03-02 10:00:00.123456+00' AS at, DATE '2025-03-02' AS day, 'Zoë' AS name,
        NULL::VARCHAR AS no, ['a', NULL, '', 'x,"y"\\'] AS tags, [1, NULL]::INTEGER[] AS counts,
        [0.5, 'inf'::DOUBLE] AS ratios,
        []::VARCHAR[] AS none, 5000000000.000001::DECIMAL(18, 6) AS price,
        12345678901234567890123456789::HUGEINT AS huge, {'a': ['nan'::VARCHAR]} AS more"""
    deliver(url, source, select)
    [row] = rows(server)
    at = datetime(2025, 3, 2, 10, 0, 0, 123456, tzinfo=timezone.utc)
    assert row[:3] == (1, 2, 0.1)
    assert str(row[3]) == "nan"
    assert row[4:11] == (True, at, date(2025, 3, 2), "Zoë", None, ["a", None, "", 'x,"y"\\'], [1, None])
    assert row[11:13] == ([0.5, float("inf")], [])
    assert row[13:] == (Decimal("5000000000.000001"), 12345678901234567890123456789, '{"a":["nan"]}')
    kinds = "string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum)"
    [(types,)] = rows(
        server, kinds, "(SELECT * FROM pg_attribute WHERE attrelid = 'vitalake.prices'::regclass AND attnum > 0) a"
    )
    assert types == (
        "integer, bigint, double precision, double precision, boolean, timestamp with time zone, date, text, text, "
        "text[], integer[], double precision[], text[], numeric, numeric, text"
    )


def test_the_same_twice_touches_no_row_and_then_only_what_differs(
    url: str, source: duckdb.DuckDBPyConnection, server: Engine
) -> None:
    state = "id, xmin::text, xmax::text, ctid::text"
    assert deliver(url, source, FIRST) == Delivery(5, 5, 0, 0)
    before = rows(server, state)
    assert deliver(url, source, FIRST) == Delivery(5, 0, 0, 5)
    assert rows(server, state) == before
    changed = f"SELECT * REPLACE (CASE WHEN id = 3 THEN NULL ELSE name END AS name) FROM ({FIRST}) WHERE id > 1"
    assert deliver(url, source, f"{changed} UNION ALL SELECT 9, 'new', NULL, []") == Delivery(4, 2, 2, 2)
    assert rows(server, "id, name") == [(2, "name 2"), (3, None), (4, "name 4"), (9, "new")]
    assert [row for row in rows(server, state) if row[0] in (2, 4)] == [before[2], before[4]]
    assert deliver(url, source, f"{FIRST} WHERE false") == Delivery(0, 0, 4, 0)


def test_a_delivery_that_fails_in_the_middle_leaves_everything_as_it_was(
    url: str, source: duckdb.DuckDBPyConnection, server: Engine
) -> None:
    deliver(url, source, FIRST)
    before = rows(server)
    run(
        server,
        "CREATE FUNCTION vitalake.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "IF OLD.id = 4 THEN RAISE 'the name is %', OLD.name; END IF; RETURN OLD; END$$",
    )
    when = "BEFORE DELETE ON vitalake.prices FOR EACH ROW EXECUTE FUNCTION vitalake.refuse()"
    run(server, f"CREATE TRIGGER refuse {when}")
    with pytest.raises(PermanentError) as failed:
        deliver(url, source, "SELECT 1::BIGINT AS id, 'other' AS name, 0.5::DOUBLE AS ratio, ['b'] AS tags")
    assert rows(server) == before
    assert "name 4" not in str(failed.value)
    assert failed.value.__suppress_context__


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("id bigint PRIMARY KEY, name text, ratio numeric, tags text[]", "ratio is numeric, declared double"),
        ("id bigint PRIMARY KEY, name text, ratio float, tags text[], more int", "more is integer, declared not"),
        ("id bigint PRIMARY KEY, name text, tags text[]", "ratio is not there"),
        ("id bigint, name text PRIMARY KEY, ratio float, tags text[]", "primary key is not (id)"),
        ("id bigint, name text, ratio float, tags text[]", "primary key is not (id)"),
    ],
)
def test_a_table_of_another_shape_is_left_alone_and_the_error_says_what_to_do(
    url: str, source: duckdb.DuckDBPyConnection, server: Engine, other: str, said: str
) -> None:
    run(server, "CREATE SCHEMA vitalake")
    run(server, f"CREATE TABLE vitalake.prices ({other})")
    with pytest.raises(PermanentError, match="Drop the table") as failed:
        deliver(url, source, FIRST)
    assert said in str(failed.value)
    assert rows(server) == []


def test_names_are_taken_as_they_are(url: str, source: duckdb.DuckDBPyConnection, server: Engine) -> None:
    sink = Sink("x", 'Price "list" of', ("the Key", "order"), "postgres", "")
    source.execute("""CREATE VIEW "Price ""list"" of" AS SELECT 1 AS "the Key", 'a' AS "order", 2 AS "select" """)
    target = PostgresTable(url, "Schema's name")
    for written in (1, 0):
        assert target.deliver(ViewRows(source, sink), lambda _done, _total: None).written == written
    found = rows(server, '"the Key", "order", "select"', '"Schema\'s name"."Price ""list"" of"')
    assert found == [(1, "a", 2)]


@pytest.mark.parametrize(
    ("select", "held", "lost"),
    [
        ("'x' || chr(0) AS a, ['y', chr(0)] AS b", (None, ["y", None]), 2),
        ("map {'k': chr(0)} AS a, ['x' || chr(0)]::VARCHAR[1] AS b", (None, None), 2),
        ("[map {'k': chr(0)}, map {'k': 'v'}] AS a, {'n': chr(0)} AS b", ([None, "{k=v}"], '{"n":null}'), 2),
        ("'infinity'::DATE AS a, '-infinity'::DATE AS b", (None, None), 2),
        ("'infinity'::TIMESTAMP AS a, '-infinity'::TIMESTAMPTZ AS b", (None, None), 2),
        ("['infinity'::DATE, DATE '2026-01-02'] AS a", ([None, date(2026, 1, 2)],), 1),
        ("DATE '5877641-06-23' AS a, TIMESTAMP '9999-12-31 23:59:59.999999' AS b", (None, datetime.max), 1),
        ("{'d': 'nan'::DOUBLE, 'e': 0.5} AS a, [['inf'::FLOAT]] AS b", ('{"d":null,"e":0.5}', "[[null]]"), 2),
        ("{'at': '-infinity'::TIMESTAMP} AS a", ('{"at":null}',), 1),
    ],
)
def test_what_postgresql_cannot_hold_is_left_out_and_counted(
    url: str, source: duckdb.DuckDBPyConnection, server: Engine, select: str, held: tuple[object, ...], lost: int
) -> None:
    done = deliver(url, source, f"SELECT 1 AS id, {select}")
    assert rows(server) == [(1, *held)]
    assert (done.rows, done.written, done.refused, done.not_representable) == (1, 1, 0, lost)


@pytest.mark.parametrize(
    ("good", "bad"),
    [("'a'", "'b' || chr(0)"), ("['a']", "['b' || chr(0)]"), ("DATE '2026-01-01'", "'infinity'::DATE")],
)
def test_a_key_that_postgresql_cannot_hold_costs_its_row_alone(
    url: str, source: duckdb.DuckDBPyConnection, server: Engine, good: str, bad: str
) -> None:
    done = deliver(url, source, f"SELECT {good} AS id, 'x' AS name UNION ALL SELECT {bad}, 'z'")
    assert rows(server, "name") == [("x",)]
    assert (done.rows, done.written, done.refused, done.not_representable) == (2, 1, 1, 1)
    assert done.reasons == ("1 x key with a NUL character or a time without end, which PostgreSQL cannot hold",)


@pytest.mark.parametrize(
    ("key", "longest"),
    [
        ("'{}' AS a", 2688),
        ("'{}' AS a, 'ü{}' AS b", 1339),
        ("list_append(list_transform(range(200), lambda i: 'x'), '{}') AS a", 454),
        ("true AS a, '{}' AS b, 1e37::DECIMAL(38, 0) AS c, DATE '2026-01-02' AS d, '{}' AS e", 1301),
    ],
)
def test_a_key_that_no_index_takes_costs_its_row_alone(
    url: str, source: duckdb.DuckDBPyConnection, server: Engine, key: str, longest: int
) -> None:
    """Of noise, which PostgreSQL cannot press into less."""
    noise = "".join(random.Random(1).choices(ascii_letters + digits, k=longest + 1))
    sink = Sink("x", "prices", tuple(re.findall("AS (.)", key)), "postgres", "")
    select = "SELECT {}, 1 AS number UNION ALL SELECT {}, 2"
    fit, over = key.replace("{}", noise[:-1]), key.replace("{}", noise)
    done = deliver(url, source, select.format(key.replace("{}", "x"), fit), sink)
    assert (done.written, done.refused) == (2, 0)
    done = deliver(url, source, select.format(key.replace("{}", "x"), over), sink)
    assert (done.unchanged, done.refused, done.deleted) == (1, 1, 1)
    assert done.reasons == ("1 x key of more than 2,688 bytes, which no index of PostgreSQL takes",)
    assert rows(server, "number") == [(1,)]


def test_deliveries_at_once_make_one_table_and_come_one_after_the_other(
    url: str, tmp_path: Path, server: Engine
) -> None:
    def one(number: int) -> Delivery:
        with duckdb.connect(str(tmp_path / f"{number}.duckdb")) as source:
            return deliver(url, source, FIRST)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(one, range(4)))
    assert sorted(delivery.written for delivery in done) == [0, 0, 0, 5]
    assert len(rows(server)) == 5


def test_a_table_that_another_holds_for_long_is_transient_trouble(
    url: str, source: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.sinks.postgres_table._LOCK_WITHIN", "200ms")
    deliver(url, source, FIRST)
    with create_engine(url).connect() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('vitalake.prices', 0))"))
        with pytest.raises(TransientError, match="55P03"):
            deliver(url, source, FIRST)
    assert deliver(url, source, FIRST).unchanged == 5


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"password": "wrong"}, PermanentError, "check the URL"),
        ({"database": "nonesuch"}, PermanentError, "create it"),
        ({"port": 1}, TransientError, "did not answer"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_named_without_the_address(
    url: str, source: duckdb.DuckDBPyConnection, change: dict[str, Any], kind: type[Exception], said: str
) -> None:
    wrong = make_url(url).set(**change)
    with pytest.raises(kind, match=said) as failed:
        deliver(wrong.render_as_string(hide_password=False), source, FIRST)
    assert str(wrong.password) not in str(failed.value)
    assert "127.0.0.1" not in str(failed.value)
