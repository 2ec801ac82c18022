"""Drops on a real store and a real Dagster instance: what differs is requested, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta

import pytest
from dagster import AssetMaterialization, DagsterInstance, DagsterRunStatus

from pipeline_assets.build import build_defs
from pipeline_assets.dagster_metadata import FINGERPRINT
from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.drops import drop_sensor
from tests.sensors.dropping import RECORDING, System, day, equal
from tests.vitalake.notes import remove, upload
from vitalake.arrivals.calendar import Calendar
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.datasets.declared import DATASETS
from vitalake.datasets.ecg import ECG
from vitalake.errors import PermanentError

pytestmark = pytest.mark.store

Put = Callable[[int, str], None]


def test_a_new_object_is_one_request_and_once_built_none(system: System, put: Put) -> None:
    assert "ecg: 0 objects in 0 days" in (system.tick().said or "")
    put(0, "a")
    first = system.tick()
    (request,) = first.requests
    fingerprint = listed_fingerprint(arrived(system.raw, "ecg/", Calendar(system.settings.first_day)))
    assert request.run_key == f"ecg:{day(0)}:{fingerprint}:0"
    assert request.partition_key == day(0)
    assert request.tags["vitalake/partition"] == f"ecg:{day(0)}"
    assert [item.run_key for item in system.tick(first.cursor).requests] == [request.run_key]

    assert system.run(request)
    built = system.tick(first.cursor)
    assert built.requests == []
    assert "nothing to do; ecg: 1 objects in 1 days, 1 looked at" in (built.said or "")
    assert "ecg: 1 objects in 1 days, 0 looked at" in (
        system.tick(built.cursor).said or ""
    )  # the cursor saves looking again
    lost = system.tick(None)
    assert (lost.requests, equal(lost)) == ([], equal(built))
    assert system.sweep().requests == []

    put(0, "b")
    assert system.tick(built.cursor).days == system.tick(None).days == [day(0)]


def test_a_day_whose_objects_are_all_deleted_is_emptied(system: System, put: Put) -> None:
    put(0, "a")
    (request,) = system.tick().requests
    assert system.run(request)
    cursor = system.tick().cursor
    remove(system.raw, f"ecg/date={day(0)}/a")
    (emptying,) = system.tick(cursor).requests
    assert emptying.partition_key == day(0)
    assert system.run(emptying)
    assert ObjectStore(system.settings, system.settings.lake_bucket).objects(f"ecg_signals/date={day(0)}/") == []
    assert system.tick(cursor).requests == []


def test_a_new_upload_waits_for_the_run_that_is_under_way(system: System, put: Put) -> None:
    put(0, "a")
    (request,) = system.tick().requests
    run_id = system.queue(request, DagsterRunStatus.STARTED)
    put(0, "b")
    put(-1, "a")
    assert system.tick().days == [day(-1)]  # the other day does not wait
    assert system.run(request)
    assert system.tick().days == [day(-1)]
    run = system.instance.get_run_by_id(run_id)
    assert run is not None
    system.instance.report_run_canceled(run)
    put(0, "c")
    assert system.tick().days == [day(0), day(-1)]


def test_a_run_that_ended_without_building_is_asked_for_again_later(
    system: System, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(0, "a")
    (request,) = system.tick().requests
    assert not system.run(request, system.settings.model_copy(update={"raw_bucket": "no-such-bucket"}))
    assert system.tick().requests == []
    monkeypatch.setattr("vitalake.arrivals.planning._FIRST_RETRY", timedelta(0))
    (again,) = system.tick().requests
    assert again.run_key == f"{str(request.run_key)[:-2]}:1"
    assert system.run(again)
    assert system.tick().requests == []


def test_a_day_is_done_when_every_table_of_it_is(
    system: System, raw: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day of nothing but junk is listed and read, and its checks block what follows."""
    monkeypatch.setattr("vitalake.arrivals.planning._FIRST_RETRY", timedelta(0))
    upload(raw, f"ecg/date={day(0)}/a", b"no recording")
    (request,) = system.tick().requests
    assert not system.run(request)
    assert system.tick().days == [day(0)]


