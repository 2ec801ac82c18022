"""The buckets of the benchmark that says "nothing read, nothing written" refuse every way of doing so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.growth import NoReads, NoWrites
from resources.object_store import ObjectStore

KEY = "ecg/date=2026-11-20/1.mat"
LISTING = {"objects", "pages", "folders"}
READING: dict[str, Callable[[ObjectStore], object]] = {
    "get": lambda store: store.get(KEY),
    "get_many": lambda store: list(store.get_many(store.objects("ecg/"))),
    "stream": lambda store: list(store.stream(store.objects("ecg/")[0]) or ()),
    "tail": lambda store: store.tail(KEY, 1),
}
WRITING: dict[str, Callable[[ObjectStore], object]] = {
    "put": lambda store: store.put(f"{KEY}.new", b"x", expected=None),
    "delete": lambda store: store.delete(KEY, expected=store.objects("ecg/")[0].version),
}


@pytest.mark.store
def test_nothing_but_a_listing_gets_through(raw: ObjectStore) -> None:
    raw.put(KEY, b"x", expected=None)
    before = raw.objects("ecg/")
    assert [item.key for item in NoReads(raw).objects("ecg/")] == [KEY]
    for work in READING.values():
        work(NoWrites(raw))
        with pytest.raises(AssertionError, match="asked for again"):
            work(NoReads(raw))
    with pytest.raises(AssertionError, match="asked for again"):
        NoReads(raw).get("ecg/../1.mat")  # the way of keys that obstore refuses
    for work in WRITING.values():
        with pytest.raises(AssertionError, match=r"was written again|was deleted"):
            work(NoWrites(raw))
    assert raw.objects("ecg/") == before


def test_there_is_no_other_way() -> None:
    ways: dict[str, Any] = {name: each for name, each in vars(ObjectStore).items() if not name.startswith("_")}
    assert ways.keys() == LISTING | READING.keys() | WRITING.keys()
