"""The whole local system with real parts: killed as a whole, killed part by part, stopped with Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import psutil
import pytest
import yaml
from botocore.exceptions import ClientError

from cli.environment import read_env
from cli.services.dagster_services import instance_yaml, query
from cli.services.local_system import LocalSystem, local_system
from cli.services.process_cleanup import Owner, find, kill_all
from cli.services.service import Service
from cli.services.supervisor import Patience
from cli.status.health import check_health
from cli.up import publish_empty
from resources.settings import load_settings
from tests.cli.services.test_supervisor import until
from vitalake.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MODULE = "tests.cli.services.slow_job"
ROOT = Path(__file__).resolve().parents[3]
UP = f"""
import os
import sys
from pathlib import Path
from cli.services.local_system import local_system
os.umask(0)
with local_system(Path(sys.argv[1]), print, module={MODULE!r}) as system:
    (system.home / "up").touch()
    system.supervisor.wait()
"""
# Ends where it has chosen.
CHOOSE = """
import sys
from cli.services import local_system as local
local._TURN_S = float(sys.argv[2])
local._prepare = lambda *_: sys.exit("chosen")
"""
LAUNCH = """mutation {launchRun(executionParams: {selector: {repositoryLocationName: "vitalake",
    repositoryName: "__repository__", jobName: "slow_job"}}) {... on LaunchRunSuccess {run {runId}}}}"""
RETRIES = """query ($id: String!) {runsOrError(filter: {tags: [{key: "dagster/parent_run_id", value: $id}]}) {
    ... on Runs {results {runId}}}}"""
STATUS = "query ($id: ID!) {runOrError(runId: $id) {... on Run {status}}}"


def launch(url: str, home: Path) -> tuple[str, int]:
    """A run that has begun and goes on until ``<home>/finish`` is there, and its process."""
    run_id = str(query(url, LAUNCH)["launchRun"]["run"]["runId"])
    begun = home / f"begun-{run_id}"
    until(begun.exists)
    return run_id, int(begun.read_text())


def status(url: str, run_id: str) -> str:
    return str(query(url, STATUS, id=run_id)["runOrError"]["status"])


def client(system: LocalSystem, **other: str) -> S3Client:
    env = {**system.env, **other}
    connected: S3Client = boto3.client(
        "s3",
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )
    return connected


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def renewed(system: LocalSystem, name: str, before: dict[str, int]) -> bool:
    return system.supervisor.pid(name) not in (None, before[name]) and system.supervisor.ready(name)


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The home of a system whose supervisor was killed during a run, and the run."""
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o755)
    program = subprocess.Popen([sys.executable, "-c", UP, str(home)], cwd=ROOT)
    try:
        until((home / "up").exists, 200)
        run_id, worker = launch(read_env(home / "env")["VITALAKE_WEBSERVER_URL"], home)
        program.kill()
        until(lambda: not find(Owner(home)))
        until(lambda: gone(worker))
        yield home, run_id
    finally:
        program.kill()
        program.wait()
        kill_all(Owner(home))


@pytest.fixture(scope="module")
def system(crashed: tuple[Path, str]) -> Iterator[LocalSystem]:
    before = os.umask(0)
    try:
        with local_system(crashed[0], print, module=MODULE) as running:
            yield running
    finally:
        os.umask(before)


@pytest.mark.system
def test_after_kill_9_of_everything_the_run_is_failed_and_the_next_one_goes_on(
    system: LocalSystem, crashed: tuple[Path, str]
) -> None:
    assert status(system.webserver_url, crashed[1]) == "FAILURE"
    run_id, _ = launch(system.webserver_url, system.home)
    (system.home / "finish").touch()
    until(lambda: status(system.webserver_url, run_id) == "SUCCESS")
    (system.home / "finish").unlink()


@pytest.mark.system
def test_everything_listens_on_this_machine_only(system: LocalSystem) -> None:
    addresses: set[str] = set()
    for process in find(Owner(system.home)):
        with suppress(psutil.NoSuchProcess):  # a run's worker may have ended since
            addresses |= {
                connection.laddr.ip.removeprefix("::ffff:")  # an IPv4 address on a socket for both
                for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }
    assert addresses == {"127.0.0.1"}


