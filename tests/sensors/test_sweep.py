"""The sweep on a real store and a real Dagster instance: all of the bucket, over as many ticks as it takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from dagster import DagsterInstance

from pipeline_assets.build import build_defs
from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.build import build_sensors
from tests.sensors.dropping import System, day, equal
from tests.vitalake.notes import remove, upload
from vitalake.arrivals import arrived, listed_fingerprint

pytestmark = pytest.mark.store

Put = Callable[[int, str], None]


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
                system.queue(request)
    assert asked == [day(-100 * offset) for offset in range(5)]


def test_a_tick_that_takes_too_long_goes_on_in_the_next(
    system: System, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    for offset in range(3):
        put(-offset * 100, "a")
    for request in system.sweep().requests:
        assert system.run(request)
    monkeypatch.setattr("sensors.sweep.TICK_SECONDS", -1.0)
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
        system.raw = ObjectStore(settings, "no-such-bucket")  # a pass that has ended lists no more
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
    assert [text.partition(";")[0] for text in said if text] == [f"{n} objects so far" for n in (2, 4, 6, 8)]
    assert tick.days == [day(-100 * offset) for offset in range(4)]


def test_a_folder_made_in_a_console_is_an_empty_object_of_its_day(system: System, raw: ObjectStore) -> None:
    upload(raw, f"ecg/date={day(-100)}/", b"")
    for layout in ("no key is odd", "obstore refuses one"):
        (request,) = system.sweep().requests
        assert (request.partition_key, layout) == (day(-100), layout)
        system.run(request)  # its checks block: nothing of that day can be read
        built = arrived(raw, "ecg/", system.settings.first_day, {datetime.fromisoformat(day(-100)).date()})
        assert request.tags["vitalake/fingerprint"] == listed_fingerprint(built)
        upload(raw, f"ecg/date={day(-100)}/odd\tname", b"")
