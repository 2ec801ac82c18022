"""Exports through the stages that every dataset has, on a real store."""

from __future__ import annotations

import pytest

from resources.catalog import connect, publish
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.vitalake.entities.samples import as_json, erp_export, legacy_export, ten_customers
from tests.vitalake.notes import DAY, build, upload
from vitalake.datasets.declared import DATASETS
from vitalake.datasets.entities import ENTITIES
from vitalake.entities.tables import ENVELOPES, EXPORTS, PRIVATE_ATTRIBUTES, RECORDS
from vitalake.lake.stages import load_table
from vitalake.serving.catalog import names_people

pytestmark = pytest.mark.store


def test_every_record_of_every_object_ends_in_a_table_or_in_quarantine_and_again_nothing_is_written(
    raw: ObjectStore, store: ObjectStore
) -> None:
    broken = erp_export()
    broken["records"] += [{"id": 9}, "no record", {"businessName": "Nobody", "revenue": 5}]
    objects = {
        f"date={DAY}/demo.json": as_json(ten_customers()),
        f"date={DAY}/erp.json": as_json(broken),
        f"date={DAY}/source=legacy/old.json": as_json(legacy_export()),
        f"date={DAY}/nobody.json": as_json(legacy_export()),
        f"date={DAY}/torn.json": as_json(ten_customers())[:-7],
    }
    for name, data in objects.items():
        upload(raw, ENTITIES.prefix + name, data)
    build(ENTITIES, raw, store, DAY)

    assert load_table(store, RECORDS, DAY).num_rows == 10 + 2 + 2
    exports = load_table(store, EXPORTS, DAY).select(["record_count", "usable_count"]).to_pylist()
    assert sorted(tuple(row.values()) for row in exports) == [(2, 2), (5, 2), (10, 10)]
    quarantine = load_table(store, ENTITIES.quarantine_table, DAY)
    found = quarantine.select(["source_key", "rule", "record_number", "record_count"]).to_pylist()
    assert sorted((row.pop("source_key").rpartition("/")[2], *row.values()) for row in found) == [
        ("erp.json", "D02", 4, 1),
        ("erp.json", "E03", 5, 1),
        ("erp.json", "E04", 3, 1),
        ("nobody.json", "E01", None, 2),
        ("torn.json", "S02", None, 1),
    ]
    assert [report.written for report in build(ENTITIES, raw, store, DAY)] == [[], []]


def test_all_attributes_are_for_those_who_may_read_the_restricted_bucket(
    settings: Settings, raw: ObjectStore, store: ObjectStore
) -> None:
    upload(raw, f"{ENTITIES.prefix}date={DAY}/1.json", as_json(ten_customers()))
    changed = ten_customers()
    changed["records"][0]["contacts"] = ["ann@cust001.example"]
    upload(raw, f"{ENTITIES.prefix}date={DAY}/2.json", as_json(changed))
    build(ENTITIES, raw, store, DAY)
    opened = ObjectStore(settings, settings.lake_bucket)
    for table in (PRIVATE_ATTRIBUTES, ENVELOPES):
        assert not opened.objects(f"{table.name}/")
        assert ObjectStore(settings, settings.restricted_bucket).objects(f"{table.name}/")
    publish(settings, store, DATASETS)
    query = (
        "SELECT version, attributes::JSON->>'$.contacts[0]' FROM {} WHERE source_id = 'CUST001' ORDER BY version"
    )
    with connect(settings) as connection:
        assert connection.execute(query.format("entities_history")).fetchall() == [(1, None), (2, None)]
        assert connection.execute(query.format("entities_with_private")).fetchall() == [
            (1, "office@cust001.example"),
            (2, "ann@cust001.example"),
        ]
        for view in ("entities_history", "entities_current"):
            rows = connection.execute(f"SELECT count(*) FROM {view}").fetchall()  # noqa: S608
            assert rows == connection.execute(f"SELECT count(*) FROM {view} WHERE attributes <> '{{}}'").fetchall()  # noqa: S608
    assert names_people("entities_with_private", DATASETS)
    assert not names_people("entities_history", DATASETS)
