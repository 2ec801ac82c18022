"""List requests are counted as the store gets them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from benchmarks.ticks import Counted
from resources.object_store import ObjectStore
from resources.settings import Settings


class Wire:
    """A port that passes everything on to a server, and counts the list requests that it sees."""

    def __init__(self, server: str) -> None:
        host, _, port = server.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self.lists = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def serve(self) -> None:
        """Until the port is closed."""
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                self.lists += data.count(b"list-type=2")
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@contextmanager
def wire(server: str) -> Iterator[Wire]:
    found = Wire(server)
    with found.socket:
        thread = threading.Thread(target=found.serve)
        thread.start()
        try:
            yield found
        finally:
            found.socket.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.store
def test_a_call_is_a_list_request(settings: Settings, raw: ObjectStore) -> None:
    keys = [f"ecg/a/{n:04d}" for n in range(1001)] + [f"ecg/b/{n:04d}/x" for n in range(1001)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: raw.put(key, b"x", expected=None), keys))
    with wire(str(settings.s3_endpoint)) as between:
        counted = Counted(settings.model_copy(update={"s3_endpoint": between.url}), raw.bucket)
        for prefix, calls in (("ecg/a/", 2), ("ecg/b/0000/", 1), ("ecg/none/", 1)):
            between.lists = counted.calls = 0
            counted.objects(prefix)
            assert counted.calls == between.lists == calls
        for prefix, calls in (("ecg/a/", 2), ("ecg/b/", 2), ("ecg/none/", 1)):
            between.lists = counted.calls = 0
            counted.folders(prefix)
            assert counted.calls == between.lists == calls
