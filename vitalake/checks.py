"""Checks that any dataset can declare: shares of a partition that are refused, of one kind, or seen before.

Belongs here: counting over a partition's tables, the schema check, the freshness check. Does not belong here:
thresholds (each dataset's own) or how a result is shown (`pipeline_assets/`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from vitalake import parquet
from vitalake.arrivals import ObjectInfo
from vitalake.dataset import Check, Count, Statement, Threshold
from vitalake.reconcile import Store, parts_of
from vitalake.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = Statement("schema", "Columns and types are as declared.", Threshold(0.0, 0.0))


def freshness(patience: timedelta) -> Statement:
    """The table is up to date with the bucket; what counts against it is `overdue`."""
    minutes = f"{patience.total_seconds() / 60:g}"
    return Statement("fresh", f"Nothing uploaded more than {minutes} minutes ago is missing.", Threshold(0.0))


# Refusals that are no verdict on the bytes: the object changed under our hands, or waits for those it belongs to.
VANISHED = "S00"
WAITING = "S16"

# Refusals that mean "these bytes are no file of this kind", as against "a good file that we do not want".
UNREADABLE = ("S01", "S02")


def readable(dataset: str, threshold: Threshold) -> Check:
    """Objects that are files of a kind we know."""
    return _refusals(dataset, "readable", "Objects can be read as recordings.", threshold, UNREADABLE.__contains__)


def quarantined(dataset: str, threshold: Threshold) -> Check:
    """Objects that made it out of quarantine."""
    return _refusals(dataset, "quarantined", "Objects are usable.", threshold, lambda rule: rule != WAITING)


def complete(dataset: str) -> Check:
    """Objects whose recording is whole; those that wait for the rest of theirs are told, and never block."""
    doc = "Recordings of several objects are complete."
    return _refusals(dataset, "complete", doc, Threshold(warn=0.0), WAITING.__eq__)


def _refusals(dataset: str, name: str, doc: str, threshold: Threshold, concerns: Callable[[str], bool]) -> Check:
    raw, quarantine = f"raw_{dataset}", f"{dataset}_quarantine"

    def count(tables: Mapping[str, pa.Table]) -> Count:
        refused = tables[quarantine].to_pylist()
        counted = [row for row in refused if concerns(row["rule"])]
        by_rule: dict[str, int | float | str] = {}
        for row in counted:
            by_rule[row["rule"]] = int(by_rule.get(row["rule"], 0)) + 1
        bad = len({row["source_key"] for row in counted})
        return Count(bad, tables[raw].num_rows, dict(sorted(by_rule.items())))

    columns = {raw: ["source_key"], quarantine: ["source_key", "rule"]}
    return Check(name, doc, threshold, columns, count)


def share_of(name: str, doc: str, table: str, column: str, value: str, threshold: Threshold) -> Check:
    """Rows of `table` in which `column` has this value; the details count every value."""

    def count(tables: Mapping[str, pa.Table]) -> Count:
        values = tables[table].column(column).to_pylist()
        return Count(
            values.count(value), len(values), {str(v): values.count(v) for v in sorted(set(values), key=str)}
        )

    return Check(name, doc, threshold, {table: [column]}, count)


def duplicated(table: str, column: str, threshold: Threshold) -> Check:
    """Rows whose content was already there under another key in the same partition."""

    def count(tables: Mapping[str, pa.Table]) -> Count:
        seen: dict[str, str] = {}
        pairs: dict[str, int | float | str] = {}
        for row in tables[table].to_pylist():
            first = seen.setdefault(row[column], row["source_key"])
            if first != row["source_key"]:
                pairs[row["source_key"]] = f"same content as {first}"
        return Count(len(pairs), tables[table].num_rows, pairs)

    doc = "Recordings differ from each other in content."
    return Check("duplicates", doc, threshold, {table: ["source_key", column]}, count)


def schema_differences(lake: Store, tables: list[Table], partition: str) -> Count:
    """Columns of stored parts that are not as declared: missing, unknown, or of another type."""
    import pyarrow.parquet as pq

    differences: dict[str, int | float | str] = {}
    columns = 0
    for table in tables:
        declared = {field.name: field.type for field in table.arrow_schema()}
        columns += len(declared)
        for part in parts_of(lake, table.name, partition).values():
            tail = parquet.whole_tail(partial(lake.tail, part.key))
            stored = {field.name: field.type for field in pq.read_schema(io.BytesIO(tail))}
            for name in declared.keys() | stored.keys():
                if declared.get(name) != stored.get(name):
                    differences[f"{part.key} {name}"] = f"{stored.get(name)}, declared {declared.get(name)}"
    return Count(len(differences), columns, differences)


def overdue(listed: list[ObjectInfo], known: set[tuple[str, str]], now: datetime, patience: timedelta) -> Count:
    """Objects that were uploaded longer than `patience` ago and are not in the manifest with this version."""
    late = [item for item in listed if (item.key, item.version) not in known and now - item.uploaded_at > patience]
    details: dict[str, int | float | str] = {item.key: item.uploaded_at.isoformat() for item in late[:20]}
    return Count(len(late), len(listed), details)
