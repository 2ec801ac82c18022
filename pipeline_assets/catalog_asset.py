"""The asset `lake`: the DuckDB catalog over everything that is stored.

Belongs here: publishing the catalog. Does not belong here: what the views say (`vitalake/serving/catalog.py`), what
is drawn from them (`pipeline_assets/trends.py`).
"""

from collections.abc import Sequence
from typing import Any

from dagster import AssetExecutionContext, AssetsDefinition, MaterializeResult, ResourceParam, asset

from pipeline_assets.failures import steered
from resources.object_store import ObjectStore
from resources.settings import Settings
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
    )
    def catalog(
        context: AssetExecutionContext, lake: ResourceParam[ObjectStore], settings: ResourceParam[Settings]
    ) -> MaterializeResult[Any]:
        from resources.catalog import is_published, publish

        with steered(context.retry_number):
            # A day that is built has nothing to do with the tables of other datasets. Whoever makes this asset by
            # itself has every table looked at: that each has a file from which its view takes the columns.
            known = context.has_partition_key and is_published(settings, datasets)
            written = not known and publish(settings, lake, datasets)
        metadata = {
            "outcome": "published" if written else "unchanged",
            "views": len(views(datasets, settings.lake_bucket, settings.restricted_bucket)),
        }
        return MaterializeResult(metadata=metadata)

    return catalog
