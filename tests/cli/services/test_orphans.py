"""Orphaned runs in a real Dagster instance: those whose process is gone fail, all others stay as they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.events import EngineEventData
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from cli.services.orphans import fail_orphaned_runs
from tests.cli.services.test_supervisor import until

ROOT = Path(__file__).resolve().parents[3]


# A queued run must know where its code is.
SERVER = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1)
ORIGIN = RemoteJobOrigin(RemoteRepositoryOrigin(SERVER, "__repository__"), "nothing")


@dg.job
def nothing() -> None: ...


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as temporary:
        yield temporary


def run_in(instance: DagsterInstance, status: DagsterRunStatus, *, pid: int | None = None, age_s: float = 0) -> str:
    """A run in this status, whose process (if any) was reported `age_s` ago."""
    run = instance.create_run_for_job(nothing, status=status, remote_job_origin=ORIGIN)
    if pid is not None:
        data = EngineEventData({"pid": dg.MetadataValue.text(str(pid))})
        event = DagsterEvent(DagsterEventType.ENGINE_EVENT.value, "nothing", message="x", event_specific_data=data)
        instance.report_dagster_event(event, run.run_id, timestamp=time.time() - age_s)
    return run.run_id


def status(instance: DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert isinstance(run, DagsterRun)
    return run.status


def test_runs_without_a_process_fail_with_a_message(instance: DagsterInstance) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    starting = run_in(instance, DagsterRunStatus.STARTING)
    started = run_in(instance, DagsterRunStatus.STARTED, pid=gone.pid)
    assert set(fail_orphaned_runs(instance)) == {starting, started}
    for run_id in (starting, started):
        assert status(instance, run_id) == DagsterRunStatus.FAILURE
        (failure,) = instance.all_logs(run_id, of_type=DagsterEventType.RUN_FAILURE)
        assert "process of this run is gone" in str(failure.get_dagster_event().message)
    assert fail_orphaned_runs(instance) == []


def test_a_run_that_was_to_be_cancelled_is_cancelled(instance: DagsterInstance) -> None:
    run_id = run_in(instance, DagsterRunStatus.CANCELING)
    fail_orphaned_runs(instance)
    assert status(instance, run_id) == DagsterRunStatus.CANCELED


def test_waiting_and_finished_runs_are_left_alone(instance: DagsterInstance) -> None:
    kept = [
        DagsterRunStatus.NOT_STARTED,
        DagsterRunStatus.QUEUED,
        DagsterRunStatus.SUCCESS,
        DagsterRunStatus.FAILURE,
        DagsterRunStatus.CANCELED,
    ]
    runs = {run_in(instance, each): each for each in kept}
    assert fail_orphaned_runs(instance) == []
    assert {run_id: status(instance, run_id) for run_id in runs} == runs


def test_a_recycled_process_id_does_not_count_as_alive(instance: DagsterInstance) -> None:
    alive = run_in(instance, DagsterRunStatus.STARTED, pid=os.getpid())
    recycled = run_in(instance, DagsterRunStatus.STARTED, pid=os.getpid(), age_s=86_400)
    assert fail_orphaned_runs(instance) == [recycled]
    assert status(instance, alive) == DagsterRunStatus.STARTED


def test_a_real_run_is_spared_while_its_process_lives_and_failed_after_kill_9(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    env = {**os.environ, "DAGSTER_HOME": str(tmp_path), "VITALAKE_HOME": str(tmp_path)}
    argv = [
        sys.executable,
        "-m",
        "dagster",
        "job",
        "execute",
        "-m",
        "tests.cli.services.slow_job",
        "-j",
        "slow_job",
    ]
    with (tmp_path / "log").open("wb") as log:
        program = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        until(lambda: list(tmp_path.glob("begun-*")), 200)
        with DagsterInstance.from_config(str(tmp_path)) as instance:
            assert fail_orphaned_runs(instance) == []
            program.kill()
            program.wait()
            (run,) = instance.get_runs()
            assert run.status == DagsterRunStatus.STARTED
            assert fail_orphaned_runs(instance) == [run.run_id]
            assert status(instance, run.run_id) == DagsterRunStatus.FAILURE
    finally:
        program.kill()
        program.wait()
