"""What of an error is a file's fault: never that its bytes changed on the way to whoever reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from resources import object_content
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.changing_proxy import ChangingProxy, changing_proxy, flipped
from tests.vitalake.notes import DAY, Put, build, rows
from vitalake.arrivals.partitions import PartLimits
from vitalake.datasets.pricing import PRICING
from vitalake.errors import TransientError, UnusableDataError
from vitalake.lake.contents import Parsed, RawObject
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import Inputs
from vitalake.lake.reading import read_part
from vitalake.pseudonyms import Pseudonyms

pytestmark = pytest.mark.store

HEADER = b"ID,Region,InstanceType,Price (USD/h)\n"
LINE = b"1,north-1,c7.large,0.085\n"
CONTENT = HEADER + 200 * LINE
STREAMED = replace(PRICING, limits=PartLimits(whole_bytes=100))


@pytest.fixture
def proxy(s3_endpoint: str) -> Iterator[ChangingProxy]:
    """Between `near` and the store."""
    with changing_proxy(s3_endpoint) as found:
        yield found


@pytest.fixture
def near(settings: Settings, proxy: ChangingProxy, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """The raw bucket with one file of prices, seen through the proxy; streams come in pieces of 1,000 bytes."""
    monkeypatch.setattr(object_content, "_PIECE", 1000)
    raw = ObjectStore(settings.model_copy(update={"s3_endpoint": proxy.url}), settings.raw_bucket)
    raw.put("pricing/a.csv", CONTENT, expected=None)
    return raw


def read(dataset: Dataset, raw: ObjectStore) -> tuple[int, list[str]]:
    """How many rows, and the rules of those in quarantine."""
    items = raw.objects("pricing/")
    output, refused = read_part(dataset, raw, items, Pseudonyms(b"a key for tests, long enough"), Inputs("o", "c"))
    return output.parts[dataset.tables[0].name].rows, [row["rule"] for row in refused]


def replaced(old: bytes, new: bytes, body: bytes) -> bytes:
    assert len(old) == len(new)
    return body.replace(old, new)


# A price that is another one, a header that is none, a record that is none: where they are in the stream differs.
CHANGES = [(b"0.085", b"8.085"), (b"InstanceType", b"InstanceTypf"), (b"north-1,", b'"north-1')]


@pytest.mark.parametrize("dataset", [PRICING, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize("change", CHANGES, ids=["a price", "the header", "a record"])
def test_bytes_that_changed_are_neither_rows_nor_quarantine(
    near: ObjectStore, proxy: ChangingProxy, dataset: Dataset, change: tuple[bytes, bytes]
) -> None:
    assert read(dataset, near) == (200, [])
    proxy.answers = partial(replaced, *change)
    with pytest.raises(TransientError, match="not those that the store keeps"):
        read(dataset, near)


@pytest.mark.parametrize(
    ("hidden", "rule"), [(UnusableDataError("S02", "unusable"), "S02"), (ValueError("lost"), "X01")]
)
@pytest.mark.parametrize("to_the_end", [False, True], ids=["that stops early", "that reads to the end"])
def test_a_reader_cannot_hide_it(
    near: ObjectStore, proxy: ChangingProxy, hidden: Exception, rule: str, to_the_end: bool
) -> None:
    def parse(objects: Sequence[RawObject], _: Pseudonyms) -> Iterator[Parsed]:
        yield from ()
        try:
            for _piece in objects[0].chunks():
                if not to_the_end:
                    break
        except TransientError:
            raise hidden from None
        raise hidden

    dataset = replace(STREAMED, parse=parse)
    assert read(dataset, near) == (0, [rule]), "as long as the bytes are right it is told"
    proxy.answers = partial(replaced, *CHANGES[0])
    with pytest.raises(TransientError, match="not those that the store keeps"):
        read(dataset, near)


def test_an_object_is_in_quarantine_with_the_number_of_records_that_are_in_it(near: ObjectStore) -> None:
    def parse(objects: Sequence[RawObject], _: Pseudonyms) -> Iterator[Parsed]:
        yield from ()
        raise UnusableDataError("S02", "an object around them", len(objects[0].data))

    dataset, items = replace(PRICING, parse=parse), near.objects("pricing/")
    _, [row] = read_part(dataset, near, items, Pseudonyms(b"a key for tests, long enough"), Inputs("o", "c"))
    assert (row["rule"], row["record_count"]) == ("S02", len(CONTENT))


def test_nothing_of_a_part_whose_bytes_changed_is_in_the_lake(
    near: ObjectStore, proxy: ChangingProxy, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    put("a", b"text")
    put("b", b"other text")
    proxy.answers, proxy.only = flipped, "/b"
    with pytest.raises(TransientError, match="not those that the store keeps"):
        build(notes, near, store, DAY)
    assert [item.key for table in notes.tables for item in store.objects(f"{table.name}/")] == []
    assert store.objects(f"{notes.quarantine_table.name}/") == []
    proxy.answers = None
    build(notes, near, store, DAY)
    assert rows(store, notes, "texts", "source_key", "text") == [("a", "text"), ("b", "other text")]
