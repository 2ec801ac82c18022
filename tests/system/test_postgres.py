"""Dagster's storage in PostgreSQL: many runs at once, killed ones too, end in the bytes of one straight line."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from cli.demo.recordings import demo_files
from cli.runs import last_runs
from cli.services.local_system import LocalSystem, local_system
from resources.object_store import ObjectStore
from resources.settings import Settings, load_settings
from tests.postgres_server import new_database
from tests.system.lakes import built_in_line, etags
from tests.system.waiting import wait_until
from vitalake.lake.parquet import SEED_PARTITION

pytestmark = [pytest.mark.system, pytest.mark.timeout(1000)]

AT_ONCE = 4
# A run costs seconds of CPU, so what takes many of them is asked for: VITALAKE_TEST_LONG=1 make test.
LONG = bool(os.environ.get("VITALAKE_TEST_LONG"))
long = pytest.mark.skipif(not LONG, reason="takes minutes: set VITALAKE_TEST_LONG=1")
DAYS = [date(2026, 1, 1) + timedelta(days=offset) for offset in range(32 if LONG else 6)]
LAST = [date(2026, 5, 1) + timedelta(days=offset) for offset in range(4)]
LATER = [date(2026, 3, 1) + timedelta(days=offset) for offset in range(4)]


@pytest.fixture(scope="module")
def system(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """The whole system with its runs, events and schedules in a database of its own, and no sensors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITALAKE_POSTGRES_URL", new_database(postgres_url, "dagster"))
        patch.setenv("VITALAKE_MAX_CONCURRENT_RUNS", str(AT_ONCE))
        home = tmp_path_factory.mktemp("postgres-home")
        with local_system(home, print, module="tests.system.without_sensors") as running:
            yield running


def upload(settings: Settings, days: list[date]) -> None:
    """A handful of recordings a day, some broken or in other formats."""
    raw = ObjectStore(settings, settings.raw_bucket)
    for file in demo_files(days[0], len(days), per_device=1):
        raw.put(file.key, file.data, expected=None)


def backfill(system: LocalSystem, days: list[date], *more: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "cli.main", "backfill", "ecg", "--home", str(system.home), "--yes"]
    argv += ["--from", days[0].isoformat(), "--to", days[-1].isoformat(), *more]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def most_at_once(runs: list[dict[str, Any]]) -> int:
    steps = sorted((time, change) for run in runs for time, change in ((run["began_at"], 1), (run["ended_at"], -1)))
    now = most = 0
    for _, change in steps:
        now += change
        most = max(most, now)
    return most


def answer(url: str, query: str) -> object:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text(query)).scalar()
    finally:
        engine.dispose()


def kill_workers(code_server: int) -> list[int]:
    """`kill -9` of every process in which a run works; their ids."""
    killed = []
    for process in psutil.Process(code_server).children(recursive=True):
        with suppress(psutil.Error):  # it may have ended since it was listed
            if "spawn_main" in " ".join(process.cmdline()):
                process.kill()
                killed.append(process.pid)
    return killed


def started(system: LocalSystem) -> list[dict[str, Any]]:
    return [run for run in last_runs(system.webserver_url, 10, "ecg_job") if run["status"] == "STARTED"]


def day_of(key: str) -> str:
    return key.split("date=")[1][:10]


def within(lake: dict[str, str], days: list[date]) -> dict[str, str]:
    return {key: etag for key, etag in lake.items() if day_of(key) in names(days)}


def names(days: list[date]) -> list[str]:
    return [day.isoformat() for day in days]


def test_days_in_four_runs_at_once_are_the_bytes_of_one_straight_line(system: LocalSystem) -> None:
    settings = load_settings(system.home)
    upload(settings, DAYS)
    said, _ = backfill(system, DAYS).communicate(timeout=900)
    assert f"{len(DAYS)} of {len(DAYS)} days built, 0 failed" in said, said
    lake = etags(settings)
    assert {day_of(key) for key in lake} == {*names(DAYS), SEED_PARTITION}
    assert lake == built_in_line(settings, names(DAYS), "in-line")

    runs = last_runs(system.webserver_url, 100, "ecg_job")
    assert sorted(run["partition"] for run in runs) == names(DAYS)
    assert 1 < most_at_once(runs) <= AT_ONCE
    assert settings.postgres_url is not None
    url = settings.postgres_url.get_secret_value()
    assert answer(url, "SELECT count(*) FROM runs WHERE status = 'SUCCESS'") == len(DAYS)
    assert answer(url, "SELECT count(DISTINCT value) FROM run_tags WHERE key = 'vitalake/partition'") == len(DAYS)
    assert list((system.home / "dagster").rglob("*.db")) == []


@long
def test_a_killed_run_worker_is_replaced_and_the_bytes_are_the_same(system: LocalSystem) -> None:
    settings = load_settings(system.home)
    upload(settings, LATER)
    code_server = system.supervisor.pid("code-server")
    assert code_server is not None
    program = backfill(system, LATER)
    killed: list[int] = []

    def a_worker_is_killed_at_work() -> bool:
        if started(system):
            killed.extend(kill_workers(code_server))
        return bool(killed)

    wait_until(a_worker_is_killed_at_work, 200, "a run of the backfill works")
    said, _ = program.communicate(timeout=900)
    assert "4 of 4 days built, 0 failed" in said, said
    runs = last_runs(system.webserver_url, 100, "ecg_job")
    later = [run for run in runs if run["partition"] in names(LATER)]
    assert "FAILURE" in {run["status"] for run in later}
    assert {run["partition"] for run in later if run["status"] == "SUCCESS"} == set(names(LATER))
    assert within(etags(settings), LATER) == within(built_in_line(settings, names(LATER), "in-line-later"), LATER)


@long
def test_runs_of_a_killed_code_server_are_replaced(system: LocalSystem) -> None:
    settings = load_settings(system.home)
    upload(settings, LAST)
    program = backfill(system, LAST)
    wait_until(lambda: bool(started(system)), 200, "a run of the backfill works")
    code_server = system.supervisor.pid("code-server")
    assert code_server is not None
    for process in psutil.Process(code_server).children(recursive=True):
        with suppress(psutil.Error):
            process.kill()
    psutil.Process(code_server).kill()
    said, _ = program.communicate(timeout=900)
    assert "4 of 4 days built, 0 failed" in said, said
    assert within(etags(settings), LAST) == within(built_in_line(settings, names(LAST), "in-line-last"), LAST)


def test_the_server_ends_with_a_test_process_that_is_killed() -> None:
    script = (
        "import sys; from tests.postgres_server import postgres_server\n"
        "with postgres_server() as url: print(url, flush=True); sys.stdin.read()\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # where we are root, the server is somebody else
        program = subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": folder},
        )
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        assert answer(url, "SELECT 1") == 1
        program.kill()
        program.wait()

        def gone() -> bool:
            try:
                answer(url, "SELECT 1")
            except OperationalError as error:
                return "Connection refused" in str(error)
            return False

        wait_until(gone, 120, "PostgreSQL is gone")
