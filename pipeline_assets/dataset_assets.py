"""From a dataset's declaration to its assets: manifest, tables with their checks, derived tables.

Belongs here: thin shells around the stages in `vitalake/lake/` that any dataset gets. Does not belong here: what
is true of one dataset only, or the checks that stand alone (`pipeline_assets/standing_checks.py`).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    DataVersion,
    MaterializeResult,
    ResourceParam,
    TimeWindowPartitionsDefinition,
    multi_asset,
)

from pipeline_assets import dagster_metadata
from pipeline_assets.all_days import UP_TO, to_follow
from pipeline_assets.failures import steered, where
from resources.alerting.outbox import Outbox
from resources.object_store import ObjectStore
from resources.settings import Settings
from vitalake.alerting.alerts import quarantined
from vitalake.lake import stages
from vitalake.lake.checks import SCHEMA, schema_differences
from vitalake.lake.dataset import Combined, Count, Dataset, Derived
from vitalake.lake.parts import Store
from vitalake.lake.reading import read_objects
from vitalake.lake.reconcile import Report
from vitalake.lake.tables import Table
from vitalake.lake.versions.code_version import code_digest
from vitalake.pseudonyms import Pseudonyms

_TOLD = 20  # rules in a run's log, of which each line is 20 ms


def dataset_assets(dataset: Dataset, partitions: TimeWindowPartitionsDefinition) -> list[AssetsDefinition]:
    """All assets of a dataset, in the order in which they follow from each other."""
    return [
        _manifest(dataset, partitions),
        _tables(dataset, partitions),
        *(_derived(dataset, derived, partitions) for derived in dataset.derived),
        *(_combined(dataset, combined) for combined in dataset.combined),
    ]


def _manifest(dataset: Dataset, partitions: TimeWindowPartitionsDefinition) -> AssetsDefinition:
    table = dataset.raw_table

    @multi_asset(
        name=table.name,
        specs=[_spec(dataset, table, {"s3"})],
        partitions_def=partitions,
    )
    def manifest(
        context: AssetExecutionContext,
        raw: ResourceParam[ObjectStore],
        lake: ResourceParam[ObjectStore],
        settings: ResourceParam[Settings],
    ) -> Iterator[MaterializeResult[Any]]:
        with steered(context.retry_number):
            progress = _progress(context, table.name)
            report = stages.list_objects(dataset, raw, lake, context.partition_key, settings.first_day, progress)
            yield _result(table, report)

    return manifest


def _tables(dataset: Dataset, partitions: TimeWindowPartitionsDefinition) -> AssetsDefinition:
    tables = [*dataset.tables, dataset.quarantine_table]
    checked = dataset.tables[0].name

    @multi_asset(
        name=f"read_{dataset.name}",
        specs=[_spec(dataset, table, {"parquet"}, [dataset.raw_table]) for table in tables],
        check_specs=[
            AssetCheckSpec(check.name, asset=checked, description=check.doc, blocking=True)
            for check in (*dataset.checks, SCHEMA)
        ],
        partitions_def=partitions,
    )
    def read(
        context: AssetExecutionContext,
        raw: ResourceParam[ObjectStore],
        lake: ResourceParam[ObjectStore],
        settings: ResourceParam[Settings],
        outbox: ResourceParam[Outbox],
        pseudonyms: ResourceParam[Pseudonyms],
    ) -> Iterator[MaterializeResult[Any]]:
        day = context.partition_key
        link = dagster_metadata.run_link(settings.webserver_url, context.run.run_id)

        counts: Counter[tuple[str, str]] = Counter()

        def announce(rows: list[dict[str, Any]]) -> None:
            records: Counter[str] = Counter()
            for row in rows:
                counts[row["rule"], row["message"]] += row["record_count"]
                records[row["rule"]] += row["record_count"]
            # Rules and numbers only: Dagster makes links of what a message quotes (`shown.refused` has it).
            for rule, number in records.most_common(_TOLD):
                context.log.warning("quarantined: %d x %s, see %s", number, rule, dataset.quarantine_table.name)
            news = [(row["source_key"], row["source_version"], row["rule"], row["message"]) for row in rows]
            outbox.add(quarantined(dataset.name, day, news, link, records=[row["record_count"] for row in rows]))

        with steered(context.retry_number):
            progress = _progress(context, dataset.name)
            processes = settings.processes_per_run
            report = read_objects(dataset, raw, lake, day, pseudonyms, progress, announce, processes)
            differences = schema_differences(lake, tables, day)
            results = [dagster_metadata.check_result(SCHEMA, checked, differences, day)]
            # What is not stored as declared cannot be counted either.
            sound = not differences.bad
            columns = stages.load_columns(dataset, lake, day, (c.columns for c in dataset.checks)) if sound else {}
            for check in dataset.checks:
                count = check.count(columns) if sound else Count(1, 1, {"columns": "not as declared"})
                results.append(dagster_metadata.check_result(check, checked, count, day))
            for table in tables:
                yield _result(
                    table,
                    report,
                    _pictures(dataset, table, context, lake, report)
                    | (
                        dagster_metadata.newly_quarantined(counts)
                        if table.name == dataset.quarantine_table.name
                        else {}
                    ),
                    results if table.name == checked else [],
                )

    return read


def _derived(dataset: Dataset, derived: Derived, partitions: TimeWindowPartitionsDefinition) -> AssetsDefinition:
    source = next(table for table in dataset.tables if table.name == derived.source)

    @multi_asset(
        name="_".join(("derive", *(table.name for table in derived.tables))),
        specs=[_spec(dataset, table, {"parquet"}, [source], skippable=True) for table in derived.tables],
        partitions_def=partitions,
        can_subset=True,
    )
    def derive(
        context: AssetExecutionContext, lake: ResourceParam[ObjectStore], settings: ResourceParam[Settings]
    ) -> Iterator[MaterializeResult[Any]]:
        wanted = tuple(table for table in derived.tables if AssetKey(table.name) in context.selected_asset_keys)
        with steered(context.retry_number):
            progress = _progress(context, wanted[0].name)
            chosen = replace(derived, tables=wanted)
            processes = settings.processes_per_run
            report = stages.derive(dataset, chosen, lake, context.partition_key, progress, processes)
            for table in wanted:
                yield _result(table, report)

    return derive


def _combined(dataset: Dataset, combined: Combined) -> AssetsDefinition:
    names = [table.name for table in combined.tables]

    @multi_asset(
        name="_".join(("combine", *names)),
        specs=[
            _spec(dataset, table, {"parquet"}, [dataset.table(name) for name in combined.sources])
            for table in combined.tables
        ],
    )
    def combine(
        context: AssetExecutionContext, lake: ResourceParam[ObjectStore]
    ) -> Iterator[MaterializeResult[Any]]:
        with steered(context.retry_number):
            up_to = to_follow(context.instance, dataset)
            report = stages.combine(dataset, combined, lake, _progress(context, names[0]))
            for table in combined.tables:
                yield _result(table, report, {UP_TO: up_to})

    return combine


def _spec(dataset: Dataset, table: Table, kinds: set[str], deps: Any = (), *, skippable: bool = False) -> AssetSpec:
    return AssetSpec(
        table.name,
        deps=[source.name for source in deps],
        description=table.doc,
        skippable=skippable,
        group_name=dataset.name,
        owners=[dataset.owner],
        kinds=kinds,
        code_version=code_digest(dataset),
        metadata={"dagster/column_schema": dagster_metadata.column_schema(table), "dagster/table_name": table.name},
    )


def _result(
    table: Table,
    report: Report,
    more: dict[str, Any] | None = None,
    checks: list[AssetCheckResult] | None = None,
) -> MaterializeResult[Any]:
    return MaterializeResult(
        asset_key=table.name,
        metadata={**dagster_metadata.materialization(report, table.name), **(more or {})},
        check_results=checks or [],
        data_version=DataVersion(report.fingerprint),
    )


def _pictures(
    dataset: Dataset, table: Table, context: AssetExecutionContext, lake: Store, report: Report
) -> dict[str, Any]:
    """What the dataset draws of this table, anew when it changed. A picture is a courtesy: it never fails a run."""
    pictures: dict[str, Any] = {}
    changed = any(key.startswith(f"{table.name}/") for key in report.written)
    for picture in dataset.pictures:
        if picture.table != table.name:
            continue
        try:
            if not changed:
                before = dagster_metadata.previous_picture(
                    context.instance, table.name, context.partition_key, picture.name
                )
                pictures |= {picture.name: before} if before is not None else {}
                continue
            newest = stages.newest_part(lake, table, context.partition_key)
            if newest is not None and newest.num_rows:
                pictures[picture.name] = dagster_metadata.picture(picture.draw(newest))
        except Exception as error:
            context.log.warning("the picture %r could not be drawn: %s", picture.name, where(error))
    return pictures


def _progress(context: AssetExecutionContext, what: str) -> Callable[[int, int], None]:
    def report(done: int, total: int) -> None:
        if total > 1:  # each line is an event of Dagster's, 20 ms, and one part is not long to wait for
            context.log.info("%s %s: %d of %d parts", what, context.partition_key, done, total)

    return report
