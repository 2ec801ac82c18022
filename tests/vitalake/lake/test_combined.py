"""Tables over all days: computed when a day changes, the same wherever they are computed, never lost to a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pytest

from resources.object_store import ObjectStore
from tests.vitalake.lake.watched_store import WatchedStore
from tests.vitalake.notes import DAY, build, contents, notes_dataset, remove, upload
from vitalake.lake.dataset import Combined, Dataset
from vitalake.lake.freshness import behind
from vitalake.lake.parquet import WHOLE
from vitalake.lake.stages import combine, is_combined, load_table
from vitalake.lake.tables import Column, Table
from vitalake.serving.catalog import seed

pytestmark = pytest.mark.store


@pytest.fixture
def counted() -> Dataset:
    """Notes, and how many there are."""
    notes = notes_dataset()
    table = Table(f"{notes.name}_count", "How many.", (Column("notes", "int64", "Notes."),), whole=True)

    def compute(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
        return {table.name: table.from_rows([{"notes": tables[notes.tables[0].name].num_rows}])}

    return replace(notes, combined=(Combined((table,), {notes.tables[0].name: ["text"]}, compute),))


def count(dataset: Dataset, store: ObjectStore) -> list[int]:
    table = dataset.combined[0].tables[0]
    return [row["notes"] for row in load_table(store, table, WHOLE).to_pylist()]


def combined(dataset: Dataset, store: ObjectStore) -> WatchedStore:
    watched = WatchedStore(store)
    combine(dataset, dataset.combined[0], watched, lambda _done, _total: None)
    return watched


def test_it_follows_every_day_and_is_left_alone_otherwise(
    raw: ObjectStore, store: ObjectStore, counted: Dataset
) -> None:
    combined(counted, store)
    assert count(counted, store) == [0]
    for number, day in enumerate((DAY, "2026-11-19"), 1):
        upload(raw, f"{counted.prefix}date={day}/a", b"a note")
        build(counted, raw, store, day)
        assert combined(counted, store).writes
        assert count(counted, store) == [number]
    assert not combined(counted, store).writes


def test_a_seed_neither_replaces_nor_changes_it(raw: ObjectStore, store: ObjectStore, counted: Dataset) -> None:
    upload(raw, f"{counted.prefix}date={DAY}/a", b"a note")
    build(counted, raw, store, DAY)
    combined(counted, store)
    before = contents(store, counted.combined[0].tables)
    for table in counted.every_table:
        seed(store, table)
    assert not combined(counted, store).writes, "a seed is of no day"
    assert contents(store, counted.combined[0].tables) == before


def test_whether_it_is_behind_its_days(raw: ObjectStore, store: ObjectStore, counted: Dataset) -> None:
    tables, now = counted.combined[0], datetime.now(timezone.utc)
    patience = timedelta(minutes=5)
    later = now + timedelta(minutes=6)

    def missed(at: datetime) -> int:
        return behind(tables, store, patience, at).bad

    for table in counted.every_table:
        seed(store, table)
    assert is_combined(tables, store), "nothing to follow"
    for number in range(4):
        upload(raw, f"{counted.prefix}date={DAY}/{number}", b"a note")
    build(counted, raw, store, DAY)
    assert not is_combined(tables, store)
    assert (missed(now), missed(later)) == (0, 2), "two parts, not at once"
    combined(counted, store)
    assert is_combined(tables, store)
    assert missed(later) == 0

    for number in range(4):
        remove(raw, f"{counted.prefix}date={DAY}/{number}")
    build(counted, raw, store, DAY)
    assert not is_combined(tables, store), "it has a row of days that hold nothing any more"
    assert (missed(now), missed(later)) == (0, 1)
    combined(counted, store)
    assert is_combined(tables, store)


class ComputedMeanwhile(ObjectStore):
    """A store in which the table is computed right after it was listed as missing."""

    def __init__(self, store: ObjectStore, dataset: Dataset) -> None:
        super().__init__(store._settings, store.bucket)
        self._dataset, self._inner = dataset, store

    def put(self, key: str, data: bytes, *, expected: str | None) -> str:
        combined(self._dataset, self._inner)
        return super().put(key, data, expected=expected)


def test_a_seed_that_comes_too_late_gives_way(raw: ObjectStore, store: ObjectStore, counted: Dataset) -> None:
    upload(raw, f"{counted.prefix}date={DAY}/a", b"a note")
    build(counted, raw, store, DAY)
    seed(ComputedMeanwhile(store, counted), counted.combined[0].tables[0])
    assert count(counted, store) == [1]
