"""Doors: what a stranger on this machine, or a page in a browser on it, gets from the running system. Nothing.

Every port that a process of ours listens on is found by its sockets and tried, as is every unix socket.
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from playwright.sync_api import Browser

from cli.services.dagster_services import query
from cli.services.local_system import LocalSystem
from cli.services.process_cleanup import Owner, find
from resources.object_store import ObjectStore
from resources.settings import Settings, load_settings
from tests.system.chromium import NoChromiumError, chromium

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

HOST = "127.0.0.1"
NOBODY = 65534
CANARY = b"Zyxwvut Qrstuvw, born 1951-12-02"
KEY = "doors/canary.txt"
_SENSORS = """{sensorsOrError(
    repositorySelector: {repositoryLocationName: "vitalake", repositoryName: "__repository__"}
) {... on Sensors {results {name sensorState {id selectorId status}}}}}"""
STOP = 'mutation {{stopSensor(jobOriginId: "{id}", jobSelectorId: "{selector}") {{__typename}}}}'


class Answer(NamedTuple):
    """What came back: the whole of it, the status where it was HTTP, and whether the port answered at all."""

    data: bytes
    status: int | None
    heard: bool


@pytest.fixture(scope="module")
def settings(running: LocalSystem) -> Settings:
    found = load_settings(running.home)
    for bucket in buckets(found):
        with suppress(Exception):
            bucket.put(KEY, CANARY, expected=None)
    return found


def buckets(settings: Settings) -> list[ObjectStore]:
    names = (settings.raw_bucket, settings.lake_bucket, settings.restricted_bucket)
    return [ObjectStore(settings, name) for name in names]


def listening(running: LocalSystem) -> dict[int, str]:
    """Every port that a process of this system listens on, and whose it is."""
    ports = {}
    for process in find(Owner(running.home)):
        with suppress(psutil.NoSuchProcess):  # a run's worker may have ended since
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    assert connection.laddr.ip in (HOST, f"::ffff:{HOST}")
                    ports[connection.laddr.port] = process.name()
    return ports


def say(port: int, data: bytes, *, tls: str | None = None) -> Answer:
    """Send bytes and read until the other end is done; `tls` is the protocol of a TLS connection without a key."""
    received, heard = b"", False
    with suppress(OSError), socket.create_connection((HOST, port), timeout=60) as plain:
        connection = plain
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols([tls])
            connection = context.wrap_socket(plain)
        try:
            connection.sendall(data)
            while len(received) < 100_000 and (piece := connection.recv(65536)):
                received += piece
            heard = True
        except ssl.SSLError as error:
            heard = "certificate required" in str(error)
    first = received.split(b" ", 2)
    return Answer(received, int(first[1]) if first[0].startswith(b"HTTP/") and len(first) > 1 else None, heard)


def request(method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1"]
    given = {"Host": HOST, "Connection": "close", "Content-Length": str(len(body))} | (headers or {})
    lines += [f"{name}: {value}" for name, value in given.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def as_nobody(act: Callable[[], Any]) -> Any:
    """What comes of it in a process of another user."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        result: Any = None
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            result = act()
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
        finally:
            os.write(writer, pickle.dumps(result))
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(said)  # noqa: S301


def sensors(running: LocalSystem) -> dict[str, dict[str, str]]:
    found = query(running.webserver_url, _SENSORS)["sensorsOrError"]["results"]
    return {sensor["name"]: sensor["sensorState"] for sensor in found}


def stop_sensor(running: LocalSystem) -> str:
    """The mutation that stops the delivery of alerts, which is what an attacker would want first."""
    state = sensors(running)["alert_delivery"]
    return STOP.format(id=state["id"], selector=state["selectorId"])


def untouched(running: LocalSystem, settings: Settings) -> None:
    """Nothing was deleted, replaced, put or stopped."""
    assert {state["status"] for state in sensors(running).values()} == {"RUNNING"}
    for bucket in buckets(settings):
        assert [item.key for item in bucket.objects("doors/")] == [KEY]
        assert bucket.get(KEY) == CANARY


