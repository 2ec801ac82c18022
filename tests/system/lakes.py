"""What a lake holds, byte for byte, and the same days built without Dagster to compare it with.

Belongs here: for tests and benchmarks that ask whether two ways of building end in the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

import boto3

from resources.build import build_resources
from resources.object_store import ObjectStore
from resources.settings import Settings
from vitalake.datasets.ecg import ECG
from vitalake.lake.reading import read_objects
from vitalake.lake.stages import derive, list_objects
from vitalake.serving.catalog import seed


def etags(settings: Settings) -> dict[str, str]:
    """Key → ETag of every object of every table in the lake bucket."""
    lake = ObjectStore(settings, settings.lake_bucket)
    return {item.key: item.version for table in ECG.all_tables for item in lake.objects(f"{table.name}/")}


def built_in_line(settings: Settings, days: Iterable[str], bucket: str) -> dict[str, str]:
    """Build days one after the other in this process into a new bucket beside the lake; its `etags`."""
    secret = settings.aws_secret_access_key
    boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.aws_region,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
    ).create_bucket(Bucket=bucket)
    beside = settings.model_copy(update={"lake_bucket": bucket})
    resources = build_resources(beside)
    raw, lake = resources.raw, resources.lake
    for day in days:
        list_objects(ECG, raw, lake, day, beside.first_day, _quiet)
        read_objects(ECG, raw, lake, day, resources.pseudonyms, _quiet, _quiet)
        for derived in ECG.derived:
            derive(ECG, derived, lake, day, _quiet)
    for table in ECG.all_tables:
        seed(lake, table)
    return etags(beside)


def _quiet(*_: object) -> None:
    pass
