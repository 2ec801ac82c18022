"""Code of ours that breaks on an object: its row in quarantine, told as what it is, and never a failed day."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from resources.object_store import ObjectStore
from tests.vitalake.notes import DAY, FIRST_DAY, PSEUDONYMS, Put, build, rows
from vitalake.errors import PermanentError, TransientError, UnusableDataError
from vitalake.lake.contents import Parsed, RawObject, Tabulated
from vitalake.lake.dataset import Dataset
from vitalake.lake.reading import read_objects
from vitalake.lake.stages import list_objects
from vitalake.pseudonyms import Pseudonyms

pytestmark = pytest.mark.store

SECRET = "Zyqhvut"
OF_THE_MACHINE = [MemoryError, OSError, ImportError, TransientError, PermanentError]


def breaking(notes: Dataset, error: type[Exception], *said: str, reading: bool = True) -> Dataset:
    """The dataset with a reader, or a layout, that raises this of each text with an exclamation mark."""

    def parse(objects: Sequence[RawObject], pseudonyms: Pseudonyms) -> Iterator[Parsed]:
        yield from notes.parse(objects, pseudonyms)
        if any(b"!" in item.data for item in objects):
            raise error(*said)

    def tabulate(values: Sequence[Any]) -> Tabulated:
        if any("!" in value["text"] for value in values):
            raise error(*said)
        return notes.tabulate(values)

    return replace(notes, parse=parse) if reading else replace(notes, tabulate=tabulate)


def quarantined(store: ObjectStore, notes: Dataset) -> list[tuple[Any, ...]]:
    return rows(store, notes, "quarantine", "source_key", "rule")


@pytest.mark.parametrize("reading", [True, False], ids=["reading", "laying out"])
def test_one_object_is_refused_and_the_day_goes_on(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put, caplog: pytest.LogCaptureFixture, reading: bool
) -> None:
    for name, data in (("a", b"one"), ("b", b"two!"), ("c", b"three")):
        put(name, data)
    with caplog.at_level(logging.ERROR, "vitalake"):
        build(breaking(notes, ValueError, SECRET, reading=reading), raw, store, DAY)
    kept = ["a", "b", "c"] if reading else ["a", "c"]  # what was read before it broke stays
    assert [name for (name,) in rows(store, notes, "texts", "source_key")] == kept
    assert quarantined(store, notes) == [("b", "X01")]
    [(message,)] = rows(store, notes, "quarantine", "message")
    assert message.startswith("a defect of the reader (ValueError), no finding about the file")
    [record] = caplog.records
    said = record.getMessage()
    assert "(ValueError)" in said
    assert f"date={DAY}/b" in said
    assert "in parse" in said or "in tabulate" in said
    assert SECRET not in said + message
    assert record.exc_info is None


def test_objects_that_belong_together_are_refused_together(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    for name, data in (("a", b"one"), ("b.head", b"two!"), ("b.tail", b"three")):
        put(name, data)
    build(breaking(notes, ValueError, reading=False), raw, store, DAY)
    assert rows(store, notes, "texts", "source_key") == [("a",)]
    assert quarantined(store, notes) == [("b.head", "X01"), ("b.tail", "X01")]


def test_rows_of_the_good_are_those_of_a_day_without_the_bad(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    put("a", b"one")
    put("c", b"three")
    broken = breaking(notes, ValueError, reading=False)
    build(broken, raw, store, DAY)
    before = rows(store, notes, "texts", *notes.tables[0].names)
    put("b", b"two!")
    build(broken, raw, store, DAY)
    assert rows(store, notes, "texts", *notes.tables[0].names) == before


def test_what_is_refused_while_it_is_laid_out_keeps_its_own_rule(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    put("a", b"one")
    put("b", b"two!")
    build(breaking(notes, UnusableDataError, "S05", "too loud", reading=False), raw, store, DAY)
    assert rows(store, notes, "quarantine", "source_key", "rule", "message") == [("b", "S05", "too loud")]


def test_code_that_lays_out_no_object_fails_the_run_and_leaves_the_lake_as_it_is(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    put("a", b"one")
    put("b", b"two")
    build(notes, raw, store, DAY)
    for name in "ab":
        put(name, b"loud!")
    with pytest.raises(RuntimeError, match=r"laying out rows of notes\d+ failed \(ValueError\)"):
        build(breaking(notes, ValueError, reading=False), raw, store, DAY)
    assert rows(store, notes, "texts", "text") == [("one",), ("two",)]


@pytest.mark.parametrize("error", OF_THE_MACHINE, ids=lambda error: error.__name__)
@pytest.mark.parametrize("reading", [True, False], ids=["reading", "laying out"])
def test_what_says_nothing_about_an_object_fails_the_run(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put, error: type[Exception], reading: bool
) -> None:
    put("a", b"one")
    put("b", b"two!")
    with pytest.raises(error):
        build(breaking(notes, error, reading=reading), raw, store, DAY)
    assert rows(store, notes, "quarantine", "rule") == []


def test_other_code_reads_the_object_again(raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put) -> None:
    def run(dataset: Dataset) -> bool:
        quiet = lambda *_: None  # noqa: E731
        list_objects(dataset, raw, store, DAY, FIRST_DAY, quiet)
        return read_objects(dataset, raw, store, DAY, PSEUDONYMS, quiet, quiet).changed

    put("a", b"one!")
    broken = breaking(notes, ValueError, reading=False)
    assert run(broken)
    assert quarantined(store, notes) == [("a", "X01")]
    assert not run(broken), "the same code breaks on it again, so it need not try"
    assert run(notes)
    assert quarantined(store, notes) == []
    assert rows(store, notes, "texts", "text") == [("one!",)]
