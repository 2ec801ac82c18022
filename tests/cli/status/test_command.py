"""`vitalake status` with parts of a system; with a whole one in `tests/cli/test_backfill.py`."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from cli.environment import write_env
from cli.status.command import EXIT_NOT_RUNNING, EXIT_TROUBLE
from cli.status.health import disk
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.conftest import DAYS, LINKS, Vitalake, build, recording
from vitalake.datasets.ecg import ECG
from vitalake.lake.stages import list_objects


def test_nothing_runs(vitalake: Vitalake, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    answer = vitalake("status", "--home", elsewhere)
    assert answer.code == EXIT_NOT_RUNNING
    assert "Start it with `make run` or `vitalake up`" in answer.out
    answer = vitalake("status", "--home", elsewhere, "--format", "json")
    assert answer.code == EXIT_NOT_RUNNING
    assert json.loads(answer.out)["running"] is False


def test_a_system_that_was_stopped(vitalake: Vitalake, lake: Settings) -> None:
    gone = {"VITALAKE_S3_ENDPOINT": "http://127.0.0.1:1", "VITALAKE_WEBSERVER_URL": "http://127.0.0.1:2"}
    write_env(lake.home / "env", gone)
    answer = vitalake("status")
    assert answer.code == EXIT_NOT_RUNNING
    assert "does not answer at http://127.0.0.1:1" in answer.out
    assert "does not answer at http://127.0.0.1:2" in answer.out


@pytest.mark.usefixtures("lake")
def test_what_a_dataset_holds_and_what_it_waits_for(vitalake: Vitalake, raw: ObjectStore) -> None:
    raw.put(f"ecg/date={DAYS[0]}/new.mat", recording(7), expected=None)
    raw.put("ecg/date=2098-01-01/future.mat", recording(8), expected=None)
    answer = vitalake("status", "--format", "json")
    assert answer.code == EXIT_TROUBLE  # no web server
    health = json.loads(answer.out)
    ecg = health["datasets"]["ecg"]
    assert (ecg["objects"], ecg["waiting"]) == (8, 1)
    assert (ecg["lake"]["unprocessed"], ecg["lake"]["table"], ecg["lake"]["rows"]) == (1, "ecg_recordings", 5)
    assert ecg["lake"]["quarantine"] == {"S01": 1, "S02": 1}
    assert sum(ecg["lake"]["verdicts"].values()) == 5
    assert {name for name, service in health["services"].items() if service["works"]} == {
        "S3",
        "restricted",
        "alerts",
        "catalog",
    }
    assert health["home_bytes"] > 0
    out = vitalake("status").out
    assert "all but 1; the oldest of these came" in out
    assert "1 more wait for a day that has not come yet" in out
    assert "1 S01, 1 S02 (vitalake quarantine list)" in out


@pytest.mark.usefixtures("read_lake")
def test_without_counts_the_parts_are_looked_at_alone(vitalake: Vitalake) -> None:
    health = json.loads(vitalake("status", "--no-counts", "--format", "json").out)
    assert health["datasets"] == {}
    assert {"S3", "restricted", "alerts", "catalog"} == {
        n for n, part in health["services"].items() if part["works"]
    }


@pytest.mark.usefixtures("lake")
def test_what_was_listed_and_not_read_is_not_processed(
    vitalake: Vitalake, settings: Settings, raw: ObjectStore, store: ObjectStore
) -> None:
    raw.put(f"ecg/date={DAYS[0]}/new.mat", recording(7), expected=None)
    list_objects(ECG, raw, store, DAYS[0], settings.first_day, lambda *_: None)  # and then the run failed
    assert "all but 1; the oldest" not in vitalake("status").out
    ecg = json.loads(vitalake("status", "--format", "json").out)["datasets"]["ecg"]["lake"]
    day = [item for item in raw.objects("ecg/") if DAYS[0] in item.key]
    assert ecg["unprocessed"] == len(day) > 1, "the tables are of another listing: nobody knows of which objects"


@pytest.mark.usefixtures("lake")
def test_a_dataset_that_the_running_system_does_not_know_needs_a_start(
    vitalake: Vitalake, settings: Settings
) -> None:
    with duckdb.connect(str(settings.catalog_path)) as connection:
        connection.execute("DROP VIEW entity_metrics")
    assert "stop the system, and start it again" in " ".join(vitalake("status").out.split())


def test_records_are_counted_as_records(
    vitalake: Vitalake, home: Path, settings: Settings, raw: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home.exists()
    raw.put(f"entity_relationships/date={DAYS[0]}/links.csv", LINKS, expected=None)
    build(settings, DAYS[0], dataset="entity_relationships")
    raw.put(f"retina/date={DAYS[0]}/none.json", b"[]", expected=None)  # in no table: its day is looked into
    build(settings, DAYS[0], dataset="retina")
    links = json.loads(vitalake("status", "--format", "json").out)["datasets"]["entity_relationships"]["lake"]
    assert (links["rows"], links["warned"], links["quarantine"]) == (4, 0, {"D03": 1, "L01": 2})
    monkeypatch.setenv("VITALAKE_RESTRICTED_BUCKET", "no-such-bucket")
    health = json.loads(vitalake("status", "--format", "json").out)
    assert not health["services"]["restricted"]["works"], "told in its place"
    assert health["services"]["S3"]["works"]
    assert health["datasets"]["entity_relationships"]["lake"]["rows"] == 4
    assert (health["datasets"]["retina"]["objects"], health["datasets"]["retina"]["lake"]["unprocessed"]) == (1, 0)


@pytest.mark.usefixtures("read_lake")
def test_a_bucket_that_is_not_there_is_told_in_its_place(
    vitalake: Vitalake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITALAKE_RAW_BUCKET", "no-such-bucket")
    monkeypatch.setenv("VITALAKE_WEBSERVER_URL", "http://127.0.0.1:1")
    answer = vitalake("status")
    assert answer.code == EXIT_NOT_RUNNING
    assert "no-such-bucket" in answer.out
    assert "does not exist" in answer.out


@pytest.mark.usefixtures("home")
def test_before_the_first_run_there_is_no_catalog(vitalake: Vitalake, raw: ObjectStore) -> None:
    raw.put(f"ecg/date={DAYS[0]}/1.mat", recording(), expected=None)
    answer = vitalake("status")
    assert answer.code == EXIT_TROUBLE
    assert "comes with the first run" in answer.out
    assert "cannot be asked" in answer.out


@pytest.mark.usefixtures("home")
def test_slack_is_on_only_with_token_and_channel(vitalake: Vitalake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITALAKE_SLACK_TOKEN", "xoxb-not-a-token")
    assert "Slack is off" in vitalake("status").out
    monkeypatch.setenv("VITALAKE_SLACK_CHANNEL", "#health-data")
    out = vitalake("status").out
    assert "to Slack, #health-data" in out
    assert "xoxb" not in out


def test_a_disk_that_is_too_full_for_the_server_is_trouble() -> None:
    assert disk(free_bytes=2_600_000_000, least_bytes=2_500_000_000).works
    full = disk(free_bytes=2_400_000_000, least_bytes=2_500_000_000)
    assert (full.works, full.detail) == (
        False,
        "2.4 GB free: below 2.5 GB the S3 server takes no more uploads or tables; free some",
    )
