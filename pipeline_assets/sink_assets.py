"""From a dataset's sinks to assets: each keeps a copy of a view in line, after the catalog.

Belongs here: which sinks are configured, what a delivery is given, and what is shown of it. Does not belong here:
what a delivery does (`vitalake/lake/sinks.py`), or the targets (`resources/sinks/target.py`).
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    ResourceParam,
    TableColumn,
    TableSchema,
    multi_asset,
)

from pipeline_assets.all_days import UP_TO, to_follow
from pipeline_assets.failures import steered
from resources.object_store import ObjectStore
from resources.settings import Settings
from resources.sinks.target import is_configured, target_of
from resources.sinks.view_rows import ViewRows
from vitalake.arrivals.fingerprints import digest, objects_digest
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import Store
from vitalake.lake.sinks import Delivery, Progress, Sink, keep_in_line
from vitalake.lake.tables import partition_columns
from vitalake.serving.catalog import built_on, names_people, views

CHECK = "every_row_delivered"
_LOG_EVERY_S = 10.0


def sink_assets(dataset: Dataset, settings: Settings, datasets: Sequence[Dataset]) -> list[AssetsDefinition]:
    """The assets of the dataset's sinks whose target the settings name; JSON needs no setting.

    Raises:
        ValueError: a sink's view builds on another one of `datasets`, whose runs would not deliver it, or names
            people and would go where who may read the restricted bucket does not say who may read it.
    """
    foreign = {table.name.lower() for other in datasets if other is not dataset for table in other.every_table}
    for sink in dataset.sinks:
        if others := built_on(sink.view, datasets) & foreign:
            raise ValueError(f"{sink.name}: {sink.view} builds on {', '.join(sorted(others))} of another dataset")
        if sink.target != "json" and names_people(sink.view, datasets):
            raise ValueError(
                f"{sink.name}: {sink.view} names people, and {sink.target} is no place for names: make its target "
                "json, which goes to the restricted bucket, or deliver a view that builds on no restricted table"
            )
    return [_sink_asset(dataset, sink) for sink in dataset.sinks if is_configured(sink, settings)]


def tables_of(sink: Sink, dataset: Dataset) -> list[str]:
    """The stored tables that the sink's view builds on."""
    names = built_on(sink.view, [dataset])
    return [table.name for table in dataset.every_table if table.name.lower() in names]


def inputs_version(lake: Store, tables: Sequence[str]) -> str:
    """What these tables hold, in short: every part, as listed."""
    return digest(*(objects_digest(lake.objects(f"{name}/")) for name in tables))


def _sink_asset(dataset: Dataset, sink: Sink) -> AssetsDefinition:
    inputs = tables_of(sink, dataset)
    through = [table.name for item in dataset.combined for table in item.tables if table.name in inputs]
    spec = AssetSpec(
        sink.name,
        # The catalog is what is asked, so it is made before; the tables are what is asked for.
        deps=["lake", *inputs],
        description=sink.doc,
        group_name=dataset.name,
        owners=[dataset.owner],
        kinds={sink.target},
        metadata={"dagster/column_schema": _column_schema(sink, dataset)},
    )
    says = f"{sink.target} can hold every row and value of `{sink.view}`."

    @multi_asset(
        name=f"deliver_{sink.name}",
        specs=[spec],
        check_specs=[AssetCheckSpec(CHECK, asset=sink.name, description=says)],
    )
    def deliver(
        context: AssetExecutionContext, lake: ResourceParam[ObjectStore], settings: ResourceParam[Settings]
    ) -> Iterator[MaterializeResult[Any]]:
        from resources.catalog import connect

        started = time.monotonic()
        progress = _logged(context, sink.name)

        def bring() -> Delivery:
            with connect(settings) as connection:
                return target.deliver(ViewRows(connection, sink), progress)

        with steered(context.retry_number):
            up_to = to_follow(context.instance, dataset, through)
            target = target_of(sink, settings, restricted=names_people(sink.view, [dataset]))
            done = keep_in_line(lambda: inputs_version(lake, inputs), bring)
        for reason in done.reasons:
            context.log.warning("%s lacks rows: %s", sink.name, reason)
        if done.not_representable:
            context.log.warning("%s lacks %s", sink.name, _lost(done))
        yield MaterializeResult(
            asset_key=sink.name,
            metadata={
                "dagster/row_count": done.rows - done.refused,
                "rows": done.rows,
                "written": done.written,
                "deleted": done.deleted,
                "unchanged": done.unchanged,
                "refused": done.refused,
                "not_representable": done.not_representable,
                "rounds": done.rounds,
                "seconds": round(time.monotonic() - started, 2),
                UP_TO: up_to,
            },
            check_results=[_check_result(sink, done)],
        )

    return deliver


def _column_schema(sink: Sink, dataset: Dataset) -> TableSchema:
    """The view's columns as it explains them, with the types of the tables that it takes them from."""
    docs = {view.name: view.columns for view in views([dataset], "", "")}.get(sink.view.lower(), {})
    read = tables_of(sink, dataset)
    columns = [
        *partition_columns(dataset.partition),
        *(column for table in dataset.every_table if table.name in read for column in table.columns),
    ]
    kinds = {column.name: column.kind for column in columns}
    return TableSchema([TableColumn(name, kinds.get(name, "computed"), doc) for name, doc in docs.items()])


def _lost(done: Delivery) -> str:
    return f"{done.not_representable:,} values that it cannot hold, each null or absent there"


def _check_result(sink: Sink, done: Delivery) -> AssetCheckResult:
    lacks = [*done.reasons, *([_lost(done)] if done.not_representable else [])]
    return AssetCheckResult(
        passed=not (done.refused or done.not_representable),
        check_name=CHECK,
        asset_key=sink.name,
        severity=AssetCheckSeverity.WARN,
        description=f"Lacks {'; '.join(lacks)}." if lacks else f"All {done.rows:,} rows are there.",
        metadata={"refused": done.refused, "rows": done.rows, "not_representable": done.not_representable},
    )


def _logged(context: AssetExecutionContext, what: str) -> Progress:
    """Progress in the log, a line every ten seconds: each is an event of Dagster's, 20 ms."""
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _LOG_EVERY_S:
            last = time.monotonic()
            context.log.info("%s: %d of %d", what, done, total)

    return report
