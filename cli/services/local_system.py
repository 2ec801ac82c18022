"""The whole system on one machine: object store, code server, web server and daemon, on loopback ports.

Belongs here: the lock of the state folder, and the composition of services. Does not belong here: whose that folder
may be (`cli/state_folder.py`), how one service is started (`cli/services/store_service.py`,
`cli/services/dagster_services.py`) and kept running (`cli/services/supervisor.py`).
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.environment import local_keys, process_env, read_env, write_env
from cli.services import dagster_services, store_service
from cli.services.interrupts import interruptible
from cli.services.ports import HOST, choose_ports
from cli.services.process_cleanup import clear
from cli.services.socket_folder import socket_folder
from cli.services.supervisor import Supervisor
from cli.state_folder import closed_to_others, open_folder
from resources.settings import Settings
from vitalake.errors import PermanentError, VitalakeError

_ROOM_BYTES = 500_000_000
_TURN_S = 60.0  # a start takes 20 s


@dataclass(frozen=True)
class LocalSystem:
    """A running system: where it is and how to talk to it."""

    home: Path
    endpoint: str
    webserver_url: str
    env: dict[str, str]
    supervisor: Supervisor


@contextmanager
def local_system(
    home: Path,
    echo: Callable[[str], None],
    *,
    module: str = "definitions",
    room_bytes: int = _ROOM_BYTES,
) -> Iterator[LocalSystem]:
    """Everything started and ready; stopped, to the last process, when the block ends, however it ends.

    In the main thread SIGINT raises KeyboardInterrupt and SIGTERM SystemExit in the block; a second one kills.

    Args:
        home: the state folder; made when it is missing, one system at a time. Nobody else may write there or read
            what is made in it.
        echo: receives lines about progress and trouble.
        module: the module with Dagster's definitions.
        room_bytes: refuse to start with less than this, and what the S3 server leaves free, on the disk.

    Raises:
        PermanentError: it cannot start; says what to do.
    """
    echo = _whatever_happens(echo)
    with closed_to_others(), ExitStack() as stack:
        with _explained(home):
            home = open_folder(home)
            _check_room(home, room_bytes)
        stack.enter_context(_locked(home))
        with _explained(home), _in_turn(echo):
            clear(home, echo)  # before ports are chosen: leftovers hold the usual ones
            system = _prepare(home, echo, module, stack.enter_context(socket_folder(home)))
            stack.enter_context(interruptible(system.supervisor.interrupt))
            stack.callback(_stop, system, echo)
            system.supervisor.start()
        try:
            yield system
        except VitalakeError:
            system.supervisor.wait(0)  # what has ended the watching of the services is the reason
            raise
        system.supervisor.wait(0)


def _whatever_happens(echo: Callable[[str], None]) -> Callable[[str], None]:
    """The same, but what becomes of a line decides nothing: its reader may be gone, its disk full."""

    def said(line: str) -> None:
        try:
            echo(line)
        except OSError:
            pass
        except SystemExit as left:  # how rich says that a pipe was closed
            if left.code != 1:  # a signal's
                raise

    return said


def _stop(system: LocalSystem, echo: Callable[[str], None]) -> None:
    echo("stopping everything (Ctrl-C kills it at once)")
    system.supervisor.stop()


def _prepare(home: Path, echo: Callable[[str], None], module: str, sockets: Path) -> LocalSystem:
    """Everything up to the start of the first process."""
    ports = choose_ports((*dagster_services.PORTS, *store_service.PORTS), home / "ports.json", echo)
    endpoint, url = f"http://{HOST}:{ports['S3']}", f"http://{HOST}:{ports['web interface']}"
    from_file = read_env(home / "env")
    values = {
        "VITALAKE_HOME": str(home),
        "VITALAKE_S3_ENDPOINT": endpoint,
        "VITALAKE_RAW_BUCKET": str(Settings.model_fields["raw_bucket"].default),
        "VITALAKE_LAKE_BUCKET": str(Settings.model_fields["lake_bucket"].default),
        "VITALAKE_RESTRICTED_BUCKET": str(Settings.model_fields["restricted_bucket"].default),
        "VITALAKE_WEBSERVER_URL": url,
        **local_keys(from_file),
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "DAGSTER_HOME": str(home / "dagster"),
    }
    write_env(home / "env", values)
    env = process_env(from_file, values)
    (home / "dagster").mkdir(exist_ok=True)
    (home / "dagster" / "dagster.yaml").write_text(dagster_services.instance_yaml(env))
    services = [
        store_service.store_service(home, ports, sockets, env),
        *dagster_services.dagster_services(home, ports, sockets, env, module),
    ]
    return LocalSystem(home, endpoint, url, values, Supervisor(home, services, echo))


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One system a home. The system lets go of the lock when this process ends, however it ends."""
    with (home / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            url = read_env(home / "env").get("VITALAKE_WEBSERVER_URL", "its web interface")
            raise PermanentError(
                f"Vitalake is already running in {home} (process {lock.read().strip()}): use {url}, "
                "stop it with Ctrl-C where it was started, or choose another folder with VITALAKE_HOME"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _in_turn(echo: Callable[[str], None]) -> Iterator[None]:
    """One start at a time on this machine, so that two systems do not choose the same free ports.

    Everybody may take this lock, and keep it. So whoever waits goes on after a while: at worst a port is taken when
    a service wants it, and the start has to be repeated.
    """
    folder = os.open(tempfile.gettempdir(), os.O_RDONLY)
    try:
        told, deadline = False, time.monotonic() + _TURN_S
        while time.monotonic() < deadline:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    echo(f"another system is being started on this machine: waiting for it, {_TURN_S:g} s at most")
                told = True
                time.sleep(0.1)
        yield
    finally:
        os.close(folder)


@contextmanager
def _explained(home: Path) -> Iterator[None]:
    """Trouble with the state folder in words."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise PermanentError(
            f"cannot use {home} for the local state: it is no folder; choose another with VITALAKE_HOME"
        ) from error
    except OSError as error:
        raise PermanentError(
            f"cannot use {home} for the local state: {error.strerror or error}; "
            "make it writable, free some space, or choose another folder with VITALAKE_HOME"
        ) from error


def _check_room(home: Path, room_bytes: int) -> None:
    free, left = shutil.disk_usage(home).free, store_service.least_free_bytes(home)
    if free < left + room_bytes:
        raise OSError(
            errno.ENOSPC,
            f"only {free / 1e6:,.0f} MB are free, {(left + room_bytes) / 1e6:,.0f} MB are needed "
            f"({left / 1e6:,.0f} of them stay free: the S3 server never takes the last hundredth of a disk)",
        )
