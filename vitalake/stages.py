"""The three stages of every dataset: list its objects, read them, derive from what was read.

Belongs here: what each stage takes and gives, in terms of `reconcile`. Does not belong here: the loop itself
(`vitalake/reconcile.py`), formats and rules (`vitalake/datasets/`), scheduling (`pipeline_assets/`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from vitalake import parquet
from vitalake.arrivals import Bucket, ObjectInfo, arrived, cut, in_upload_order, objects_digest
from vitalake.dataset import Dataset, Derived, RawObject
from vitalake.errors import UnusableDataError
from vitalake.reconcile import (
    ConflictError,
    Inputs,
    Output,
    Part,
    Report,
    Store,
    fingerprint_of,
    parts_of,
    reconcile,
)
from vitalake.tables import Table
from vitalake.version import code_digest

if TYPE_CHECKING:
    import pyarrow as pa

VANISHED = "S00"

Progress = Callable[[int, int], None]
Announce = Callable[[list[dict[str, Any]]], None]


class RawBucket(Bucket, Protocol):
    """What the stages need of the bucket that devices upload to."""

    def get_many(self, items: Sequence[ObjectInfo]) -> Iterator[tuple[ObjectInfo, bytes | None]]:
        """Contents in order; None for an object that is gone or changed since it was listed."""


def list_objects(
    dataset: Dataset, raw: Bucket, lake: Store, partition: str, first_day: date, progress: Progress
) -> Report:
    """Write the manifest ``raw_<dataset>``: which objects the partition has and in which part each is."""
    parts: dict[int, list[ObjectInfo]] = {}

    def inputs() -> dict[int, Inputs]:
        items = arrived(raw, dataset.prefix, first_day, {date.fromisoformat(partition)})
        parts.clear()
        parts.update(enumerate(cut(in_upload_order(items), dataset.limits)))
        return {index: Inputs(objects_digest(part), code_digest()) for index, part in parts.items()}

    def compute(index: int) -> Output:
        rows = [_object_columns(item) for item in parts[index]]
        return Output({dataset.raw_table.name: dataset.raw_table.from_rows(rows)})

    return reconcile(lake, partition, [dataset.raw_table], inputs, compute, progress)


def read_objects(
    dataset: Dataset, raw: RawBucket, lake: Store, partition: str, progress: Progress, announce: Announce
) -> Report:
    """Read every object of the manifest into the dataset's tables, or into quarantine with the reason.

    `announce` gets the rows of quarantine that were not there before, and gets them before they are written: a
    crash in between may repeat the news, never lose it.
    """
    manifest: dict[int, Part] = {}
    known: set[tuple[str, str, str]] | None = None

    def compute(index: int) -> Output:
        nonlocal known
        rows = _load(lake, manifest[index]).to_pylist()
        items = [
            ObjectInfo(row["source_key"], row["source_version"], row["size_bytes"], row["uploaded_at"])
            for row in rows
        ]
        output = read_part(dataset, raw, items)
        refused = output.tables[dataset.quarantine_table.name].to_pylist()
        if refused and known is None:
            known = {_identity(row) for row in load_table(lake, dataset.quarantine_table, partition).to_pylist()}
        news = [row for row in refused if row["rule"] != VANISHED and _identity(row) not in (known or ())]
        if news:
            announce(news)
        return output

    outputs = [*dataset.tables, dataset.quarantine_table]
    return reconcile(
        lake, partition, outputs, _follow(lake, dataset.raw_table, partition, manifest), compute, progress
    )


def derive(dataset: Dataset, derived: Derived, lake: Store, partition: str, progress: Progress) -> Report:
    """Compute a derived table part by part from the table it follows."""
    source: dict[int, Part] = {}

    def compute(index: int) -> Output:
        return Output({derived.table.name: derived.compute(_load(lake, source[index]))})

    table = next(table for table in dataset.tables if table.name == derived.source)
    return reconcile(lake, partition, [derived.table], _follow(lake, table, partition, source), compute, progress)


def read_part(dataset: Dataset, raw: RawBucket, items: Sequence[ObjectInfo]) -> Output:
    """Read the objects of one part: each becomes rows of the dataset's tables or one row of quarantine."""
    parsed: list[Any] = []
    refused: list[dict[str, Any]] = []
    vanished: list[str] = []
    limit = dataset.limits.object_bytes
    small = []
    for item in items:
        if item.size_bytes == 0:
            refused.append(_refusal(dataset, item, UnusableDataError("S01", "the object is empty (0 bytes)")))
        elif item.size_bytes > limit:
            message = f"the object has {item.size_bytes:,} bytes; the limit is {limit:,}"
            refused.append(_refusal(dataset, item, UnusableDataError("S01", message)))
        else:
            small.append(item)
    for item, data in raw.get_many(small):
        if data is None:
            vanished.append(item.key)
            message = "deleted or replaced after it was listed; the partition will be built again"
            refused.append(_refusal(dataset, item, UnusableDataError(VANISHED, message)))
            continue
        try:
            parsed.append(_parse(dataset, item, data))
        except UnusableDataError as error:
            refused.append(_refusal(dataset, item, error, data))
    tables = dataset.tabulate(parsed)
    order = {item.key: position for position, item in enumerate(items)}
    refused.sort(key=lambda row: order[row["source_key"]])
    tables[dataset.quarantine_table.name] = dataset.quarantine_table.from_rows(refused)
    return Output(tables, tuple(vanished))


