"""What the assets of all declared datasets say of themselves."""

from __future__ import annotations

import pytest
from dagster import AssetKey, AssetSpec, TableSchema
from pydantic import SecretStr

from pipeline_assets.build import build_defs
from resources.settings import Settings
from vitalake.datasets.declared import DATASETS
from vitalake.lake.checks import SCHEMA
from vitalake.lake.dataset import Dataset

EVERY_SINK = Settings(
    pseudonym_key=SecretStr("a key for tests, long enough"),
    dynamodb_tables=True,
    postgres_tables_url=SecretStr("postgresql://127.0.0.1/none"),
)


@pytest.fixture(scope="module")
def specs() -> dict[str, AssetSpec]:
    """Every asset by its name, with all sinks configured."""
    return {spec.key.to_user_string(): spec for spec in build_defs(EVERY_SINK).resolve_all_asset_specs()}


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_each_asset_explains_itself_and_its_columns(dataset: Dataset, specs: dict[str, AssetSpec]) -> None:
    expected = {table.name: {*table.names} for table in dataset.every_table}
    views = {view.name: {*view.columns} for view in dataset.views}
    expected |= {sink.name: views[sink.view] for sink in dataset.sinks}
    assert expected.keys() == {name for name, spec in specs.items() if spec.group_name == dataset.name}
    for name, columns in expected.items():
        spec = specs[name]
        assert spec.description
        assert list(spec.owners) == [dataset.owner]
        schema = spec.metadata["dagster/column_schema"]
        assert isinstance(schema, TableSchema)
        assert {column.name for column in schema.columns} == columns
        for column in schema.columns:
            assert (column.description or "").strip(), f"{name}.{column.name} has no meaning"
            assert column.type, f"{name}.{column.name} has no type"


def test_what_is_of_no_one_dataset_stands_with_the_catalog(specs: dict[str, AssetSpec]) -> None:
    groups = {dataset.name for dataset in DATASETS}
    others = {name: spec for name, spec in specs.items() if spec.group_name not in groups}
    assert "lake" in others
    for spec in others.values():
        assert spec.group_name == "catalog"
        assert spec.description
        assert spec.owners


def test_the_first_table_of_each_dataset_has_its_checks() -> None:
    graph = build_defs(EVERY_SINK).resolve_asset_graph()
    for dataset in DATASETS:
        found = {key.name for key in graph.get_check_keys_for_assets({AssetKey(dataset.tables[0].name)})}
        assert dataset.checks
        assert found >= {SCHEMA.name, *(check.name for check in dataset.checks)}


def test_each_copy_follows_the_catalog_and_the_tables_that_it_reads(specs: dict[str, AssetSpec]) -> None:
    followed = {
        sink.name: {dep.asset_key.to_user_string() for dep in specs[sink.name].deps}
        for dataset in DATASETS
        for sink in dataset.sinks
    }
    assert followed == {
        "pricing_instances_dynamodb": {"lake", "pricing_instances"},
        "pricing_instances_postgres": {"lake", "pricing_instances"},
        "retina_patients_json": {"lake", "retina_names"},
    }
