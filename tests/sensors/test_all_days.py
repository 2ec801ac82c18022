"""What follows from all days is run when days were built, on a real store and a real Dagster instance."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance, DagsterRunStatus, RunRequest

from pipeline_assets.all_days import UP_TO, newest_event, to_follow
from pipeline_assets.build import build_defs
from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.build import build_sensors
from tests.sensors.dropping import System, Tick, day
from tests.vitalake.entities.samples import as_json, ten_customers
from tests.vitalake.notes import remove, upload
from tests.vitalake.scans import SCAN
from vitalake.datasets.entities import ENTITIES

pytestmark = pytest.mark.store


@pytest.fixture
def asked(system: System, raw: ObjectStore) -> RunRequest:
    """The request for a day with ten customers."""
    upload(raw, f"entities/date={day(0)}/a.json", as_json(ten_customers()))
    (request,) = system.tick().requests
    return request


def look(system: System, cursor: str | None = None) -> Tick:
    return system.tick(cursor, "all_days")


def test_days_that_were_built_are_followed_once(system: System, asked: RunRequest) -> None:
    assert look(system).requests == []
    assert system.run(asked)
    (request,) = look(system).requests
    assert (request.job_name, request.partition_key) == ("entities_all_days_job", None)
    nodes = {node.name for node in system.defs.resolve_job_def(str(request.job_name)).nodes}
    assert nodes == {"combine_entities_matches_entities_golden", "lake"}  # no check that stands alone
    assert request.tags["vitalake/partition"] == "entities:all"  # one at a time (dagster.yaml)
    assert [same.run_key for same in look(system).requests] == [request.run_key]  # which Dagster takes once
    assert system.run(request)
    assert look(system).requests == []

    remove(system.raw, f"entities/date={day(0)}/a.json")
    (emptying,) = system.tick().requests
    assert system.run(emptying)
    (request,) = look(system).requests
    assert system.run(request)
    lake = ObjectStore(system.settings, system.settings.lake_bucket)
    assert look(system).requests == []
    assert len(lake.objects("entities_golden/all/")) == 1


def test_days_that_are_being_built_are_waited_for_but_not_for_ever(system: System, asked: RunRequest) -> None:
    assert system.run(asked)
    under_way = system.queue(asked, DagsterRunStatus.STARTED)
    first = look(system)
    assert (first.requests, "entities waits for its days" in (first.said or "")) == ([], True)
    assert look(system, first.cursor).cursor == first.cursor
    long_ago = (datetime.now(timezone.utc) - ENTITIES.processed_within).isoformat()
    assert len(look(system, json.dumps({"entities": long_ago})).requests) == 1
    run = system.instance.get_run_by_id(under_way)
    assert run is not None
    system.instance.report_run_canceled(run)
    assert len(look(system, first.cursor).requests) == 1


def test_what_is_built_while_it_runs_is_followed_by_the_next(system: System, asked: RunRequest) -> None:
    assert system.run(asked)
    (request,) = look(system).requests
    running = system.queue(request, DagsterRunStatus.STARTED)
    assert system.run(asked)  # the same day once more: nobody has looked whether it changed anything
    assert look(system).requests == []
    run = system.instance.get_run_by_id(running)
    assert run is not None
    system.instance.report_run_canceled(run)
    (later,) = look(system).requests
    assert later.run_key != request.run_key
    assert system.run(later)
    assert look(system).requests == []


def test_a_failed_delivery_is_asked_for_again_after_a_pause(
    system: System, raw: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing new has to be uploaded for that."""
    upload(raw, f"retina/date={day(0)}/a.json", json.dumps(SCAN).encode())
    (asked,) = system.tick().requests
    assert system.run(asked)
    (request,) = look(system).requests
    assert request.job_name == "retina_all_days_job"
    nowhere = system.settings.model_copy(update={"restricted_bucket": "no-such-bucket"})
    assert not system.run(request, nowhere)
    assert "retina is tried again later" in (look(system).said or "")
    monkeypatch.setattr("vitalake.arrivals.planning._FIRST_RETRY", timedelta(0))
    (again,) = look(system).requests
    assert str(again.run_key).endswith(":1")
    assert system.run(again)
    assert look(system).requests == []


