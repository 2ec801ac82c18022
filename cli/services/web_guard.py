"""A guard before Dagster's web server: only its own pages may ask it, and a mutation is a POST of JSON.

Belongs here: which requests are let through, as ASGI middleware. Does not belong here: starting the server
(`cli/services/webserver.py`), whose connection it is (`cli/services/connection_owner.py`).

Dagster's server has no login, takes GraphQL mutations by GET and lets any page open its web socket. So any web page
that a browser on this machine showed could launch runs, stop sensors and wipe assets, by an image.

* The `Host` is one of ours, else a page whose name was made to mean this machine could read (DNS rebinding). An
  address in numbers cannot be made to mean another; health checks ask so.
* An `Origin` is that same host: no other page, not even one of another port here, may ask.
* What a browser embeds in a page of somebody else is refused (`Sec-Fetch-Site`), and no such page may frame ours.
* GraphQL by GET is the page to type it in and nothing else; what is posted is JSON by its type, which a form or an
  image cannot send.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READING = frozenset({"GET", "HEAD"})
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_REFUSED = 403
_POLICY_VIOLATION = 1008  # of RFC 6455
_HEADERS = {
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class WebGuard:
    """Lets through what comes from the server's own pages and from programs, and refuses the rest with a reason.

    Args:
        app: the application that is guarded.
        hosts: names, without ports, under which it may be asked beside `localhost` and addresses in numbers.
        refuses: says what is wrong with a connection from one address and port to another, None for nothing.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str] = (),
        refuses: Callable[[tuple[str, int], tuple[str, int]], str | None] | None = None,
    ) -> None:
        self._app = app
        self._hosts = {"localhost", *(host.lower() for host in hosts)}
        self._refuses = refuses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one web socket."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._connection(scope) or self._sender(scope) or self._request(scope)
        if refusal is None:
            await self._app(scope, receive, _closed_to_frames(send))
        elif scope["type"] == "websocket":
            await receive()  # its opening, which is answered with a refusal
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refusal})
        else:
            await PlainTextResponse(f"Refused: {refusal}.\n", _REFUSED)(scope, receive, send)

    def _connection(self, scope: Scope) -> str | None:
        if self._refuses is None:
            return None
        return self._refuses(tuple(scope["client"]), tuple(scope["server"]))

    def _sender(self, scope: Scope) -> str | None:
        """Whether a page of somebody else has sent it."""
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if not hosts and not origins:  # no browser: a health check in HTTP/1.0
            return None
        host = _address(f"{scope['scheme']}://{hosts[0]}") if len(hosts) == 1 else None
        if host is None or not (host[0] in self._hosts or _is_number(host[0])):
            return "this name is none of this server's; ask under the address that it was started with"
        if any(_address(origin) not in (host, _as_seen(host, origin)) for origin in origins):
            return "a page of another address may not ask this server"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") and not (
            headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        ):
            return "a page of another address may link to this server, and not embed what it says"
        return None

    def _request(self, scope: Scope) -> str | None:
        """Whether it could change something without being a POST of JSON."""
        if scope["type"] != "http":
            return None
        headers = Headers(scope=scope)
        if scope["method"] in _READING:
            to_graphql = scope["path"].rstrip("/").endswith("/graphql")
            is_page = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
            return "send GraphQL as a POST of JSON" if to_graphql and not is_page else None
        kinds = headers.getlist("content-type")
        if [kind.partition(";")[0].strip().lower() for kind in kinds] != ["application/json"]:
            return "send it as a POST of JSON, with the header Content-Type: application/json"
        return None


def _address(url: str) -> tuple[str, int] | None:
    """Host, in lower case, and port of a URL or an origin; None where it has none, such as the origin "null"."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.hostname, port) if parts.hostname else None


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _as_seen(host: tuple[str, int], origin: str) -> tuple[str, int]:
    """The same host as a browser behind a proxy that speaks HTTPS for us sees it: `Host` has no port there."""
    return (host[0], 443) if host[1] == 80 and origin.startswith("https://") else host


def _closed_to_frames(send: Send) -> Send:
    """The same, with headers that keep answers out of other people's pages."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.append("Content-Security-Policy", "frame-ancestors 'self'")
        await send(message)

    return guarded
