"""Versions of entities: what the views promise, as queries for the rows that break it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import duckdb
import pytest

from tests.vitalake.entities.samples import read, ten_customers
from vitalake.entities.tables import RECORDS, VIEWS
from vitalake.serving.catalog import statements

PROMISES = {
    "versions count from 1 without gaps": """
        SELECT canonical_id FROM entities_history GROUP BY canonical_id
        HAVING min(version) <> 1 OR max(version) <> count(*) OR count(DISTINCT version) <> count(*)""",
    "every entity has exactly one current version": """
        SELECT canonical_id FROM entities_history GROUP BY canonical_id
        HAVING count(*) FILTER (valid_to IS NULL) <> 1""",
    "each version ends when the next begins": """
        SELECT one.canonical_id FROM entities_history AS one LEFT JOIN entities_history AS next
            ON one.canonical_id = next.canonical_id AND next.version = one.version + 1
        WHERE one.valid_to IS DISTINCT FROM next.valid_from""",
    "no version ends before it begins": "SELECT canonical_id FROM entities_history WHERE valid_to < valid_from",
    "a version differs from the one before": """
        SELECT one.canonical_id FROM entities_history AS one JOIN entities_history AS next
            ON one.canonical_id = next.canonical_id AND next.version = one.version + 1
        WHERE one.content_sha256 = next.content_sha256""",
    "created_at is that of version 1 for good": """
        SELECT canonical_id FROM entities_history AS one JOIN entities_history AS first USING (canonical_id)
        WHERE first.version = 1 AND one.created_at IS DISTINCT FROM first.valid_from""",
    "updated_at is when the content changed": """
        SELECT canonical_id FROM entities_history WHERE updated_at IS DISTINCT FROM valid_from""",
    "the last content of every export is a version": """
        SELECT canonical_id, last(content_sha256 ORDER BY record_number) FROM entities_records
            GROUP BY canonical_id, source_key
        EXCEPT SELECT canonical_id, content_sha256 FROM entities_history""",
    "an export makes one version of an entity at most": """
        SELECT canonical_id FROM entities_history GROUP BY canonical_id, source_key HAVING count(*) > 1""",
    "every version is a record that arrived": """
        SELECT canonical_id, content_sha256, source_key, record_number FROM entities_history
        EXCEPT SELECT canonical_id, content_sha256, source_key, record_number FROM entities_records""",
    "every entity is current once": """
        SELECT canonical_id FROM (SELECT DISTINCT canonical_id FROM entities_records) AS known
            LEFT JOIN entities_current AS now USING (canonical_id)
        GROUP BY canonical_id HAVING count(now.version) <> 1""",
    "the current version is the last": """
        SELECT canonical_id FROM entities_current AS now JOIN entities_history AS any_version USING (canonical_id)
        WHERE any_version.version > now.version""",
}  # fmt: skip

DAY = datetime(2026, 11, 20, tzinfo=timezone.utc)


def lake(
    *exports: tuple[datetime, Any], seed: int = 0, folder: str = "entities/legacy"
) -> duckdb.DuckDBPyConnection:
    """The views over exports by the time of their upload; rows lie in the table in any order."""
    objects = {f"{folder}/{number}.json": content for number, (_, content) in enumerate(exports)}
    arrived = read(objects, [at for at, _ in exports]).records  # noqa: F841, by name in the query below
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SELECT setseed(?)", [random.Random(seed).random()])
    connection.execute(
        f"CREATE TABLE {RECORDS.name} AS SELECT *, uploaded_at::DATE AS date FROM arrived ORDER BY random()"  # noqa: S608
    )
    for view in VIEWS:
        for statement in statements(view):
            connection.execute(statement)
    return connection


def broken(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The promises that some row breaks."""
    return {name for name, query in PROMISES.items() if connection.execute(query).fetchall()}


