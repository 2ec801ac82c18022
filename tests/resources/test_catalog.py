"""The catalog's views over a real store: what is fresh, and what is read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest

from resources.catalog import connect, is_published, publish
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.vitalake.lake.versions.building import build
from tests.vitalake.notes import upload
from vitalake.datasets.declared import DATASETS
from vitalake.datasets.ecg import ECG
from vitalake.errors import PermanentError, TransientError
from vitalake.lake.dataset import Dataset, SqlView
from vitalake.lake.parquet import encode, part_key
from vitalake.lake.tables import Kind
from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field
from vitalake.serving.catalog import views

pytestmark = pytest.mark.store

TABLE = ECG.raw_table
DAYS = ("2026-01-05", "2026-01-06", "2026-01-07")
# Answered from statistics, from footers, and from the data.
EVERY_WAY = """SELECT (SELECT count(*) FROM raw_ecg), (SELECT max(size_bytes) FROM raw_ecg),
    (SELECT list(source_version ORDER BY source_version) FROM raw_ecg WHERE size_bytes >= 1000)"""


def part(*sizes: int) -> bytes:
    """A part with a row for each size; the version says the size again."""
    at = datetime(2026, 1, 5, tzinfo=timezone.utc)
    rows = [
        {"source_key": f"ecg/{n}.mat", "source_version": f"v{size}", "size_bytes": size, "uploaded_at": at}
        for n, size in enumerate(sizes)
    ]
    return encode(TABLE, TABLE.from_rows(rows), "inputs")


# Another program that opens a catalog for writing, writes to it, and waits until it is killed.
WRITER = """import duckdb, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE OR REPLACE VIEW quarantine AS SELECT 'of another program' AS dataset")
print("open", flush=True)
sys.stdin.read()"""


@pytest.fixture
def connection(settings: Settings, store: ObjectStore) -> Iterator[duckdb.DuckDBPyConnection]:
    """An open connection to a lake without rows."""
    publish(settings, store, DATASETS)
    with connect(settings) as found:
        yield found


def ask(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    """The only row."""
    [row] = connection.execute(query).fetchall()
    return row


def keys_read(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """The objects, as `date=…/part-….parquet`, whose bytes a query asks the store for; listings are left out."""
    connection.execute("CALL enable_logging('HTTP')")
    connection.execute(query).fetchall()
    connection.execute("CALL disable_logging()")
    urls = connection.execute("SELECT request.url FROM duckdb_logs_parsed('HTTP')").fetchall()
    connection.execute("CALL truncate_duckdb_logs()")
    assert any("list-type=2" in url for (url,) in urls)  # else nothing was logged, or an old listing was believed
    marker = f"/{TABLE.name}/"
    return sorted({url.replace("%3D", "=").partition(marker)[2] for (url,) in urls if marker in url})


def test_an_open_connection_sees_what_was_replaced_added_and_removed(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore
) -> None:
    key = part_key(TABLE.name, DAYS[0], 0)
    version = store.put(key, part(1000, 2000), expected=None)
    for _ in range(2):  # the second time from every cache there is
        assert ask(connection, EVERY_WAY) == (2, 2000, ["v1000", "v2000"])
    # As many rows, then fewer, of the same second: neither time nor size would tell.
    version = store.put(key, part(1000, 3000), expected=version)
    assert ask(connection, EVERY_WAY) == (2, 3000, ["v1000", "v3000"])
    version = store.put(key, part(900), expected=version)
    assert ask(connection, EVERY_WAY) == (1, 900, None)
    added = store.put(part_key(TABLE.name, DAYS[1], 0), part(4000), expected=None)
    assert ask(connection, EVERY_WAY) == (2, 4000, ["v4000"])
    store.delete(part_key(TABLE.name, DAYS[1], 0), expected=added)
    assert ask(connection, EVERY_WAY) == (1, 900, None)


def test_a_date_filter_reads_the_parts_of_those_days_only(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore
) -> None:
    for day in DAYS:
        for index in range(2):
            store.put(part_key(TABLE.name, day, index), part(1000 + index), expected=None)
    query = f"SELECT sum(size_bytes) FROM raw_ecg WHERE date = DATE '{DAYS[1]}'"  # noqa: S608
    of_the_day = [f"date={DAYS[1]}/part-0000{index}.parquet" for index in range(2)]
    assert keys_read(connection, query) == of_the_day
    assert keys_read(connection, query) == []  # known, and unchanged by the listing
    later = f"SELECT sum(size_bytes) FROM raw_ecg WHERE date > DATE '{DAYS[1]}'"  # noqa: S608
    assert {key.partition("/")[0] for key in keys_read(connection, later)} == {f"date={DAYS[2]}"}


def test_a_catalog_that_cannot_be_written_is_explained_and_leaves_nothing(
    settings: Settings, store: ObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "lake").mkdir()
    for place in (tmp_path / "file" / "lake.duckdb", tmp_path / "lake"):
        with pytest.raises(PermanentError, match=r"the catalog .* cannot be written: .*VITALAKE_LAKE_PATH"):
            publish(settings.model_copy(update={"lake_path": place}), store, [ECG])
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_view_with_a_mistake_costs_that_view_and_is_named(settings: Settings, store: ObjectStore) -> None:
    wrong = SqlView("wrong", "SELECT no_such_column FROM raw_ecg", "A mistake.", {})
    above = SqlView("above", "SELECT * FROM wrong", "Built on one.", {})
    right = SqlView("right_one", "SELECT count(*) AS objects FROM raw_ecg", "None.", {"objects": "How many."})
    mistaken = [replace(ECG, views=(wrong, above, right))]
    said = r"view 'wrong': Binder Error: .*no_such_column.*view 'above': Catalog Error"
    for _ in range(2):  # nor is it forgotten
        with pytest.raises(PermanentError, match=said):
            publish(settings, store, mistaken)
    with connect(settings) as connection:
        assert ask(connection, "SELECT objects FROM right_one") == (0,)
    assert publish(settings, store, [replace(ECG, views=(right,))])


@pytest.mark.parametrize("change", ["column", "hours", "days"])
def test_a_dataset_whose_parts_cannot_be_read_is_named_and_keeps_its_views_and_no_other_waits(
    settings: Settings, raw: ObjectStore, store: ObjectStore, change: str
) -> None:
    def declared(name: str, kind: Kind, partition: str) -> Dataset:
        number = Field("n", "n", kind, "How many.")
        who = Field("who", "who", "string", "Who.", required=True)
        return csv_dataset(name, "Things.", "team:data", (who, number), key=("who",), partition=partition)

    unit = "hour" if change == "days" else "day"
    before, other = declared("things", "int64", unit), declared("others", "int32", "day")
    changed = {
        "column": declared("things", "string", unit),
        "hours": declared("things", "int64", "hour"),
        "days": declared("things", "int64", "day"),
    }[change]
    wider = declared("others", "int64", "day")
    upload(raw, "things/date=2026-11-20/hour=05/1.csv", b"who,n\na,1\nb,x\n")
    assert publish(settings, store, [before, other])
    assert build(before, raw, store, ["2026-11-20T05" if unit == "hour" else "2026-11-20"])
    said = r"(?s)everything else is published: dataset 'things', of which SQL has .*table things: .*another name"
    for _ in range(2):  # nor is it forgotten
        with pytest.raises(PermanentError, match=said):
            publish(settings, store, [changed, wider])
    assert is_published(settings, [changed, wider]), "runs of other datasets go on"
    with connect(settings) as connection:
        assert ask(connection, "SELECT who, n FROM things") == ("a", 1)
        assert ask(connection, "SELECT n FROM things_current") == (1,)
        assert ask(connection, "SELECT dataset, rule FROM quarantine") == ("things", "D05")
        assert ask(connection, "SELECT comment FROM duckdb_views() WHERE view_name = 'things'") == ("Things.",)
        docs = "SELECT comment FROM duckdb_columns() WHERE table_name = 'things' AND column_name = 'n'"
        assert ask(connection, docs) == ("How many.",)
        kinds = dict(row[:2] for row in connection.execute("DESCRIBE others").fetchall())
        assert kinds["n"] == "BIGINT"
    assert publish(settings, store, [before, wider]), "declared as it was, it is published anew"
    assert not publish(settings, store, [before, wider])


@pytest.mark.parametrize(
    "left",
    [
        lambda _: b"",
        lambda data: bytes(len(data)),
        lambda data: data[: len(data) // 2],
        lambda _: b"text\n" * 2000,
    ],
    ids=["empty", "zeros", "half of it", "another file"],
)
def test_a_catalog_that_cannot_be_read_is_no_lock_and_is_written_anew(
    settings: Settings, store: ObjectStore, left: Callable[[bytes], bytes]
) -> None:
    assert publish(settings, store, [ECG])
    assert not publish(settings, store, [ECG])
    settings.catalog_path.write_bytes(left(settings.catalog_path.read_bytes()))
    with pytest.raises(PermanentError, match=r"is no catalog .*materialize --select lake") as refused:
        connect(settings)
    assert "another program" not in str(refused.value)
    assert publish(settings, store, [ECG])
    with connect(settings) as connection:
        assert ask(connection, "SELECT count(*) FROM quarantine") == (0,)


def test_the_catalog_of_other_code_is_written_anew_whoever_put_it_there(
    settings: Settings, store: ObjectStore
) -> None:
    """Of two versions that publish at once, one renames last."""
    other = settings.model_copy(update={"home": settings.home.with_name("other")})
    assert publish(other, store, [ECG])
    assert publish(settings, store, DATASETS)
    other.catalog_path.replace(settings.catalog_path)
    assert publish(settings, store, DATASETS)
    assert not publish(settings, store, DATASETS)
    with connect(settings) as connection:
        shown = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
    assert shown == {view.name for view in views(DATASETS, settings.lake_bucket, settings.restricted_bucket)}


def test_a_program_that_holds_the_catalog_for_writing_is_named_and_leaves_nothing_in_the_next_one(
    settings: Settings, store: ObjectStore
) -> None:
    publish(settings, store, [ECG])
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(settings.catalog_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        with pytest.raises(TransientError, match="another program has it open for writing"):
            connect(settings)
        writer.kill()
    publish(settings, store, DATASETS)
    with connect(settings) as connection:
        assert ask(connection, "SELECT count(*) FROM quarantine") == (0,)
