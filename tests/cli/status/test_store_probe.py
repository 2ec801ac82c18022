"""A bucket whose contents are gone, while it can still be listed."""

from __future__ import annotations

from pathlib import Path
from urllib.request import urlopen

import boto3
import pytest
from pydantic import SecretStr

from cli.status.store_probe import unreadable
from resources.object_store import ObjectStore, SlowListingError
from resources.settings import Settings
from tests.s3_server import KEYS, master_of, s3_server

pytestmark = pytest.mark.store


def test_a_bucket_of_very_many_objects_in_no_folder_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        raise SlowListingError("")

    monkeypatch.setattr(ObjectStore, "folders", slow)
    assert unreadable(ObjectStore(Settings(pseudonym_key=SecretStr("0" * 64)), "bucket")) is None


def test_what_is_listed_and_cannot_be_read_is_told(tmp_path: Path) -> None:
    with s3_server(tmp_path) as endpoint:
        session = boto3.Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
        session.client("s3", endpoint_url=endpoint).create_bucket(Bucket="bucket")
        settings = Settings(
            s3_endpoint=endpoint,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=SecretStr(KEYS["AWS_SECRET_ACCESS_KEY"]),
            pseudonym_key=SecretStr("0" * 64),
        )
        bucket = ObjectStore(settings, "bucket")
        assert unreadable(bucket) is None  # an empty one
        for number in range(5):
            bucket.put(f"folder/date=2026-11-{number + 10}/{number}.csv", b"x" * number, expected=None)
        bucket.put("at the top", b"x", expected=None)
        for key in ("odd/tab\tkey", "odd/line\nkey"):  # obstore refuses such keys
            bucket._client.put_object(Bucket="bucket", Key=key, Body=b"odd")
        assert unreadable(bucket) is None
        with urlopen(f"{master_of(endpoint)}/col/delete?collection=bucket", timeout=60):  # noqa: S310
            pass
        assert len(bucket.objects("folder/")) == 5
        said = unreadable(bucket)
        assert said is not None
        assert said.startswith("objects are listed and cannot be read: bucket/")
