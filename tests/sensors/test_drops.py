"""The sensors on a real store and a real Dagster instance: what differs is requested, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest
from dagster import (
    AssetMaterialization,
    DagsterInstance,
    DagsterRunStatus,
    Definitions,
    RunRequest,
    build_sensor_context,
)

from pipeline_assets.build import build_defs
from pipeline_assets.shown import FINGERPRINT
from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.build import build_sensors
from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.notes import remove, upload
from vitalake.arrivals import arrived, listed_fingerprint
from vitalake.datasets.ecg import ECG
from vitalake.errors import PermanentError

pytestmark = pytest.mark.store
RECORDING = v4_file(strip())


def day(offset: int) -> str:
    """So many days from today, in UTC."""
    return (datetime.now(timezone.utc).date() + timedelta(days=offset)).isoformat()


@dataclass(frozen=True)
class Tick:
    """What a sensor asked for and said."""

    requests: list[RunRequest]
    cursor: str | None
    said: str | None

    @property
    def days(self) -> list[str | None]:
        """The partitions that runs were requested for."""
        return [request.partition_key for request in self.requests]


def equal(tick: Tick) -> dict[str, str]:
    """What the cursor remembers as found equal."""
    found: dict[str, str] = json.loads(tick.cursor or "{}")["equal"]
    return found


class System:
    """Code location, bucket and instance; ticks and runs happen when a test says so."""

    def __init__(self, settings: Settings, raw: ObjectStore, instance: DagsterInstance) -> None:
        self.settings, self.raw, self.instance = settings, raw, instance
        self.defs: Definitions = build_defs(settings, build_sensors)

    def tick(self, cursor: str | None = None, name: str = "ecg_drops") -> Tick:
        context = build_sensor_context(
            instance=self.instance, cursor=cursor, definitions=self.defs, resources={"raw": self.raw}
        )
        result = self.defs.resolve_sensor_def(name).evaluate_tick(context)
        return Tick(list(result.run_requests or []), result.cursor, result.skip_message)

    def sweep(self) -> Tick:
        return self.tick(name="ecg_sweep")

    def run(self, request: RunRequest, settings: Settings | None = None) -> bool:
        """Carry out a request, in another configuration if one is given."""
        job = build_defs(settings or self.settings).resolve_job_def("ecg_job")
        tags = {**request.tags, "dagster/run_key": str(request.run_key)}
        return job.execute_in_process(
            instance=self.instance, partition_key=request.partition_key, tags=tags, raise_on_error=False
        ).success

    def queue(self, request: RunRequest, status: DagsterRunStatus = DagsterRunStatus.NOT_STARTED) -> str:
        """A run that has been asked for and not ended."""
        job = self.defs.resolve_job_def("ecg_job")
        tags = {**job.tags, **request.tags, "dagster/partition": str(request.partition_key)}
        return self.instance.create_run_for_job(job, tags=tags, status=status).run_id


@pytest.fixture
def system(settings: Settings, raw: ObjectStore) -> Iterator[System]:
    with DagsterInstance.ephemeral() as instance:
        yield System(settings, raw, instance)


@pytest.fixture
def put(raw: ObjectStore) -> Callable[[int, str], None]:
    return lambda offset, name: upload(raw, f"ecg/date={day(offset)}/{name}", RECORDING)


Put = Callable[[int, str], None]


def test_a_new_object_is_one_request_and_once_built_none(system: System, put: Put) -> None:
    assert "0 objects in 0 days" in (system.tick().said or "")
    put(0, "a")
    first = system.tick()
    (request,) = first.requests
    fingerprint = listed_fingerprint(arrived(system.raw, "ecg/", system.settings.first_day))
    assert request.run_key == f"ecg:{day(0)}:{fingerprint}:0"
    assert request.partition_key == day(0)
    assert request.tags["vitalake/partition"] == f"ecg:{day(0)}"
    assert [item.run_key for item in system.tick(first.cursor).requests] == [request.run_key]

    assert system.run(request)
    built = system.tick(first.cursor)
    assert built.requests == []
    assert "1 objects in 1 days; 1 days looked at, nothing to do" in (built.said or "")
    assert "0 days looked at" in (system.tick(built.cursor).said or "")  # the cursor saves looking again
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
    monkeypatch.setattr("vitalake.planning._FIRST_RETRY", timedelta(0))
    (again,) = system.tick().requests
    assert again.run_key == f"{str(request.run_key)[:-2]}:1"
    assert system.run(again)
    assert system.tick().requests == []


def test_a_day_is_done_when_every_table_of_it_is(
    system: System, raw: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day of nothing but junk is listed and read, and its checks block what follows."""
    monkeypatch.setattr("vitalake.planning._FIRST_RETRY", timedelta(0))
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


def test_an_object_of_a_day_to_come_waits_and_is_spoken_of(system: System, put: Put) -> None:
    put(1, "a")  # tomorrow has begun somewhere
    put(7, "b")
    tick = system.sweep()
    assert tick.days == [day(1)]
    assert system.run(tick.requests[0])
    tick = system.sweep()
    assert tick.requests == []
    assert f"nothing to do; 1 objects wait for a day that has not come yet: {day(7)}" in (tick.said or "")


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
    monkeypatch.setattr("sensors.differences.TICK_SECONDS", -1.0)
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
    monkeypatch.setattr("sensors.sweep.TICK_SECONDS", -1.0)
    monkeypatch.setattr("resources.object_store._PAGE", 2)
    cursor, said = None, []
    while not (tick := system.tick(cursor, "ecg_sweep")).requests:
        said.append(tick.said)
        cursor = tick.cursor
        if restart:
            system.defs = build_defs(system.settings, build_sensors)
    assert [text.partition(";")[0] for text in said if text] == [f"{n} objects so far" for n in (2, 4, 6, 8)]
    assert tick.days == [day(-100 * offset) for offset in range(4)]


def test_what_takes_too_long_to_list_is_left_to_the_sweep(
    system: System, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(0, "a")
    monkeypatch.setattr("sensors.looking.LISTING_SECONDS", 0.0)
    tick = system.tick()
    assert (tick.requests, "left to ecg_sweep" in (tick.said or "")) == ([], True)
    monkeypatch.undo()
    assert "left to ecg_sweep" in (system.tick(tick.cursor).said or "")  # for a while
    assert system.tick(None).days == system.sweep().days == [day(0)]


def test_a_folder_made_in_a_console_is_an_empty_object_of_its_day(system: System, raw: ObjectStore) -> None:
    upload(raw, f"ecg/date={day(-100)}/", b"")
    for layout in ("no key is odd", "obstore refuses one"):
        (request,) = system.sweep().requests
        assert (request.partition_key, layout) == (day(-100), layout)
        system.run(request)  # its checks block: nothing of that day can be read
        built = arrived(raw, "ecg/", system.settings.first_day, {datetime.fromisoformat(day(-100)).date()})
        assert request.tags["vitalake/fingerprint"] == listed_fingerprint(built)
        upload(raw, f"ecg/date={day(-100)}/odd\tname", b"")


def test_a_bucket_that_cannot_be_listed_is_no_empty_day(system: System, put: Put) -> None:
    put(0, "a")
    (request,) = system.tick().requests
    assert system.run(request)
    system.raw = ObjectStore(system.settings, "no-such-bucket")
    for name in ("ecg_drops", "ecg_sweep"):
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
    monkeypatch.setattr("sensors.differences.REMEMBER", timedelta(0))
    monkeypatch.setattr("vitalake.planning._FIRST_RETRY", timedelta(0))
    assert system.tick(cursor).days == [day(0)]
