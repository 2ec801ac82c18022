"""A dataset whose declaration changes while older days stay: what SQL, combined tables and people get."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from resources.catalog import connect, publish
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.vitalake.lake.versions.building import build
from tests.vitalake.notes import PSEUDONYMS, contents, upload
from vitalake.arrivals.calendar import Partition
from vitalake.errors import PermanentError
from vitalake.lake.dataset import Dataset, Rule
from vitalake.lake.parquet import SEED_PARTITION, part_key, partition_prefix
from vitalake.lake.stages import load_table
from vitalake.lake.tables import Column, Table
from vitalake.lake.versions.changed_declaration import require_readable, stored_schema
from vitalake.lake.versions.code_version import code_digest
from vitalake.lake.versions.outdated import partition_versions
from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field

OLD, NEW = "2026-11-20", "2026-11-21"
WHO = Field("who", "who", "string", "Who.", required=True)
COUNT = Field("n", "n", "int32", "How many.")
NOTE = Field("note", "note", "string", "What.")


def declared(*fields: Field, **more: Any) -> Dataset:
    return csv_dataset("things", "Things.", "team:data", (WHO, *fields), key=("who",), **more)


BEFORE = declared(COUNT, NOTE)
RENAMED = replace(NOTE, column="remark", formerly=("note",))
ADDED = Field("more", "more", "float64", "More.")
AFTER = declared(replace(COUNT, kind="int64"), RENAMED, ADDED)


@pytest.fixture
def stored(raw: ObjectStore, store: ObjectStore, settings: Settings) -> Callable[..., None]:
    """Uploads a file a day, and builds each day as it was declared then."""
    upload(raw, f"things/date={OLD}/1.csv", b"who,n,note\na,1,x\nb,,\n")
    upload(raw, f"things/date={NEW}/1.csv", b"who,n,note\nc,3,z\n")
    publish(settings, store, [BEFORE])
    assert build(BEFORE, raw, store, [OLD, NEW])

    def as_now(dataset: Dataset, days: list[str]) -> None:
        build(dataset, raw, store, days)
        publish(settings, store, [dataset])

    return as_now


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings) as connection:
        return connection.execute(query).fetchall()


def test_sql_reads_days_of_both_declarations_as_it_is_now(
    settings: Settings, raw: ObjectStore, store: ObjectStore, stored: Callable[..., None]
) -> None:
    upload(raw, f"things/date={NEW}/2.csv", b"who,n,note,more\nd,5000000000,w,1.5\n")
    stored(AFTER, [NEW])
    found = ask(settings, "SELECT date, who, n, remark, more FROM things ORDER BY who")
    days = [row[0].isoformat() for row in found]
    assert days == [OLD, OLD, NEW, NEW]
    assert [row[1:] for row in found] == [
        ("a", 1, "x", None),
        ("b", None, None, None),
        ("c", 3, "z", None),
        ("d", 5_000_000_000, "w", 1.5),
    ]
    kinds = dict(row[:2] for row in ask(settings, "DESCRIBE things"))
    assert (kinds["n"], kinds["remark"], kinds["more"], kinds["date"]) == ("BIGINT", "VARCHAR", "DOUBLE", "DATE")
    assert not {"note", "filename"} & kinds.keys()
    assert ask(settings, "SELECT remark FROM things_current WHERE who = 'a'") == [("x",)]
    both = [load_table(store, AFTER.tables[0], day, ["who", "n", "remark", "more"]) for day in (OLD, NEW)]
    assert both[0].to_pylist()[0] == {"who": "a", "n": 1, "remark": "x", "more": None}
    assert both[0].schema == both[1].schema


def test_everything_is_the_same_once_the_older_days_are_built(
    settings: Settings, raw: ObjectStore, store: ObjectStore, stored: Callable[..., None]
) -> None:
    assert partition_versions(BEFORE, store, PSEUDONYMS.key_id).outdated == ()
    assert partition_versions(AFTER, store, PSEUDONYMS.key_id).outdated == (OLD, NEW)
    stored(AFTER, [NEW])
    versions = partition_versions(AFTER, store, PSEUDONYMS.key_id)
    assert (versions.total, versions.outdated) == (2, (OLD,))
    before = ask(settings, "SELECT who, n, remark, more, date FROM things ORDER BY who")
    stored(AFTER, [OLD])
    assert ask(settings, "SELECT who, n, remark, more, date FROM things ORDER BY who") == before
    assert partition_versions(AFTER, store, PSEUDONYMS.key_id).outdated == ()
    without = declared(replace(COUNT, kind="int64"), replace(RENAMED, formerly=()), ADDED)
    assert code_digest(without) == code_digest(AFTER), "no day has to be built for that"
    publish(settings, store, [without])
    assert ask(settings, "SELECT who, n, remark, more, date FROM things ORDER BY who") == before
    assert not build(without, raw, store, [OLD, NEW])


def test_other_code_is_older_too_and_another_key(store: ObjectStore, stored: Callable[..., None]) -> None:
    stored(BEFORE, [OLD, NEW])
    stricter = declared(COUNT, NOTE, rules=(Rule("X01", "n < 10", "n is 10 or more"),))
    assert partition_versions(stricter, store, PSEUDONYMS.key_id).outdated == (OLD, NEW)
    assert partition_versions(BEFORE, store, "another").outdated == (OLD, NEW)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ((replace(COUNT, kind="string"), NOTE), "column n is declared string and stored as int32 in 2 partitions"),
        ((replace(COUNT, kind="bool"), NOTE), "declared bool and stored as int32"),
        ((COUNT, replace(NOTE, kind="timestamp")), "column note is declared timestamp and stored as string"),
        (
            (COUNT, replace(RENAMED, kind="int64")),
            "column note is declared int64 and stored as string in 2 partitions",
        ),
    ],
)
def test_what_cannot_be_read_together_is_refused_and_nothing_is_touched(
    settings: Settings,
    raw: ObjectStore,
    store: ObjectStore,
    stored: Callable[..., None],
    changed: tuple[Field, ...],
    said: str,
) -> None:
    stored(BEFORE, [])
    dataset = declared(*changed)
    before = contents(store, dataset.all_tables)
    for attempt in (lambda: publish(settings, store, [dataset]), lambda: build(dataset, raw, store, [OLD])):
        with pytest.raises(PermanentError, match=said) as error:
            attempt()
        assert "Give the new column another name" in str(error.value)
        assert f"date={OLD} to date={NEW}" in str(error.value)
    assert contents(store, dataset.all_tables) == before
    assert ask(settings, "SELECT n, note FROM things WHERE who = 'a'") == [(1, "x")]


def test_narrower_again_is_refused_also_where_only_the_last_day_was_wider(
    settings: Settings, store: ObjectStore, raw: ObjectStore, stored: Callable[..., None]
) -> None:
    stored(AFTER, [NEW])
    with pytest.raises(PermanentError, match=f"column n is declared int32 and stored as int64 in date={NEW}"):
        publish(settings, store, [declared(COUNT, RENAMED, ADDED)])
    with pytest.raises(PermanentError, match="column n is declared int32"):
        build(declared(COUNT, RENAMED, ADDED), raw, store, [OLD])


def test_a_former_name_that_older_days_still_have_is_not_forgotten(
    settings: Settings, store: ObjectStore, stored: Callable[..., None]
) -> None:
    """Their notes would be null from one day to the next, and nobody would see why."""
    stored(AFTER, [NEW])
    forgotten = declared(replace(COUNT, kind="int64"), replace(RENAMED, formerly=()), ADDED)
    with pytest.raises(PermanentError, match=rf"column remark was called note, which date={OLD} still has. Keep"):
        publish(settings, store, [forgotten])


def test_hours_of_both_declarations_are_read_and_former_names_are_not_forgotten(
    settings: Settings, raw: ObjectStore, store: ObjectStore
) -> None:
    before = declared(NOTE, partition="hour")
    hours = [f"{OLD}T05", f"{OLD}T06"]
    for hour in ("05", "06"):
        upload(raw, f"things/date={OLD}/hour={hour}/1.csv", f"who,note\n{hour},x\n".encode())
    publish(settings, store, [before])
    assert build(before, raw, store, hours)
    after = declared(RENAMED, partition="hour")
    build(after, raw, store, hours[1:])
    publish(settings, store, [after])
    assert ask(settings, "SELECT hour, remark FROM things ORDER BY hour") == [(5, "x"), (6, "x")]
    forgotten = declared(replace(RENAMED, formerly=()), partition="hour")
    said = rf"column remark was called note, which date={OLD}/hour=05 still has. Keep"
    with pytest.raises(PermanentError, match=said):
        publish(settings, store, [forgotten])
    # The part without rows alone is no reason to refuse a column that is of another kind now.
    for hour in ("05", "06"):
        store.delete(part_key("things", f"{OLD}T{hour}", 0), expected=_version(store, f"{OLD}T{hour}"))
    publish(settings, store, [declared(replace(NOTE, kind="int64"), partition="hour")])


def _version(store: ObjectStore, partition: str) -> str:
    [item] = store.objects(partition_prefix("things", partition))
    return item.version


def test_a_column_that_is_gone_may_be_gone(settings: Settings, stored: Callable[..., None]) -> None:
    fewer = declared(NOTE, ignored=("n",))
    stored(fewer, [])
    assert ask(settings, "SELECT who, note FROM things ORDER BY who") == [("a", "x"), ("b", None), ("c", "z")]


def test_looking_at_every_part_is_done_once(store: ObjectStore, stored: Callable[..., None]) -> None:
    class Counting(ObjectStore):
        tails = 0

        def tail(self, key: str, size_bytes: int) -> bytes:
            type(self).tails += 1
            return super().tail(key, size_bytes)

    counting = Counting(store._settings, store.bucket)
    require_readable(counting, AFTER.all_tables, "day")
    assert Counting.tails == 3 + 2 + 1, "a seed each, the parts of the table that changed, its seed's columns"
    stored(AFTER, [])
    Counting.tails = 0
    require_readable(counting, AFTER.all_tables, "day")
    assert Counting.tails == 3


def test_a_dataset_by_the_hour_is_looked_at_once_too(
    settings: Settings, raw: ObjectStore, store: ObjectStore
) -> None:
    hour = f"{NEW}T05"
    by_hour = {"partition": "hour"}
    before, after = declared(COUNT, NOTE, **by_hour), declared(COUNT, RENAMED, **by_hour)
    upload(raw, f"things/date={NEW}/hour=05/1.csv", b"who,n,note\na,1,x\n")
    publish(settings, store, [before])
    assert build(before, raw, store, [hour])
    assert partition_versions(after, store, PSEUDONYMS.key_id).outdated == (hour,)
    publish(settings, store, [after])
    assert ask(settings, "SELECT remark, hour FROM things WHERE hour = 5") == [("x", 5)]
    with pytest.raises(PermanentError, match=f"column n is declared bool.*date={NEW}/hour=05"):
        build(declared(replace(COUNT, kind="bool"), RENAMED, **by_hour), raw, store, [hour])
    tails: list[str] = []

    class Listing(ObjectStore):
        def tail(self, key: str, size_bytes: int) -> bytes:
            tails.append(key)
            return super().tail(key, size_bytes)

    require_readable(Listing(store._settings, store.bucket), after.tables, "hour")
    assert tails == ["things/date=1970-01-01/hour=00/part-00000.parquet"]


@pytest.mark.parametrize(("before", "after"), [("day", "hour"), ("hour", "day")])
def test_what_is_stored_by_the_day_is_not_lost_where_hours_are_declared_nor_the_reverse(
    settings: Settings, raw: ObjectStore, store: ObjectStore, before: str, after: str
) -> None:
    kept, changed = declared(COUNT, partition=before), declared(COUNT, partition=after)
    upload(raw, f"things/date={NEW}/hour=05/1.csv", b"who,n\na,1\n")
    partitions = {"day": NEW, "hour": f"{NEW}T05"}
    publish(settings, store, [kept])
    assert build(kept, raw, store, [partitions[before]])
    stored = contents(store, kept.all_tables)
    where = re.escape(Partition.parse(partitions[before]).folder.removesuffix("/"))
    said = f'table things: .* by the {after} and stored by the {before} in {where}.*partition="{before}" again'
    with pytest.raises(PermanentError, match=said):
        build(changed, raw, store, [partitions[after]])
    with pytest.raises(PermanentError, match=said):
        publish(settings, store, [changed])
    assert contents(store, kept.all_tables) == stored, "nothing was written"
    publish(settings, store, [kept])
    assert ask(settings, "SELECT who, n FROM things") == [("a", 1)]
    for table in kept.all_tables:
        for item in store.objects(f"{table.name}/"):
            store.delete(item.key, expected=item.version)
    publish(settings, store, [changed])
    assert build(changed, raw, store, [partitions[after]])
    assert ask(settings, "SELECT who, n FROM things") == [("a", 1)]


@pytest.mark.parametrize(("before", "after"), [("day", "hour"), ("hour", "day")])
def test_before_anything_is_stored_days_may_become_hours_and_hours_days(
    settings: Settings, raw: ObjectStore, store: ObjectStore, before: str, after: str
) -> None:
    changed = declared(COUNT, partition=after)
    publish(settings, store, [declared(NOTE, partition=before)])
    publish(settings, store, [changed])
    upload(raw, f"things/date={NEW}/hour=05/1.csv", b"who,n\na,1\n")
    assert build(changed, raw, store, [NEW if after == "day" else f"{NEW}T05"])
    assert ask(settings, "SELECT who, n FROM things") == [("a", 1)]
    assert publish(settings, store, [changed]) is False


def test_the_part_without_rows_has_the_columns_that_any_part_has(
    store: ObjectStore, stored: Callable[..., None]
) -> None:
    stored(AFTER, [])
    seed = stored_schema(store, part_key("things", SEED_PARTITION, 0))
    assert seed.names == [*AFTER.tables[0].names, "note"]


@pytest.mark.parametrize(
    "columns",
    [
        (Column("a", "string", "A.", formerly=("b",)), Column("b", "string", "B.")),
        (Column("a", "string", "A.", formerly=("c",)), Column("b", "string", "B.", formerly=("c",))),
    ],
)
def test_a_former_name_is_of_one_column_only(columns: tuple[Column, ...]) -> None:
    with pytest.raises(ValueError, match="older parts could not be told apart"):
        Table("things", "Things.", columns)
    with pytest.raises(ValueError, match="a name is a lower-case letter"):
        Column("a", "string", "A.", formerly=("B",))
