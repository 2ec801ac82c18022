"""Bytes that change between the store and us, for real: never an accepted recording, never a refused good one."""

from __future__ import annotations

import base64
import hashlib
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import anycrc
import pytest
from boto3.s3.transfer import TransferConfig

from resources import object_content
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.changing_proxy import Change, ChangingProxy, changing_proxy, flipped, lengthened, shortened
from vitalake.errors import TransientError, UnusableDataError

pytestmark = pytest.mark.store

CONTENT = random.Random(5).randbytes(14_600)
KEYS = pytest.mark.parametrize("key", ["ecg/a", "ecg/tab\tkey"], ids=["plain", "refused by obstore"])
CHANGES = pytest.mark.parametrize("change", [flipped, shortened, lengthened])


@pytest.fixture
def proxy(s3_endpoint: str) -> Iterator[ChangingProxy]:
    """Between `near` and the store."""
    with changing_proxy(s3_endpoint) as found:
        yield found


@pytest.fixture
def near(settings: Settings, proxy: ChangingProxy) -> ObjectStore:
    """The raw bucket, seen through the proxy."""
    return ObjectStore(settings.model_copy(update={"s3_endpoint": proxy.url}), settings.raw_bucket)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams come in pieces of 1,000 bytes."""
    monkeypatch.setattr(object_content, "_PIECE", 1000)


@KEYS
@CHANGES
def test_what_changed_once_is_read_again(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, key: str, change: Change
) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=CONTENT)
    [item] = raw.objects("ecg/")
    reads: list[Callable[[], bytes | UnusableDataError | None]] = [
        lambda: near.get(key),
        lambda: near.get(key, item.version),
        lambda: dict(near.get_many([item]))[item],
    ]
    for read in reads:
        proxy.answers, proxy.times = change, 1
        assert read() == CONTENT
        assert proxy.times == 0, "it did change one"


@KEYS
@CHANGES
def test_what_always_changes_is_an_error_of_the_world(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, key: str, change: Change
) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=CONTENT)
    [item] = raw.objects("ecg/")
    proxy.answers = change
    for read in (lambda: near.get(key), lambda: near.get(key, item.version), lambda: list(near.get_many([item]))):
        with pytest.raises(TransientError, match="not those that the store keeps"):
            read()


@pytest.mark.usefixtures("small_pieces")
@KEYS
@pytest.mark.parametrize("where", ["bytes=0-999", "bytes=2000-2999", "bytes=4000-4320"])
def test_a_stream_whose_bytes_changed_does_not_end_well(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, key: str, where: str
) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=CONTENT[:4321])
    [item] = raw.objects("ecg/")
    proxy.answers, proxy.only = flipped, where
    read = b""
    with pytest.raises(TransientError, match="not those that the store keeps"):
        for piece in near.stream(item) or ():
            read += piece
    assert len(read) < 4321, "the last piece comes only when all of them are right"


@pytest.mark.usefixtures("small_pieces")
@KEYS
@pytest.mark.parametrize("change", [shortened, lengthened])
def test_a_piece_of_another_length_is_read_again(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, key: str, change: Change
) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=CONTENT[:4321])
    [item] = raw.objects("ecg/")
    proxy.answers, proxy.only, proxy.times = change, "bytes=2000-2999", 1
    assert b"".join(near.stream(item) or ()) == CONTENT[:4321]
    proxy.times = None
    with pytest.raises(TransientError):
        list(near.stream(item) or ())


@pytest.mark.parametrize("there", ["s3_endpoint", "moto"], ids=["a store that verifies", "a store that does not"])
@pytest.mark.parametrize("before", [None, b"what was there"], ids=["new", "replaced"])
@CHANGES
def test_what_arrives_changed_is_put_again_or_not_kept(
    settings: Settings, request: pytest.FixtureRequest, there: str, before: bytes | None, change: Change
) -> None:
    with changing_proxy(request.getfixturevalue(there)) as proxy:
        direct = ObjectStore(settings.model_copy(update={"s3_endpoint": proxy.upstream}), settings.lake_bucket)
        near = ObjectStore(settings.model_copy(update={"s3_endpoint": proxy.url}), settings.lake_bucket)
        if there == "moto":
            direct._client.create_bucket(Bucket=direct.bucket)
        for key, times in (("t/once", 1), ("t/always", None)):
            version = None if before is None else direct.put(key, before, expected=None)
            proxy.requests, proxy.times = change, times
            if times:
                put = near.put(key, CONTENT, expected=version)
                assert proxy.times == 0, "it did change one"
                assert direct.get(key, put) == CONTENT
            else:
                with pytest.raises(TransientError, match="not those that were sent"):
                    near.put(key, CONTENT, expected=version)
                assert [direct.get(item.key) for item in direct.objects("t/") if item.key == key] in ([], [before])


def test_a_store_that_keeps_the_checksum_that_was_sent_and_verifies_nothing(settings: Settings, moto: str) -> None:
    with changing_proxy(moto) as proxy:
        near = ObjectStore(settings.model_copy(update={"s3_endpoint": proxy.url}), settings.lake_bucket)
        near._client.create_bucket(Bucket=near.bucket)
        proxy.headers = {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()}
        proxy.requests = flipped
        with pytest.raises(TransientError, match="not those that were sent"):
            near.put("t/a", CONTENT, expected=None)


ENCRYPTED = [
    {"x-amz-server-side-encryption": "aws:kms"},
    {"x-amz-server-side-encryption": "aws:kms:dsse"},
    {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
    {"x-goog-encryption-kms-key-name": "projects/p/locations/l/keyRings/r/cryptoKeys/k"},
]
RANDOM = '"0123456789abcdef0123456789abcdef"'  # an ETag that looks like an MD5


@pytest.mark.usefixtures("small_pieces")
@KEYS
@pytest.mark.parametrize("encryption", ENCRYPTED, ids=lambda each: "=".join(*each.items()))
def test_an_etag_that_is_no_md5_makes_nothing_unreadable(
    raw: ObjectStore,
    near: ObjectStore,
    proxy: ChangingProxy,
    key: str,
    encryption: dict[str, str],
) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=CONTENT)
    proxy.headers = {**encryption, "ETag": RANDOM, "x-amz-checksum-crc32": ""}
    [item] = [replace(item, version=RANDOM) for item in raw.objects("ecg/")]
    assert near.get(key) == near.get(key, RANDOM) == dict(near.get_many([item]))[item] == CONTENT
    assert b"".join(near.stream(item) or ()) == CONTENT
    proxy.answers = shortened
    for read in (lambda: near.get(key), lambda: list(near.get_many([item])), lambda: list(near.stream(item) or ())):
        with pytest.raises(TransientError):
            read()


@pytest.mark.usefixtures("small_pieces")
@KEYS
@pytest.mark.parametrize("algorithm", ["SHA256", "SHA1", "CRC32", "CRC32C", "CRC64NVME"])
def test_a_checksum_that_the_store_keeps_stands_for_an_etag_that_is_no_md5(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, key: str, algorithm: str
) -> None:
    """The values are those that the store has verified: a false one is refused."""
    digest = base64.b64encode(digest_of(algorithm, CONTENT)).decode()
    given: Any = {f"Checksum{algorithm}": digest}
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=CONTENT, **given)
    proxy.headers = {"x-amz-server-side-encryption": "aws:kms", "ETag": RANDOM}
    [item] = [replace(item, version=RANDOM) for item in raw.objects("ecg/")]
    assert near.get(key) == dict(near.get_many([item]))[item] == b"".join(near.stream(item) or ()) == CONTENT
    proxy.answers, proxy.times = flipped, 1
    assert near.get(key) == CONTENT
    proxy.times = None
    for read in (lambda: near.get(key), lambda: list(near.get_many([item])), lambda: list(near.stream(item) or ())):
        with pytest.raises(TransientError, match=f"differ from its own checksum, {algorithm}"):
            read()


def digest_of(algorithm: str, data: bytes) -> bytes:
    """As S3 names the algorithms."""
    if algorithm.startswith("SHA"):
        return hashlib.new(algorithm.lower(), data).digest()
    if algorithm == "CRC32":
        return zlib.crc32(data).to_bytes(4, "big")
    model, length = {"CRC32C": ("CRC32-ISCSI", 4), "CRC64NVME": ("CRC64-NVME", 8)}[algorithm]
    return int(anycrc.Model(model).calc(data)).to_bytes(length, "big")


PIECES = [random.Random(6).randbytes(size) for size in (5 * 2**20, 5 * 2**20 + 7, 1000)]  # as a device may cut them


@pytest.mark.parametrize("kind", ["", "COMPOSITE", "FULL_OBJECT"])
def test_an_object_that_came_in_parts_is_compared_part_by_part(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, kind: str
) -> None:
    """By the MD5s of its parts, a checksum of checksums where there is a KMS key, or one of the whole."""
    target: Any = {"Bucket": raw.bucket, "Key": "ecg/a"}
    of_kind: Any = {"ChecksumAlgorithm": "CRC32", "ChecksumType": kind} if kind else {}
    target["UploadId"] = raw._client.create_multipart_upload(**target, **of_kind)["UploadId"]
    parts: list[Any] = []
    for number, piece in enumerate(PIECES, 1):
        sent = raw._client.upload_part(**target, PartNumber=number, Body=piece)
        parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumCRC32": sent["ChecksumCRC32"]})
    of_kind.pop("ChecksumAlgorithm", None)
    raw._client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts}, **of_kind)
    [item] = raw.objects("ecg/")
    assert item.version.endswith('-3"')
    if kind:
        proxy.headers = {"x-amz-server-side-encryption": "aws:kms"}
    assert near.get("ecg/a") == b"".join(near.stream(item) or ()) == b"".join(PIECES)
    proxy.answers, proxy.times = flipped, 1
    assert near.get("ecg/a") == b"".join(PIECES)
    proxy.times = 1
    with pytest.raises(TransientError, match=f"own checksum, {'CRC32' if kind else 'MD5'}"):
        list(near.stream(item) or ())
    proxy.times = None
    if kind:
        with pytest.raises(TransientError, match="own checksum, CRC32"):
            near.get("ecg/a")
    for change in (shortened, lengthened):
        proxy.answers = change
        with pytest.raises(TransientError, match=r"10,486,768|10,486,766"):
            near.get("ecg/a")


def test_an_object_of_copied_parts_whose_etag_is_no_digest_is_readable(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy
) -> None:
    content = b"".join(PIECES) * 2
    raw._client.put_object(Bucket=raw.bucket, Key="ecg/a", Body=content)
    in_parts = TransferConfig(multipart_threshold=1, multipart_chunksize=8 * 2**20)
    raw._client.copy({"Bucket": raw.bucket, "Key": "ecg/a"}, raw.bucket, "ecg/b", Config=in_parts)
    [item] = [item for item in raw.objects("ecg/") if item.key == "ecg/b"]
    assert item.version.endswith('-3"')
    assert near.get("ecg/b") == b"".join(near.stream(item) or ()) == content
    proxy.answers, proxy.times = flipped, 1
    assert near.get("ecg/b") == content
    proxy.times = 1
    with pytest.raises(TransientError):
        list(near.stream(item) or ())


@KEYS
def test_the_end_of_an_object_has_its_length(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, key: str
) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=CONTENT)
    assert raw.tail(key, 100) == CONTENT[-100:]
    assert raw.tail(key, len(CONTENT) + 1) == CONTENT
    for change in (shortened, lengthened):
        proxy.answers, proxy.times = change, 1
        assert near.tail(key, 100) == CONTENT[-100:]
    for change in (flipped, shortened, lengthened):
        proxy.answers, proxy.times = change, 1
        assert near.tail(key, 20_000) == CONTENT, "all of it is compared as such"
        proxy.times = None
        with pytest.raises(TransientError):
            near.tail(key, 20_000)
