"""The asset `lake`: the DuckDB catalog over everything that is stored.

Belongs here: publishing the catalog and showing trends over the last days. Does not belong here: what the views
say.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from dagster import AssetExecutionContext, AssetsDefinition, MaterializeResult, asset

from pipeline_assets import shown
from pipeline_assets.failures import steered
from pipeline_assets.partitions import DATASET_TAG
from vitalake.catalog import views
from vitalake.dataset import Dataset

# A run opens every part of these days, so there must not be more of them every day.
_TREND = timedelta(days=90)


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
        from resources.lake import connect, newest_day, publish

        settings = context.resources.settings
        with steered(context.retry_number):
            written = publish(settings, context.resources.lake, datasets)
        metadata: dict[str, Any] = {
            "outcome": "published" if written else "unchanged",
            "views": len(views(datasets, settings.lake_bucket, settings.restricted_bucket)),
        }
        try:
            with connect(settings) as connection:
                for dataset in datasets:
                    if context.run.tags.get(DATASET_TAG, dataset.name) != dataset.name:
                        continue  # its own runs draw it
                    newest = newest_day(context.resources.lake, dataset.tables[0])
                    for trend in dataset.trends:
                        rows = newest and connection.execute(trend.query, [newest - _TREND]).fetchall()
                        if rows:
                            metadata[trend.name] = shown.picture(trend.draw(rows))
        except Exception:  # a picture is a courtesy: it never fails a run
            context.log.warning("the trends could not be drawn", exc_info=True)
        return MaterializeResult(metadata=metadata)

    return lake
