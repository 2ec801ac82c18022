"""A dataset by the hour beside one by the day: asked for, built, looked at and corrected, on a real store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRunStatus

from resources.catalog import connect
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.sensors.dropping import System
from tests.vitalake.notes import remove, upload
from tests.vitalake.vitals import VITALS, pulses
from vitalake.arrivals.calendar import Partition
from vitalake.datasets.pricing import PRICING

pytestmark = pytest.mark.store


def hour(offset: int) -> Partition:
    """So many hours from this one, in UTC."""
    at = datetime.now(timezone.utc) + timedelta(hours=offset)
    return Partition(at.date(), at.hour)


@pytest.fixture
def system(settings: Settings, raw: ObjectStore) -> Iterator[System]:
    with DagsterInstance.ephemeral() as instance:
        yield System(settings, raw, instance, (VITALS, PRICING))


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings) as connection:
        return connection.execute(query).fetchall()


def test_an_object_of_this_hour_is_one_request_of_this_hour_and_once_built_none(
    system: System, raw: ObjectStore, store: ObjectStore
) -> None:
    now = hour(0)
    upload(raw, f"vitals/{now.folder}device=m-1/a.csv", pulses(70, 71))
    upload(raw, f"vitals/date={now.day}/day.csv", pulses(60))  # names no hour: that of 00:00
    first = system.tick()
    (request,) = [request for request in first.requests if request.partition_key == str(now)]
    assert request.run_key and request.run_key.startswith(f"vitals:{now}:")
    assert request.tags["vitalake/partition"] == f"vitals:{now}"
    assert system.run(request)
    assert [item.key.partition("part-")[0] for item in store.objects("vitals/")] == [
        "vitals/date=1970-01-01/hour=00/",
        f"vitals/{now.folder}",
    ]
    columns = [name for name, *_ in ask(system.settings, "DESCRIBE vitals")]
    assert columns[-2:] == ["date", "hour"]
    rows = ask(system.settings, "SELECT date, hour, count(*) FROM vitals WHERE pulse_bpm >= 70 GROUP BY ALL")
    assert rows == [(now.day, now.hour, 2)]
    for other in first.requests:  # that of 00:00, as long as it is open
        assert other is request or system.run(other)
    assert system.tick(first.cursor).requests == []


def test_the_sweep_finds_every_other_hour_and_what_is_gone(system: System, raw: ObjectStore) -> None:
    keys = {
        "date=2025-03-02/hour=05/a.csv": "2025-03-02T05",
        "2025/03/02/06/a.csv": "2025-03-02T06",
        "year=2025/month=3/day=2/hour=7/a.csv": "2025-03-02T07",
        "dt=2025-03-02-08-00/a.csv": "2025-03-02T08",
        "2025-03-02/a.csv": "2025-03-02T00",
        "loose.csv": str(hour(0)),
        f"{hour(30).folder}a.csv": None,
    }
    for key in keys:
        upload(raw, f"vitals/{key}", pulses(70))
    tick = system.tick(name="vitals_sweep")
    assert tick.days == sorted(filter(None, keys.values()), reverse=True)
    for request in tick.requests:
        assert system.run(request)
    tick = system.tick(tick.cursor, "vitals_sweep")
    assert tick.requests == []
    assert json.loads(tick.cursor or "")["equal"].keys() == {"2025-03-02", str(hour(0).day)}  # one a day is kept
    said = f"1 objects wait for an hour that has not come yet: {hour(30)}"
    assert said in (tick.said or "") and "in 7 hours" in (tick.said or "")

    remove(raw, "vitals/2025/03/02/06/a.csv")
    upload(raw, "vitals/date=2025-03-02/hour=05/a.csv", pulses(70, 80, "none"))
    tick = system.tick(tick.cursor, "vitals_sweep")
    assert tick.days == ["2025-03-02T06", "2025-03-02T05"]
    for request in tick.requests:
        assert system.run(request)
    assert system.tick(tick.cursor, "vitals_sweep").requests == []
    query = "SELECT hour, count(*) FROM vitals WHERE date = '2025-03-02' GROUP BY 1 ORDER BY 1"
    assert ask(system.settings, query) == [(0, 1), (5, 2), (7, 1), (8, 1)]
    assert ask(system.settings, "SELECT date::VARCHAR, hour, rule FROM quarantine") == [("2025-03-02", 5, "D05")]


def test_a_time_that_nobody_can_be_sure_of_is_in_quarantine_with_words(system: System, raw: ObjectStore) -> None:
    upload(raw, "vitals/date=2025-03-02/hour=27/a.csv", pulses(70))
    upload(raw, "vitals/date=2025-03-02/hour=00/b.csv", pulses(71))
    upload(raw, "vitals/date=2025-03-02/hour=00/c.csv", pulses(72))
    upload(raw, "pricing/2025/02/30/a.csv", b"ID,Region,InstanceType,Price (USD/h)\n1,eu,m5,0.1\n")
    (request,) = system.tick(name="vitals_sweep").requests
    assert request.partition_key == "2025-03-02T00"
    assert system.run(request)
    (request,) = system.tick(name="pricing_sweep").requests
    system.run(request)  # its check blocks: nothing of that day can be read
    found = ask(system.settings, "SELECT dataset, hour, rule, message FROM quarantine ORDER BY dataset DESC")
    assert found == [
        ("vitals", 0, "S17", "the key names an hour that no day has; nothing of it is read"),
        ("pricing", None, "S17", "the key names a date that no calendar has; nothing of it is read"),
    ]
    assert ask(system.settings, "SELECT count(*) FROM vitals") == [(2,)]


def test_an_hour_that_is_being_built_is_not_asked_for_again(system: System, raw: ObjectStore) -> None:
    for offset in (-1, 0):
        upload(raw, f"vitals/{hour(offset).folder}a.csv", pulses(70))
    first = system.tick()
    assert first.days == [str(hour(0)), str(hour(-1))]
    system.queue(first.requests[0], DagsterRunStatus.STARTED)
    assert system.tick().days == [str(hour(-1))]
