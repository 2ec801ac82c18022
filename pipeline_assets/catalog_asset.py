"""The asset `lake`: the DuckDB catalog over everything that is stored.

Belongs here: publishing the catalog. Does not belong here: what the views say (`vitalake/serving/catalog.py`), what
is drawn from them (`pipeline_assets/trends.py`).
"""

from collections.abc import Sequence
from typing import Any

from dagster import AssetExecutionContext, AssetsDefinition, MaterializeResult, asset

from pipeline_assets.failures import steered
from vitalake.lake.dataset import Dataset
from vitalake.serving.catalog import views


def catalog_asset(datasets: Sequence[Dataset]) -> AssetsDefinition:
    """The catalog follows every table that nothing else follows."""

    @asset(
        name="lake",
        deps=[table.name for dataset in datasets for table in dataset.final_tables],
        group_name="catalog",
        owners=["team:data"],
        kinds={"duckdb", "sql"},
        description="Views over all Parquet, in one `lake.duckdb` that any DuckDB client opens.",
        required_resource_keys={"lake", "settings"},
    )
    def lake(context: AssetExecutionContext) -> MaterializeResult[Any]:
        from resources.catalog import publish

        settings = context.resources.settings
        with steered(context.retry_number):
            written = publish(settings, context.resources.lake, datasets)
        metadata = {
            "outcome": "published" if written else "unchanged",
            "views": len(views(datasets, settings.lake_bucket, settings.restricted_bucket)),
        }
        return MaterializeResult(metadata=metadata)

    return lake
