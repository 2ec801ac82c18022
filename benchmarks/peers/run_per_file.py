"""The product's code location with a peer beside it: one Dagster run for every file.

Belongs here: the peer, written as Dagster's documentation of S3 sensors suggests: a sensor that requests a run for
each new key, a dynamic partition a file, one asset. Does not belong here: measuring (`benchmarks/run_per_file.py`).

A run gets the key of one recording, reads it with our reader, judges it and puts its rows as one Parquet object a
table: the tables of recordings, signals and windows. It derives nothing from them.
"""

from dagster import (
    AssetExecutionContext,
    DefaultSensorStatus,
    Definitions,
    DynamicPartitionsDefinition,
    RunRequest,
    SensorEvaluationContext,
    SensorResult,
    asset,
    define_asset_job,
    sensor,
)

import definitions

PREFIX = "one_by_one/"
_FILES = DynamicPartitionsDefinition(name="files")


@asset(partitions_def=_FILES, required_resource_keys={"raw", "lake", "pseudonyms"})
def recording_of_one_file(context: AssetExecutionContext) -> None:
    """One file's rows."""
    from datetime import datetime, timezone

    from vitalake.datasets.ecg import ECG
    from vitalake.lake import parquet
    from vitalake.lake.contents import RawObject

    key, raw, lake = context.partition_key, context.resources.raw, context.resources.lake
    data = raw.get(key)
    content = RawObject(key, "", len(data), datetime.now(timezone.utc), data)
    [parsed] = ECG.parse([content], context.resources.pseudonyms)
    for name, rows in ECG.tabulate(parsed.values).tables.items():
        lake.put(f"one_by_one/{name}/{key}.parquet", parquet.encode(ECG.table(name), rows, ""), expected=None)


_job = define_asset_job("one_by_one_job", [recording_of_one_file])


@sensor(
    name="one_by_one_drops",
    job=_job,
    minimum_interval_seconds=4,
    default_status=DefaultSensorStatus.RUNNING,
    required_resource_keys={"raw"},
)
def _drops(context: SensorEvaluationContext) -> SensorResult:
    keys = sorted(item.key for item in context.resources.raw.objects(PREFIX))
    new = [key for key in keys if key > (context.cursor or "")]
    return SensorResult(
        run_requests=[RunRequest(run_key=key, partition_key=key) for key in new],
        dynamic_partitions_requests=[_FILES.build_add_request(new)] if new else [],
        cursor=keys[-1] if keys else None,
    )


defs = Definitions.merge(
    definitions.defs, Definitions(assets=[recording_of_one_file], jobs=[_job], sensors=[_drops])
)
