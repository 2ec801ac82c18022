"""The whole code location, composed in one place from settings.

Belongs here: which assets, checks, jobs and resources there are and how they fit. Does not belong here: what any
of them does. Sensors are handed in: they stand above this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from dagster import (
    AssetSelection,
    Definitions,
    PartitionedConfig,
    ResourceDefinition,
    SensorDefinition,
    TimeWindowPartitionsDefinition,
    define_asset_job,
    in_process_executor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipeline_assets.alerts import build_failure_hook
from pipeline_assets.all_days import all_days_job
from pipeline_assets.catalog_asset import catalog_asset
from pipeline_assets.computed_assets import computed_asset
from pipeline_assets.dataset_assets import dataset_assets
from pipeline_assets.partitions import DATASET_TAG, PARTITION_TAG, partitions_of
from pipeline_assets.sink_assets import sink_assets
from pipeline_assets.standing_checks import combined_check, current_check, freshness_check, freshness_schedules
from pipeline_assets.trends import TRENDS, trends_asset, trends_schedule
from resources.build import Resources, build_resources
from resources.settings import Settings
from vitalake.arrivals.calendar import ONE
from vitalake.datasets.declared import DATASETS
from vitalake.lake.dataset import Dataset


@dataclass(frozen=True)
class Jobs:
    """The jobs of every dataset, by its name.

    Args:
        daily: builds a day, or an hour.
        all_days: brings up to date what follows from all days; only where a dataset has such assets.
        followers: the assets that this job has.
    """

    daily: Mapping[str, UnresolvedAssetJobDefinition]
    all_days: Mapping[str, UnresolvedAssetJobDefinition]
    followers: Mapping[str, Sequence[str]]


BuildSensors = Callable[[Settings, Sequence[Dataset], Jobs], Sequence[SensorDefinition]]


def build_defs(
    settings: Settings,
    build_sensors: BuildSensors = lambda _settings, _datasets, _jobs: (),
    resources: Resources | None = None,
    datasets: Sequence[Dataset] = DATASETS,
) -> Definitions:
    """Everything that Dagster needs to know.

    Args:
        settings: where things are.
        build_sensors: makes the sensors, given the settings, the datasets and their jobs.
        resources: what assets, checks, hooks and sensors work with; None: what the settings name.
        datasets: the declarations.
    """
    partitions = {dataset.name: partitions_of(dataset, settings.first_day) for dataset in datasets}
    named = {dataset.name: dataset for dataset in datasets}
    resources = resources or build_resources(settings)
    hook = build_failure_hook(resources.outbox, settings.webserver_url)
    standing = [
        *(freshness_check(dataset) for dataset in datasets),
        *(current_check(dataset) for dataset in datasets),
        *(combined_check(dataset, combined) for dataset in datasets for combined in dataset.combined),
        *(combined_check(dataset, item) for dataset in datasets for item in dataset.computed if item.table.whole),
    ]
    sinks = {dataset.name: sink_assets(dataset, settings, datasets) for dataset in datasets}
    followers = {
        dataset.name: [
            *(table.name for combined in dataset.combined for table in combined.tables),
            *(item.table.name for item in dataset.computed_over_all_days),
            *(asset.key.to_user_string() for asset in sinks[dataset.name]),
        ]
        for dataset in datasets
    }
    daily_jobs = {
        dataset.name: define_asset_job(
            f"{dataset.name}_job",
            selection=(
                AssetSelection.groups(dataset.name, "catalog")
                | AssetSelection.assets(*(item.table.name for item in dataset.computed_by_day))
            )
            - AssetSelection.assets(TRENDS, *followers[dataset.name])
            - AssetSelection.checks(*standing),
            description=f"Build {ONE[dataset.partition]} of {dataset.name}: manifest, tables, checks, catalog.",
            tags={DATASET_TAG: dataset.name},
            config=_tagged(partitions[dataset.name], dataset),
            hooks={hook},
        )
        for dataset in datasets
    }
    all_days = {
        dataset.name: all_days_job(dataset, followers[dataset.name], standing, hook)
        for dataset in datasets
        if followers[dataset.name]
    }
    jobs = Jobs(daily_jobs, all_days, followers)
    return Definitions(
        assets=[
            *(item for dataset in datasets for item in dataset_assets(dataset, partitions[dataset.name])),
            *(
                computed_asset(item, named, partitions[dataset.name])
                for dataset in datasets
                for item in dataset.computed
            ),
            catalog_asset(datasets),
            trends_asset(datasets),
            *(asset for assets in sinks.values() for asset in assets),
        ],
        asset_checks=standing,
        jobs=[*daily_jobs.values(), *all_days.values()],
        schedules=[*freshness_schedules(standing), trends_schedule(datasets, hook)],
        sensors=list(build_sensors(settings, datasets, jobs)),
        resources=_as_dagster_has_them(resources),
        # Steps share one process: three steps take 3 s, with a process each 9 s.
        executor=in_process_executor,
    )


def _as_dagster_has_them(resources: Resources) -> dict[str, Any]:
    """By the names of parameters; what is slow to make is made when it is asked for."""
    found = {field.name: getattr(resources, field.name) for field in fields(resources)}
    found["alert_channel"] = ResourceDefinition(lambda _context: resources.alert_channel())
    return {name: value for name, value in found.items() if value is not None}


def _tagged(
    partitions: TimeWindowPartitionsDefinition, dataset: Dataset
) -> PartitionedConfig[TimeWindowPartitionsDefinition]:
    """A tag on every run of the job, whoever starts it: one run at a time builds a partition (`dagster.yaml`)."""
    return PartitionedConfig(
        partitions,
        run_config_for_partition_key_fn=lambda _key: {},
        tags_for_partition_key_fn=lambda key: {PARTITION_TAG: f"{dataset.name}:{key}"},
    )