def test_other_content_does_not_wait_for_the_pause_of_what_failed(system: System, put: Put) -> None:
    put(0, "a")
    (request,) = system.tick().requests
    assert not system.run(request, system.settings.model_copy(update={"raw_bucket": "no-such-bucket"}))
    put(0, "b")
    (other,) = system.tick().requests
    assert str(other.run_key).endswith(":0")


def test_what_takes_too_long_to_list_is_left_to_the_sweep(
    system: System, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(0, "a")
    monkeypatch.setattr("sensors.bounded_listing.LISTING_SECONDS", 0.0)
    tick = system.tick()
    assert (tick.requests, "left to ecg_sweep" in (tick.said or "")) == ([], True)
    monkeypatch.undo()
    assert system.tick(tick.cursor).days == [day(0)]  # once may be a store that hung
    monkeypatch.setattr("sensors.bounded_listing.LISTING_SECONDS", 0.0)
    tick = system.tick(tick.cursor)
    monkeypatch.undo()
    assert "left to ecg_sweep" in (system.tick(tick.cursor).said or "")  # for a while
    assert system.tick(None).days == system.sweep().days == [day(0)]
    cursor = json.loads(tick.cursor or "")
    cursor["ecg"]["left_at"] = f"{day(400)}T00:00:00+00:00"  # by a clock that was ahead
    assert system.tick(json.dumps(cursor)).days == [day(0)]


def test_a_bucket_that_cannot_be_listed_is_no_empty_day(system: System, put: Put) -> None:
    put(0, "a")
    (request,) = system.tick().requests
    assert system.run(request)
    system.raw = ObjectStore(system.settings, "no-such-bucket")
    for name in ("drops", "ecg_sweep"):
        with pytest.raises(PermanentError, match="does not exist"):
            system.tick(name=name)


def test_what_was_found_equal_is_asked_again_after_a_while(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(system.raw, f"ecg/date={day(0)}/a.mat", RECORDING)
    (request,) = system.tick().requests
    assert system.run(request)
    cursor = system.tick().cursor
    for table in ECG.all_tables:  # a run that was overtaken records an older listing last
        older = AssetMaterialization(table.name, partition=day(0), metadata={FINGERPRINT: "older"})
        system.instance.report_runless_asset_event(older)
    assert system.tick(cursor).requests == []
    monkeypatch.setattr("sensors.drops._LOOK_AGAIN_S", 1e-6)
    monkeypatch.setattr("vitalake.arrivals.planning._FIRST_RETRY", timedelta(0))
    assert system.tick(cursor).days == [day(0)]


def test_datasets_take_turns_where_a_tick_has_time_for_one(
    system: System, raw: ObjectStore, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(0, "a")
    upload(raw, f"retina/date={day(0)}/a.json", b"[]")
    monkeypatch.setattr("sensors.drops.TICK_SECONDS", -1.0)
    asked, cursor = [], None
    for _ in DATASETS:
        tick = system.tick(cursor)
        asked += [str(request.job_name) for request in tick.requests]
        cursor = tick.cursor
    assert sorted(asked) == ["ecg_job", "retina_job"]


def test_a_dataset_with_many_runs_to_ask_for_leaves_some_to_the_others(
    settings: Settings, raw: ObjectStore, put: Put
) -> None:
    for offset in (-1, 0, 1):
        put(offset, "a")
    upload(raw, f"retina/date={day(0)}/a.json", b"[]")
    with DagsterInstance.ephemeral() as instance:
        system = System(settings.model_copy(update={"runs_per_tick": 2}), raw, instance)
        first = system.tick()
        for request in first.requests:
            system.queue(request)
        second = system.tick(first.cursor)
    asked = [(request.job_name, request.partition_key) for request in first.requests + second.requests]
    assert asked[:2] == [("ecg_job", day(1)), ("ecg_job", day(0))]
    assert sorted(asked[2:]) == [("ecg_job", day(-1)), ("retina_job", day(0))]


def test_a_dataset_that_cannot_be_looked_at_keeps_no_other_waiting(
    settings: Settings, raw: ObjectStore, put: Put
) -> None:
    def no_bundles(_names: Collection[str]) -> dict[str, str]:
        raise KeyError("a mistake in a declaration")

    upload(raw, f"retina/date={day(0)}/a.json", b"[]")
    mistaken = [replace(each, group_objects=no_bundles) if each.name == "retina" else each for each in DATASETS]
    with DagsterInstance.ephemeral() as instance:
        system = System(settings, raw, instance)
        system.defs = build_defs(settings, lambda there, _, jobs: [drop_sensor(mistaken, jobs, there)])
        put(0, "a")
        (request,) = system.tick().requests
        assert request.job_name == "ecg_job"
        system.queue(request)
        with pytest.raises(KeyError, match="a mistake in a declaration"):  # no news: the tick is a failed one
            system.tick()


def test_a_dataset_that_takes_all_the_time_and_fails_has_its_turn_after_the_others(
    settings: Settings, raw: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_bundles(_names: Collection[str]) -> dict[str, str]:
        raise KeyError("a mistake in a declaration")

    monkeypatch.setattr("sensors.drops.TICK_SECONDS", -1.0)
    upload(raw, f"retina/date={day(0)}/a.json", b"[]")
    upload(raw, f"ecg/date={day(0)}/a", RECORDING)
    chosen = [each for each in DATASETS if each.name in ("ecg", "retina")]
    mistaken = [replace(each, group_objects=no_bundles) if each.name == "ecg" else each for each in chosen]
    with DagsterInstance.ephemeral() as instance:
        system = System(settings, raw, instance)
        system.defs = build_defs(settings, lambda there, _, jobs: [drop_sensor(mistaken, jobs, there)])
        with pytest.raises(KeyError):
            system.tick()
        assert [request.job_name for request in system.tick().requests] == ["retina_job"]  # no cursor was kept


@pytest.mark.parametrize(
    "typed",
    [
        "ecg",
        "[1]",
        '{"ecg": 5, "first dataset": "retina"}',
        '{"first dataset": []}',
        '{"ecg": {"since": 5, "equal": {}, "left_until": 5, "next": 7}}',
        '{"ecg": {"since": "2026-01-01T00:00:00", "equal": 3}}',
    ],
)
def test_a_cursor_that_somebody_typed_is_as_good_as_none(system: System, put: Put, typed: str) -> None:
    put(0, "a")
    assert system.tick(typed).days == [day(0)]


@pytest.mark.parametrize("name", ["", "device=a/", "device=a_$folder$"])
def test_what_stands_for_a_folder_asks_for_nothing(system: System, put: Put, name: str) -> None:
    upload(system.raw, "ecg/", b"")
    upload(system.raw, f"ecg/date={day(-1)}/{name}", b"")
    for tick in (system.tick(), system.sweep()):
        assert tick.requests == []
    assert "ecg: 0 objects in 0 days" in (system.tick().said or "")
    put(0, "a")
    upload(system.raw, f"ecg/date={day(0)}/{name}", b"")
    (request,) = system.tick().requests
    assert system.run(request)
    for tick in (system.tick(), system.sweep(), system.tick()):
        assert tick.requests == []
    assert "ecg: 1 objects in 1 days" in (system.tick().said or "")


def test_a_key_that_ends_in_a_slash_is_built_once(system: System, put: Put) -> None:
    put(0, "a")
    upload(system.raw, f"ecg/date={day(0)}/device=a/", RECORDING)
    (request,) = system.tick().requests
    system.run(request)
    for tick in (system.tick(), system.sweep(), system.tick()):
        assert tick.requests == []
