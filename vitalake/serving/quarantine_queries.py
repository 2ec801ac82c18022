"""The rows of quarantine, as the lake has them.

Belongs here: asking the view `quarantine`. Does not belong here: what is said about them
(`cli/quarantine/command.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitalake.arrivals.calendar import Partition
from vitalake.serving.catalog import quote

if TYPE_CHECKING:
    from datetime import date, datetime

    import duckdb

    from vitalake.arrivals.objects import Bucket

# `hour` is there where a dataset is built by the hour.
_PARTITION = "COLUMNS('^(date|hour)$')"
# What one rule says alike of many records of an object is one line for a person.
_SHORT = f"""SELECT {_PARTITION}, dataset, rule, source_key, sum(record_count)::BIGINT AS records,
    min(record_number) AS first_record, message"""


@dataclass(frozen=True)
class QuarantineRow:
    """One row of quarantine: an object, or a record in it; `record_count` is above 1 where it stands for more."""

    dataset: str
    partition: Partition
    key: str
    version: str
    size_bytes: int
    uploaded_at: datetime
    record_number: int | None
    rule: str
    message: str
    record_count: int
    record_text: str | None
    excerpt_hex: str | None


def listing(dataset: str | None, on: date | None, rule: str | None, *, everything: bool) -> str:
    """A query for what fits, newest partition first; `everything`: all rows and columns, else what people read."""
    wanted = {"dataset": dataset, "date": on, "rule": rule and rule.upper()}
    fits = [f"{name} = {quote(str(value))}" for name, value in wanted.items() if value is not None]
    return f"""{"SELECT *" if everything else _SHORT} FROM quarantine WHERE {" AND ".join(fits) or "true"}
        {"" if everything else "GROUP BY ALL"}
        ORDER BY {_PARTITION} DESC, source_key,
            {"record_number" if everything else "first_record"}, rule, message"""  # noqa: S608


def matching(connection: duckdb.DuckDBPyConnection, key: str) -> list[QuarantineRow]:
    """The rows of the object with this key, else of those with this name, else of all whose keys end so."""
    from datetime import datetime, timezone

    query = """SELECT * EXCLUDE uploaded_at, epoch_us(uploaded_at) AS uploaded_us
        FROM quarantine WHERE source_key = ? OR suffix(source_key, ?) ORDER BY source_key, record_number, rule"""
    result = connection.execute(query, [key, key])
    names = [column[0] for column in result.description]
    found = []
    for values in result.fetchall():
        row = dict(zip(names, values, strict=True))
        partition = Partition(row.pop("date"), row.pop("hour", None))
        uploaded_at = datetime.fromtimestamp(row.pop("uploaded_us") / 1e6, timezone.utc)
        key_and_version = {"key": row.pop("source_key"), "version": row.pop("source_version")}
        found.append(QuarantineRow(partition=partition, uploaded_at=uploaded_at, **key_and_version, **row))
    exactly = [item for item in found if item.key == key]
    return exactly or [item for item in found if item.key.endswith(f"/{key.lstrip('/')}")] or found


def state_now(raw: Bucket, item: QuarantineRow) -> str:
    """What the bucket holds under this key at present."""
    _, siblings = raw.folders(item.key.rpartition("/")[0] + "/")
    present = [each for each in siblings if each.key == item.key]
    if not present:
        return "the object is gone; its row goes when the day is built again"
    if present[0].version != item.version:
        return "another version is there; it is read when the day is built again"
    return "the object is there, unchanged"
