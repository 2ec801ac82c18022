"""What `vitalake status` says of sensors: a real web server and storage, with ticks as the daemon records them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance
from dagster._core.scheduler.instigation import InstigatorStatus

from cli.services.dagster_services import query
from cli.services.ports import HOST
from cli.status.command import EXIT_TROUBLE
from cli.status.sensor_ticks import last_ticks
from tests.cli.conftest import Vitalake
from tests.s3_server import free_ports
from tests.sensors.instigation import LOCATION, Recorder
from vitalake.errors import PermanentError

DENIED = PermanentError("vitalake-raw/ecg/: access denied; give the role s3:ListBucket")
CANARY = "Ada Lovelace 18151210"
_PATIENCE_S = 90


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    with DagsterInstance.get() as instance:
        yield instance


@pytest.fixture
def web(instance: DagsterInstance, tmp_path: Path) -> Iterator[str]:
    """A web server with the sensors of `tests.sensors.instigation`."""
    assert instance.is_persistent
    module = {"module_name": "tests.sensors.instigation", "location_name": LOCATION}
    (tmp_path / "workspace.yaml").write_text(json.dumps({"load_from": [{"python_module": module}]}))
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "dagster_webserver", "-h", HOST, "-p", str(port)]
    command += ["-w", str(tmp_path / "workspace.yaml")]
    root = Path(__file__).resolve().parents[3]
    with (tmp_path / "web.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, stdout=log, stderr=log
        )
        try:
            url, began = f"http://{HOST}:{port}", time.monotonic()
            while time.monotonic() - began < _PATIENCE_S:
                try:
                    query(url, "{version}")
                    break
                except OSError:
                    time.sleep(0.3)
            yield url
        finally:
            server.terminate()
            server.wait(30)


@pytest.mark.system
@pytest.mark.usefixtures("lake")
def test_failing_and_stopped_sensors_are_trouble(
    vitalake: Vitalake, instance: DagsterInstance, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drops, sweep = Recorder(instance, "drops"), Recorder(instance, "ecg_sweep")
    hourly = Recorder(instance, "hourly", is_schedule=True, status=InstigatorStatus.RUNNING)
    Recorder(instance, "not_by_default").is_set(InstigatorStatus.STOPPED)
    drops.works()
    assert (last_ticks(web).works, last_ticks(web).detail) == (True, "3 running")

    drops.fails(1, DENIED)
    drops.begins()
    hourly.fails(1, KeyError(CANARY))
    sweep.is_set(InstigatorStatus.STOPPED)
    found = last_ticks(web)
    assert found.failing == {"drops": f"PermanentError: {DENIED}", "hourly": "KeyError: see its ticks"}
    assert (found.running, found.stopped) == (2, ["ecg_sweep"])

    monkeypatch.setenv("VITALAKE_WEBSERVER_URL", web)
    answer = vitalake("status", "--format", "json")
    assert answer.code == EXIT_TROUBLE
    sensors = json.loads(answer.out)["services"]["sensors"]
    assert not sensors["works"]
    assert "drops, hourly fail; drops: PermanentError: vitalake-raw/ecg/: access denied" in sensors["detail"]
    assert "stopped: ecg_sweep" in sensors["detail"]
    assert CANARY not in answer.out
