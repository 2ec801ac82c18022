"""Whose a connection on the loopback interface is: every user of a machine can reach it.

Belongs here: asking the system for the user at the other end. Does not belong here: what follows from it
(`cli/services/web_guard.py`).

Linux lists its connections in `/proc/net`, each with its user. Where there is no such list nothing can be told, and
the other users of the machine are let in; docs/security.md says so.
"""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address
from pathlib import Path

_LISTS = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
# Of a socket that its program has closed the system forgets the user, and says 0.
_ESTABLISHED = "01"
_ROOT = 0


def refuses_others(client: tuple[str, int], server: tuple[str, int]) -> str | None:
    """Why this connection is refused: it comes from this machine, and not from our own user or root."""
    if not ip_address(_plain(client)[0]).is_loopback:
        return None
    if user_of(client, server) in (os.getuid(), _ROOT):
        return None
    return "it serves the user who started it alone"


def user_of(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """The id of the user whose connection goes from `client` to `server`; None where there is (now) no such one."""
    wanted, port = (_plain(client), _plain(server)), f":{client[1]:04X} "
    for file in _LISTS:
        try:
            lines = file.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            if port not in line:  # there may be thousands
                continue
            _, local, remote, state, _, _, _, uid, *_ = line.split()
            if state == _ESTABLISHED and (_read(local), _read(remote)) == wanted:
                return int(uid)
    return None


def can_tell() -> bool:
    """Whether this system tells us the user of a connection: tried with one of our own."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as connection,
    ):
        return user_of(connection.getsockname(), listener.getsockname()) == os.getuid()


def _plain(address: tuple[str, int]) -> tuple[str, int]:
    """An address without the scope of IPv6, and an IPv4 address as such where a socket takes both kinds."""
    found = ip_address(address[0].partition("%")[0])
    return str(getattr(found, "ipv4_mapped", None) or found), address[1]


def _read(text: str) -> tuple[str, int]:
    """An address as `/proc/net` writes it: words of four bytes in the machine's own order, and the port."""
    address, _, port = text.partition(":")
    words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
    return _plain((str(ip_address(b"".join(words))), int(port, 16)))
