"""Whose a connection is, asked of real connections."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.services.connection_owner import can_tell, refuses_others, user_of

NOBODY = 65534
pytestmark = pytest.mark.skipif(not can_tell(), reason="this system tells no user of a connection")


@contextmanager
def connected(address: str) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection; the server takes both kinds of addresses, as a web server on `::` does."""
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener,
        socket.create_connection((address, listener.getsockname()[1])) as client,
    ):
        server, _ = listener.accept()
        with server:
            yield client, server


def asked_by(server: socket.socket) -> tuple[tuple[str, int], tuple[str, int]]:
    return server.getpeername()[:2], server.getsockname()[:2]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1"])
def test_our_own_connections_are_let_in(address: str) -> None:
    with connected(address) as (_, server):
        assert user_of(*asked_by(server)) == os.getuid()
        assert refuses_others(*asked_by(server)) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_connection_that_is_no_longer_there_is_nobodys(address: str) -> None:
    with connected(address) as (client, server):
        ends = asked_by(server)
        client.close()  # the system says 0, which is root, of a closed socket
        assert user_of(*ends) is None
        assert refuses_others(*ends) is not None


def test_what_comes_from_another_machine_is_not_asked_for() -> None:
    assert refuses_others(("192.0.2.1", 50_000), ("192.0.2.2", 3000)) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_is_refused_also_when_the_sender_is_gone_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for stays in (True, False):
            if (child := os.fork()) == 0:
                os.setuid(NOBODY)
                connection = socket.create_connection(("127.0.0.1", port))
                connection.sendall(b"POST")
                if stays:
                    time.sleep(60)
                os._exit(0)
            server, _ = listener.accept()
            with server:
                assert server.recv(4) == b"POST"
                if not stays:
                    os.waitpid(child, 0)
                ends = server.getpeername(), server.getsockname()
                assert user_of(*ends) == (NOBODY if stays else None)
                assert refuses_others(*ends) == "it serves the user who started it alone"
            if stays:
                os.kill(child, 9)
                os.waitpid(child, 0)
