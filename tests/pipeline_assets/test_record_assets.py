"""Retina scans, price lists and business entities as Dagster builds them, on a real store, down to SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from dagster import DagsterInstance, ExecuteInProcessResult

from resources.build import Resources, build_resources
from resources.catalog import connect
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.pipeline_assets.running import DAY, checks, materialized, run_all_days, run_day
from tests.vitalake.entities.samples import as_json, ten_customers
from tests.vitalake.lake.watched_store import WatchedStore
from tests.vitalake.notes import remove, upload
from tests.vitalake.scans import SCAN

pytestmark = pytest.mark.store
HEADER = "ID,Region,InstanceType,Price (USD/h)\n"


class Lake:
    """A lake that objects are dropped into and days are built in."""

    def __init__(self, settings: Settings, raw: ObjectStore, instance: DagsterInstance) -> None:
        self.settings, self.raw, self.instance = settings, raw, instance

    def drop(self, key: str, data: str | bytes) -> None:
        upload(self.raw, key, data if isinstance(data, bytes) else data.encode())

    def build(self, dataset: str, resources: Resources | None = None) -> ExecuteInProcessResult:
        return run_day(self.settings, self.instance, resources, DAY, dataset)

    def follow(self, dataset: str, resources: Resources | None = None) -> ExecuteInProcessResult:
        return run_all_days(self.settings, self.instance, dataset, resources)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.settings) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def lake(settings: Settings, raw: ObjectStore, instance: DagsterInstance) -> Lake:
    return Lake(settings, raw, instance)


def price_list(*rows: Sequence[Any]) -> str:
    return HEADER + "".join(",".join(map(str, row)) + "\n" for row in rows)


def test_a_header_only_file_eats_no_row_of_the_next_and_no_row_surfaces_in_another_file(lake: Lake) -> None:
    lake.drop(f"pricing/date={DAY}/a.csv", HEADER)
    lake.drop(f"pricing/date={DAY}/b.csv", price_list((1, "eu", "m5", 0.1), (2, "us", "m5", "?")))
    lake.drop(f"pricing/date={DAY}/c +é.csv", price_list((3, "eu", "m5", 0.3)))
    assert lake.build("pricing").success
    rows = lake.ask("SELECT source_key, record_number, instance_id FROM pricing_instances ORDER BY ALL")
    assert rows == [(f"pricing/date={DAY}/b.csv", 2, 1), (f"pricing/date={DAY}/c +é.csv", 2, 3)]
    refused = lake.ask("SELECT source_key, record_number, rule, record_text FROM quarantine")
    assert refused == [(f"pricing/date={DAY}/b.csv", 3, "D05", "2,us,m5,?")]


def test_of_duplicate_keys_the_newest_row_wins_and_the_older_ones_are_reported(lake: Lake) -> None:
    lake.drop(f"pricing/date={DAY}/b.csv", price_list((1, "eu", "m5", 1), (1, "eu", "m5", 2)))
    first = lake.build("pricing")
    assert checks(first)["repeated_keys"].metadata["bad"].value == 1
    assert lake.ask("SELECT price_usd_per_h FROM pricing_instances_current") == [(2.0,)]
    lake.drop(f"pricing/date={DAY}/a.csv", price_list((1, "eu", "m5", 3)))
    lake.build("pricing")
    assert lake.ask("SELECT price_usd_per_h FROM pricing_instances_current") == [(3.0,)]
    assert lake.ask("SELECT price_usd_per_h FROM pricing_instances_superseded ORDER BY ALL") == [(1.0,), (2.0,)]
    remove(lake.raw, f"pricing/date={DAY}/a.csv")
    lake.build("pricing")
    assert lake.ask("SELECT price_usd_per_h FROM pricing_instances_current") == [(2.0,)]


def test_a_second_run_writes_nothing(lake: Lake, store: ObjectStore) -> None:
    lake.drop(f"pricing/date={DAY}/a.csv", price_list((1, "eu", "m5", 1)))
    lake.drop(f"retina/date={DAY}/a.json", json.dumps([SCAN]))
    lake.drop(f"entities/date={DAY}/a.json", as_json(ten_customers()))
    for dataset in ("pricing", "retina", "entities"):
        assert lake.build(dataset).success
        assert_unchanged(lake, lake.build, dataset, WatchedStore(store))
    assert lake.follow("entities").success
    assert_unchanged(lake, lake.follow, "entities", WatchedStore(store))


def assert_unchanged(
    lake: Lake, job: Callable[..., ExecuteInProcessResult], dataset: str, watched: WatchedStore
) -> None:
    again = job(dataset, replace(build_resources(lake.settings), lake=cast("ObjectStore", watched)))
    assert again.success
    assert (watched.writes, watched.deletions) == ([], [])
    assert {each["outcome"] for each in materialized(again).values() if "outcome" in each} == {"unchanged"}


def test_names_live_in_one_place_and_the_export_is_valid_json(lake: Lake) -> None:
    records = [
        SCAN,
        SCAN | {"patient_id": "P2", "patient_name": 'Bea "B" Ö'},
        SCAN | {"patient_name": "Ada Newname"},
        SCAN | {"patient_id": "P3", "patient_name": "\u00a0"},
    ]
    bad = [SCAN | {"patient_id": "", "patient_name": "Cesar Lost"}]
    lake.drop(f"retina/date={DAY}/a.json", json.dumps(records + bad))
    result = lake.build("retina")
    assert result.success
    assert lake.follow("retina").success
    patients = lake.ask("SELECT patient_id, patient_name FROM retina_patients ORDER BY ALL")
    assert patients == [("P1", "Ada Newname"), ("P2", 'Bea "B" Ö'), ("P3", None)]
    restricted = ObjectStore(lake.settings, lake.settings.restricted_bucket)
    [export] = restricted.objects("exports/")
    exported = json.loads(restricted.get(export.key))
    assert [(each["patient_id"], each["patient_name"]) for each in exported] == patients
    open_bucket = ObjectStore(lake.settings, lake.settings.lake_bucket)
    for folder in open_bucket.folders("retina_scans/")[0] + open_bucket.folders("retina_quarantine/")[0]:
        for item in open_bucket.objects(folder):
            data = open_bucket.get(item.key)
            assert not any(name in data for name in (b"Ada", b"Bea", b"Cesar"))
    assert not open_bucket.objects("retina_names/")
    told = json.dumps(list(materialized(result).values()), default=str)
    told += json.dumps(lake.ask("SELECT * FROM retina_quarantine"), default=str)
    assert not any(name in told for name in ("Ada", "Bea", "Cesar"))


def test_a_blank_id_is_no_success_and_half_a_day_of_them_stops_what_follows(lake: Lake) -> None:
    lake.drop(
        f"retina/date={DAY}/a.json", json.dumps([SCAN, SCAN | {"patient_id": " "}, SCAN | {"patient_id": None}])
    )
    found = checks(lake.build("retina"))
    assert (found["refused"].passed, found["refused"].severity.value) == (False, "ERROR")
    assert found["refused"].metadata["details"].value == {"D04": 2}


def test_a_diagnosis_that_nobody_knows_warns(lake: Lake) -> None:
    lake.drop(f"retina/date={DAY}/a.json", json.dumps([SCAN, SCAN | {"diagnosis": "odd"}]))
    warned = checks(lake.build("retina"))["warned"]
    assert (warned.passed, warned.severity.value, warned.metadata["details"].value) == (False, "WARN", {"R05": 1})


def test_ten_customers_are_ten_entities(lake: Lake) -> None:
    """Not one: the demo file names its ids `customer_id`."""
    lake.drop(f"entities/date={DAY}/a.json", as_json(ten_customers()))
    assert lake.build("entities").success
    assert lake.follow("entities").success
    assert lake.ask("SELECT count(*), count(DISTINCT canonical_id) FROM entities_current") == [(10, 10)]
    assert lake.ask("SELECT count(*) FROM entities_golden") == [(10,)]
    assert lake.ask("SELECT max(version) FROM entities_history") == [(1,)]


def test_a_single_object_gives_no_empty_result(lake: Lake) -> None:
    lake.drop(f"retina/date={DAY}/one.json", json.dumps(SCAN))
    assert lake.build("retina").success
    assert lake.ask("SELECT patient_id, record_number FROM retina_scans") == [("P1", 1)]


@pytest.mark.parametrize(
    "data",
    [b'[{"patient_id": "P1"', b"patient_id\nP1\n", b"\x89PNG\r\n\x1a\n\x00\x00", b"\xff\xfe[\x00]\x00"],
    ids=["cut off", "CSV", "PNG", "UTF-16"],
)
def test_invalid_json_is_not_counted_as_success(lake: Lake, data: bytes) -> None:
    lake.drop(f"retina/date={DAY}/bad.json", data)
    lake.drop(f"retina/date={DAY}/good.json", json.dumps([SCAN]))
    result = lake.build("retina")
    [(key, rule)] = lake.ask("SELECT source_key, rule FROM quarantine")
    assert (key, rule in ("S02", "D07")) == (f"retina/date={DAY}/bad.json", True)
    refused = checks(result)["refused"]
    assert (refused.passed, refused.metadata["bad"].value, refused.metadata["total"].value) == (False, 1, 2)
    assert lake.ask("SELECT source_key FROM retina_scans") == [(f"retina/date={DAY}/good.json",)]


def test_nan_in_a_scan_reaches_no_output(lake: Lake) -> None:
    text = json.dumps([SCAN | {"optic_disc_cup_ratio": float("nan")}, SCAN | {"patient_name": None}, SCAN])
    lake.drop(f"retina/date={DAY}/a.json", text)
    lake.build("retina")
    lake.follow("retina")
    assert lake.ask("SELECT record_number, rule FROM quarantine") == [(1, "D02")]
    [item] = ObjectStore(lake.settings, lake.settings.restricted_bucket).objects("exports/")
    export = ObjectStore(lake.settings, lake.settings.restricted_bucket).get(item.key)
    assert json.loads(export, parse_constant=pytest.fail) == [{"patient_id": "P1", "patient_name": "Ada Example"}]


def test_a_warm_worker_writes_no_row_of_an_earlier_file_again(lake: Lake) -> None:
    """Two runs in one process: what the first has read is no part of the second."""
    for number in (1, 2, 3):
        lake.drop(f"pricing/date={DAY}/{number}.csv", price_list((number, "eu", "m5", 0.1)))
        lake.build("pricing")
    rows = lake.ask("SELECT source_key, instance_id FROM pricing_instances ORDER BY ALL")
    assert rows == [(f"pricing/date={DAY}/{number}.csv", number) for number in (1, 2, 3)]


def test_short_and_long_rows_are_refused_and_shift_no_value(lake: Lake) -> None:
    lake.drop(f"pricing/date={DAY}/a.csv", HEADER + "1,eu,m5\n2,eu,m5,0.2,more\n3,eu,m5,0.3\n4,eu,m5,0.4\n")
    lake.build("pricing")
    rows = lake.ask("SELECT instance_id, price_usd_per_h FROM pricing_instances ORDER BY ALL")
    assert rows == [(3, 0.3), (4, 0.4)]
    refused = lake.ask("SELECT record_number, rule, record_text FROM quarantine ORDER BY ALL")
    assert refused == [(2, "D03", "1,eu,m5"), (3, "D03", "2,eu,m5,0.2,more")]
