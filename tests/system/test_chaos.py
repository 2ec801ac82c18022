"""`kill -9` of every process in the middle of uploads: nothing lost, nothing twice, nobody has to help."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

import psutil
import pytest

from cli.demo.recordings import matlab_v4, stored, strip_mv
from cli.services.local_system import local_system
from resources.catalog import connect
from resources.object_store import ObjectStore
from resources.settings import Settings, load_settings
from tests.system.waiting import wait_until, wait_until_built
from vitalake.errors import TransientError
from vitalake.lake.parts import ConflictError

pytestmark = [pytest.mark.system, pytest.mark.timeout(1500)]

# A day that is open: what comes to an older one waits a minute for the sweep.
DAY = datetime.now(timezone.utc).date().isoformat()
KEY = f"ecg/date={DAY}/{{number:03d}}/100m (1).mat"


def recordings(count: int) -> list[bytes]:
    """Files that differ in content and share their name, as devices like to do."""
    import numpy as np

    rng = np.random.default_rng(7)
    return [matlab_v4(stored(strip_mv("clean", rng))) for _ in range(count)]


def upload(settings: Settings, files: Iterable[bytes], pause_s: float) -> None:
    """A stubborn device: goes on until the store has taken each file."""
    raw = ObjectStore(settings, settings.raw_bucket)
    for number, data in enumerate(files):
        while True:
            try:
                raw.put(KEY.format(number=number), data, expected=None)
            except TransientError as error:
                if isinstance(error, ConflictError):
                    break  # taken, but the answer was lost with the server
                time.sleep(0.2)
            else:
                break
        time.sleep(pause_s)


def assert_complete(settings: Settings, count: int) -> None:
    with connect(settings) as connection:
        for view in ("raw_ecg", "ecg_recordings", "ecg_features"):
            query = f"SELECT count(*), count(DISTINCT source_key) FROM {view}"  # noqa: S608
            assert connection.execute(query).fetchone() == (count, count), view
        assert connection.execute("SELECT count(*) FROM quarantine").fetchone() == (0,)
        assert connection.execute("SELECT count(DISTINCT content_sha256) FROM ecg_recordings").fetchone() == (
            count,
        )


def kill_a_run_worker(code_server: int) -> bool:
    """Kill a process in which a run is executed, a child of the code server; whether there was one."""
    for process in psutil.Process(code_server).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it may have ended since it was listed
            if "spawn_main" in " ".join(process.cmdline()):
                process.kill()
                return True
    return False


def test_every_service_is_killed_in_turn_while_398_files_arrive(tmp_path: Path) -> None:
    files = recordings(398)
    said: list[str] = []
    with local_system(tmp_path / "home", said.append) as system:
        settings = load_settings(system.home)
        device = threading.Thread(target=upload, args=(settings, files, 0.08))
        device.start()

        def pid(name: str) -> int:
            wait_until(lambda: system.supervisor.ready(name), 240, f"{name} is ready")
            found = system.supervisor.pid(name)
            assert found is not None
            return found

        wait_until(lambda: kill_a_run_worker(pid("code-server")), 240, "a run is killed at work")
        for name in ("daemon", "object-store", "code-server"):
            time.sleep(5)
            os.kill(pid(name), signal.SIGKILL)
        device.join()
        for name in ("object-store", "code-server", "daemon"):
            pid(name)
        wait_until_built(settings, 600)
        from cli.up import publish_empty

        publish_empty(settings)
        assert_complete(settings, 398)
    assert any("object-store" in line and "again" in line for line in said), said


def test_the_whole_system_is_killed_and_started_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    files = recordings(60)

    def start() -> subprocess.Popen[bytes]:
        (tmp_path / "home").mkdir(exist_ok=True)
        log = (tmp_path / "up.log").open("ab")
        argv = [sys.executable, "-m", "cli.main", "up", "--home", str(home)]
        return subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)

    def is_up() -> bool:
        return "Vitalake is running" in (tmp_path / "up.log").read_text()

    first = start()
    wait_until(is_up, 240, "the system is up")
    settings = load_settings(home)
    upload(settings, files[:40], 0.05)
    wait_until(
        lambda: bool(ObjectStore(settings, settings.lake_bucket).objects(f"raw_ecg/date={DAY}/")), 240, "a run"
    )
    first.kill()
    first.wait()
    (tmp_path / "up.log").write_text("")
    second = start()
    try:
        wait_until(is_up, 240, "the system is up again")
        upload(load_settings(home), files, 0.01)
        wait_until_built(load_settings(home), 600)
        assert_complete(load_settings(home), 60)
    finally:
        second.send_signal(signal.SIGINT)
        assert second.wait(240) in (0, 130)
    left = [p for p in psutil.process_iter(["cmdline"]) if str(home) in " ".join(p.info["cmdline"] or [])]
    assert left == []