def _parse(dataset: Dataset, item: ObjectInfo, data: bytes) -> Any:
    try:
        return dataset.parse(RawObject(item.key, item.version, item.size_bytes, item.uploaded_at, data))
    except (UnusableDataError, MemoryError):
        raise
    except Exception as error:
        # Parsing is a function of the bytes alone, so whatever goes wrong in it is a finding about them.
        raise UnusableDataError("S02", f"the reader failed on it ({type(error).__name__})") from error


def _follow(lake: Store, table: Table, partition: str, parts: dict[int, Part]) -> Callable[[], dict[int, Inputs]]:
    """Inputs that are the parts of another table, remembered in `parts` for computing."""

    def inputs() -> dict[int, Inputs]:
        parts.clear()
        parts.update(parts_of(lake, table.name, partition))
        if any(part.inputs is None for part in parts.values()):
            raise ConflictError(
                f"{table.name} {partition} holds a file that is no part of ours; materialize it first"
            )
        return {
            index: part.inputs.then(code_digest())
            for index, part in sorted(parts.items())
            if part.inputs is not None
        }

    return inputs


def load_table(lake: Store, table: Table, partition: str, columns: list[str] | None = None) -> pa.Table:
    """A partition of a table, all parts together, in order."""
    import pyarrow as pa

    parts = parts_of(lake, table.name, partition)
    empty = table.arrow_schema().empty_table().select(columns or table.names)
    return pa.concat_tables([empty, *(_load(lake, parts[index], columns) for index in sorted(parts))])


def is_built(lake: Store, tables: Iterable[Table], partition: str, fingerprint: str) -> bool:
    """Whether these tables of a partition were built from the raw objects with this fingerprint."""
    return all(fingerprint_of(parts_of(lake, table.name, partition)) == fingerprint for table in tables)


def newest_part(lake: Store, table: Table, partition: str) -> pa.Table | None:
    """The last part of a partition: where the latest uploads are. None when there is no part."""
    parts = parts_of(lake, table.name, partition)
    return _load(lake, parts[max(parts)]) if parts else None


def _identity(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["source_key"], row["source_version"], row["rule"]


def _load(lake: Store, part: Part, columns: list[str] | None = None) -> pa.Table:
    try:
        return parquet.decode(lake.get(part.key, part.version), columns)
    except FileNotFoundError:
        raise ConflictError(f"{part.key} was replaced while it was read") from None


def _object_columns(item: ObjectInfo) -> dict[str, Any]:
    return {
        "source_key": item.key,
        "source_version": item.version,
        "size_bytes": item.size_bytes,
        "uploaded_at": item.uploaded_at,
    }


def _refusal(dataset: Dataset, item: ObjectInfo, error: UnusableDataError, data: bytes = b"") -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        **_object_columns(item),
        "record_number": None,
        "rule": error.rule,
        "message": error.message,
        "excerpt_hex": data[:4].hex() or None,
    }
