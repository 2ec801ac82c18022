"""Requests to DynamoDB that are left undone or refused: sent again until they are done, or said clearly.

Belongs here: trouble on the way. Does not belong here: what a table holds in the end (`test_dynamodb_table`).
"""

from __future__ import annotations

import duckdb
import pytest

from resources.sinks.dynamodb_requests import DynamoRequests
from tests.resources.dynamodb_server import FIRST, Proxy, deliver, ids, items
from vitalake.errors import PermanentError, TransientError
from vitalake.lake.sinks import Delivery

pytestmark = pytest.mark.store


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
    monkeypatch.setattr("resources.sinks.dynamodb_requests._FIRST_PAUSE_S", 0.0001)
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

    monkeypatch.setattr("resources.sinks.dynamodb_requests.random.uniform", shortest)
    proxy.leave = [1] * 9
    deliver(requests, source, "SELECT 1 AS id")
    assert longest == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


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
