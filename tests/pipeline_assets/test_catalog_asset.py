"""The catalog in the runs of days: published when what it says changed, without a look at other datasets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from dagster import DagsterInstance, materialize

from pipeline_assets.build import build_defs
from pipeline_assets.catalog_asset import catalog_asset
from resources.build import build_resources
from resources.catalog import connect, publish
from resources.lake_store import LakeStore
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.pipeline_assets.running import DAY, materialized, run_day
from tests.pipeline_assets.test_record_assets import price_list
from tests.vitalake.notes import upload
from vitalake.arrivals.objects import ObjectInfo
from vitalake.datasets.declared import DATASETS
from vitalake.datasets.pricing import PRICING

pytestmark = pytest.mark.store
PRICES = price_list((1, "eu", "m5", 1)).encode()


class CountedStore(LakeStore):
    """The lake, and how many requests were made for each table."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            settings, {table.name for each in DATASETS for table in each.every_table if table.restricted}
        )
        self.requests: Counter[str] = Counter()

    def _count(self, key: str) -> None:
        self.requests[key.partition("/")[0]] += 1

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        self._count(prefix)
        return super().pages(prefix, after)

    def folders(self, prefix: str, within_s: float | None = None) -> tuple[list[str], list[ObjectInfo]]:
        self._count(prefix)
        return super().folders(prefix, within_s)

    def get(self, key: str, version: str | None = None) -> bytes:
        self._count(key)
        return super().get(key, version)

    def tail(self, key: str, size_bytes: int) -> bytes:
        self._count(key)
        return super().tail(key, size_bytes)

    def put(self, key: str, data: bytes, *, expected: str | None) -> str:
        self._count(key)
        return super().put(key, data, expected=expected)


def test_an_unchanged_day_makes_no_request_to_tables_of_other_datasets(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance
) -> None:
    upload(raw, f"pricing/date={DAY}/a.csv", PRICES)
    assert run_day(settings, instance, dataset="pricing").success
    lake = CountedStore(settings)
    again = run_day(settings, instance, replace(build_resources(settings), lake=lake), dataset="pricing")
    assert again.success
    assert {each["outcome"] for each in materialized(again).values() if "outcome" in each} == {"unchanged"}
    own = {table.name for table in PRICING.every_table}
    assert set(lake.requests) == own
    before = sum(lake.requests.values())
    publish(settings, lake, DATASETS)  # what a run did before: it looks at every table of the lake
    assert before <= 6 * len(own) < sum(lake.requests.values()) - before, lake.requests


def test_a_day_publishes_the_catalog_where_there_is_none_or_another_one(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance
) -> None:
    upload(raw, f"pricing/date={DAY}/a.csv", PRICES)
    job = build_defs(settings, datasets=[PRICING]).resolve_job_def("pricing_job")
    assert job.execute_in_process(instance=instance, partition_key=DAY).success
    assert materialized(run_day(settings, instance, dataset="pricing"))["lake"]["outcome"] == "published"
    settings.catalog_path.unlink()
    assert materialized(run_day(settings, instance, dataset="pricing"))["lake"]["outcome"] == "published"
    with connect(settings) as connection:
        assert connection.execute("SELECT count(*) FROM pricing_instances").fetchone() == (1,)


def test_making_the_catalog_by_itself_puts_lost_columns_back(
    settings: Settings, store: ObjectStore, instance: DagsterInstance
) -> None:
    resources = vars(build_resources(settings))
    lake = [catalog_asset(DATASETS)]
    assert materialize(lake, instance=instance, resources=resources).success
    for item in store.objects("pricing_instances/"):
        store.delete(item.key, expected=item.version)
    assert materialize(lake, instance=instance, resources=resources).success
    with connect(settings) as connection:
        assert connection.execute("SELECT count(*) FROM pricing_instances").fetchone() == (0,)
