"""A real proxy before an S3 server that changes what passes: one bit of a body, its length, a header, the answer.

Belongs here: passing requests on, signatures and all. Does not belong here: what must come of a change.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.s3_server import KEYS

Change = Callable[[bytes], bytes]
_OF_ONE_CONNECTION = {"connection", "content-length", "expect", "keep-alive", "transfer-encoding"}


def flipped(body: bytes) -> bytes:
    """The same but for one bit, in the middle."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 4]) + body[middle + 1 :]


def shortened(body: bytes) -> bytes:
    """All but the last byte."""
    return body[:-1]


def lengthened(body: bytes) -> bytes:
    """And one byte more."""
    return body + b"\0"


@dataclass
class ChangingProxy:
    """What it does to bodies that are not empty; `times` is how often (None: always), each direction by itself.

    `headers` are added to every answer, in place of those of the same name, as by a store that has them; an ETag
    among them is no condition of requests then, which are signed anew. `refused` are objects that are not given
    out, by the end of their path: status, code and message of S3. `seen` are requests as they came.
    """

    upstream: str
    url: str = ""
    answers: Change | None = None
    requests: Change | None = None
    times: int | None = None
    only: str = ""  # a part of the request, "GET /bucket/key bytes=0-9"
    headers: dict[str, str] = field(default_factory=dict)
    refused: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refusal(self, method: str, path: str) -> tuple[int, bytes] | None:
        """How a request for an object is answered in place of the server; None where it is passed on."""
        path, _, query = path.partition("?")
        for end, (status, code, message) in self.refused.items():
            if method in ("GET", "HEAD") and path.endswith(end) and "list-type" not in query:
                text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
                return status, text.encode() if method == "GET" else b""
        return None

    def passed(self, change: Change | None, request: str, body: bytes) -> bytes:
        """The body as it goes on."""
        with self._lock:
            if change is None or not body or self.only not in request or self.times == 0:
                return body
            self.times = None if self.times is None else self.times - 1
            return change(body)


def _unconditional(method: str, url: str, headers: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in headers.items() if name.lower() not in ("if-match", "authorization")}
    request = AWSRequest(method, url, headers=kept)
    keys = Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
    S3SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
    return dict(request.headers.items())


@contextmanager
def changing_proxy(upstream: str) -> Iterator[ChangingProxy]:
    """Start one; it changes nothing until it is told to."""
    proxy = ChangingProxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_any(self) -> None:
            request = f"{self.command} {self.path} {self.headers.get('Range', '')}".strip()
            proxy.seen.append(request)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if refusal := proxy.refusal(self.command, self.path):
                status, content = refusal
                self.send_response_only(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                return
            ours = self.command in ("PUT", "POST")
            body = proxy.passed(proxy.requests if ours else None, request, body)
            there = http.client.HTTPConnection(urlsplit(proxy.upstream).netloc, timeout=60)
            there.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION
            }
            if proxy.headers.get("ETag") == self.headers.get("If-Match", ""):
                headers = _unconditional(self.command, proxy.url + self.path, headers)
            for name, value in headers.items():
                there.putheader(name, value)  # the host, too: it is signed
            if body or ours:
                there.putheader("Content-Length", str(len(body)))
            there.endheaders(body or None)
            answer = there.getresponse()
            content = answer.read()
            there.close()
            length = answer.headers.get("Content-Length", "0")
            if self.command == "GET" and answer.status in (200, 206):
                content = proxy.passed(proxy.answers, request, content)
            self.send_response_only(answer.status)
            replaced = {name.lower() for name in proxy.headers}
            for name, value in answer.headers.items():
                if name.lower() not in _OF_ONE_CONNECTION | replaced:
                    self.send_header(name, value)
            for name, value in proxy.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        proxy.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
