"""Bytes that change between the store and us, for real: never an accepted recording, never a refused good one."""

from __future__ import annotations

import base64
import hashlib
import random
import zlib
from collections.abc import Iterator

import pytest

from resources import object_store
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.changing_proxy import Change, ChangingProxy, changing_proxy, flipped, lengthened, shortened
from vitalake.errors import TransientError

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
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> int:
    """Streams come in pieces of this many bytes."""
    monkeypatch.setattr(object_store, "_PIECE", 1000)
    return 1000


@KEYS
@CHANGES
def test_what_changed_once_is_read_again(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, key: str, change: Change
) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=CONTENT)
    [item] = raw.objects("ecg/")
    for read in (lambda: near.get(key), lambda: near.get(key, item.version), lambda: dict(near.get_many([item]))[item]):
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


@KEYS
@pytest.mark.parametrize("where", ["bytes=0-999", "bytes=2000-2999", "bytes=4000-4320"])
def test_a_stream_whose_bytes_changed_does_not_end_well(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, small_pieces: int, key: str, where: str
) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=CONTENT[:4321])
    [item] = raw.objects("ecg/")
    proxy.answers, proxy.only = flipped, where
    read = b""
    with pytest.raises(TransientError, match="not those that the store keeps"):
        for piece in near.stream(item) or ():
            read += piece
    assert len(read) < 4321, "the last piece comes only when all of them are right"


@KEYS
@pytest.mark.parametrize("change", [shortened, lengthened])
def test_a_piece_of_another_length_is_read_again(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, small_pieces: int, key: str, change: Change
) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=CONTENT[:4321])
    [item] = raw.objects("ecg/")
    proxy.answers, proxy.only, proxy.times = change, "bytes=2000-2999", 1
    assert b"".join(near.stream(item) or ()) == CONTENT[:4321]
    proxy.times = None
    with pytest.raises(TransientError):
        list(near.stream(item) or ())
