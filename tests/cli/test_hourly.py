"""The commands, of a dataset that is built by the hour."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from dagster import DagsterInstance

from cli.runs import last_runs
from cli.services.local_system import local_system
from pipeline_assets.build import build_defs
from resources.object_store import ObjectStore
from resources.settings import Settings, load_settings
from tests.cli.conftest import Vitalake
from tests.vitalake.notes import remove, upload
from tests.vitalake.vitals import VITALS, pulses

pytestmark = [pytest.mark.store, pytest.mark.usefixtures("declared")]
SPAN = ("--from", "2025-03-02T05", "--to", "2025-03-02T07")
FOLDER = "vitals/date=2025-03-02"


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other dataset is declared."""
    monkeypatch.setattr("vitalake.datasets.declared.DATASETS", (VITALS,))


@pytest.fixture
def lake(settings: Settings, home: Path, raw: ObjectStore) -> Settings:  # noqa: ARG001 (its `env` is needed)
    """Three hours, of which one is empty by now, another has a bad row, and one is not built."""
    job = build_defs(settings, datasets=(VITALS,)).resolve_job_def("vitals_job")
    for number in (4, 5, 6, 7):
        upload(raw, f"{FOLDER}/hour={number:02d}/a.csv", pulses(70, "none" if number == 5 else 71, *range(60, 100)))
    with DagsterInstance.ephemeral() as instance:
        for number in (4, 5, 6):
            assert job.execute_in_process(instance=instance, partition_key=f"2025-03-02T0{number}").success
    remove(raw, f"{FOLDER}/hour=06/a.csv")
    return settings


@pytest.mark.usefixtures("lake")
def test_the_plan_of_a_backfill_is_of_hours(vitalake: Vitalake) -> None:
    answer = vitalake("backfill", "vitals", *SPAN, "--dry-run")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines() == [
        "vitals from 2025-03-02T05 to 2025-03-02T07:",
        "  2025-03-02T05  1 object",
        "  2025-03-02T06  no objects any more: its rows are removed",
        "  2025-03-02T07  1 object",
        "3 hours to build, 2 objects; 0 hours with nothing",
    ]
    answer = vitalake("backfill", "vitals", "--from", "2025-03-02", "--to", "2025-03-02", "--dry-run")
    assert "4 hours to build, 3 objects; 20 hours with nothing" in answer.out
    for text in ("2025-03-02T24", "noon"):
        answer = vitalake("backfill", "vitals", "--from", text, "--to", "2025-03-02")
        assert (answer.code, "YYYY-MM-DDTHH" in answer.err) == (2, True)


@pytest.mark.usefixtures("lake")
def test_quarantine_and_counts_are_of_hours(vitalake: Vitalake) -> None:
    listed = vitalake("quarantine", "list")
    assert listed.code == 0, listed.err
    assert listed.out.split()[:3] == ["date", "hour", "dataset"]
    assert "2025-03-02      5   vitals" in listed.out
    shown = vitalake("quarantine", "show", "hour=05/a.csv").out
    assert "hour         2025-03-02T05 of vitals" in shown
    assert vitalake("quarantine", "list", "--format", "csv").out.endswith(",2025-03-02,5\n")
    retried = vitalake("quarantine", "retry", "--all", "--yes")
    assert "1 in quarantine, of 1 hour." in retried.out
    counts = json.loads(vitalake("status", "--format", "json").out)["datasets"]["vitals"]
    assert (counts["partition"], counts["objects"], counts["waiting"]) == ("hour", 3, 0)
    assert counts["lake"]["unprocessed"] == 1  # that of the hour that was not built


@pytest.mark.usefixtures("home")
def test_an_upload_is_of_an_hour(vitalake: Vitalake, raw: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(pulses(70))
    argv = ("upload", str(tmp_path / "p.csv"), "--dataset", "vitals")
    before = datetime.now(timezone.utc)
    for more in ((), ("--date", "2025-03-02T05"), ("--date", "2025-03-02")):
        answer = vitalake(*argv, *more)
        assert answer.code == 0, answer.err
    keys = {item.key for item in raw.objects("vitals/")}
    assert {f"{FOLDER}/hour=05/p.csv", f"{FOLDER}/hour=00/p.csv"} < keys
    assert keys & {f"vitals/date={at:%Y-%m-%d}/hour={at:%H}/p.csv" for at in (before, datetime.now(timezone.utc))}
    answer = vitalake(*argv, "--date", "2098-01-01T05")
    assert "2098-01-01T05 has not come yet" in answer.err


@pytest.mark.usefixtures("home")
def test_ddl_names_the_hour(vitalake: Vitalake) -> None:
    said = vitalake("ddl", "athena").out
    assert said.count("date=${date}/hour=${hour}/'") == said.count("'projection.hour.range' = '0,23'") == 3
    assert vitalake("ddl", "trino").out.count("partitioned_by = ARRAY['date', 'hour']") == 3


@pytest.mark.system
@pytest.mark.timeout(900)  # a minute on an idle machine
def test_a_running_system_builds_hours_again(
    vitalake: Vitalake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "system"
    monkeypatch.setenv("VITALAKE_HOME", str(home))
    with local_system(home, lambda _line: None, module="tests.system.with_hours"):
        (tmp_path / "p.csv").write_bytes(pulses(70, 71))
        for number in (4, 5, 7):
            argv = ("--dataset", "vitals", "--date", f"2025-03-02T0{number}")
            assert vitalake("upload", str(tmp_path / "p.csv"), *argv).code == 0
        done = vitalake("backfill", "vitals", *SPAN, "--yes")
        assert done.code == 0, done.out + done.err
        assert "2 of 2 hours built, 0 failed" in done.out
        settings = load_settings(home)
        runs = last_runs(settings.webserver_url or "", 20, "vitals_job", "2025-03-02T05")
        assert [(run["partition"], run["status"]) for run in runs] == [("2025-03-02T05", "SUCCESS")]
        answer = vitalake(
            "sql", "--format", "csv", "SELECT date, hour, count(*) FROM vitals GROUP BY ALL ORDER BY 2"
        )
        assert answer.out.splitlines()[1:] == ["2025-03-02,5,2", "2025-03-02,7,2"]
