"""The sweep on a real store and a real Dagster instance: all of the bucket, over as many ticks as it takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest
from dagster import AssetMaterialization, DagsterInstance, DagsterRunStatus

from pipeline_assets.build import build_defs
from pipeline_assets.dagster_metadata import FINGERPRINT
from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.build import build_sensors
from tests.sensors.dropping import RECORDING, System, day, equal
from tests.vitalake.notes import remove, upload
from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import TransientError

pytestmark = pytest.mark.store

Put = Callable[[int, str], None]


class Failing(ObjectStore):
    """The bucket, of which a pass gets so many pages; the next request for one fails."""

    left = 0

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        for page in super().pages(prefix, after):
            if prefix == "ecg/":
                self.left -= 1
                if self.left < 0:
                    raise TransientError("the store did not answer")
            yield page


def test_an_object_of_a_day_to_come_waits_and_is_spoken_of(system: System, put: Put) -> None:
    put(1, "a")  # tomorrow has begun somewhere
    put(7, "b")
    tick = system.sweep()
    assert tick.days == [day(1)]
    assert system.run(tick.requests[0])
    tick = system.sweep()
    assert tick.requests == []
    assert f"looked at; 1 objects wait for a day that has not come yet: {day(7)}" in (tick.said or "")


def test_a_late_upload_to_an_old_day_is_found_by_the_sweep(system: System, put: Put) -> None:
    put(-400, "a")
    assert system.tick().requests == []
    (request,) = system.sweep().requests
    assert request.partition_key == day(-400)
    assert system.run(request)
    assert system.sweep().requests == []
    remove(system.raw, f"ecg/date={day(-400)}/a")
    assert system.tick().requests == []
    assert system.sweep().days == [day(-400)]


def test_a_tick_asks_for_so_many_runs_and_the_next_goes_on(settings: Settings, raw: ObjectStore, put: Put) -> None:
    for offset in range(5):
        put(-100 * offset, "a")
    with DagsterInstance.ephemeral() as instance:
        system = System(settings.model_copy(update={"runs_per_tick": 2}), raw, instance)
        asked = []
        while requests := system.sweep().requests:
            assert len(requests) <= 2
            asked += [request.partition_key for request in requests]
            for request in requests:
                system.queue(request, DagsterRunStatus.STARTED)
    assert asked == [day(-100 * offset) for offset in range(5)]


def test_what_waits_in_the_queue_counts_and_todays_uploads_do_not_wait_behind_years(
    settings: Settings, raw: ObjectStore, put: Put
) -> None:
    for offset in range(-5, -1):
        put(100 * offset, "a")
    with DagsterInstance.ephemeral() as instance:
        system = System(settings.model_copy(update={"runs_per_tick": 2}), raw, instance)
        first = system.sweep()
        begun, _ = [system.queue(request) for request in first.requests]
        assert (first.days, system.sweep().days) == ([day(-200), day(-300)], [])
        run = instance.get_run_by_id(begun)
        assert run is not None
        instance.report_run_canceled(run)
        assert len(system.sweep().days) == 1


def test_a_tick_that_takes_too_long_goes_on_in_the_next(
    system: System, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    for offset in range(3):
        put(-offset * 100, "a")
    for request in system.sweep().requests:
        assert system.run(request)
    monkeypatch.setattr("sensors.sweep._LOOK_SECONDS", -1.0)
    cursor = None
    for offset in range(3):
        tick = system.tick(cursor, "ecg_sweep")
        assert tick.requests == []
        assert set(equal(tick)) == {day(-each * 100) for each in range(offset + 1)}
        cursor = tick.cursor


def test_requests_that_one_tick_may_not_make_are_made_by_the_next_without_another_pass(
    settings: Settings, raw: ObjectStore, put: Put
) -> None:
    for offset in range(5):
        put(-100 * offset, "a")
    with DagsterInstance.ephemeral() as instance:
        system = System(settings.model_copy(update={"runs_per_tick": 2}), raw, instance)
        first = system.tick(None, "ecg_sweep")
        system.raw = Failing(settings, raw.bucket)  # a pass that has ended goes through no pages
        second = system.tick(first.cursor, "ecg_sweep")
        third = system.tick(second.cursor, "ecg_sweep")
    asked = [*first.days, *second.days, *third.days]
    assert {*asked} == {day(-100 * offset) for offset in range(5)}


@pytest.mark.parametrize("restart", [False, True])
def test_a_pass_goes_on_over_ticks_and_restarts_of_the_process(
    system: System, put: Put, monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    for offset in range(4):
        for name in "ab":
            put(-100 * offset, name)
    monkeypatch.setattr("sensors.sweep._PASS_SECONDS", -1.0)
    monkeypatch.setattr("resources.object_store._PAGE", 2)
    cursor, said = None, []
    while not (tick := system.tick(cursor, "ecg_sweep")).requests:
        said.append(tick.said)
        cursor = tick.cursor
        if restart:
            system.defs = build_defs(system.settings, build_sensors)
    assert [text.partition(";")[0] for text in said if text] == [f"{n} objects so far" for n in range(1, 8)]
    assert tick.days == [day(-100 * offset) for offset in range(4)]


def test_a_page_that_fails_costs_no_other_page(system: System, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    for offset in range(6):
        put(-100 * offset, "a")
    upload(system.raw, "ecg/a.mat", RECORDING)  # its company is known only at the end of the pass
    monkeypatch.setattr("resources.object_store._PAGE", 3)
    system.raw = raw = Failing(system.settings, system.raw.bucket)
    raw.left = 2
    with pytest.raises(TransientError):
        system.tick(None, "ecg_sweep")
    raw.left = 1
    assert system.tick(None, "ecg_sweep").days == [day(-100 * offset) for offset in range(6)]


def test_what_was_built_since_a_pass_listed_it_is_not_built_again_and_what_was_not_is(
    system: System, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(-100, "a")
    (request,) = system.sweep().requests
    assert system.run(request)
    put(-1, "a")
    for name in "bc":  # of days that have not come yet: listed last, and never asked for
        put(7, name)
    monkeypatch.setattr("sensors.sweep._PASS_SECONDS", -1.0)
    monkeypatch.setattr("resources.object_store._PAGE", 3)
    first = system.tick(None, "ecg_sweep")
    assert "objects so far" in (first.said or "")
    put(-1, "late")
    (request,) = system.tick().requests
    assert system.run(request)
    monkeypatch.undo()
    assert system.tick(first.cursor, "ecg_sweep").requests == []
    put(-100, "late")
    remove(system.raw, f"ecg/date={day(-1)}/a")
    assert system.tick(None, "ecg_sweep").days == [day(-1), day(-100)]


def test_a_cursor_of_an_earlier_version_is_read(system: System, put: Put) -> None:
    put(-100, "a")
    (request,) = system.sweep().requests
    assert system.run(request)
    fingerprint = request.tags["vitalake/fingerprint"]
    now = datetime.now(timezone.utc).isoformat()
    earlier = {
        "since": now,
        "equal": {day(-100): fingerprint},
        "position": {"after": f"ecg/date={day(-100)}/a", "days": {day(-100): [1, fingerprint]}, "at": now},
    }
    tick = system.tick(json.dumps(earlier), "ecg_sweep")
    assert (tick.requests, set(equal(tick))) == ([], {day(-100)})
    assert "1 objects in 1 days, 1 looked at" in (tick.said or "")


def test_where_more_fails_than_ticks_can_ask_for_a_late_upload_is_found_all_the_same(
    settings: Settings, raw: ObjectStore, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "vitalake.arrivals.planning._FIRST_RETRY", timedelta(0)
    )  # of very many, some are always due
    monkeypatch.setattr("sensors.sweep._HEARD_SECONDS", 0.0)
    put(-200, "good")
    for offset in range(3):
        upload(raw, f"ecg/date={day(-300 - offset)}/bad", b"no recording")  # its checks block
    with DagsterInstance.ephemeral() as instance:
        system = System(settings.model_copy(update={"runs_per_tick": 2}), raw, instance)
        asked, cursor = [], None
        for number in range(6):
            tick = system.tick(cursor, "ecg_sweep")
            for request in tick.requests:
                system.run(request)
            asked.append(day(-200) in tick.days)
            cursor = tick.cursor
            if number == 1:
                put(-200, "late")
    assert asked[:2] == [True, False]
    assert any(asked[2:])


def test_a_day_that_was_recorded_otherwise_since_is_asked_for_again(system: System, put: Put) -> None:
    put(-100, "a")
    system.build_all()
    cursor = system.sweep().cursor
    assert "0 looked at" in (system.tick(cursor, "ecg_sweep").said or "")
    older = AssetMaterialization("ecg_beats", partition=day(-100), metadata={FINGERPRINT: "older"})
    system.instance.report_runless_asset_event(older)
    assert "1 looked at" in (system.tick(cursor, "ecg_sweep").said or "")


def test_rows_of_deleted_objects_go_where_dagster_has_forgotten_the_day(
    settings: Settings, raw: ObjectStore, system: System, put: Put
) -> None:
    put(-100, "a")
    system.build_all()
    remove(raw, f"ecg/date={day(-100)}/a")
    lake = ObjectStore(settings, settings.lake_bucket)
    lake.put("raw_ecg/backup/part.parquet", b"of somebody", expected=None)  # in no folder of a day
    with DagsterInstance.ephemeral() as new:
        forgetful = System(settings, raw, new)
        (request,) = forgetful.sweep().requests
        assert request.partition_key == day(-100)
        assert lake.objects(f"ecg_signals/date={day(-100)}/")
        assert forgetful.run(request)
        assert forgetful.sweep().requests == []
    assert lake.objects(f"ecg_signals/date={day(-100)}/") == []


def test_days_before_a_first_day_that_was_raised_are_left_alone(
    settings: Settings, raw: ObjectStore, system: System, put: Put
) -> None:
    put(-100, "a")
    system.build_all()
    first_day = datetime.now(timezone.utc).date() - timedelta(days=50)
    raised = System(settings.model_copy(update={"first_day": first_day}), raw, system.instance)
    assert raised.sweep().days == [day(0)]  # the object's own date counts as none


def test_a_folder_made_in_a_console_is_no_object_of_its_day(system: System, raw: ObjectStore) -> None:
    upload(raw, f"ecg/date={day(-100)}/", b"")
    assert system.sweep().requests == []
    for name in ("empty", "odd\tname"):  # which obstore takes, and does not take
        upload(raw, f"ecg/date={day(-100)}/{name}", b"")
        (request,) = system.sweep().requests
        assert (request.partition_key, name) == (day(-100), name)
        system.run(request)  # its checks block: nothing of that day can be read
        built = arrived(raw, "ecg/", Calendar(system.settings.first_day), {Partition.parse(day(-100))})
        assert request.tags["vitalake/fingerprint"] == listed_fingerprint(built)
        assert name in {bundle[0].key.rpartition("/")[2] for bundle in built}
