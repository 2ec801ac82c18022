"""Tables of one's own as assets: their lineage, checks, partitions, and what sensors compare.

Belongs here: a thin shell around `vitalake/lake/computed/build.py`. Does not belong here: the tables of datasets
(`pipeline_assets/dataset_assets.py`), which run builds them (`pipeline_assets/build.py`).

A table is built in the runs of every dataset that it reads, after the tables of that dataset: whichever run comes
last has seen all of them. It says of each dataset what it was built from, so the sensors find what is missing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dagster import (
    AssetCheckSpec,
    AssetExecutionContext,
    AssetsDefinition,
    AssetSpec,
    DataVersion,
    MaterializeResult,
    ResourceParam,
    TimeWindowPartitionsDefinition,
    multi_asset,
)

from pipeline_assets import dagster_metadata
from pipeline_assets.all_days import mark_of, to_follow
from pipeline_assets.failures import steered
from resources.object_store import ObjectStore
from vitalake.lake.computed.build import compute_table, count_exceptions
from vitalake.lake.computed.resolved import ComputedFrom
from vitalake.lake.dataset import Dataset
from vitalake.lake.parquet import WHOLE
from vitalake.lake.versions.code_version import code_digest


def computed_asset(
    item: ComputedFrom, datasets: Mapping[str, Dataset], partitions: TimeWindowPartitionsDefinition
) -> AssetsDefinition:
    """The asset of a computed table.

    Args:
        item: the table.
        datasets: every dataset by name.
        partitions: of its sources.
    """
    table, declared = item.table, item.declared

    @multi_asset(
        name=f"compute_{table.name}",
        specs=[
            AssetSpec(
                table.name,
                deps=list(item.sources),
                description=table.doc,
                group_name=item.datasets[0],
                owners=[declared.owner],
                kinds={"parquet", "sql" if declared.sql is not None else "pandas"},
                code_version=code_digest(declared),
                metadata={
                    "dagster/column_schema": dagster_metadata.column_schema(table),
                    "dagster/table_name": table.name,
                },
            )
        ],
        check_specs=[
            AssetCheckSpec(check.name, asset=table.name, description=check.doc, blocking=True)
            for check in declared.checks
        ],
        partitions_def=None if table.whole else partitions,
    )
    def compute(
        context: AssetExecutionContext, lake: ResourceParam[ObjectStore]
    ) -> Iterator[MaterializeResult[Any]]:
        partition = WHOLE if table.whole else context.partition_key
        with steered(context.retry_number):
            marks: dict[str, str] = {}
            if table.whole:
                for name in item.datasets:
                    dataset = datasets[name]
                    through = [
                        each for each in item.sources if item.sources[each].whole and item.dataset_of[each] == name
                    ]
                    marks[mark_of(name)] = to_follow(context.instance, dataset, through)
            report, built_from = compute_table(item, lake, partition, lambda _done, _total: None)
            marks |= {dagster_metadata.fingerprint_key(name): value for name, value in built_from.items()}
            counts = count_exceptions(item, lake, partition)
            day = None if table.whole else partition
            yield MaterializeResult(
                asset_key=table.name,
                metadata={**dagster_metadata.materialization(report, table.name), **marks},
                check_results=[
                    dagster_metadata.check_result(check, table.name, count, day)
                    for check, count in zip(declared.checks, counts, strict=True)
                ],
                data_version=DataVersion(report.fingerprint),
            )

    return compute
