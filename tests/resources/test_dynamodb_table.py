"""A view as a DynamoDB table: moto's, behind a proxy that refuses what the real one refuses and moto does not."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from resources.dynamodb_items import BATCH_BYTES, Key, batches, delete, put
from resources.dynamodb_requests import DynamoRequests
from resources.dynamodb_table import DynamoTable
from resources.settings import Settings
from resources.view_rows import ViewRows
from tests.moto_server import moto_server
from tests.s3_server import KEYS
from vitalake.errors import PermanentError, TransientError
from vitalake.sinks import Delivery, Sink

pytestmark = pytest.mark.store

SINK = Sink("prices_dynamodb", "prices", ("id",), "dynamodb", "Prices.")
TABLE = "vitalake_prices"
FIRST = "SELECT i AS id, 'name ' || i AS name FROM range(60) t(i)"


class Proxy:
    """DynamoDB's own rules for BatchWriteItem before moto, which has none of them.

    `leave` says, a call at a time, how many requests of a batch stay undone; `refuse` is an error for every call.
    """

    def __init__(self, moto: str) -> None:
        self.moto = moto
        self.leave: list[int] = []
        self.refuse: str | None = None
        self.batches: list[list[dict[str, Any]]] = []
        self.url = ""

    def answer(self, headers: Any, body: bytes) -> tuple[int, bytes]:
        if self.refuse:
            return 400, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{self.refuse}"}).encode()
        if not headers["X-Amz-Target"].endswith(".BatchWriteItem"):
            return self._forward(headers, body)
        asked = json.loads(body)
        [(table, requests)] = asked["RequestItems"].items()
        if broken := self._broken_rule(table, requests, len(body)):
            return 400, json.dumps({"__type": "x#ValidationException", "message": broken}).encode()
        self.batches.append(requests)
        undone = self.leave.pop(0) if self.leave else 0
        carried_out = requests[: len(requests) - undone]
        if not carried_out:
            return 200, json.dumps({"UnprocessedItems": {table: requests}}).encode()
        status, answer = self._forward(headers, json.dumps({"RequestItems": {table: carried_out}}).encode())
        if undone:
            answer = json.dumps({"UnprocessedItems": {table: requests[-undone:]}}).encode()
        return status, answer

    def _broken_rule(self, table: str, requests: list[dict[str, Any]], size: int) -> str | None:
        described = DynamoRequests(_settings(), self.moto).client.describe_table(TableName=table)
        names = [entry["AttributeName"] for entry in described["Table"]["KeySchema"]]
        items = [
            each["PutRequest"]["Item"] if "PutRequest" in each else each["DeleteRequest"]["Key"]
            for each in requests
        ]
        keys = [tuple(json.dumps(item[name]) for name in names) for item in items]
        if len(requests) > 25 or size > 16 * 2**20:
            return "too many, or too much"
        if len(set(keys)) < len(keys):
            return "Provided list of item keys contains duplicates"
        if any(item[name] in ({"S": ""}, {"N": ""}) for item in items for name in names):
            return "an empty key"
        if any(len(json.dumps(item, ensure_ascii=False).encode()) > 420_000 for item in items):
            return "Item size has exceeded the maximum allowed size"
        return None

    def _forward(self, headers: Any, body: bytes) -> tuple[int, bytes]:
        passed = {name: headers[name] for name in ("X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date")}
        request = urllib.request.Request(self.moto, data=body, headers=passed)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@contextmanager
def serving(proxy: Proxy) -> Iterator[Proxy]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = proxy.answer(self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


def _settings() -> Settings:
    secret = SecretStr(KEYS["AWS_SECRET_ACCESS_KEY"])
    return Settings(aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], aws_secret_access_key=secret)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def proxy(moto: str) -> Iterator[Proxy]:
    with urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST"), timeout=30):  # noqa: S310
        pass
    with serving(Proxy(moto)) as found:
        yield found


@pytest.fixture
def requests(proxy: Proxy) -> DynamoRequests:
    return DynamoRequests(_settings(), proxy.url)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in which the tests make the view."""
    with duckdb.connect(str(tmp_path / "source.duckdb")) as connection:
        yield connection