def attacks(settings: Settings) -> list[bytes]:
    """Requests that did read, write, delete or reconfigure, and more of their kind."""
    object_path = f"/buckets/{settings.restricted_bucket}/{KEY}"
    foreign = {"Origin": "http://evil.example", "Host": "evil.example"}
    paths = [
        "/",
        object_path,
        f"{object_path}?metadata=true",
        "/buckets/?limit=100",
        "/dir/status",
        "/cluster/status",
    ]
    paths += [
        f"/{settings.restricted_bucket}/{KEY}",
        f"/{settings.restricted_bucket}/",
        "/dir/assign",
        "/vol/status",
    ]
    paths += ["/stats/disk", "/status", "/metrics", "/ui/index.html", "/debug/pprof/", "/.tus/", "/graphql"]
    reads = [request("GET", path, headers) for path, headers in product(paths, ({}, foreign))]
    writes = [
        request(method, path, headers, body)
        for path in (object_path, f"/{settings.restricted_bucket}/{KEY}", "/buckets/vitalake-raw/doors/new.txt")
        for method, body in (("PUT", b"x"), ("POST", b"x"), ("DELETE", b""))
        for headers in ({}, foreign)
    ]
    deletions = [
        request(method, f"/col/delete?collection={bucket.bucket}")
        for bucket in buckets(settings)
        for method in ("GET", "POST")
    ]
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">IBI", 0x00000004, 0, 0)[1:]
    return [*reads, *writes, *deletions, preface]


