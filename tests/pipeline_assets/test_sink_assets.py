"""Sinks as assets: which there are, what is shown of them, and what Dagster does about trouble."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from dagster import AssetKey, AssetsDefinition, DagsterInstance, ExecuteInProcessResult, materialize
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from pipeline_assets.sink_assets import CHECK, inputs_version, sink_assets, tables_of
from resources.catalog import publish
from resources.object_store import ObjectStore
from resources.settings import Settings
from resources.sinks.dynamodb_requests import DynamoRequests
from tests.moto_server import moto_server
from tests.pipeline_assets.running import checks, materialized
from tests.vitalake.notes import DAY, build, notes_dataset, upload
from vitalake.arrivals.objects import ObjectInfo
from vitalake.lake.dataset import Dataset, SqlView
from vitalake.lake.sinks import Sink
from vitalake.serving.catalog import names_people

Target = Literal["dynamodb", "postgres", "json"]


def notes(target: Target, select: str = "SELECT source_key, length", key: str = "source_key") -> Dataset:
    """Notes whose lengths are delivered."""
    dataset = notes_dataset()
    view = SqlView(f"{dataset.name}_found", f"{select} FROM {dataset.name}_lengths", "Lengths.", {})
    sink = Sink(f"{dataset.name}_out", view.name, (key,), target, "Lengths elsewhere.")
    return replace(dataset, views=(view,), sinks=(sink,))


@pytest.fixture
def put(settings: Settings, raw: ObjectStore, store: ObjectStore) -> Callable[..., None]:
    """Uploads notes and brings the catalog up to date."""

    def put_all(dataset: Dataset, *texts: str) -> None:
        for content in texts:
            upload(raw, f"{dataset.name}/date={DAY}/{content}", content.encode())
        build(dataset, raw, store, DAY)
        publish(settings, store, [dataset])

    return put_all


def run(
    dataset: Dataset, settings: Settings, lake: Any, instance: DagsterInstance
) -> tuple[ExecuteInProcessResult, dict[str, Any]]:
    """Materialize the only sink; its metadata."""
    [asset] = sink_assets(dataset, settings, [dataset])
    result = materialize(
        [asset], instance=instance, resources={"lake": lake, "settings": settings}, raise_on_error=False
    )
    return result, materialized(result).get(dataset.sinks[0].name, {})


def shown(metadata: dict[str, Any], *names: str) -> list[Any]:
    return [metadata[name] for name in names]


COUNTS = ("rows", "written", "deleted", "unchanged", "refused", "rounds")


@pytest.mark.store
def test_a_delivery_shows_what_it_did(
    settings: Settings, store: ObjectStore, instance: DagsterInstance, put: Callable[..., None]
) -> None:
    dataset = notes("json")
    put(dataset, "one", "three")
    result, metadata = run(dataset, settings, store, instance)
    assert shown(metadata, *COUNTS) == [2, 2, 0, 0, 0, 1]
    assert checks(result)[CHECK].passed
    _, metadata = run(dataset, settings, store, instance)
    assert shown(metadata, *COUNTS) == [2, 0, 0, 2, 0, 1]
    found = json.loads(store.get(f"exports/{dataset.name}_found.json"))
    assert [row["length"] for row in found] == [3, 5]


@pytest.mark.store
def test_what_arrives_during_a_delivery_is_delivered_by_it(
    settings: Settings, store: ObjectStore, instance: DagsterInstance, put: Callable[..., None]
) -> None:
    dataset = notes("json")
    put(dataset, "one")
    listings = len(tables_of(dataset.sinks[0], dataset))

    class Lake:
        """The lake, in which another note is read after the first delivery and before it looks again."""

        def __init__(self) -> None:
            self.listed = 0

        def objects(self, prefix: str) -> list[ObjectInfo]:
            self.listed += 1
            if self.listed == listings + 1:
                put(dataset, "three")
            return store.objects(prefix)

    _, metadata = run(dataset, settings, Lake(), instance)
    assert shown(metadata, "rows", "rounds") == [2, 2]
    assert len(json.loads(store.get(f"exports/{dataset.name}_found.json"))) == 2


@pytest.mark.store
def test_the_inputs_are_the_parts_of_the_tables_that_the_view_builds_on(
    store: ObjectStore, put: Callable[..., None]
) -> None:
    dataset = notes("json")
    tables = tables_of(dataset.sinks[0], dataset)
    assert tables == [f"{dataset.name}_lengths"]
    put(dataset, "one")
    before = inputs_version(store, tables)
    put(dataset)
    assert inputs_version(store, tables) == before
    put(dataset, "three")
    assert inputs_version(store, tables) != before


@pytest.mark.store
def test_postgres_gets_the_rows(
    settings: Settings, store: ObjectStore, instance: DagsterInstance, put: Callable[..., None], postgres_url: str
) -> None:
    dataset = notes("postgres")
    put(dataset, "one", "three")
    there = {"postgres_tables_url": SecretStr(postgres_url), "postgres_tables_schema": "copies"}
    _, metadata = run(dataset, settings.model_copy(update=there), store, instance)
    assert shown(metadata, *COUNTS) == [2, 2, 0, 0, 0, 1]
    with create_engine(postgres_url).connect() as connection:
        found = connection.execute(text(f"SELECT length FROM copies.{dataset.name}_found ORDER BY 1"))  # noqa: S608
        assert [length for (length,) in found] == [3, 5]


@pytest.fixture
def with_dynamodb(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    with moto_server(tmp_path) as url:
        yield settings.model_copy(update={"dynamodb_tables": True, "dynamodb_endpoint": url})


@pytest.mark.store
def test_rows_that_a_target_cannot_hold_are_a_warning_and_no_failure(
    with_dynamodb: Settings, store: ObjectStore, instance: DagsterInstance, put: Callable[..., None]
) -> None:
    empty_key = "SELECT CASE WHEN length = 3 THEN '' ELSE source_key END AS name, length"
    dataset = notes("dynamodb", empty_key, key="name")
    put(dataset, "one", "three")
    result, metadata = run(dataset, with_dynamodb, store, instance)
    assert result.success
    assert shown(metadata, *COUNTS) == [2, 1, 0, 0, 1, 1]
    found = checks(result)[CHECK]
    assert (found.passed, found.severity.value) == (False, "WARN")
    assert "1 x key that is empty" in (found.description or "")
    client = DynamoRequests(with_dynamodb, with_dynamodb.dynamodb_endpoint).client
    assert client.scan(TableName=f"vitalake_{dataset.name}_found")["Count"] == 1


@pytest.mark.store
def test_values_that_a_target_cannot_hold_are_a_warning_that_counts_them(
    with_dynamodb: Settings, store: ObjectStore, instance: DagsterInstance, put: Callable[..., None]
) -> None:
    dataset = notes("dynamodb", "SELECT source_key, 10.0::DOUBLE ** (124 + length) AS price")  # up to 9.9E+125
    put(dataset, "a", "one", "three")
    result, metadata = run(dataset, with_dynamodb, store, instance)
    assert result.success
    assert shown(metadata, *COUNTS, "not_representable") == [3, 3, 0, 0, 0, 1, 2]
    found = checks(result)[CHECK]
    assert (found.passed, found.severity.value) == (False, "WARN")
    assert "2 values" in (found.description or "")
    client = DynamoRequests(with_dynamodb, with_dynamodb.dynamodb_endpoint).client
    items = client.scan(TableName=f"vitalake_{dataset.name}_found")["Items"]
    assert sum("price" in item for item in items) == 1


@pytest.mark.store
def test_a_wrong_declaration_fails_at_once_and_says_what_to_do(
    settings: Settings, store: ObjectStore, instance: DagsterInstance, put: Callable[..., None]
) -> None:
    dataset = notes("json", key="length")
    put(dataset, "one", "two")
    result, _ = run(dataset, settings, store, instance)
    [failure] = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    said = failure.step_failure_data.user_failure_data
    assert said is not None
    assert "1 keys (length) name 2 rows" in (said.description or "")
    assert not [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]


SETTINGS = Settings()
POSTGRES = {"postgres_tables_url": SecretStr("postgresql://127.0.0.1/none")}


@pytest.mark.parametrize(
    ("target", "update", "there"),
    [
        ("json", {}, True),
        ("dynamodb", {}, False),
        ("dynamodb", {"dynamodb_tables": True}, True),
        ("postgres", {"dynamodb_tables": True}, False),
        ("postgres", POSTGRES, True),
    ],
)
def test_only_what_is_configured_is_an_asset(target: Target, update: dict[str, Any], there: bool) -> None:
    dataset = notes(target)
    found = sink_assets(dataset, SETTINGS.model_copy(update=update), [dataset])
    assert [asset.key.to_user_string() for asset in found] == ([dataset.sinks[0].name] if there else [])
    for asset in found:
        assert_follows_the_catalog_and_what_it_reads(asset, dataset)


def assert_follows_the_catalog_and_what_it_reads(asset: AssetsDefinition, dataset: Dataset) -> None:
    [spec] = asset.specs
    assert {dep.asset_key for dep in spec.deps} == {AssetKey("lake"), AssetKey(f"{dataset.name}_lengths")}
    assert (spec.group_name, spec.kinds) == (dataset.name, {dataset.sinks[0].target})
    assert spec.partitions_def is None


def test_what_names_people_is_known_through_other_views() -> None:
    dataset = notes("json")
    [sink], [view] = dataset.sinks, dataset.views
    assert not names_people(sink.view, [dataset])
    restricted = replace(dataset.tables[0], restricted=True)
    between = SqlView("between", f"FROM {restricted.name}", "", {})
    above = replace(view, sql="SELECT * FROM between JOIN others USING (id)")
    naming = replace(dataset, tables=(restricted,), views=(above, between))
    assert names_people(sink.view, [naming])
    assert names_people(restricted.name.upper(), [naming])
    assert not names_people(dataset.derived[0].tables[0].name, [naming])


@pytest.mark.store
def test_a_file_that_names_people_goes_where_they_are_named(
    settings: Settings, store: ObjectStore, instance: DagsterInstance, put: Callable[..., None]
) -> None:
    dataset = notes("json")
    put(dataset, "one")
    naming = replace(dataset, derived=(_restricted(dataset),))
    run(naming, settings, store, instance)
    key = f"exports/{dataset.name}_found.json"
    assert json.loads(ObjectStore(settings, settings.restricted_bucket).get(key))
    assert ObjectStore(settings, settings.lake_bucket).objects("exports/") == []


@pytest.mark.parametrize("view", ["names", "above"])
@pytest.mark.parametrize("target", ["dynamodb", "postgres"])
def test_what_names_people_is_delivered_to_no_other_place(target: Target, view: str) -> None:
    """Configured or not: the declaration is wrong either way."""
    dataset = notes(target)
    names = replace(dataset.derived[0].tables[0], name="names", restricted=True)
    derived = replace(dataset.derived[0], tables=(names,))
    above = SqlView("above", "SELECT count(*) FROM Names", "", {})
    sink = replace(dataset.sinks[0], view=view)
    naming = replace(dataset, derived=(derived,), views=(above,), sinks=(sink,))
    with pytest.raises(ValueError, match=f"{view} names people.*json"):
        sink_assets(naming, SETTINGS, [naming])


def _restricted(dataset: Dataset) -> Any:
    [derived] = dataset.derived
    return replace(derived, tables=(replace(derived.tables[0], restricted=True),))


def test_a_sink_on_another_datasets_tables_is_refused() -> None:
    """Its runs would not deliver what those tables change, and names of people might go anywhere."""
    dataset = notes("json")
    other = replace(
        dataset, name="other", tables=(replace(dataset.tables[0], name="others"),), sinks=(), derived=()
    )
    view = replace(dataset.views[0], sql="SELECT * FROM Others")
    with pytest.raises(ValueError, match="another dataset"):
        sink_assets(replace(dataset, views=(view,)), SETTINGS, [dataset, other])
