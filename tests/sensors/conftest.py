"""A code location, its bucket and Dagster, and objects dropped into the bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from dagster import DagsterInstance

from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.sensors.dropping import RECORDING, System, day
from tests.vitalake.notes import upload


@pytest.fixture
def system(settings: Settings, raw: ObjectStore) -> Iterator[System]:
    with DagsterInstance.ephemeral() as instance:
        yield System(settings, raw, instance)


@pytest.fixture
def put(raw: ObjectStore) -> Callable[[int, str], None]:
    """Upload a recording: so many days from today, with a name."""
    return lambda offset, name: upload(raw, f"ecg/date={day(offset)}/{name}", RECORDING)
