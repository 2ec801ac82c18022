"""What one run of the stages does to the lake, object by object, on a real store."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.vitalake.lake.uncertain_raw import UncertainRaw
from tests.vitalake.lake.watched_store import Crash, WatchedStore, crash_at
from tests.vitalake.notes import DAY, DAYS, FIRST_DAY, PSEUDONYMS, Delete, Put, build, contents, rows, upload
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.errors import PermanentError, TransientError
from vitalake.lake.contents import Parsed, RawObject, Tabulated
from vitalake.lake.dataset import Dataset
from vitalake.lake.parquet import encode
from vitalake.lake.parts import fingerprint_of, parts_of
from vitalake.lake.reading import read_objects
from vitalake.lake.stages import list_objects, load_table
from vitalake.lake.tables import Table
from vitalake.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.store

BROKE = (
    "a defect of the reader (UnicodeDecodeError), no finding about the file: the log of the run has the traceback "
    "to report. A program that mends it reads the object again when its day is next built"
)


def test_each_object_becomes_rows_or_one_row_of_quarantine(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    files = {"a": b"one", "b": b"bad", "c": b"", "d": b"\xff\xfe", "e": b"x" * 21, "f": b"x" * 20}
    for name, data in files.items():
        put(name, data)
    build(notes, raw, store, DAY)
    assert rows(store, notes, "texts", "source_key", "text") == [("a", "one"), ("f", "x" * 20)]
    assert rows(store, notes, "lengths", "source_key", "length") == [("a", 3), ("f", 20)]
    assert rows(store, notes, "quarantine", "source_key", "rule", "message", "excerpt_hex") == [
        ("b", "S03", "the text says itself that it is bad", None),
        ("c", "S01", "the object is empty (0 bytes)", None),
        ("d", "X01", BROKE, "fffe"),
        ("e", "S01", "the object has 21 bytes; the limit is 20", None),
    ]


def test_of_how_an_object_begins_a_known_signature_is_told_and_nothing_else(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    started = {"a": b"%PDFZyqh", "b": b"\xef\xbb\xbfZyqh\xff", "c": b"Zyqh\xff", "d": "Яна".encode() + b"\xff"}
    for name, data in started.items():
        put(name, data + b"\xff")
    build(notes, raw, store, DAY)
    found = rows(store, notes, "quarantine", "source_key", "excerpt_hex")
    assert found == [("a", b"%PDF".hex()), ("b", "efbbbf"), ("c", None), ("d", None)]


def test_what_a_library_says_of_a_value_is_in_no_error_of_a_run(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    def tabulate(values: Sequence[Any]) -> Tabulated:
        return Tabulated({"x": int(values[0]["text"])})

    put("a", b"Zyqhvut")
    put("b", b"Zyqhvut")
    with pytest.raises(RuntimeError) as caught:
        build(replace(notes, tabulate=tabulate), raw, store, DAY)
    said = "".join(traceback.format_exception(caught.value))
    assert f"laying out rows of {notes.name} failed (ValueError)" in said
    assert "in tabulate" in said
    assert "Zyqhvut" not in said


def test_a_part_is_laid_out_in_slices_of_bounded_weight(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices: list[int] = []

    def parse(objects: Sequence[RawObject], pseudonyms: Pseudonyms) -> list[Parsed]:
        return [replace(parsed, weight_bytes=10) for parsed in notes.parse(objects, pseudonyms)]

    def tabulate(values: Sequence[Any]) -> Tabulated:
        slices.append(len(values))
        return notes.tabulate(values)

    monkeypatch.setattr("vitalake.lake.reading.SLICE_BYTES", 20)
    for name in "abc":
        put(name, name.encode())
    build(replace(notes, parse=parse, tabulate=tabulate), raw, store, DAY)
    assert slices == [2, 1]
    assert rows(store, notes, "texts", "text") == [("a",), ("b",), ("c",)]


def test_half_of_a_note_waits_visibly_and_is_no_news(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    told: list[Any] = []

    def run() -> None:
        list_objects(notes, raw, store, DAY, FIRST_DAY, lambda _done, _total: None)
        read_objects(notes, raw, store, DAY, PSEUDONYMS, lambda _done, _total: None, told.extend)

    put("a.head", b"left")
    run()
    ((key, rule, message),) = rows(store, notes, "quarantine", "source_key", "rule", "message")
    assert (key, rule) == ("a.head", "S16")
    assert message.startswith("waits since ")
    put("a.tail", b"right")
    run()
    assert rows(store, notes, "quarantine", "source_key") == []
    assert rows(store, notes, "texts", "source_key", "text") == [("a.head", "left"), ("a.tail", "right")]
    assert told == []


def test_another_key_for_pseudonyms_is_another_part(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    put("a", b"text")
    build(notes, raw, store, DAY)
    quiet = lambda *_: None  # noqa: E731
    same = read_objects(notes, raw, store, DAY, PSEUDONYMS, quiet, quiet)
    other = read_objects(notes, raw, store, DAY, Pseudonyms(b"another key, long enough"), quiet, quiet)
    assert (same.changed, other.changed) == (False, True)


def test_an_append_writes_the_last_part_of_each_table_and_no_other(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    for name in "abcdefg":
        put(name, b"text")
    build(notes, raw, store, DAY)
    put("h", b"text")
    watched = WatchedStore(store)
    reports = build(notes, raw, watched, DAY)
    assert watched.writes == [f"{table.name}/date={DAY}/part-00002.parquet" for table in notes.all_tables]
    assert watched.deletions == []
    assert [key for report in reports for key in report.written] == watched.writes
    assert [report.unchanged for report in reports] == [2, 4, 2]


def test_a_day_that_shrinks_loses_its_surplus_parts_and_at_last_all(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put, delete: Delete
) -> None:
    for name in "abcdefg":
        put(name, b"text")
    build(notes, raw, store, DAY)
    for name in "defg":
        delete(name)
    watched = WatchedStore(store)
    build(notes, raw, watched, DAY)
    gone = [f"{table.name}/date={DAY}/part-0000{n}.parquet" for table in notes.all_tables for n in (2, 1)]
    assert (watched.writes, watched.deletions) == ([], gone)  # last part first: never a gap in between
    for name in "abc":
        delete(name)
    build(notes, raw, store, DAY)
    assert contents(store, notes.all_tables) == {}


def test_a_change_stays_in_its_day(raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put) -> None:
    other = f"{notes.prefix}date=2026-11-21/a"
    upload(raw, other, b"text")
    put("a", b"text")
    for day in (DAY, "2026-11-21"):
        build(notes, raw, store, day)
    before = contents(store, notes.all_tables)
    put("a", b"other text")
    build(notes, raw, store, DAY)
    after = contents(store, notes.all_tables)
    assert rows(store, notes, "texts", "text") == [("other text",)]
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    # Nothing is in quarantine, but which objects its rows would come from has changed as well.
    assert changed == {f"{table.name}/date={DAY}/part-00000.parquet" for table in notes.all_tables}


def test_a_listing_that_fails_is_an_error_and_deletes_nothing(
    settings: Settings, raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    def fail(_prefix: str) -> None:
        raise TransientError("the second page did not come")

    put("a", b"text")
    build(notes, raw, store, DAY)
    before = contents(store, notes.all_tables)
    missing = ObjectStore(settings, "no-such-bucket")
    for bucket, error in ((UncertainRaw(raw, before_listing=fail), TransientError), (missing, PermanentError)):
        watched = WatchedStore(store)
        with pytest.raises(error):
            build(notes, bucket, watched, DAY)
        assert watched.writes == watched.deletions == []
    assert contents(store, notes.all_tables) == before


def test_fingerprints_are_equal_exactly_when_all_is_built(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put, delete: Delete
) -> None:
    def equal() -> set[bool]:
        listed = listed_fingerprint(arrived(raw, notes.prefix, DAYS))
        return {fingerprint_of(parts_of(store, table.name, DAY)) == listed for table in notes.all_tables}

    changes: list[Callable[[], None]] = [
        lambda: put("a", b"text"),
        lambda: put("b", b"bad"),
        lambda: put("a", b"new"),
        lambda: delete("a"),
    ]
    assert equal() == {True}  # nothing of nothing
    for change in changes:
        change()
        assert equal() == {False}
        build(notes, raw, store, DAY)
        assert equal() == {True}


@pytest.mark.parametrize("damage", [b"", b"junk", b"\xff" * 100 + b"\x50\0\0\0PAR1"])
def test_a_part_that_is_none_of_ours_is_replaced(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put, damage: bytes
) -> None:
    put("a", b"text")
    build(notes, raw, store, DAY)
    before = contents(store, notes.all_tables)
    for key in before:
        upload(store, key, damage)
    assert fingerprint_of(parts_of(store, notes.raw_table.name, DAY)) == "incomplete"
    build(notes, raw, store, DAY)
    assert contents(store, notes.all_tables) == before


def test_news_of_quarantine_is_told_once_and_before_it_is_written(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    def run(bucket: UncertainRaw | ObjectStore, lake: WatchedStore | ObjectStore = store) -> list[str]:
        told: list[str] = []

        def announce(news: list[dict[str, Any]]) -> None:
            told.extend(row["source_key"].rpartition("/")[2] + " " + row["rule"] for row in news)

        list_objects(notes, raw, store, DAY, FIRST_DAY, lambda _done, _total: None)
        with suppress(Crash):
            read_objects(notes, bucket, lake, DAY, PSEUDONYMS, lambda _done, _total: None, announce)
        return told

    put("a", b"bad")
    assert run(raw, WatchedStore(store, crash_at(0, "before write"))) == ["a S03"]
    assert run(raw) == ["a S03"]  # the crash may repeat the news, never lose it
    assert run(raw) == []
    put("b", b"")
    assert run(raw) == ["b S01"]  # the part is written again with both of them
    put("a", b"bad again")
    assert run(raw) == ["a S03"]
    put("c", b"bad")
    uncertain = UncertainRaw(raw)
    uncertain.hidden = "/c"
    assert run(uncertain) == []  # gone for a moment is no news
    assert run(raw) == ["c S03"]


def test_a_lake_whose_quarantine_lacks_newer_columns_is_brought_in_line(
    raw: ObjectStore, store: ObjectStore, notes: Dataset, put: Put
) -> None:
    put("a", b"bad")
    build(notes, raw, store, DAY)
    table = notes.quarantine_table
    [part] = parts_of(store, table.name, DAY).values()
    older = Table(table.name, table.doc, tuple(c for c in table.columns if not c.name.startswith("record_")))
    rows = load_table(store, table, DAY).select(older.names)
    store.put(part.key, encode(older, rows, "built.before."), expected=part.version)
    build(notes, raw, store, DAY)
    assert [row["record_count"] for row in load_table(store, table, DAY).to_pylist()] == [1]