def versions(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """(id, version, revenue, day it begins, day it ends, day the entity was created), days from DAY on."""
    found = connection.execute(
        "SELECT source_id, version, revenue, valid_from, valid_to, created_at FROM entities_history ORDER BY ALL"
    ).fetchall()
    return [(*row[:3], *(at and (at - DAY).days for at in row[3:])) for row in found]


def day(number: int, *revenues: float, exported: float | None = None) -> tuple[datetime, Any]:
    """An export of entities 0, 1, … with these revenues, uploaded on a day."""
    records = [{"id": n, "name": f"name {n}", "revenue": revenue} for n, revenue in enumerate(revenues)]
    metadata = {} if exported is None else {"exportDate": (DAY + timedelta(days=exported)).isoformat()}
    return DAY + timedelta(days=number), {"records": records, "metadata": metadata}


def history(seed: int) -> list[tuple[datetime, Any]]:
    """Exports of some weeks: late ones, repeated ones, corrected ones, entities that come and go and come back."""
    rng = random.Random(seed)
    found = []
    for number in range(20):
        revenues = [rng.choice([0, 5, 5, 7]) for _ in range(rng.randrange(6))]
        exported = rng.choice([None, number, number - rng.randrange(5), number - rng.randrange(5) / 4])
        found += [day(number, *revenues, exported=exported)] * rng.choice([1, 1, 2])
    at, repeated = day(20, 1, 2)
    return [*found, (at, {"records": repeated["records"] * 2 + [{"id": 0, "name": "other"}]})]


@pytest.mark.parametrize("seed", range(5))
def test_the_views_keep_their_promises_whatever_arrives(seed: int) -> None:
    assert broken(lake(*history(seed))) == set()


@pytest.mark.parametrize("seed", range(5))
def test_the_order_in_which_rows_lie_in_the_table_does_not_matter(seed: int) -> None:
    one, other = (lake(*history(3), seed=each).execute("FROM entities_history ORDER BY ALL") for each in (99, seed))
    assert one.fetchall() == other.fetchall()


def test_a_file_that_is_uploaded_again_unchanged_makes_no_version() -> None:
    at = DAY + timedelta(hours=7)
    connection = lake((at, ten_customers()), (at + timedelta(days=1), ten_customers()))
    assert connection.execute("SELECT count(*), max(version) FROM entities_history").fetchall() == [(10, 1)]
    assert connection.execute("SELECT count(*) FROM entities_records").fetchall() == [(20,)]


def test_a_change_makes_a_version_and_created_at_is_stable() -> None:
    connection = lake(day(0, 5.0, 8.0), day(1, 5.0, 8.0), day(2, 0.0, 8.0), day(3, 5.0, 8.0))
    assert versions(connection) == [
        ("0", 1, 5.0, 0, 2, 0),
        ("0", 2, 0.0, 2, 3, 0),
        ("0", 3, 5.0, 3, None, 0),
        ("1", 1, 8.0, 0, None, 0),
    ]
    current = connection.execute("SELECT source_id, version, revenue FROM entities_current ORDER BY 1").fetchall()
    assert current == [("0", 3, 5.0), ("1", 1, 8.0)]


def test_an_export_that_is_uploaded_late_takes_its_place_by_the_time_of_the_export() -> None:
    connection = lake(day(0, 5.0, exported=0), day(2, 9.0, exported=2), day(3, 7.0, exported=1))
    assert versions(connection) == [("0", 1, 5.0, 0, 1, 0), ("0", 2, 7.0, 1, 2, 0), ("0", 3, 9.0, 2, None, 0)]


def test_a_corrected_export_of_the_same_time_replaces_the_first() -> None:
    connection = lake(day(2, 9.0, exported=0), day(1, 5.0, exported=0))
    assert connection.execute("SELECT version, revenue FROM entities_current").fetchall() == [(2, 9.0)]


def test_of_several_records_of_an_entity_in_an_export_only_the_last_makes_a_version() -> None:
    twice = [{"id": 1, "name": "a", "revenue": 100}, {"id": 1, "name": "a", "revenue": 200}]
    connection = lake(*((DAY + timedelta(days=number), twice) for number in range(5)))
    assert versions(connection) == [("1", 1, 200.0, 0, None, 0)]


def test_what_has_a_date_in_its_key_keeps_its_created_at_when_it_is_uploaded_again() -> None:
    folder = f"entities/date={DAY:%Y-%m-%d}/legacy"
    for uploaded in (DAY + timedelta(hours=8), DAY + timedelta(days=8)):
        assert versions(lake((uploaded, [{"id": 1, "name": "a"}]), folder=folder)) == [("1", 1, None, 0, None, 0)]


@pytest.mark.parametrize(
    ("dated", "uploaded", "current"),
    [
        ("2026-11-20", timedelta(hours=18), 9.0),
        ("2026-11-20", timedelta(hours=7), 5.0),
        ("2026-11-20", timedelta(days=3), 9.0),
        ("2026-11-20T06:00", timedelta(hours=18), 5.0),
        ("2026-11-20T09:00", timedelta(hours=18), 9.0),
        ("2026-11-19", timedelta(hours=18), 5.0),
    ],
)
def test_a_date_without_a_time_takes_its_place_in_its_day_by_the_upload(
    dated: str, uploaded: timedelta, current: float
) -> None:
    at, bare = day(0, 5.0)
    _, export = day(0, 9.0)
    export["metadata"]["exportDate"] = dated
    connection = lake((at + timedelta(hours=8), bare["records"]), (DAY + uploaded, export))
    assert connection.execute("SELECT revenue FROM entities_current").fetchall() == [(current,)]
    assert broken(connection) == set()


def dated(text: str, revenue: float) -> Any:
    """An export of one entity with this date."""
    return {"records": [{"id": 1, "name": "a", "revenue": revenue}], "metadata": {"exportDate": text}}


def spans(*exports: tuple[datetime, Any]) -> list[tuple[Any, ...]]:
    """(revenue, hours from DAY on that it begins and ends at)."""
    connection = lake(*exports)
    assert broken(connection) == set()
    found = connection.execute("SELECT revenue, valid_from, valid_to FROM entities_history ORDER BY version")
    return [(row[0], *(at and (at - DAY) / timedelta(hours=1) for at in row[1:])) for row in found.fetchall()]


def test_an_export_of_midnight_that_is_uploaded_late_does_not_make_older_data_current() -> None:
    at_ten = (DAY + timedelta(hours=10, minutes=5), dated("2026-11-20T10:00:00Z", 2.0))
    for midnight in ("2026-11-20T00:00:00Z", "2026-11-20 00:00", "2026-11-20T02:00+02:00"):
        late = (DAY + timedelta(hours=12), dated(midnight, 1.0))
        assert spans(late, at_ten) == spans(at_ten, late) == [(1.0, 0, 10), (2.0, 10, None)]


def test_a_date_alone_begins_where_what_came_earlier_that_day_ends() -> None:
    at_seven = (DAY + timedelta(hours=8), dated("2026-11-20T07:00:00Z", 1.0))
    alone = [(DAY + timedelta(hours=hour), dated("2026-11-20", float(hour))) for hour in (6, 13, 15)]
    assert spans(at_seven, alone[1]) == [(1.0, 7, 13), (13.0, 13, None)]
    assert spans(at_seven, *alone) == [(6.0, 0, 7), (1.0, 7, 13), (13.0, 13, 15), (15.0, 15, None)]


def test_every_column_of_a_view_is_explained() -> None:
    connection = lake(day(0, 5.0))
    for view in VIEWS:
        found = {row[0] for row in connection.execute(f"DESCRIBE {view.name}").fetchall()}
        assert found == view.columns.keys()


@pytest.mark.parametrize(
    ("damage", "noticed"),
    [
        ("UPDATE h SET version = version + 1 WHERE version > 1", "versions count from 1 without gaps"),
        ("UPDATE h SET version = 1", "versions count from 1 without gaps"),
        ("UPDATE h SET valid_to = NULL", "every entity has exactly one current version"),
        ("UPDATE h SET valid_to = valid_to + INTERVAL 1 HOUR", "each version ends when the next begins"),
        ("UPDATE h SET valid_to = valid_from - INTERVAL 1 HOUR", "no version ends before it begins"),
        ("UPDATE h SET content_sha256 = 'same'", "a version differs from the one before"),
        ("UPDATE h SET created_at = valid_from", "created_at is that of version 1 for good"),
        ("UPDATE h SET updated_at = now()", "updated_at is when the content changed"),
        ("DELETE FROM h WHERE version = 2", "the last content of every export is a version"),
        ("UPDATE h SET source_key = 'one'", "an export makes one version of an entity at most"),
        ("UPDATE h SET record_number = 99", "every version is a record that arrived"),
        ("DELETE FROM h WHERE valid_to IS NULL", "every entity is current once"),
        (
            "INSERT INTO h SELECT * REPLACE (9 AS version, now() AS valid_to) FROM h",
            "the current version is the last",
        ),
    ],
)
def test_a_promise_that_is_broken_is_noticed(damage: str, noticed: str) -> None:
    connection = lake(day(0, 5.0, 8.0), day(1, 6.0, 8.0), day(2, 7.0, 8.0))
    connection.execute("CREATE TABLE h AS FROM entities_history")
    connection.execute("CREATE OR REPLACE VIEW entities_history AS FROM h")
    assert broken(connection) == set()
    connection.execute(damage)
    assert noticed in broken(connection)


def test_promises_and_damages_are_the_same_list() -> None:
    (mark,) = test_a_promise_that_is_broken_is_noticed.pytestmark  # type: ignore[attr-defined]
    cases: Sequence[tuple[str, str]] = mark.args[1]
    assert {noticed for _, noticed in cases} == PROMISES.keys()