@pytest.mark.system
def test_the_env_file_gives_access_and_the_raw_bucket_keeps_versions(system: LocalSystem) -> None:
    assert read_env(system.home / "env") == system.env
    raw = system.env["VITALAKE_RAW_BUCKET"]
    assert client(system).get_bucket_versioning(Bucket=raw)["Status"] == "Enabled"
    assert "Contents" not in client(system).list_objects_v2(Bucket=system.env["VITALAKE_LAKE_BUCKET"])
    stranger = client(system, AWS_SECRET_ACCESS_KEY="wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.list_buckets()


@pytest.mark.system
def test_what_is_made_in_a_home_that_others_may_read_is_closed_to_them(system: LocalSystem) -> None:
    publish_empty(load_settings(system.home))
    client(system).put_object(Bucket=system.env["VITALAKE_RAW_BUCKET"], Key="a/closed.txt", Body=b"closed")
    assert stat.S_IMODE(system.home.stat().st_mode) == 0o755
    made = {path.name: path.stat().st_mode for path in system.home.iterdir()}
    expected = {"env", "init.sql", "lake.duckdb", "lock", "logs", "ports.json", "s3", "sockets", "tls"}
    assert expected | {"workspace.yaml"} <= made.keys()
    # What is below a closed folder nobody reaches, whatever its own mode: the S3 server gives some files 0644.
    assert {name: oct(mode) for name, mode in made.items() if mode & 0o077} == {}


@pytest.mark.system
def test_each_service_comes_back_after_kill_9_and_nothing_acknowledged_is_lost(system: LocalSystem) -> None:
    raw = system.env["VITALAKE_RAW_BUCKET"]
    client(system).put_object(Bucket=raw, Key="a/b.txt", Body=b"kept")
    run_id, worker = launch(system.webserver_url, system.home)
    names = ["object-store", "webserver", "daemon", "code-server"]
    before = {name: system.supervisor.pid(name) or 0 for name in names}
    for name in names[:3]:
        os.kill(before[name], signal.SIGKILL)
    until(lambda: all(renewed(system, name, before) for name in names[:3]))
    assert status(system.webserver_url, run_id) == "STARTED"  # its process lives, so nobody touches it
    before["daemon"] = system.supervisor.pid("daemon") or 0
    os.kill(before["code-server"], signal.SIGKILL)
    until(lambda: all(renewed(system, name, before) for name in names[2:]))
    assert gone(worker)
    assert status(system.webserver_url, run_id) == "FAILURE"
    until(lambda: query(system.webserver_url, RETRIES, id=run_id)["runsOrError"]["results"])
    assert client(system).get_object(Bucket=raw, Key="a/b.txt")["Body"].read() == b"kept"
    (system.home / "finish").touch()
    again, _ = launch(system.webserver_url, system.home)
    until(lambda: status(system.webserver_url, again) == "SUCCESS")


@pytest.mark.system
def test_a_store_that_is_killed_again_and_again_comes_back_and_status_says_what_is_up(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system.supervisor, "_patience", Patience(longest_s=1.0))  # else a minute of pauses
    raw = system.env["VITALAKE_RAW_BUCKET"]
    client(system).put_object(Bucket=raw, Key="a/kept.txt", Body=b"kept")
    for _ in range(6):
        before = {"object-store": system.supervisor.pid("object-store") or 0}
        os.kill(before["object-store"], signal.SIGKILL)
        until(lambda: renewed(system, "object-store", before))  # noqa: B023
    data, aside = system.home / "s3", system.home / "aside"
    data.rename(aside)
    data.touch()  # it cannot start now
    os.kill(system.supervisor.pid("object-store") or 0, signal.SIGKILL)
    until(lambda: not system.supervisor.ready("object-store"))
    services = check_health(load_settings(system.home), []).services
    assert services["web server"].works
    assert not services["S3"].works
    assert "started again" in services["S3"].detail
    data.unlink()
    aside.rename(data)
    until(lambda: system.supervisor.ready("object-store"))
    assert client(system).get_object(Bucket=raw, Key="a/kept.txt")["Body"].read() == b"kept"


@pytest.mark.system
def test_a_second_system_in_the_same_home_is_refused(system: LocalSystem) -> None:
    with (
        pytest.raises(
            PermanentError, match=rf"already running in .*process {os.getpid()}\): use {system.webserver_url}"
        ),
        local_system(system.home, print),
    ):
        pytest.fail("it started")


@pytest.mark.system
def test_ctrl_c_ends_the_block_and_leaves_no_process(system: LocalSystem) -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    system.supervisor.stop()
    assert find(Owner(system.home)) == []


def test_dagster_keeps_its_runs_in_postgres_where_the_settings_say_so() -> None:
    plain: dict[str, str] = {}
    postgres = {"VITALAKE_POSTGRES_URL": "postgresql://x"}
    assert "storage" not in yaml.safe_load(instance_yaml(plain))
    storage = yaml.safe_load(instance_yaml(postgres))["storage"]
    assert storage == {"postgres": {"postgres_url": {"env": "VITALAKE_POSTGRES_URL"}}}


def test_a_home_that_is_no_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(PermanentError, match=r"cannot use .*/file/home"),
        local_system(tmp_path / "file/home", print),
    ):
        pytest.fail("it started")


