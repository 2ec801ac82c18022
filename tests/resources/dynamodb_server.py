"""DynamoDB for tests: moto's, behind a proxy that refuses what the real one refuses and moto does not.

Belongs here: the proxy, and how a view is delivered to it and read back. Does not belong here: what must come out.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import duckdb
from pydantic import SecretStr

from resources.settings import Settings
from resources.sinks.dynamodb_requests import DynamoRequests
from resources.sinks.dynamodb_table import DynamoTable
from resources.sinks.view_rows import ViewRows
from tests.s3_server import KEYS
from vitalake.lake.sinks import Delivery, Sink

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
        described = DynamoRequests(dynamodb_settings(), self.moto).client.describe_table(TableName=table)
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


def dynamodb_settings() -> Settings:
    secret = SecretStr(KEYS["AWS_SECRET_ACCESS_KEY"])
    return Settings(aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], aws_secret_access_key=secret)


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