def test_no_port_lets_a_stranger_read_write_delete_or_reconfigure(running: LocalSystem, settings: Settings) -> None:
    ports = listening(running)
    known = json.loads((running.home / "ports.json").read_text())
    assert len(ports) == 11, ports  # S3's ten and the web server's
    heard: Counter[int] = Counter()
    for port, data in product(ports, attacks(settings)):
        for tls in (None, "http/1.1", "h2"):
            answer = say(port, data, tls=tls)
            heard[port] += answer.heard
            where = f"{ports[port]} on {port}: {data[:80]!r} over {tls} got {answer.data[:200]!r}"
            assert CANARY not in answer.data, where
            head, _, body = answer.data.partition(b"\r\n\r\n")
            if b"access-control-allow-origin" in head.lower():
                # The S3 server's own words for a refusal, or nothing: no setting of it changes these headers.
                assert port == known["S3"], where
                assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<Error>') or not body, where
            assert KEY.encode() not in answer.data or b"<Resource>" in answer.data, where
            if port == known["web interface"]:
                if answer.status and answer.status < 400:
                    assert b"evil.example" not in data, where
            elif port == known["S3"]:
                assert not body or (answer.status or 500) >= 400, where
            else:
                assert answer.status in (None, 400), where
                assert not answer.data.startswith(b"\0\0"), where  # settings of HTTP/2: gRPC has said hello
    assert all(heard[port] for port in ports), "a port that does not answer at all shows nothing"
    untouched(running, settings)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_of_the_machine_gets_no_page_and_no_socket(running: LocalSystem, settings: Settings) -> None:
    port = int(running.webserver_url.rpartition(":")[2])
    body = json.dumps({"query": stop_sensor(running)}).encode()
    posted = request("POST", "/graphql", {"Content-Type": "application/json"}, body)
    for data in (request("GET", "/"), request("GET", "/server_info"), posted):
        assert as_nobody(partial(say, port, data)).status == 403

    def blind() -> None:  # sent and closed at once, as the system tells no user of a socket that is closed
        with socket.create_connection((HOST, port)) as connection:
            connection.sendall(posted)

    as_nobody(blind)
    assert say(port, request("GET", "/server_info")).status == 200
    paths = set()
    for process in find(Owner(running.home)):
        with suppress(psutil.NoSuchProcess):
            paths |= {str(connection.laddr) for connection in process.net_connections("unix")}
    found = [path for path in paths if Path(path).is_socket()]
    assert any("code-server" in path for path in found), paths

    def connect(path: str) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)

    for path in found:
        assert str(as_nobody(partial(connect, path))).startswith("PermissionError"), path
    assert str(as_nobody(lambda: list(running.home.iterdir()))).startswith("PermissionError")
    untouched(running, settings)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}, 200),
        ({"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://127.0.0.1:{other}"}, 403),
        ({"Origin": "http://localhost:{port}"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"}, 403),
        ({"Host": "127.0.0.1.evil.example:{port}"}, 403),
        ({"Host": ""}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Content-Type": "text/plain"}, 403),
        ({"Content-Type": "text/plain; charset=application/json"}, 403),
        ({"Content-Type": "application/graphql"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 403),
        ({"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}, 200),
    ],
)
def test_the_web_server_is_asked_by_its_own_pages_and_by_programs(
    running: LocalSystem, headers: dict[str, str], status: int
) -> None:
    port = int(running.webserver_url.rpartition(":")[2])
    named = {name: value.format(port=port, other=port + 1) for name, value in headers.items()}
    body = json.dumps({"query": "{version}"}).encode()
    given = {"Host": f"{HOST}:{port}", "Content-Type": "application/json"} | named
    assert say(port, request("POST", "/graphql", given, body)).status == status


def test_a_mutation_is_a_post_of_json_and_nothing_else(running: LocalSystem, settings: Settings) -> None:
    port = int(running.webserver_url.rpartition(":")[2])
    text = stop_sensor(running)
    encoded = f"query={''.join(f'%{byte:02x}' for byte in text.encode())}"
    for path in (f"/graphql?{encoded}", f"/graphql/?{encoded}", f"/%67raphql?{encoded}", f"//graphql?{encoded}"):
        for method in ("GET", "HEAD"):
            for accepts in ("*/*", "image/avif,image/webp,*/*", "application/json"):
                answer = say(port, request(method, path, {"Accept": accepts}))
                assert b"stopSensor" not in answer.data
                assert b"__typename" not in answer.data
        for kind in ("", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"):
            assert say(port, request("POST", path, {"Content-Type": kind})).status == 403
    for path in ("/report_asset_materialization/raw_ecg?partition=2026-01-01", "/report_asset_check/raw_ecg"):
        assert say(port, request("POST", path)).status == 403
    untouched(running, settings)


PAGE = """<!doctype html><title>waiting</title><body><script>
const told = {};
const attempt = async (name, act) => { try { told[name] = await act(); } catch (error) { told[name] = "failed"; } };
const image = url => new Promise(done => { const one = new Image(); one.onload = () => done("loaded");
    one.onerror = () => done("failed"); one.src = url; });
const socket = url => new Promise(done => { const one = new WebSocket(url, "graphql-ws");
    one.onopen = () => done("opened"); one.onerror = () => done("failed"); });
const framed = url => new Promise(done => { const one = document.createElement("iframe"); one.src = url;
    one.onload = () => { try { done(one.contentDocument === null ? "foreign" : "empty"); }
        catch (error) { done("foreign"); } }; document.body.append(one); });
(async () => {
    const {ports, web, mutation, paths, buckets} = await (await fetch("/plan")).json();
    for (const port of ports) {
        for (const scheme of ["http", "https"]) {
            const base = `${scheme}://127.0.0.1:${port}`;
            for (const path of paths) {
                await attempt(`read ${base}${path}`, async () => (await fetch(base + path)).text());
                for (const method of ["PUT", "DELETE", "POST"])
                    await attempt(`${method} ${base}${path}`,
                        async () => (await fetch(base + path, {method, body: "x"})).text());
                fetch(base + path, {method: "POST", mode: "no-cors", body: "x"}).catch(() => {});
            }
            for (const bucket of buckets) await image(`${base}/col/delete?collection=${bucket}`);
        }
    }
    const graphql = `http://127.0.0.1:${web}/graphql`;
    await image(`${graphql}?query=${encodeURIComponent(mutation)}`);
    const body = JSON.stringify({query: mutation});
    for (const kind of ["text/plain", "text/plain; charset=application/json", "application/x-www-form-urlencoded"])
        await attempt(`post ${kind}`,
            () => fetch(graphql, {method: "POST", mode: "no-cors", headers: {"Content-Type": kind}, body}));
    await attempt("post json", async () => (await fetch(graphql,
        {method: "POST", headers: {"Content-Type": "application/json"}, body})).text());
    const form = document.createElement("form");
    Object.assign(form, {method: "post", action: graphql, enctype: "text/plain", target: "elsewhere"});
    const field = document.createElement("input"); field.name = body.slice(0, -1) + ', "x": "'; field.value = '"}';
    form.append(field); const frame = document.createElement("iframe"); frame.name = "elsewhere";
    document.body.append(frame, form); form.submit();
    await attempt("web socket", () => socket(`ws://127.0.0.1:${web}/graphql`));
    await attempt("frame", () => framed(`http://127.0.0.1:${web}/`));
    await fetch("/told", {method: "POST", body: JSON.stringify(told)});
    document.title = "done";
})();
</script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium(["--host-resolver-rules=MAP evil.example 127.0.0.1"]) as found:
            yield found
    except NoChromiumError as error:
        pytest.skip(str(error))


@pytest.fixture
def stranger(running: LocalSystem, settings: Settings) -> Iterator[tuple[str, dict[str, str]]]:
    """A web site of somebody else: its address, and what its page has told it."""
    told: dict[str, str] = {}
    plan = {
        "ports": list(listening(running)),
        "web": int(running.webserver_url.rpartition(":")[2]),
        "mutation": stop_sensor(running),
        "paths": [f"/buckets/{settings.restricted_bucket}/{KEY}", f"/{settings.restricted_bucket}/{KEY}", "/"],
        "buckets": [bucket.bucket for bucket in buckets(settings)],
    }

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(json.dumps(plan).encode() if self.path == "/plan" else PAGE.encode())

        def do_POST(self) -> None:
            told.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(b"")

        def _answer(self, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_address[1]}/", told
        server.shutdown()


@pytest.mark.browser
def test_a_page_of_another_origin_reads_and_changes_nothing(
    running: LocalSystem, settings: Settings, browser: Browser, stranger: tuple[str, dict[str, str]]
) -> None:
    address, told = stranger
    page = browser.new_page()
    page.goto(address)
    page.wait_for_function("document.title == 'done'", timeout=240_000)
    page.close()
    assert told["web socket"] == "failed"
    for what, text in told.items():
        assert CANARY.decode() not in str(text), what
        assert text in ("failed", {}, "foreign", "") or "<Error>" in str(text), (what, text)
    untouched(running, settings)


@pytest.mark.browser
def test_a_page_may_not_frame_the_web_ui_but_link_to_it(running: LocalSystem, browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        f'<iframe src="{running.webserver_url}/"></iframe><a href="{running.webserver_url}/runs">runs</a>'
    )
    page.wait_for_function("window.frames.length === 1")
    page.frames[1].wait_for_load_state()
    assert "Refused: a page of another address" in page.frames[1].content()
    page.get_by_text("runs").click()
    page.wait_for_url(f"{running.webserver_url}/runs*")
    page.get_by_text("Runs").first.wait_for()
    page.close()


@pytest.mark.browser
def test_a_name_that_was_made_to_mean_this_machine_gets_nothing(running: LocalSystem, browser: Browser) -> None:
    page = browser.new_page()
    for port in listening(running):
        response = None
        with suppress(Exception):  # a port that speaks no HTTP
            response = page.goto(f"http://evil.example:{port}/")
        assert response is None or response.status in (400, 403), (port, response and response.text())
    page.close()