def deliver(
    requests: DynamoRequests, source: duckdb.DuckDBPyConnection, select: str, sink: Sink = SINK
) -> Delivery:
    source.execute(f"CREATE OR REPLACE VIEW {sink.view} AS {select}")
    return DynamoTable(requests).deliver(ViewRows(source, sink), lambda _done, _total: None)


def items(requests: DynamoRequests, table: str = TABLE) -> list[dict[str, Any]]:
    """All items, without digests."""
    pages = requests.client.get_paginator("scan").paginate(TableName=table)
    found: list[Any] = [item for page in pages for item in page["Items"]]
    return [{name: value for name, value in item.items() if name != "vitalake_digest"} for item in found]


def ids(requests: DynamoRequests) -> set[int]:
    return {int(item["id"]["N"]) for item in items(requests)}


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


def test_what_is_left_undone_is_sent_again_until_it_is_done(
    requests: DynamoRequests, source: duckdb.DuckDBPyConnection, proxy: Proxy
) -> None:
    proxy.leave = [25, 3, 24, 1, 7]
    assert deliver(requests, source, FIRST).written == 60
    assert ids(requests) == set(range(60))
    assert len(proxy.batches) > 3
    proxy.leave = [25, 25]
    assert deliver(requests, source, f"{FIRST} WHERE false").deleted == 60
    assert items(requests) == []


def test_what_stays_undone_is_transient_trouble_and_the_next_delivery_goes_on(
    requests: DynamoRequests,
    source: duckdb.DuckDBPyConnection,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("resources.dynamodb_requests._FIRST_PAUSE_S", 0.0001)
    proxy.leave = [5] + [25] * 1000
    with pytest.raises(TransientError, match="undone, 10 times in a row"):
        deliver(requests, source, FIRST)
    assert len(proxy.batches) < 60
    proxy.leave = []
    there = len(items(requests))
    assert there < 60
    assert deliver(requests, source, FIRST) == Delivery(60, 60 - there, 0, there)


def test_the_pauses_grow_and_differ(
    requests: DynamoRequests,
    source: duckdb.DuckDBPyConnection,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longest: list[float] = []

    def shortest(start: float, end: float) -> float:
        longest.append(end)
        return start

    monkeypatch.setattr("resources.dynamodb_requests.random.uniform", shortest)
    proxy.leave = [1] * 9
    deliver(requests, source, "SELECT 1 AS id")
    assert longest == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


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


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("AccessDeniedException", PermanentError, "the role needs dynamodb:DescribeTable"),
        ("ValidationException", PermanentError, "ValidationException"),
    ],
)
def test_what_dynamodb_refuses_is_permanent(
    requests: DynamoRequests,
    source: duckdb.DuckDBPyConnection,
    proxy: Proxy,
    code: str,
    kind: type[Exception],
    said: str,
) -> None:
    proxy.refuse = code
    with pytest.raises(kind, match=said):
        deliver(requests, source, FIRST)


KEY = Key((("id", "N"),), ("id",))


def test_batches_are_no_larger_than_dynamodb_takes() -> None:
    small = [put({"id": {"N": str(number)}}) for number in range(30)]
    assert [len(batch) for batch in batches([*small, delete({"id": {"N": "99"}})], KEY)] == [25, 6]
    half = "x" * (BATCH_BYTES // 2)
    large = [put({"id": {"N": str(number)}, "text": {"S": half}}) for number in range(3)]
    assert [len(batch) for batch in batches(large, KEY)] == [1, 1, 1]


def test_one_item_twice_in_a_batch_is_refused() -> None:
    twice = [put({"id": {"N": "1000"}}), delete({"id": {"N": "1E+3"}})]
    with pytest.raises(PermanentError, match="two rows are one item"):
        list(batches(twice, KEY))