def test_a_full_disk_is_explained(tmp_path: Path) -> None:
    with (
        pytest.raises(PermanentError, match=r"only [\d,]+ MB are free, 1,000,000,[\d,]+ MB are needed \([\d,]+ of"),
        local_system(tmp_path, print, room_bytes=10**18),
    ):
        pytest.fail("it started")


@pytest.fixture
def store_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The object store is all that is started."""
    monkeypatch.setattr("cli.services.dagster_services.dagster_services", lambda *_: [])


@pytest.mark.usefixtures("store_alone")
@pytest.mark.parametrize("trouble", [BrokenPipeError(), SystemExit(1)], ids=["no reader", "as rich says it"])
def test_lines_that_nobody_reads_end_nothing(tmp_path: Path, trouble: BaseException) -> None:
    def echo(_line: str) -> None:
        raise trouble

    with local_system(tmp_path, echo) as system:
        assert client(system).list_buckets()["Buckets"]
    assert not find(Owner(tmp_path))


@pytest.mark.usefixtures("store_alone")
def test_a_store_that_cannot_start_again_is_tried_until_it_can(tmp_path: Path) -> None:
    said: list[str] = []
    data = tmp_path / "s3"
    with local_system(tmp_path, said.append) as system:
        data.rename(tmp_path / "aside")
        data.touch()
        os.kill(system.supervisor.pid("object-store") or 0, signal.SIGKILL)
        until(lambda: any("object-store" in line and "4 times in a row" in line for line in said))
        data.unlink()
        (tmp_path / "aside").rename(data)
        until(lambda: system.supervisor.ready("object-store"))
        assert client(system).list_buckets()["Buckets"]
    assert not find(Owner(tmp_path))


@pytest.mark.usefixtures("store_alone")
def test_what_ended_the_watching_is_the_reason_whatever_else_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = Service.bound_log

    def fail(service: Service) -> None:
        if tmp_path in service.log_path.parents:  # another system of these tests may run
            raise MemoryError
        bound(service)

    with pytest.raises(MemoryError), local_system(tmp_path, print) as system:
        monkeypatch.setattr(Service, "bound_log", fail)
        with pytest.raises(MemoryError):
            system.supervisor.wait(120)
        raise TransientError("no progress")


def test_a_missing_object_store_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermanentError, match=r"weed.*missing"), local_system(tmp_path, print):
        pytest.fail("it started")


def start_that_chooses(home: Path, patience_s: float) -> subprocess.Popen[bytes]:
    """A start that waits its turn, and has said so."""
    argv = [sys.executable, "-u", "-c", CHOOSE + UP, str(home), str(patience_s)]
    program = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert program.stdout is not None
    assert any(b"another system is being started" in line for line in iter(program.stdout.readline, b""))
    return program


@pytest.fixture
def turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """What every start takes, taken by somebody else; not the one that other tests take meanwhile."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    yield folder
    os.close(folder)


def test_two_systems_choose_their_ports_one_after_the_other(tmp_path: Path, turn: int) -> None:
    program = start_that_chooses(tmp_path, 3600)
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(1)
    fcntl.flock(turn, fcntl.LOCK_UN)
    assert program.communicate(timeout=120)[1] == b"chosen\n"


@pytest.mark.usefixtures("turn")
def test_nobody_can_keep_others_from_starting_for_ever(tmp_path: Path) -> None:
    assert start_that_chooses(tmp_path, 0.5).communicate(timeout=120)[1] == b"chosen\n"
