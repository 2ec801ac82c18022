"""Listing for as long as a tick may: very many keys are left to the sweep, a store that hangs is trouble."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from resources.object_store import ObjectStore, SlowListingError
from resources.settings import Settings
from sensors.bounded_listing import BoundedBucket
from tests.vitalake.notes import upload
from vitalake.errors import TransientError


@pytest.fixture
def hanging(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """A store that takes every connection and never answers."""
    monkeypatch.setattr("resources.object_store._PAGE_TIMEOUT", timedelta(seconds=0.5))
    monkeypatch.setattr("resources.object_store._PAGE_RETRIES", {"max_retries": 0})
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        yield ObjectStore(settings.model_copy(update={"s3_endpoint": endpoint}), settings.raw_bucket)


LOOKS = [lambda there: there.objects("ecg/"), lambda there: there.folders("ecg/")]


@pytest.mark.parametrize("look", LOOKS, ids=["objects", "folders"])
def test_a_store_that_hangs_is_trouble_and_no_large_bucket(
    hanging: ObjectStore, look: Callable[[BoundedBucket], object]
) -> None:
    with pytest.raises(TransientError, match="did not answer"):
        look(BoundedBucket(hanging))


@pytest.mark.store
@pytest.mark.parametrize("look", LOOKS, ids=["objects", "folders"])
def test_a_store_that_answers_and_takes_too_long_is_a_large_bucket(
    raw: ObjectStore, look: Callable[[BoundedBucket], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(raw, "ecg/a", b"")
    monkeypatch.setattr("sensors.bounded_listing.LISTING_SECONDS", 0.0)
    with pytest.raises(SlowListingError):
        look(BoundedBucket(raw))
