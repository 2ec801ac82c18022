"""A view as a JSON file, on a real S3 server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from resources.object_store import ObjectStore
from resources.settings import Settings
from resources.sinks.json_export import JsonExport
from resources.sinks.view_rows import ViewRows
from tests.changing_proxy import changing_proxy, flipped
from vitalake.errors import PermanentError, TransientError
from vitalake.lake.parts import ConflictError
from vitalake.lake.sinks import Delivery, Sink

pytestmark = pytest.mark.store

SINK = Sink("people_json", "people", ("id",), "json", "People.")
KEY = "exports/people.json"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in which the tests make the view."""
    with duckdb.connect(str(tmp_path / "source.duckdb")) as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        yield connection


@pytest.fixture
def export(settings: Settings) -> JsonExport:
    return JsonExport(settings, settings.lake_bucket)


def deliver(export: JsonExport, source: duckdb.DuckDBPyConnection, select: str) -> Delivery:
    source.execute(f"CREATE OR REPLACE VIEW people AS {select}")
    return export.deliver(ViewRows(source, SINK), lambda _done, _total: None)


def strictly(text: bytes) -> Any:
    """JSON as the standard has it: Python alone would take NaN."""

    def refuse(constant: str) -> Any:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_rows_become_objects_in_the_order_of_the_key(
    export: JsonExport, source: duckdb.DuckDBPyConnection, store: ObjectStore
) -> None:
    select = """SELECT * FROM (VALUES
        ('b', 'Zoë "Z" \\ \n', 'nan'::DOUBLE, ['x', NULL], [1.5, 'inf'::DOUBLE], {'a': '-inf'::FLOAT, 'b': 1}),
        ('a', NULL, 0.1, [], NULL, NULL)
    ) people(id, name, ratio, tags, numbers, more),
    (VALUES (TIMESTAMPTZ '2025-03-02 10:00:00.25+00', DATE '2025-03-02', 12345678901234567890::HUGEINT))
    others("at", day, n)"""
    done = deliver(export, source, select)
    both = {"at": "2025-03-02T10:00:00.250000Z", "day": "2025-03-02", "n": 12345678901234567890}
    assert strictly(store.get(KEY)) == [
        {"id": "a", "name": None, "ratio": 0.1, "tags": [], "numbers": None, "more": None, **both},
        {
            "id": "b",
            "name": 'Zoë "Z" \\ \n',
            "ratio": None,
            "tags": ["x", None],
            "numbers": [1.5, None],
            "more": {"a": None, "b": 1},
            **both,
        },
    ]
    assert done == Delivery(2, 2, 0, 0, not_representable=3)


def test_a_view_without_rows_is_an_empty_array(
    export: JsonExport, source: duckdb.DuckDBPyConnection, store: ObjectStore
) -> None:
    deliver(export, source, "SELECT 1 AS id WHERE false")
    assert store.get(KEY).strip() == b"[]"


def test_many_batches_are_one_array(
    export: JsonExport, source: duckdb.DuckDBPyConnection, store: ObjectStore
) -> None:
    deliver(export, source, "SELECT 25000 - i AS id, repeat('x', 1000) AS text FROM range(25000) t(i)")
    found = strictly(store.get(KEY))
    assert [row["id"] for row in found] == list(range(1, 25001))


def test_content_that_is_there_already_is_not_written_again(
    export: JsonExport, source: duckdb.DuckDBPyConnection, store: ObjectStore
) -> None:
    puts: list[str] = []
    export._client.meta.events.register("before-call.s3.PutObject", lambda **_: puts.append("put"))
    first = "SELECT i AS id FROM range(1000) t(i)"
    assert deliver(export, source, first) == Delivery(1000, 1000, 0, 0)
    assert deliver(export, source, first) == Delivery(1000, 0, 0, 1000)
    assert puts == ["put"]
    assert deliver(export, source, "SELECT i AS id FROM range(999) t(i)").written == 999
    assert len(strictly(store.get(KEY))) == 999
    assert puts == ["put", "put"]


def test_a_file_that_somebody_else_put_is_replaced(
    export: JsonExport, source: duckdb.DuckDBPyConnection, store: ObjectStore
) -> None:
    store.put(KEY, b"[]\n", expected=None)
    deliver(export, source, "SELECT 1 AS id WHERE false")
    deliver(export, source, "SELECT 1 AS id")
    assert strictly(store.get(KEY)) == [{"id": 1}]


@pytest.mark.parametrize("there_before", [False, True])
def test_a_file_that_changes_between_looking_and_writing_is_not_overwritten(
    export: JsonExport, source: duckdb.DuckDBPyConnection, store: ObjectStore, there_before: bool
) -> None:
    version = store.put(KEY, b"[1]", expected=None) if there_before else None
    others = iter([b"[2]"])

    def another_puts(**_: Any) -> None:
        for content in others:
            store.put(KEY, content, expected=version)

    export._client.meta.events.register("before-call.s3.PutObject", another_puts)
    with pytest.raises(ConflictError):
        deliver(export, source, "SELECT 1 AS id")
    assert store.get(KEY) == b"[2]"
    deliver(export, source, "SELECT 1 AS id")
    assert strictly(store.get(KEY)) == [{"id": 1}]


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("SELECT unnest([1, 1, 2, 3, 3, 3]) AS id", "2 keys (id) name 5 rows, 0 rows have none"),
        ("SELECT unnest([1, NULL]) AS id", "0 keys (id) name 0 rows, 1 rows have none"),
        ("SELECT 1 AS number", "no column ['id']"),
    ],
)
def test_a_key_that_is_none_delivers_nothing(
    export: JsonExport, source: duckdb.DuckDBPyConnection, store: ObjectStore, select: str, said: str
) -> None:
    with pytest.raises(PermanentError) as failed:
        deliver(export, source, select)
    assert said in str(failed.value)
    assert store.objects("exports/") == []


def test_a_view_that_the_catalog_lacks_says_what_to_do(source: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(PermanentError, match="materialize `lake`"):
        ViewRows(source, SINK)


@pytest.mark.parametrize("there", ["s3_endpoint", "moto"], ids=["a store that verifies", "a store that does not"])
def test_a_file_that_arrives_changed_is_sent_again_or_not_kept(
    settings: Settings, request: pytest.FixtureRequest, source: duckdb.DuckDBPyConnection, there: str
) -> None:
    with changing_proxy(request.getfixturevalue(there)) as proxy:
        near = settings.model_copy(update={"s3_endpoint": proxy.url})
        store = ObjectStore(near, settings.lake_bucket)
        if there == "moto":
            store._client.create_bucket(Bucket=store.bucket)
        rows = "SELECT i AS id FROM range({}) t(i)"
        proxy.requests, proxy.times = flipped, 1
        deliver(JsonExport(near, settings.lake_bucket), source, rows.format(3))
        assert proxy.times == 0, "it did change one"
        assert [row["id"] for row in json.loads(store.get(KEY))] == [0, 1, 2]
        proxy.times = None
        with pytest.raises(TransientError, match="not those that were sent"):
            deliver(JsonExport(near, settings.lake_bucket), source, rows.format(4))
        proxy.requests = None
        left = [json.loads(store.get(item.key)) for item in store.objects("exports/")]
        assert left in ([], [[{"id": 0}, {"id": 1}, {"id": 2}]])
        assert deliver(JsonExport(near, settings.lake_bucket), source, rows.format(4)).written == 4
