"""Loopback ports for the local services: the usual ones where they are free, the same ones after a restart.

Belongs here: choosing ports and remembering the choice. Does not belong here: what listens on them.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from resources.home import is_foreign
from vitalake.errors import PermanentError

HOST = "127.0.0.1"
GRPC_OFFSET = 10_000
_ATTEMPTS = 500


@dataclass(frozen=True)
class Port:
    """A port that a service listens on.

    Attributes:
        name: what the port is for, unique.
        preferred: the number to use when it is free.
        twin: whether the service also listens `GRPC_OFFSET` above it, as SeaweedFS does.
    """

    name: str
    preferred: int
    twin: bool = False

    def numbers(self, number: int) -> set[int]:
        """Everything that is in use when the service gets `number`."""
        return {number, number + GRPC_OFFSET} if self.twin else {number}


def choose_ports(wanted: Sequence[Port], remembered: Path, echo: Callable[[str], None]) -> dict[str, int]:
    """A free number for each port; none is used twice, and the choice is kept in `remembered`.

    A port keeps its number of last time while that is free; another choice is told to `echo`.
    """
    last = _read(remembered)
    first = {port.name: last.get(port.name, port.preferred) for port in wanted}
    chosen: dict[str, int] = {}
    taken: set[int] = set()
    for port in wanted:
        number = _next_free(port, first[port.name], taken)
        if number != first[port.name]:
            echo(f"port {first[port.name]} is in use, using {number} for {port.name}")
        chosen[port.name] = number
        taken |= port.numbers(number)
    remembered.write_text(json.dumps(chosen, indent=1) + "\n")
    return chosen


def is_free(number: int) -> bool:
    """Whether nothing listens on this loopback port, on all addresses or on this one."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((HOST, number)) == 0:  # some systems let two servers share a port, so ask first
            return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections do not count
        try:
            probe.bind((HOST, number))
        except OSError:
            return False
    return True


def _is_planted(number: int) -> bool:
    """Whether another user has left a socket where SeaweedFS wants one of its own: it names them by their ports."""
    return any(is_foreign(path) for path in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"))  # noqa: S108


def _next_free(port: Port, first: int, taken: set[int]) -> int:
    highest = 65_535 - (GRPC_OFFSET if port.twin else 0)
    for number in range(first, min(first + _ATTEMPTS, highest + 1)):
        numbers = port.numbers(number)
        if not numbers & taken and all(is_free(each) and not _is_planted(each) for each in numbers):
            return number
    raise PermanentError(f"no free port for {port.name} between {first} and {first + _ATTEMPTS}; close programs")


def _read(path: Path) -> dict[str, int]:
    """The choice of last time; nothing when there is none or it cannot be read."""
    try:
        content = json.loads(path.read_text())
        return {str(name): int(number) for name, number in content.items() if 0 < int(number) < 65_536}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
