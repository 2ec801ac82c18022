"""The law for computed tables: what they read decides what they hold, whenever they are built."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from resources.object_store import ObjectStore
from tests.vitalake.lake.watched_store import WatchedStore
from tests.vitalake.notes import DAY, build, contents, notes_dataset, remove, upload
from vitalake.arrivals.calendar import Partition
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.errors import PermanentError
from vitalake.lake.computed.build import compute_table, count_exceptions, rows_of
from vitalake.lake.computed.declaration import ComputedTable, Condition
from vitalake.lake.computed.resolved import ComputedFrom, with_computed
from vitalake.lake.dataset import Dataset, Threshold
from vitalake.lake.freshness import behind
from vitalake.lake.parquet import WHOLE
from vitalake.lake.parts import INCOMPLETE
from vitalake.lake.reading import read_objects
from vitalake.lake.stages import derive, is_combined, list_objects, load_table
from vitalake.lake.tables import Column
from vitalake.serving.catalog import seed

ROOT = Path(__file__).resolve().parents[4]
OTHER_DAY = "2026-11-19"
COLUMNS = (
    Column("word", "string", "The first word.", nullable=False),
    Column("notes", "int64", "How many notes begin with it.", nullable=False),
    Column("letters", "int64", "Their characters."),
    Column("also", "int64", "How many notes of the other dataset begin with it."),
    Column("day", "date", "Day of the newest."),
)


class Notes:
    """Two datasets of notes and a table over both, by day or over all days, in pandas or in SQL."""

    def __init__(self, raw: ObjectStore, lake: ObjectStore, *, whole: bool = False, sql: bool = False) -> None:
        one, other = notes_dataset(), notes_dataset()
        self.raw, self.lake = raw, lake
        texts, lengths, others = one.tables[0].name, one.derived[0].tables[0].name, other.tables[0].name

        def words(**frames: pd.DataFrame) -> pd.DataFrame:
            notes = frames[texts].merge(frames[lengths], on="source_key", validate="1:1")
            notes["word"] = notes["text"].str.split().str[0]
            found = notes.groupby("word", as_index=False).agg(
                notes=("text", "count"), letters=("length", "sum"), day=("date", "max")
            )
            also = frames[others]["text"].str.split().str[0].value_counts().astype("Int64")
            found["also"] = found["word"].map(also).astype("Int64")
            shuffled: pd.DataFrame = found.sample(frac=1)
            return shuffled

        select = f"""WITH
            notes AS (SELECT *, split_part(text, ' ', 1) AS word FROM {texts} JOIN {lengths} USING (source_key)),
            also AS (SELECT split_part(text, ' ', 1) AS word, count(*) AS also FROM {others} GROUP BY 1)
            SELECT max(date) AS day, word, count(*) AS notes, sum(length) AS letters, any_value(also) AS also
            FROM notes LEFT JOIN also USING (word) GROUP BY word ORDER BY random()"""  # noqa: S608
        table = ComputedTable(
            name=f"{one.name}_words",
            doc="One row a word.",
            owner="team:data",
            columns=COLUMNS,
            key=("word",),
            sources={texts: ["source_key", "text", "date"], lengths: ["source_key", "length"], others: ["text"]},
            compute=None if sql else words,
            sql=select if sql else None,
            whole=whole,
            checks=(
                Condition("short", "Words are short.", Threshold(warn=0.0, block=0.5), holds="len(word) < 5"),
                Condition("known", "Some are there too.", holds="also > 0"),
            ),
        )
        self.one, self.other = with_computed([one, other], [table])
        [self.item] = self.one.computed

    def put(self, name: str, text: str, day: str = DAY, dataset: Dataset | None = None) -> None:
        upload(self.raw, f"{(dataset or self.one).prefix}date={day}/{name}", text.encode())

    def build(self, *days: str) -> WatchedStore:
        for day in days:
            for dataset in (self.one, self.other):
                build(dataset, self.raw, self.lake, day)
        return self.compute(DAY)

    def compute(self, day: str = DAY) -> WatchedStore:
        watched = WatchedStore(self.lake)
        self.report, self.built_from = compute_table(self.item, watched, self.partition(day), lambda *_: None)
        return watched

    def partition(self, day: str) -> str:
        return WHOLE if self.item.table.whole else day

    def rows(self, day: str = DAY) -> list[tuple[Any, ...]]:
        found = load_table(self.lake, self.item.table, self.partition(day)).to_pylist()
        return [tuple(row.values()) for row in found]

    def fingerprint(self, dataset: Dataset, day: str = DAY) -> str:
        calendar = dataset.calendar(date(2015, 1, 1))
        found = arrived(self.raw, dataset.prefix, calendar, {Partition.parse(day)}, dataset.group_objects)
        return listed_fingerprint(found)


@pytest.mark.store
@pytest.mark.parametrize("sql", [False, True], ids=["pandas", "sql"])
def test_it_follows_what_it_reads_and_is_left_alone_otherwise(
    raw: ObjectStore, store: ObjectStore, *, sql: bool
) -> None:
    notes = Notes(raw, store, sql=sql)
    assert not notes.build(DAY).writes
    for number, text in enumerate(("to be", "or not", "to sleep", "bad", "to")):
        notes.put(str(number), text)
    notes.put("0", "to", dataset=notes.other)
    assert len(notes.build(DAY).writes) == 1
    day = date.fromisoformat(DAY)
    assert notes.rows() == [("or", 1, 6, None, day), ("to", 3, 15, 1, day)]
    expected = {dataset.name: notes.fingerprint(dataset) for dataset in (notes.one, notes.other)}
    assert notes.built_from == expected
    first = contents(store, [notes.item.table])
    assert not notes.compute().writes
    assert (notes.report.unchanged, notes.report.rows, notes.built_from) == (
        1,
        {notes.item.table.name: 2},
        expected,
    )

    notes.put("1", "to the")
    notes.put("1", "to", dataset=notes.other)
    assert len(notes.build(DAY).writes) == 1
    assert notes.rows() == [("to", 4, 21, 2, day)]
    notes.put("1", "or not")  # the text of before, but another object
    remove(raw, f"{notes.other.prefix}date={DAY}/1")
    notes.build(DAY)
    assert notes.rows() == [("or", 1, 6, None, day), ("to", 3, 15, 1, day)]

    # Built from nothing, it is the same.
    built = contents(store, [notes.item.table])
    assert built.keys() == first.keys()
    [key] = built
    remove(store, key)
    notes.compute()
    assert contents(store, [notes.item.table]) == built

    for number in range(5):
        remove(raw, f"{notes.one.prefix}date={DAY}/{number}")
    notes.build(DAY)
    assert notes.rows() == []  # the other dataset has a note, of a word that nobody else uses
    assert notes.built_from[notes.one.name] == notes.fingerprint(notes.one)
    remove(raw, f"{notes.other.prefix}date={DAY}/0")
    notes.build(DAY)
    assert contents(store, [notes.item.table]) == {}


@pytest.mark.store
def test_it_says_where_its_sources_are_not_of_the_same_objects(raw: ObjectStore, store: ObjectStore) -> None:
    notes = Notes(raw, store)
    notes.put("0", "to be")
    notes.build(DAY)
    notes.put("0", "to be or not")

    def quiet(*_: object) -> None:
        pass

    list_objects(notes.one, raw, store, DAY, date(2015, 1, 1), quiet)
    from tests.vitalake.notes import PSEUDONYMS

    read_objects(notes.one, raw, store, DAY, PSEUDONYMS, quiet, quiet)
    notes.compute()  # before the derived table has followed
    assert notes.rows()[0][2] == len("to be")
    assert notes.built_from[notes.one.name] == notes.report.fingerprint == INCOMPLETE
    derive(notes.one, notes.one.derived[0], store, DAY, quiet)
    notes.compute()
    assert notes.rows()[0][2] == len("to be or not")
    assert notes.built_from[notes.one.name] == notes.fingerprint(notes.one)


@pytest.mark.store
@pytest.mark.parametrize("sql", [False, True], ids=["pandas", "sql"])
def test_over_all_days_it_follows_every_one(raw: ObjectStore, store: ObjectStore, *, sql: bool) -> None:
    from datetime import datetime, timedelta, timezone

    notes = Notes(raw, store, whole=True, sql=sql)
    for table in (*notes.one.every_table, *notes.other.every_table):
        seed(store, table)
    for day in (DAY, OTHER_DAY):
        for number in range(4):  # two parts
            notes.put(str(number), "to be", day)
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    for dataset in (notes.one, notes.other):
        for day in (DAY, OTHER_DAY):
            build(dataset, raw, store, day)
    assert not is_combined(notes.item, store)
    assert behind(notes.item, store, timedelta(minutes=5), later).bad > 0
    assert len(notes.compute().writes) == 1
    assert notes.rows() == [("to", 8, 40, None, date.fromisoformat(DAY))]
    assert is_combined(notes.item, store)
    assert behind(notes.item, store, timedelta(minutes=5), later).bad == 0
    assert not notes.compute().writes
    for number in range(4):
        remove(raw, f"{notes.one.prefix}date={DAY}/{number}")
    notes.build(DAY)
    assert notes.rows() == [("to", 4, 20, None, date.fromisoformat(OTHER_DAY))]


@pytest.mark.store
def test_checks_count_exceptions_and_name_their_keys(raw: ObjectStore, store: ObjectStore) -> None:
    notes = Notes(raw, store)
    for number, text in enumerate(("to be", "wherefore", "or")):
        notes.put(str(number), text)
    notes.put("0", "to", dataset=notes.other)
    notes.build(DAY)
    short, known = count_exceptions(notes.item, store, DAY)
    assert (short.bad, short.total, short.details) == (1, 3, {"wherefore": "does not hold"})
    assert (known.bad, known.total) == (0, 3), "where it is null it holds"
    hidden = replace(notes.item, declared=replace(notes.item.declared, restricted=True))
    assert count_exceptions(hidden, store, DAY)[0].details == {}
    wrong = replace(notes.item.declared, checks=(Condition("typo", ".", holds="len(wrd) < 5"),))
    with pytest.raises(PermanentError, match=r"DuckDB does not take the check 'typo': Binder Error.*wrd"):
        count_exceptions(replace(notes.item, declared=wrong), store, DAY)


def one_source(compute: Any = None, sql: str | None = None, *, restricted: bool = False) -> ComputedFrom:
    """A table over the texts of notes, none of which are anywhere."""
    notes = notes_dataset()
    declared = ComputedTable(
        name="words",
        doc="Words.",
        owner="team:data",
        columns=(Column("text", "string", ".", nullable=False),),
        key=("text",),
        sources={notes.tables[0].name: ["text"]},
        compute=compute,
        sql=sql and sql.replace("texts", notes.tables[0].name),
        restricted=restricted,
    )
    [found] = with_computed([notes], [declared])[0].computed
    return found


def given(item: ComputedFrom, *texts: str) -> Any:
    import pyarrow as pa

    return rows_of(item, {name: pa.table({"text": list(texts)}) for name in item.sources})


def failing(**frames: pd.DataFrame) -> pd.DataFrame:
    [frame] = frames.values()
    found: pd.DataFrame = frame.assign(number=frame["text"].astype("float64"))
    return found


def test_a_function_that_fails_is_told_with_file_and_line_and_without_what_it_read() -> None:
    line = failing.__code__.co_firstlineno + 2
    where = f"failing failed at tests/vitalake/lake/computed/test_build.py, line {line}: ValueError in `found: pd"
    with pytest.raises(PermanentError, match=f"^words: {where}") as told:
        given(one_source(failing), "secret")
    assert "secret" not in str(told.value)
    assert "secret" in str(told.value.__cause__)  # for whoever looks at the run
    with pytest.raises(PermanentError, match=where) as told:
        given(one_source(failing, restricted=True), "secret")
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_nobody_is_asked_where_there_is_nothing() -> None:
    assert given(one_source(failing)).num_rows == 0


def test_a_select_that_fails_is_told_in_words() -> None:
    for sql, said in {
        "SELECT txt AS text FROM texts": "DuckDB does not take its SELECT: Binder Error.*txt",
        "SELECT text::INT::VARCHAR AS text FROM texts": "DuckDB does not take its SELECT: ConversionException$",
        "SELECT content AS text FROM read_text('/etc/hostname')": "DuckDB does not take its SELECT: Perm",
        "SELECT text, 1 AS n FROM texts": "column n came and is not declared",
        "SELECT 1 AS text FROM texts": "column 'text' came as int32 and is declared as string",
        "SELECT 'a' AS text FROM texts, range(2)": r"1 of 2 rows have the key of another one \(text\)",
    }.items():
        with pytest.raises(PermanentError, match=f"^words: {said}"):
            given(one_source(sql=sql), "secret")


WITHOUT_PANDAS = """
import sys
from tests.vitalake.notes import notes_dataset
from vitalake.lake.computed.build import rows_of
from vitalake.lake.computed.declaration import ComputedTable
from vitalake.lake.computed.resolved import with_computed
from vitalake.lake.parquet import encode
from vitalake.lake.tables import Column

notes = notes_dataset()
source = notes.derived[0].tables[0]
declared = ComputedTable(
    name="many", doc=".", owner="team:data", columns=(Column("length", "int32", ".", nullable=False),),
    key=("length",), sources={source.name: ["source_key", "length"]},
    sql=f"SELECT DISTINCT length FROM {source.name}",
)
[item] = with_computed([notes], [declared])[0].computed
stored = source.from_rows([{"source_key": str(number), "length": number % 3} for number in range(9)])
rows = rows_of(item, {source.name: stored})
encode(item.table, rows, "0.0.")
assert rows.to_pylist() == [{"length": number} for number in range(3)], rows
assert "pandas" not in sys.modules
"""


def test_a_table_in_sql_is_computed_without_pandas() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANDAS], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
