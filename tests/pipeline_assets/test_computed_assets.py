"""Tables of one's own as Dagster builds them: after their sources, by the runs of each dataset, as any asset."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dagster import AssetKey, DagsterInstance, RunRequest, build_sensor_context

from pipeline_assets.build import build_defs
from resources.alerting.outbox import Outbox
from resources.build import lake_store
from resources.catalog import connect
from resources.object_store import ObjectStore
from resources.settings import Settings
from sensors.build import build_sensors
from tests.cli.conftest import LINKS
from tests.vitalake.notes import remove, upload
from tests.vitalake.scans import SCAN
from vitalake.datasets.entity_relationships import ENTITY_RELATIONSHIPS
from vitalake.datasets.pricing import PRICING
from vitalake.lake.computed.declaration import ComputedTable, Condition
from vitalake.lake.computed.resolved import with_computed
from vitalake.lake.dataset import Threshold
from vitalake.lake.tables import Column

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.store
ROOT = Path(__file__).resolve().parents[2]
DAY = datetime.now(timezone.utc).date().isoformat()
PRICES = b"ID,Region,InstanceType,Price (USD/h)\n1,eu,m5,0.1\n2,eu,m5,0.3\n3,us,m5,0.2\n"
PLAIN = replace(PRICING, sinks=())


def count(pricing_instances: pd.DataFrame, entity_relationships: pd.DataFrame) -> pd.DataFrame:
    found: pd.DataFrame = pricing_instances.groupby("region", as_index=False).agg(
        offers=("region", "size"), price_usd_per_h=("price_usd_per_h", "mean")
    )
    found["links"] = len(entity_relationships)
    return found


BY_DAY = ComputedTable(
    name="regions",
    doc="One row a region and day.",
    owner="analyst@example.org",
    columns=(
        Column("region", "string", "Region.", nullable=False),
        Column("offers", "int64", "How many offers.", nullable=False),
        Column("price_usd_per_h", "float64", "Mean price in US dollars an hour."),
        Column("links", "int32", "How many links came on that day."),
    ),
    key=("region",),
    sources={"pricing_instances": ["region", "price_usd_per_h"], "entity_relationships": ["parent_id"]},
    compute=count,
    checks=(Condition("cheap", "Offers are cheap.", Threshold(warn=0.0, block=0.6), holds="price_usd_per_h < 1"),),
)
WHOLE = replace(
    BY_DAY,
    name="regions_ever",
    doc="One row a region.",
    compute=None,
    sql="""SELECT region, count(*) AS offers, avg(price_usd_per_h) AS price_usd_per_h,
        (SELECT count(*) FROM entity_relationships) AS links FROM pricing_instances GROUP BY region""",
    whole=True,
)


class Lake:
    """Two datasets and the tables over both."""

    def __init__(
        self, settings: Settings, raw: ObjectStore, instance: DagsterInstance, *tables: ComputedTable
    ) -> None:
        self.settings, self.raw, self.instance = settings, raw, instance
        self.datasets = with_computed([PLAIN, ENTITY_RELATIONSHIPS], tables)
        self.defs = build_defs(settings, build_sensors, datasets=self.datasets)

    def drop(self, dataset: str, name: str, data: bytes) -> None:
        upload(self.raw, f"{dataset}/date={DAY}/{name}", data)

    def asked(self, sensor: str = "drops") -> dict[str, RunRequest]:
        """What a sensor asks for, by job."""
        context = build_sensor_context(
            instance=self.instance,
            definitions=self.defs,
            resources={"raw": self.raw, "lake": lake_store(self.settings)},
        )
        requests = self.defs.resolve_sensor_def(sensor).evaluate_tick(context).run_requests or ()
        return {str(request.job_name): request for request in requests}

    def run(self, request: RunRequest) -> bool:
        job = self.defs.resolve_job_def(str(request.job_name))
        tags = {**request.tags, "dagster/run_key": str(request.run_key)}
        self.done = job.execute_in_process(
            instance=self.instance, partition_key=request.partition_key, tags=tags, raise_on_error=False
        )
        return self.done.success

    def settle(self) -> list[str]:
        """Run what sensors ask for until they ask for nothing; the jobs, in order."""
        ran: list[str] = []
        while asked := {**self.asked("all_days"), **self.asked()}:
            name, request = asked.popitem()
            assert self.run(request), name
            ran.append(name)
            assert len(ran) < 9, ran
        return ran

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.settings) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def lake(settings: Settings, raw: ObjectStore, instance: DagsterInstance) -> Lake:
    return Lake(settings, raw, instance, BY_DAY, WHOLE)


def test_they_follow_the_objects_of_every_dataset_that_they_read(lake: Lake) -> None:
    lake.drop("pricing", "a.csv", PRICES)
    assert set(lake.settle()) == {"pricing_job", "pricing_all_days_job"}
    rows = "SELECT region, offers, round(price_usd_per_h, 6), links FROM {} ORDER BY ALL"
    first = [("eu", 2, 0.2, 0), ("us", 1, 0.2, 0)]
    assert lake.ask(rows.format("regions")) == lake.ask(rows.format("regions_ever")) == first
    assert lake.ask("SELECT DISTINCT date::VARCHAR FROM regions") == [(DAY,)]

    lake.drop("entity_relationships", "a.csv", LINKS)
    ran = lake.settle()
    assert ran[0] == "entity_relationships_job"
    assert "pricing_job" not in ran, "nothing of it has changed, and its table was built from the same"
    links = lake.ask("SELECT count(*) FROM entity_relationships")[0][0]
    then = [(region, offers, price, links) for region, offers, price, _ in first]
    assert links == 4
    assert lake.ask(rows.format("regions")) == lake.ask(rows.format("regions_ever")) == then

    remove(lake.raw, f"entity_relationships/date={DAY}/a.csv")
    lake.drop("pricing", "a.csv", PRICES.replace(b"3,us,m5,0.2\n", b""))
    assert {"pricing_job", "entity_relationships_job"} <= set(lake.settle())
    assert lake.ask(rows.format("regions")) == lake.ask(rows.format("regions_ever")) == first[:1]
    assert lake.settle() == []


def test_they_are_assets_like_any_other(lake: Lake) -> None:
    lake.drop("pricing", "a.csv", PRICES)
    graph = lake.defs.resolve_asset_graph()
    node = graph.get(AssetKey("regions"))
    assert {key.to_user_string() for key in node.parent_keys} == set(BY_DAY.sources)
    assert (node.owners, node.group_name, node.is_partitioned) == (["analyst@example.org"], "pricing", True)
    assert node.kinds == {"parquet", "pandas"}
    assert graph.get(AssetKey("regions_ever")).kinds == {"parquet", "sql"}
    assert not graph.get(AssetKey("regions_ever")).is_partitioned
    schema = node.metadata["dagster/column_schema"]
    assert [column.description for column in schema.columns] == [column.doc for column in BY_DAY.columns]
    assert {key.name for key in node.check_keys} == {"cheap"}
    assert {key.name for key in graph.get(AssetKey("regions_ever")).check_keys} == {"cheap", "fresh"}
    lake.settle()
    comments = "SELECT comment FROM duckdb_views() WHERE view_name = 'regions'"
    assert lake.ask(comments) == [("One row a region and day.",)]
    described = "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'regions'"
    assert dict(lake.ask(described)).items() > {column.name: column.doc for column in BY_DAY.columns}.items()

    # Nothing has changed: nothing is written.
    job = lake.defs.resolve_job_def("pricing_job")
    again = job.execute_in_process(instance=lake.instance, partition_key=DAY)
    [event] = again.asset_materializations_for_node("compute_regions")
    assert event.metadata["outcome"].value == "unchanged"


def fails(pricing_instances: pd.DataFrame) -> pd.DataFrame:
    found: pd.DataFrame = pricing_instances.drop(columns=["no such column"])
    return found


def test_a_function_that_fails_stops_nothing_else_and_is_told_where(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance, outbox: Outbox
) -> None:
    table = replace(BY_DAY, compute=fails, sources={"pricing_instances": ["region"]})
    lake = Lake(settings, raw, instance, table)
    lake.drop("pricing", "a.csv", PRICES)
    [request] = lake.asked().values()
    assert not lake.run(request)
    assert lake.ask("SELECT count(*) FROM pricing_instances") == [(3,)], "the catalog is published"
    assert lake.ask("SELECT count(*) FROM regions") == [(0,)], "its view has columns"
    [failed] = [event for event in lake.done.all_events if event.is_step_failure]
    assert failed.step_key == "compute_regions"
    assert not [event for event in lake.done.all_events if event.is_step_up_for_retry]
    line = fails.__code__.co_firstlineno + 1
    where = (
        f"regions: fails failed at tests/pipeline_assets/test_computed_assets.py, line {line}: KeyError in `found"
    )
    assert where in str(failed.step_failure_data.error)
    [alert] = [item for item in outbox.pending() if "compute_regions" in str(item)]
    assert f"test_computed_assets.py, line {line}" in str(alert)
    mended = Lake(settings, raw, instance, replace(table, compute=None, sql=ONE_SOURCE))
    assert mended.run(next_attempt(request))
    assert mended.ask("SELECT region, offers FROM regions ORDER BY ALL") == [("eu", 2), ("us", 1)]
    assert mended.asked() == {}


ONE_SOURCE = """SELECT region, count(*) AS offers, NULL AS price_usd_per_h, 0 AS links
    FROM pricing_instances GROUP BY region"""


def next_attempt(request: RunRequest) -> RunRequest:
    """The same once more, as after the pause between attempts."""
    return RunRequest(
        run_key=f"{str(request.run_key)[:-1]}1",
        tags=request.tags,
        job_name=request.job_name,
        partition_key=request.partition_key,
    )


def test_exceptions_beyond_the_threshold_block_as_of_any_table(lake: Lake) -> None:
    lake.drop("pricing", "a.csv", PRICES.replace(b"0.", b"7."))
    [request] = lake.asked().values()
    assert not lake.run(request)
    [check] = [each for each in lake.done.get_asset_check_evaluations() if each.check_name == "cheap"]
    found: Mapping[str, Any] = {name: value.value for name, value in check.metadata.items()}
    assert (check.passed, check.severity.value, found["bad"], found["total"]) == (False, "ERROR", 2, 2)
    assert found["details"] == {"eu": "does not hold", "us": "does not hold"}
    assert lake.ask("SELECT count(*) FROM regions") == [(2,)], "they are there to be looked at"


IN_SQL = ComputedTable(
    name="diagnoses",
    doc="One row a diagnosis and day.",
    owner="team:data",
    columns=(Column("diagnosis", "string", "Diagnosis.", nullable=False), Column("day", "date", "Day.")),
    key=("diagnosis",),
    sources={"retina_scans": ["diagnosis", "date"]},
    sql='SELECT diagnosis, max(date) AS "day" FROM retina_scans GROUP BY diagnosis',
    checks=(Condition("named", "It is named.", holds="diagnosis <> ''"),),
)
WITHOUT_PANDAS = """
import sys
from dagster import DagsterInstance
from pipeline_assets.build import build_defs
from resources.settings import load_settings
from tests.pipeline_assets.test_computed_assets import BY_DAY, DAY, IN_SQL, PLAIN, ENTITY_RELATIONSHIPS
from vitalake.datasets.retina import RETINA
from vitalake.lake.computed.resolved import with_computed
datasets = with_computed([PLAIN, ENTITY_RELATIONSHIPS, RETINA], [BY_DAY, IN_SQL])
defs = build_defs(load_settings(), datasets=datasets)
assert "pandas" not in sys.modules
with DagsterInstance.ephemeral() as instance:
    for name, imported in {"retina": False, "pricing": True}.items():
        assert defs.resolve_job_def(f"{name}_job").execute_in_process(instance=instance, partition_key=DAY).success
        assert ("pandas" in sys.modules) == imported, name
"""


def test_a_run_of_another_dataset_does_without_pandas(
    home: Path,  # noqa: ARG001 (its `env` is needed)
    raw: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VITALAKE_PSEUDONYM_KEY", "a key for tests, long enough")
    upload(raw, f"pricing/date={DAY}/a.csv", PRICES)
    upload(raw, f"retina/date={DAY}/a.json", json.dumps(SCAN).encode())
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANDAS], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
