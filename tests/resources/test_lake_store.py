"""What names people lies in a bucket of its own, and who may not read that bucket gets no name from anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import duckdb
import pytest
from pydantic import SecretStr

from resources.build import lake_store
from resources.catalog import connect, publish
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.s3_server import KEYS, READER_SECRET, s3_server
from tests.vitalake.notes import build, upload
from vitalake.arrivals.objects import ObjectInfo
from vitalake.datasets.declared import DATASETS
from vitalake.datasets.retina import RETINA

pytestmark = pytest.mark.store
DAY = "2026-11-20"
SCAN = {
    "patient_id": "P1",
    "patient_name": "Ada Example",
    "scan_date": "2026-11-20",
    "retina_thickness_microns": 280,
    "optic_disc_cup_ratio": 0.35,
    "diagnosis": "glaucoma",
}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Settings]:
    """The pipeline's settings, on a server that knows `analyst` as well, who may read the lake's bucket."""
    folder = tmp_path / "s3"
    folder.mkdir()
    with s3_server(folder, readers={"analyst": ["lake"]}) as endpoint:
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )
        for bucket in ("raw", "lake", "restricted"):
            client.create_bucket(Bucket=bucket)
        yield Settings(
            home=tmp_path / "home",
            s3_endpoint=endpoint,
            aws_region="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=SecretStr(KEYS["AWS_SECRET_ACCESS_KEY"]),
            raw_bucket="raw",
            lake_bucket="lake",
            restricted_bucket="restricted",
        )


def test_who_may_read_the_lake_bucket_alone_can_ask_everything_but_names(guarded: Settings) -> None:
    raw, lake = ObjectStore(guarded, "raw"), lake_store(guarded)
    upload(
        raw, f"retina/date={DAY}/a.json", json.dumps([SCAN, SCAN | {"patient_id": "", "scan_date": "x"}]).encode()
    )
    build(RETINA, raw, lake, DAY)
    publish(guarded, lake, DATASETS)
    with connect(guarded) as connection:
        assert connection.execute("SELECT patient_name FROM retina_patients").fetchall() == [("Ada Example",)]

    analyst = guarded.model_copy(
        update={"aws_access_key_id": "analyst", "aws_secret_access_key": SecretStr(READER_SECRET)}
    )
    with connect(analyst) as connection:
        assert connection.execute("SELECT patient_id, diagnosis FROM retina_scans").fetchall() == [
            ("P1", "glaucoma")
        ]
        assert connection.execute("SELECT count(*) FROM quarantine").fetchall() == [(1,)]
        for view in ("retina_names", "retina_patients"):
            with pytest.raises(duckdb.Error, match=r"403|Forbidden|denied"):
                connection.table(view).fetchall()
    everything = b"".join(ObjectStore(guarded, "lake").get(item.key) for item in _all(ObjectStore(guarded, "lake")))
    assert b"Ada" not in everything


def _all(bucket: ObjectStore) -> list[ObjectInfo]:
    return [item for folder in bucket.folders("")[0] for item in bucket.objects(folder)]