def test_a_sink_that_is_configured_later_gets_what_was_there_before(system: System, raw: ObjectStore) -> None:
    upload(raw, f"pricing/date={day(0)}/a.csv", b"ID,Region,InstanceType,Price (USD/h)\n1,eu,m5,0.1\n")
    (asked,) = system.tick().requests
    assert system.run(asked)
    assert look(system).requests == []  # no sink of it is configured
    system.settings = system.settings.model_copy(update={"dynamodb_tables": True})
    system.defs = build_defs(system.settings, build_sensors)
    (request,) = look(system).requests
    assert request.job_name == "pricing_all_days_job"


def test_who_wipes_assets_gets_them_followed_again(system: System, asked: RunRequest) -> None:
    assert system.run(asked)
    (request,) = look(system).requests
    assert system.run(request)
    assert look(system).requests == []
    system.instance.wipe_assets([AssetKey(table.name) for table in ENTITIES.all_tables])
    assert len(look(system).requests) == 1


def test_numbers_that_dagster_gives_again_after_runs_were_deleted_are_no_old_ones(
    settings: Settings, raw: ObjectStore
) -> None:
    """SQLite does: the newest event has the number that was followed, and is another one."""
    with DagsterInstance.local_temp() as instance:
        system = System(settings, raw, instance)
        for name in ("a", "b"):
            upload(raw, f"entities/date={day(0)}/{name}.json", as_json(ten_customers()))
            (asked,) = system.tick().requests
            assert system.run(asked)
            (request,) = look(system).requests
            assert system.run(request)
            assert look(system).requests == []
            for run in instance.get_runs():
                instance.delete_run(run.run_id)


def test_a_day_that_is_built_by_click_is_waited_for_too(system: System, asked: RunRequest) -> None:
    assert system.run(asked)
    clicked = system.instance.create_run_for_job(
        system.defs.resolve_implicit_global_asset_job_def(),
        tags={"dagster/partition": day(0)},
        asset_selection=frozenset({AssetKey("raw_entities")}),
        status=DagsterRunStatus.STARTED,
    )
    assert look(system).requests == []
    system.instance.report_run_canceled(clicked)
    assert len(look(system).requests) == 1


def test_it_runs_on_a_machine_that_has_built_no_day(system: System, raw: ObjectStore, tmp_path: Path) -> None:
    """As in a cluster, where every run has a disk of its own: the catalog is made where it is read."""
    upload(raw, f"retina/date={day(0)}/a.json", json.dumps([SCAN]).encode())
    (asked,) = system.tick().requests
    assert system.run(asked)
    (request,) = look(system).requests
    assert system.run(request, system.settings.model_copy(update={"home": tmp_path / "elsewhere"}))
    restricted = ObjectStore(system.settings, system.settings.restricted_bucket)
    assert len(restricted.objects("exports/")) == 1


def test_a_copy_has_followed_no_more_than_the_tables_that_it_reads(system: System, asked: RunRequest) -> None:
    """A combined table that has missed a day makes the copy of it miss that day."""
    instance, combined = system.instance, ["entities_matches", "entities_golden"]
    assert system.run(asked)
    seen = newest_event(instance, ENTITIES)
    for name in combined:
        instance.report_runless_asset_event(AssetMaterialization(name, metadata={UP_TO: seen}))
    assert to_follow(instance, ENTITIES, combined) == seen
    assert system.run(asked)
    assert to_follow(instance, ENTITIES, combined) == seen
    assert to_follow(instance, ENTITIES) == newest_event(instance, ENTITIES) != seen


@pytest.mark.parametrize(
    "typed",
    ["entities", "[1]", '{"entities": 5}', '{"entities": "yesterday"}', '{"entities": "2026-01-01T00:00:00"}'],
)
def test_a_cursor_that_somebody_typed_is_as_good_as_none(system: System, asked: RunRequest, typed: str) -> None:
    assert system.run(asked)
    assert len(look(system, typed).requests) == 1
