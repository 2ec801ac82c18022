"""What the guard lets through; against the whole system, and in a browser, in `tests/system/test_doors.py`."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from cli.services.web_guard import WebGuard

JSON = {"content-type": "application/json"}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse((await request.body()).decode() or "page")


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


APP = Starlette(
    routes=[
        WebSocketRoute("/graphql", talk),
        Route("/{path:path}", answer, methods=["GET", "POST", "PUT", "DELETE"]),
    ]
)


def ask(
    guard: WebGuard, method: str, path: str, headers: dict[str, str], kind: str = "http"
) -> list[dict[str, Any]]:
    """The messages that the guard sends for one request to 127.0.0.1:3000, from this machine."""
    given = {"host": "127.0.0.1:3000"} | headers
    path, _, query = path.partition("?")
    scope = {
        "type": kind,
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 3000),
        "subprotocols": [],
    } | ({"method": method} if kind == "http" else {})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return (
            {"type": "http.request", "body": b"", "more_body": False}
            if kind == "http"
            else {"type": f"{kind}.connect"}
        )

    async def send(message: Any) -> None:
        sent.append(dict(message))

    anyio.run(guard, scope, receive, send)
    return sent


def status(guard: WebGuard, method: str, path: str, headers: dict[str, str]) -> int:
    return int(ask(guard, method, path, headers)[0]["status"])


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [
        ("GET", "/runs", {}, 200),
        ("GET", "/assets?query=ecg", {}, 200),
        ("GET", "/graphql", {"accept": "text/html"}, 200),
        ("GET", "/graphql?query={version}", {"accept": "*/*"}, 403),
        ("GET", "/prefix/graphql/?query={version}", {}, 403),
        ("HEAD", "/graphql?query={version}", {"accept": "text/html"}, 403),
        ("POST", "/graphql", JSON, 200),
        ("POST", "/graphql", {"content-type": "Application/JSON; charset=utf-8"}, 200),
        ("POST", "/graphql", {}, 403),
        ("POST", "/report_asset_check/x", {"content-type": "multipart/form-data; boundary=application/json"}, 403),
        ("PUT", "/x", {"content-type": "text/plain"}, 403),
        ("DELETE", "/x", {}, 403),
        ("OPTIONS", "/graphql", {"origin": "http://evil.example"}, 403),
        ("GET", "/", {"host": "lake.example.org"}, 200),
        ("GET", "/", {"host": "LAKE.example.org:8443", "origin": "https://lake.example.org:8443"}, 200),
        ("POST", "/graphql", JSON | {"host": "lake.example.org", "origin": "https://lake.example.org"}, 200),
        ("GET", "/", {"host": "lake.example.org", "origin": "http://lake.example.org:81"}, 403),
        ("GET", "/", {"host": "other.example.org"}, 403),
        ("GET", "/", {"host": "[::1]:3000", "origin": "http://[::1]:3000"}, 200),
        ("GET", "/server_info", {"host": "192.0.2.7:3000"}, 200),
        ("GET", "/", {"host": "192.0.2.7:3000", "origin": "http://192.0.2.8:3000"}, 403),
        ("GET", "/", {"host": "192.0.2.7.evil.example"}, 403),
        ("GET", "/", {"host": "127.0.0.1:99999"}, 403),
        ("GET", "/", {"host": "127.0.0.1:3000@evil.example"}, 403),
        ("GET", "/", {"origin": "null"}, 403),
        ("GET", "/", {"origin": "127.0.0.1:3000"}, 403),
        ("GET", "/", {"sec-fetch-site": "none"}, 200),
        ("GET", "/runs", LINK | {"sec-fetch-dest": "document"}, 200),
        ("GET", "/runs", LINK | {"sec-fetch-dest": "iframe"}, 403),
        ("GET", "/logo.png", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
    ],
)  # fmt: skip
def test_what_is_let_through(method: str, path: str, headers: dict[str, str], expected: int) -> None:
    assert status(WebGuard(APP, ["lake.example.org"]), method, path, headers) == expected


def test_a_health_check_without_a_host_is_a_program() -> None:
    guard = WebGuard(APP)
    without = {"type": "http", "scheme": "http", "headers": []}
    assert guard._sender(without) is None
    assert guard._sender(without | {"headers": [(b"origin", b"http://evil.example")]}) is not None


def test_two_hosts_are_none() -> None:
    scope = {"type": "http", "scheme": "http", "headers": [(b"host", b"127.0.0.1"), (b"host", b"evil.example")]}
    assert WebGuard(APP)._sender(scope) is not None


@pytest.mark.parametrize(
    ("origin", "opened"),
    [
        (None, True),
        ("http://127.0.0.1:3000", True),
        ("http://127.0.0.1:3001", False),
        ("http://evil.example", False),
    ],
)
def test_a_web_socket_is_for_our_pages_and_for_programs(origin: str | None, opened: bool) -> None:
    sent = ask(WebGuard(APP), "GET", "/graphql", {"origin": origin} if origin else {}, "websocket")
    assert sent[0]["type"] == ("websocket.accept" if opened else "websocket.close")


def test_no_answer_may_be_framed_or_embedded_by_others() -> None:
    start, _ = ask(WebGuard(APP), "GET", "/", {})
    headers = dict(start["headers"])
    assert headers[b"x-frame-options"] == b"SAMEORIGIN"
    assert headers[b"content-security-policy"] == b"frame-ancestors 'self'"
    assert headers[b"cross-origin-resource-policy"] == b"same-origin"


def test_a_connection_that_is_refused_gets_the_reason() -> None:
    asked = []

    def refuses(client: tuple[str, int], server: tuple[str, int]) -> str | None:
        asked.append((client, server))
        return "not you"

    start, body = ask(WebGuard(APP, refuses=refuses), "GET", "/", {})
    assert (start["status"], body["body"]) == (403, b"Refused: not you.\n")
    assert asked == [(("127.0.0.1", 50_000), ("127.0.0.1", 3000))]
