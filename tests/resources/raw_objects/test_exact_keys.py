"""Keys that obstore does not take, or changes: every look at the bucket agrees on them, and they are read."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone

import pytest

from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.changing_proxy import changing_proxy
from tests.vitalake.notes import DAY, DAYS, build, notes_dataset, rows, upload
from vitalake.arrivals.calendar import Partition
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.folder_markers import is_folder_marker
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.sweep import Position, Sweep
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import fingerprint_of, parts_of

pytestmark = pytest.mark.store
MARKERS = ["ecg/", f"ecg/date={DAY}/", f"ecg/date={DAY}/device=a/", "ecg/x/y/z/"]


@pytest.fixture
def aws(settings: Settings, moto: str) -> ObjectStore:
    """A bucket that has every key as it is, as on AWS; SeaweedFS makes files and folders of keys."""
    bucket = ObjectStore(settings.model_copy(update={"s3_endpoint": moto}), f"raw-{uuid.uuid4().hex[:12]}")
    bucket._client.create_bucket(Bucket=bucket.bucket)
    return bucket


def ways(bucket: ObjectStore, prefix: str) -> list[list[ObjectInfo]]:
    """What is below a folder, listed at once and folder by folder."""

    def below(folder: str) -> list[ObjectInfo]:
        folders, items = bucket.folders(folder)
        return items + [item for each in folders for item in below(each)]

    return [sorted(found, key=lambda item: item.key) for found in (bucket.objects(prefix), below(prefix))]


@pytest.mark.parametrize("key", MARKERS)
@pytest.mark.parametrize("odd", [False, True], ids=["by obstore", "by boto3"])
@pytest.mark.parametrize("store_name", ["aws", "raw"])
def test_a_marker_keeps_its_slash_and_an_empty_upload_has_none(
    request: pytest.FixtureRequest, store_name: str, key: str, odd: bool
) -> None:
    bucket: ObjectStore = request.getfixturevalue(store_name)
    upload(bucket, key, b"")
    upload(bucket, f"ecg/date={DAY}/empty", b"")
    if odd:
        upload(bucket, "ecg/tab\tkey", b"1")
    for found in ways(bucket, "ecg/"):
        empty = [item for item in found if not item.size_bytes]
        assert {item.key: is_folder_marker(item) for item in empty} == {key: True, f"ecg/date={DAY}/empty": False}


def test_of_a_folder_and_an_empty_upload_of_one_name_only_the_folder_is_none(aws: ObjectStore) -> None:
    upload(aws, f"ecg/date={DAY}/a", b"")
    until = aws.objects("ecg/")[0].uploaded_at
    while datetime.now(timezone.utc).replace(microsecond=0) == until.replace(microsecond=0):
        pass  # what tells the two is a time in seconds
    upload(aws, f"ecg/date={DAY}/a/", b"")
    assert sorted(item.key for item in aws.objects("ecg/")) == [f"ecg/date={DAY}/a", f"ecg/date={DAY}/a/"]


def test_a_marker_is_asked_for_once(aws: ObjectStore, settings: Settings) -> None:
    upload(aws, f"ecg/date={DAY}/device=a/", b"")
    with changing_proxy(str(aws._settings.s3_endpoint)) as proxy:
        near = ObjectStore(settings.model_copy(update={"s3_endpoint": proxy.url}), aws.bucket)
        for _ in range(3):
            assert len(near.objects("ecg/")) == 1
        assert sum(each.startswith("HEAD") for each in proxy.seen) == 1


def test_a_marker_under_an_encryption_that_makes_etags_random_is_one(aws: ObjectStore, settings: Settings) -> None:
    upload(aws, f"ecg/date={DAY}/device=a/", b"")
    [item] = aws.objects("ecg/")
    near = ObjectStore(aws._settings, aws.bucket)
    random = f'"{"1" * 32}"'
    named = near._keys._is_of_nothing
    with changing_proxy(str(aws._settings.s3_endpoint)) as proxy:
        proxy.headers["x-amz-server-side-encryption"] = "aws:kms"
        near = ObjectStore(settings.model_copy(update={"s3_endpoint": proxy.url}), aws.bucket)
        assert near._keys._is_of_nothing(item.key, random)
    assert not named(item.key, random)


ODD = [
    "a//b",
    "a/./b",
    "a/../b",
    "/b",
    "./b",
    "../b",
    "a/b/",
    "a//",
    "/",
    "a/.",
    "a/..",
    "tab\tkey",
    "\x07/",
]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("dated", [True, False])
def test_every_key_is_read_once_and_every_look_at_the_bucket_agrees(
    aws: ObjectStore, store: ObjectStore, name: str, dated: bool
) -> None:
    notes = notes_dataset()
    folder = f"{notes.prefix}date={DAY}/" if dated else notes.prefix
    upload(aws, f"{folder}{name}", b"odd")
    upload(aws, f"{folder}plain", b"text")
    day = DAY if dated else f"{aws.objects(notes.prefix)[0].uploaded_at:%Y-%m-%d}"
    for _ in range(2):
        reports = build(notes, aws, store, day)
    assert [report.written for report in reports] == [[], [], []]
    assert agreed(notes, aws, day) == {fingerprint_of(parts_of(store, each.name, day)) for each in notes.all_tables}
    assert sum(part.rows for part in parts_of(store, notes.tables[0].name, day).values()) == 2
    assert sum(part.rows for part in parts_of(store, notes.quarantine_table.name, day).values()) == 0


def agreed(notes: Dataset, bucket: ObjectStore, day: str) -> set[str]:
    """The fingerprints of a day as each of those sees it that ask for runs, or say that there is nothing to do."""
    group = notes.group_objects
    sweep = Sweep(bucket, notes.prefix, DAYS, group, Position())
    assert sweep.go_on(lambda: False)
    listed = [
        arrived(bucket, notes.prefix, DAYS, {Partition.parse(day)}, group),
        arrived(bucket, notes.prefix, DAYS, None, group),
    ]
    return {sweep.partitions()[day][1], *map(listed_fingerprint, listed)}


def test_what_seaweedfs_does_not_keep_is_refused_once(raw: ObjectStore, store: ObjectStore) -> None:
    """The content of a key that ends in a slash: it lists the object as empty."""
    notes = notes_dataset()
    upload(raw, f"{notes.prefix}date={DAY}/a/", b"content")
    upload(raw, f"{notes.prefix}date={DAY}/b", b"text")
    for _ in range(2):
        reports = build(notes, raw, store, DAY)
    assert [report.written for report in reports] == [[], [], []]
    assert agreed(notes, raw, DAY) == {fingerprint_of(parts_of(store, each.name, DAY)) for each in notes.all_tables}
    assert rows(store, notes, "texts", "source_key") == [("b",)]
    assert rows(store, notes, "quarantine", "source_key", "rule") == [("a", "S01")]
