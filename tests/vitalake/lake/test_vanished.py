"""Objects that change between listing and reading: named, and read by the next run."""

from __future__ import annotations

import pytest

from resources.object_store import ObjectStore
from tests.vitalake.lake.uncertain_raw import UncertainRaw
from tests.vitalake.notes import DAY, DAYS, Delete, Put, build, rows
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import fingerprint_of, parts_of

pytestmark = pytest.mark.store


@pytest.mark.parametrize("replacement", [None, b"new"])
def test_what_changes_between_listing_and_reading_is_named_and_built_again(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put, delete: Delete, replacement: bytes | None
) -> None:
    put("a", b"text")
    put("b", b"old")
    uncertain = UncertainRaw(raw, None, lambda: put("b", replacement) if replacement else delete("b"))
    reports = build(notes, uncertain, store, DAY)
    assert rows(store, notes, "texts", "source_key", "text") == [("a", "text")]
    assert rows(store, notes, "quarantine", "source_key", "rule") == [("b", "S00")]
    assert reports[1].vanished == [f"{notes.prefix}date={DAY}/b"]
    build(notes, raw, store, DAY)
    left = [("a", "text")] + [("b", "new")] * (replacement is not None)
    assert rows(store, notes, "texts", "source_key", "text") == left
    assert rows(store, notes, "quarantine", "source_key") == []


def test_an_object_that_was_gone_for_a_moment_is_read_by_the_next_run(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    """The listing is the same before and after, so only the parts can tell that something is missing."""
    put("a", b"text")
    put("b", b"text")
    uncertain = UncertainRaw(raw)
    uncertain.hidden = "/b"
    listed, *read = build(notes, uncertain, store, DAY)
    assert rows(store, notes, "quarantine", "source_key", "rule") == [("b", "S00")]
    manifest, *others = (fingerprint_of(parts_of(store, table.name, DAY)) for table in notes.all_tables)
    assert manifest == listed_fingerprint(arrived(raw, notes.prefix, DAYS))
    assert set(others) == {"incomplete"} == {report.fingerprint for report in read}
    assert listed.fingerprint == manifest
    build(notes, raw, store, DAY)
    assert rows(store, notes, "lengths", "source_key") == [("a",), ("b",)]
    assert rows(store, notes, "quarantine", "source_key") == []
    assert {fingerprint_of(parts_of(store, table.name, DAY)) for table in notes.all_tables} == {manifest}
