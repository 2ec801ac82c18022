"""A Slack that answers as told: chat.postMessage over HTTP on a free loopback port."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; `hang` waits until the server is closed instead, `drip` sends a header for ever."""

    status: int = 200
    body: str = json.dumps({"ok": True, "ts": "1.0"})
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    drip: bool = False


OK = Answer()
BUSY = Answer(429, json.dumps({"ok": False, "error": "ratelimited"}), {"Retry-After": "1"})
DOWN = Answer(500, "<html>oops</html>")
HANGS = Answer(hang=True)
DRIPS = Answer(drip=True)


def refusal(error: str) -> Answer:
    """What Slack says, with HTTP 200, when it does not want the message."""
    return Answer(body=json.dumps({"ok": False, "error": error}))


@dataclass
class Slack:
    """A running server: `answers` are given in turn, the last one for ever.

    `posts` is every message that came; `gets` is the addresses that were asked for otherwise, by who follows.
    """

    answers: list[Answer]
    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    gets: list[str] = field(default_factory=list)


@contextmanager
def slack_server(*answers: Answer) -> Iterator[Slack]:
    """Start a server that gives these answers."""
    slack = Slack(list(answers) or [OK])
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            slack.posts.append(json.loads(content) | {"path": self.path})
            slack.tokens.append(self.headers["Authorization"])
            answer = slack.answers.pop(0) if len(slack.answers) > 1 else slack.answers[0]
            if answer.hang:
                closing.wait()
                return
            if answer.drip:
                self._drip()
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def do_GET(self) -> None:
            slack.gets.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"/further/{len(slack.gets)}")
            self.end_headers()

        def _drip(self) -> None:
            with suppress(OSError):  # nobody listens any more
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not closing.wait(0.05):
                    self.wfile.write(b"x")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    slack.url = f"http://127.0.0.1:{server.server_port}/api"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield slack
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
