"""The asset `lake`: the DuckDB catalog over everything that is stored.

Belongs here: publishing the catalog and showing trends over all days. Does not belong here: what the views say.
"""

from collections.abc import Sequence
from typing import Any

from dagster import AssetExecutionContext, AssetsDefinition, MaterializeResult, asset

from pipeline_assets import shown
from pipeline_assets.failures import steered
from vitalake.catalog import views
from vitalake.dataset import Dataset


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
        from resources.lake import connect, publish

        settings = context.resources.settings
        with steered(context.retry_number):
            written = publish(settings, context.resources.lake, datasets)
        metadata: dict[str, Any] = {
            "outcome": "published" if written else "unchanged",
            "views": len(views(datasets, settings.lake_bucket)),
        }
        try:
            with connect(settings) as connection:
                for trend in (trend for dataset in datasets for trend in dataset.trends):
                    rows = connection.execute(trend.query).fetchall()
                    if rows:
                        metadata[trend.name] = shown.picture(trend.draw(rows))
        except Exception:  # a picture is a courtesy: it never fails a run
            context.log.warning("the trends could not be drawn", exc_info=True)
        return MaterializeResult(metadata=metadata)

    return lake
