"""A dataset of notes, and its objects of one day."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resources.object_store import ObjectStore
from tests.vitalake.notes import DAY, notes_dataset, remove, upload
from vitalake.lake.dataset import Dataset


@pytest.fixture
def notes() -> Dataset:
    return notes_dataset()


@pytest.fixture
def put(raw: ObjectStore, notes: Dataset) -> Callable[[str, bytes], None]:
    return lambda name, data: upload(raw, f"{notes.prefix}date={DAY}/{name}", data)


@pytest.fixture
def delete(raw: ObjectStore, notes: Dataset) -> Callable[[str], None]:
    return lambda name: remove(raw, f"{notes.prefix}date={DAY}/{name}")
