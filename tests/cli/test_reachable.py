"""Questions to Dagster's web server that go wrong on the way."""

from __future__ import annotations

import socket
import threading

import pytest

from cli.reachable import ask
from vitalake.errors import TransientError


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b""])
def test_a_stranger_or_an_answer_that_is_cut_off_is_no_traceback(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(TransientError, match="did not answer as it should"):
            ask(f"http://127.0.0.1:{server.getsockname()[1]}", "{version}")
        thread.join()
