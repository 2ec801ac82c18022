"""Fixtures of the tests of DynamoDB: the service, a client of it, and a database with the view.

Belongs here: what several files start. Does not belong here: the service itself (`dynamodb_server`, `moto`).
"""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from resources.sinks.dynamodb_requests import DynamoRequests
from tests.resources.dynamodb_server import Proxy, dynamodb_settings, serving


@pytest.fixture
def proxy(moto: str) -> Iterator[Proxy]:
    """An empty DynamoDB."""
    with urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST"), timeout=30):  # noqa: S310
        pass
    with serving(Proxy(moto)) as found:
        yield found


@pytest.fixture
def requests(proxy: Proxy) -> DynamoRequests:
    """A client of this DynamoDB."""
    return DynamoRequests(dynamodb_settings(), proxy.url)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in which the tests make the view."""
    with duckdb.connect(str(tmp_path / "source.duckdb")) as connection:
        yield connection
