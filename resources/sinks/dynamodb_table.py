"""A view as a DynamoDB table: one item a row, with a digest by which the next delivery knows it.

Belongs here: what is compared, and in which order a delivery asks and writes. Does not belong here: requests to
DynamoDB and their errors (`resources/sinks/dynamodb_requests.py`), values and limits
(`resources/sinks/dynamodb_items.py`).

The table belongs to the delivery: what is in it and not in the view is deleted. A delivery reads the keys and
digests of the whole table, which DynamoDB bills as reading the items, and writes the difference.
"""

# ruff: noqa: S608 - names are declared by datasets, and quoted

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from resources.sinks.dynamodb_items import (
    DIGEST,
    ITEM_BYTES,
    JOINED,
    Key,
    Request,
    batches,
    delete,
    item_of,
    keeps,
    put,
    size_bytes,
)
from resources.sinks.view_rows import ViewRows
from vitalake.errors import PermanentError
from vitalake.lake.sinks import Delivery, Progress

if TYPE_CHECKING:
    from resources.sinks.dynamodb_requests import DynamoRequests

# Part of each digest: changes when an item's form does, so that every item is written anew.
_FORM = "1"
_BAD_KEY = "key that is empty or too long (2048 bytes, a sort key 1024)"
_TOO_LARGE = "item of more than 400 KB"


class DynamoTable:
    """The tables whose names begin with a prefix, each named as its view."""

    def __init__(self, requests: DynamoRequests, prefix: str = "vitalake_") -> None:
        self._requests = requests
        self._prefix = prefix

    def deliver(self, view: ViewRows, progress: Progress) -> Delivery:
        """Bring the table in line with the rows as they are now; make it if there is none.

        Raises:
            PermanentError: the key cannot be one of DynamoDB's, or the table that is there has another.
            TransientError: DynamoDB does not answer, or leaves writes undone for long.
        """
        if taken := {DIGEST, JOINED} & view.types.keys():
            raise PermanentError(f"{view.sink.view} has a column {sorted(taken)}, a name that the items need")
        key = Key.of(view.sink.key, view.types, view.plain(keeps))
        table = f"{self._prefix}{view.sink.view}"
        self._requests.ensure(table, key)
        lost = view.count_lost(keeps)
        changed, stale = self._compare(view, key, table)
        fit, rows = view.ask("SELECT (SELECT count(*) FROM wanted_items), (SELECT count(*) FROM {rows})")
        count: Counter[str] = Counter()
        requests = chain(_changes(view, key, count), _deletions(view, key, count))
        self._requests.write(table, batches(requests, key), lambda done: progress(done, changed + stale))
        refused = {_BAD_KEY: rows - fit, _TOO_LARGE: count[_TOO_LARGE]}
        return Delivery(
            rows,
            written=count["written"],
            deleted=count["deleted"],
            unchanged=fit - changed,
            refused=sum(refused.values()),
            not_representable=lost,
            reasons=tuple(f"{rows} x {reason}" for reason, rows in refused.items() if rows),
        )

    def _compare(self, view: ViewRows, key: Key, table: str) -> tuple[int, int]:
        """How many items are to be put, and how many to be deleted; which, is in DuckDB's temporary tables."""
        import pyarrow as pa

        texts = [*key.texts, "''"][:2]
        view.run(
            f"CREATE OR REPLACE TEMP TABLE wanted_items AS SELECT rowid AS place, {texts[0]} AS key_0, "
            f"{texts[1]} AS key_1, left(sha256('{_FORM}' || {view.json(keeps)}), 32) AS digest "
            f"FROM {{rows}} WHERE {key.fits}"
        )
        view.run("CREATE OR REPLACE TEMP TABLE stored_items (key_0 VARCHAR, key_1 VARCHAR, digest VARCHAR)")
        for found in self._requests.scan(table, key):
            columns = zip(*found, strict=True) if found else ((), (), ())
            arrays = [pa.array(list(column), pa.string()) for column in columns]
            view.add("stored_items", pa.table(arrays, names=["key_0", "key_1", "digest"]))
        view.run(
            "CREATE OR REPLACE TEMP TABLE changed_items AS SELECT w.*, s.key_0 IS NOT NULL AS stored "
            "FROM wanted_items w LEFT JOIN stored_items s USING (key_0, key_1) "
            "WHERE s.digest IS DISTINCT FROM w.digest"
        )
        view.run(
            "CREATE OR REPLACE TEMP TABLE stale_items AS SELECT s.key_0, s.key_1 "
            "FROM stored_items s ANTI JOIN wanted_items w USING (key_0, key_1)"
        )
        changed, stale = view.ask("SELECT (SELECT count(*) FROM changed_items), (SELECT count(*) FROM stale_items)")
        return changed, stale


def _changes(view: ViewRows, key: Key, count: Counter[str]) -> Iterator[Request]:
    """A put for every row that is new or different. What is too large is counted, and deleted if it is stored."""
    columns = view.plain(keeps)
    values = ", ".join(f"{sql} AS value_{place}" for place, sql in enumerate(columns.values()))
    asked = ", ".join(f"r.value_{place}" for place in range(len(columns)))
    of_items = "c.key_0, c.key_1, c.digest, c.stored"
    rows = f"SELECT rowid AS place, {values} FROM {{rows}}"
    for batch in view.batches(f"SELECT {of_items}, {asked} FROM changed_items c JOIN ({rows}) r USING (place)"):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            key_0, key_1, digest, stored = row[:4]
            item = item_of(dict(zip(columns, row[4:], strict=True)))
            item |= key.attributes((key_0, key_1)) | {DIGEST: {"S": digest}}
            if size_bytes(item) <= ITEM_BYTES:
                count["written"] += 1
                yield put(item)
                continue
            count[_TOO_LARGE] += 1
            if stored:
                count["deleted"] += 1
                yield delete(key.attributes((key_0, key_1)))


def _deletions(view: ViewRows, key: Key, count: Counter[str]) -> Iterator[Request]:
    """A delete for every item that no row stands for."""
    for batch in view.batches("SELECT key_0, key_1 FROM stale_items"):
        for row in batch.to_pylist():
            count["deleted"] += 1
            yield delete(key.attributes((row["key_0"], row["key_1"])))
