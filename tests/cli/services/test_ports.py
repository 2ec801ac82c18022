"""Ports: preferred, else the next free one; the same ones after a restart; none twice."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.services.ports import GRPC_OFFSET, HOST, Port, choose_ports, is_free
from tests.s3_server import free_ports
from vitalake.errors import PermanentError


@contextmanager
def listening(port: int, host: str = HOST) -> Iterator[None]:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
        server.listen()
        yield


def test_the_preferred_port_is_used_without_a_word(tmp_path: Path) -> None:
    (free,) = free_ports(1)
    said: list[str] = []
    assert choose_ports([Port("web", free)], tmp_path / "ports.json", said.append) == {"web": free}
    assert said == []


@pytest.mark.parametrize("host", [HOST, "0.0.0.0"])  # noqa: S104
def test_a_port_in_use_gives_way_and_says_so(tmp_path: Path, host: str) -> None:
    (busy,) = free_ports(1)
    said: list[str] = []
    with listening(busy, host):
        assert not is_free(busy)
        chosen = choose_ports([Port("web", busy)], tmp_path / "ports.json", said.append)["web"]
    assert chosen > busy
    assert said == [f"port {busy} is in use, using {chosen} for web"]


def test_the_twin_of_a_port_must_be_free_too(tmp_path: Path) -> None:
    (free,) = free_ports(1)
    with listening(free + GRPC_OFFSET):
        chosen = choose_ports([Port("S3", free, twin=True)], tmp_path / "ports.json", print)["S3"]
    assert chosen != free


def test_no_number_is_given_twice_twins_included(tmp_path: Path) -> None:
    (free,) = free_ports(1)
    wanted = [Port("a", free, twin=True), Port("b", free), Port("c", free + GRPC_OFFSET, twin=False)]
    chosen = choose_ports(wanted, tmp_path / "ports.json", print)
    numbers = [number for port in wanted for number in port.numbers(chosen[port.name])]
    assert len(set(numbers)) == len(numbers) == 4


def test_a_restart_keeps_the_ports_that_are_still_free(tmp_path: Path) -> None:
    preferred, other = free_ports(2)
    state = tmp_path / "ports.json"
    with listening(preferred):
        first = choose_ports([Port("web", preferred), Port("code", other)], state, print)
    assert choose_ports([Port("web", preferred), Port("code", other)], state, print) == first
    with listening(first["web"]):
        moved = choose_ports([Port("web", preferred), Port("code", other)], state, print)
    assert moved["web"] != first["web"]
    assert moved["code"] == first["code"]


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"web": "x"}', '{"web": null}', '{"web": 99999999}'])
def test_damaged_state_counts_as_none(tmp_path: Path, content: str) -> None:
    (free,) = free_ports(1)
    state = tmp_path / "ports.json"
    state.write_text(content)
    assert choose_ports([Port("web", free)], state, print) == {"web": free}


def test_no_port_left_is_said(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no free port for S3"):
        choose_ports([Port("S3", 65_000, twin=True)], tmp_path / "ports.json", print)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator can give files to others")
@pytest.mark.parametrize("name", ["filer", "master-grpc"])
def test_a_port_whose_socket_another_user_has_left_is_passed_over(tmp_path: Path, name: str) -> None:
    (free,) = free_ports(1)
    planted = Path(f"/tmp/seaweedfs-{name}-{free + GRPC_OFFSET * name.endswith('grpc')}.sock")
    planted.touch()
    try:
        assert choose_ports([Port("S3", free, twin=True)], tmp_path / "ours.json", print)["S3"] == free
        os.chown(planted, 65534, -1)
        assert choose_ports([Port("S3", free, twin=True)], tmp_path / "theirs.json", print)["S3"] != free
    finally:
        planted.unlink()
