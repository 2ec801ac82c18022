"""The product's code location with a peer beside it: the emptiest run that a sensor of the same kind can start.

Belongs here: the peer, an asset that does nothing, its job and its sensor. Does not belong here: measuring
(`benchmarks/latency.py`).

The peer's sensor looks as often as the product's, lists one prefix of the same bucket and requests one run for each
new object; the run starts in the same way, loads the same code and materializes one partition of one empty asset.
"""

from __future__ import annotations

from datetime import datetime, timezone

from dagster import (
    DefaultSensorStatus,
    Definitions,
    MaterializeResult,
    RunRequest,
    SensorEvaluationContext,
    SensorResult,
    asset,
    define_asset_job,
    sensor,
)

import definitions
from pipeline_assets.partitions import daily
from resources.settings import load_settings

PEER = "empty_peer"
PREFIX = f"{PEER}/"

_settings = load_settings()


@asset(name=PEER, partitions_def=daily(_settings.first_day))
def _empty() -> MaterializeResult[None]:
    return MaterializeResult()


_job = define_asset_job(f"{PEER}_job", [PEER])


@sensor(
    name=f"{PEER}_drops",
    job=_job,
    minimum_interval_seconds=_settings.drops_interval_seconds,
    default_status=DefaultSensorStatus.RUNNING,
    required_resource_keys={"raw"},
)
def _drops(context: SensorEvaluationContext) -> SensorResult:
    keys = sorted(item.key for item in context.resources.raw.objects(PREFIX))
    new = [key for key in keys if key > (context.cursor or "")]
    today = datetime.now(timezone.utc).date().isoformat()
    requests = [RunRequest(run_key=key, partition_key=today) for key in new]
    return SensorResult(run_requests=requests, cursor=keys[-1] if keys else None)


defs = Definitions.merge(definitions.defs, Definitions(assets=[_empty], jobs=[_job], sensors=[_drops]))
