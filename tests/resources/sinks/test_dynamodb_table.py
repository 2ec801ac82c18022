"""A view as a DynamoDB table: the items are its rows, whatever was there before.

Belongs here: tables, keys and values. Does not belong here: requests that fail (`test_dynamodb_requests`), or how
they are put together (`test_dynamodb_items`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from resources.sinks.dynamodb_requests import DynamoRequests
from tests.resources.dynamodb_server import FIRST, TABLE, Proxy, deliver, ids, items
from vitalake.errors import PermanentError
from vitalake.lake.sinks import Delivery, Sink

pytestmark = pytest.mark.store


def test_the_first_delivery_makes_the_table_and_protects_it(
    requests: DynamoRequests, source: duckdb.DuckDBPyConnection
) -> None:
    assert deliver(requests, source, FIRST) == Delivery(60, 60, 0, 0)
    table: Any = requests.client.describe_table(TableName=TABLE)["Table"]
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "id", "AttributeType": "N"}]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSEDescription"]["Status"] == "ENABLED"
    backups: Any = requests.client.describe_continuous_backups(TableName=TABLE)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_the_same_twice_writes_nothing_and_then_only_what_differs(
    requests: DynamoRequests, source: duckdb.DuckDBPyConnection, proxy: Proxy
) -> None:
    large = "SELECT i AS id, repeat('x', 20000) || i AS name FROM range(200) t(i)"  # four pages of a scan
    deliver(requests, source, large)
    proxy.batches.clear()
    assert deliver(requests, source, large) == Delivery(200, 0, 0, 200)
    assert proxy.batches == []
    other = f"SELECT id, CASE WHEN id = 7 THEN NULL ELSE name END AS name FROM ({large}) WHERE id >= 3"  # noqa: S608
    assert deliver(requests, source, f"{other} UNION ALL SELECT 1000, 'new'") == Delivery(198, 2, 3, 196)
    assert sum(map(len, proxy.batches)) == 5
    assert ids(requests) == {*range(3, 200), 1000}
    assert {"id": {"N": "7"}} in items(requests)


@pytest.mark.parametrize(
    ("value", "stored", "lost"),
    [
        ("0.1::DOUBLE", {"N": "0.1"}, 0),
        ("1e-130::DOUBLE", {"N": "1e-130"}, 0),
        ("'nan'::DOUBLE", None, 1),
        ("'-inf'::DOUBLE", None, 1),
        ("1e-131::DOUBLE", None, 1),
        ("1e126::DOUBLE", None, 1),
        ("9223372036854775807", {"N": "9223372036854775807"}, 0),
        ("99999999999999999999999999999999999999::HUGEINT", {"N": "9" * 38}, 0),
        ("100000000000000000000000000000000000000::HUGEINT", None, 1),
        ("12345678901234567890.123456789::DECIMAL(38, 9)", {"N": "12345678901234567890.123456789"}, 0),
        ("true", {"BOOL": True}, 0),
        ("NULL::VARCHAR", None, 0),
        ("''", {"S": ""}, 0),
        ("TIMESTAMPTZ '2025-03-02 10:00:00.25+02'", {"S": "2025-03-02T08:00:00.250000Z"}, 0),
        ("DATE '2025-03-02'", {"S": "2025-03-02"}, 0),
        ("['a', NULL]", {"L": [{"S": "a"}, {"NULL": True}]}, 0),
        ("['nan'::DOUBLE, 2]", {"L": [{"NULL": True}, {"N": "2.0"}]}, 1),
        ("{'a': 1, 'b': NULL::INTEGER}", {"M": {"a": {"N": "1"}}}, 0),
    ],
)
def test_a_value_is_stored_exactly_or_left_out_and_counted(
    requests: DynamoRequests, source: duckdb.DuckDBPyConnection, value: str, stored: Any, lost: int
) -> None:
    for written in (1, 0):
        done = deliver(requests, source, f"SELECT 1 AS id, {value} AS value")
        assert (done.written, done.not_representable) == (written, lost)
    assert items(requests) == [{"id": {"N": "1"}, **({"value": stored} if stored else {})}]


def test_a_number_keeps_its_value_to_the_last_digit(
    requests: DynamoRequests, source: duckdb.DuckDBPyConnection
) -> None:
    deliver(requests, source, "SELECT i AS id, sqrt(i) * pow(10, i) AS value FROM range(-90, 90) t(i) WHERE i > 0")
    for item in items(requests):
        number = int(item["id"]["N"])
        [expected] = source.execute("SELECT value FROM prices WHERE id = ?", [number]).fetchone() or ()
        assert float(Decimal(item["value"]["N"])) == expected


@pytest.mark.parametrize(
    ("key", "attributes"),
    [
        (("day",), {"day": {"S": "2025-03-02"}}),
        (("name", "id"), {"name": {"S": "n"}, "id": {"N": "5"}}),
        (("id", "name", "day"), {"vitalake_key": {"S": '[5,"n","2025-03-02"]'}}),
    ],
)
def test_keys_of_one_two_and_more_columns(
    requests: DynamoRequests, source: duckdb.DuckDBPyConnection, key: tuple[str, ...], attributes: Any
) -> None:
    sink = Sink("x", "prices", key, "dynamodb", "")
    first = "SELECT 5 AS id, 'n' AS name, DATE '2025-03-02' AS day"
    assert deliver(requests, source, first, sink).written == 1
    assert deliver(requests, source, first, sink).unchanged == 1
    row = {"id": {"N": "5"}, "name": {"S": "n"}, "day": {"S": "2025-03-02"}}
    assert items(requests) == [row | attributes]
    schema = requests.client.describe_table(TableName=TABLE)["Table"]["KeySchema"]
    assert [entry["AttributeName"] for entry in schema] == list(attributes)
    done = deliver(requests, source, "SELECT 5 AS id, 'm' AS name, DATE '2025-03-03' AS day", sink)
    assert (done.written, done.deleted) == (1, 1)


def test_rows_that_no_item_can_hold_are_counted_and_the_others_delivered(
    requests: DynamoRequests, source: duckdb.DuckDBPyConnection
) -> None:
    sink = Sink("x", "prices", ("name",), "dynamodb", "")
    rows = "SELECT * FROM (VALUES ('a', 'x'), ('b', 'y'), ('', 'z'), (repeat('é', 1025), 'long')) t(name, text)"
    done = deliver(requests, source, rows, sink)
    assert (done.written, done.refused) == (2, 2)
    assert done.reasons == ("2 x key that is empty or too long (2048 bytes, a sort key 1024)",)
    grown = rows.replace("'y'", "repeat('é', 204800)")
    for written, deleted in ((0, 1), (0, 0)):
        done = deliver(requests, source, grown, sink)
        assert (done.rows, done.written, done.deleted, done.unchanged, done.refused) == (4, written, deleted, 1, 3)
        assert "1 x item of more than 400 KB" in done.reasons
    assert [item["name"]["S"] for item in items(requests)] == ["a"]
    assert deliver(requests, source, rows.replace("'y'", "repeat('é', 202000)"), sink).written == 1


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("SELECT unnest([1, 1, 2]) AS id", "1 keys (id) name 2 rows"),
        ("SELECT unnest([1, NULL]) AS id", "1 rows have none"),
        ("SELECT 0.5::DOUBLE AS id", "{'id': 'double'}"),
        ("SELECT 1 AS id, 2 AS vitalake_digest", "vitalake_digest"),
    ],
)
def test_a_key_that_is_none_makes_no_table(
    requests: DynamoRequests, source: duckdb.DuckDBPyConnection, select: str, said: str
) -> None:
    with pytest.raises(PermanentError) as failed:
        deliver(requests, source, select)
    assert said in str(failed.value)
    assert requests.client.list_tables()["TableNames"] == []


def test_a_table_with_another_key_is_left_alone_and_the_error_says_what_to_do(
    requests: DynamoRequests, source: duckdb.DuckDBPyConnection
) -> None:
    deliver(requests, source, FIRST)
    with pytest.raises(PermanentError, match=r"id \(N\), the sink's is name \(S\)\. Delete the table"):
        deliver(requests, source, FIRST, Sink("x", "prices", ("name",), "dynamodb", ""))
    assert ids(requests) == set(range(60))
