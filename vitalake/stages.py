"""The three stages of every dataset: list its objects, read them, derive from what was read.

Belongs here: what each stage takes and gives, in terms of `reconcile`. Does not belong here: the loop itself
(`vitalake/reconcile.py`), formats and rules (`vitalake/datasets/`), scheduling (`pipeline_assets/`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from vitalake import parquet
from vitalake.arrivals import (
    Bucket,
    Bundle,
    ObjectInfo,
    arrived,
    bundles,
    cut,
    digest,
    objects_digest,
    size_bytes,
)
from vitalake.checks import VANISHED, WAITING
from vitalake.columns import rows_of
from vitalake.dataset import Dataset, Derived, Parsed, RawObject, Refusal
from vitalake.errors import PermanentError, TransientError, UnusableDataError
from vitalake.pseudonyms import Pseudonyms
from vitalake.reconcile import (
    ConflictError,
    Inputs,
    Output,
    Part,
    Report,
    Sheets,
    Store,
    fingerprint_of,
    listed_parts,
    parts_of,
    reconcile,
    side_by_side,
)
from vitalake.tables import Table
from vitalake.version import code_digest
from vitalake.workers import spread

if TYPE_CHECKING:
    import pyarrow as pa

SLICE_BYTES = 32 * 2**20  # values in memory at once; 12 leads of 10 s at 500 Hz weigh 240 kB

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
        found = arrived(raw, dataset.prefix, first_day, {date.fromisoformat(partition)}, dataset.together)
        parts.clear()
        parts.update(enumerate(cut(found, dataset.limits)))
        return {index: Inputs(objects_digest(part), code_digest()) for index, part in parts.items()}

    table = dataset.raw_table

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        for index, needed in stale.items():
            sheets = Sheets([table])
            sheets.append({table.name: table.from_rows([_object_columns(item) for item in parts[index]])})
            yield sheets.close(needed)

    return reconcile(lake, partition, [table], inputs, compute, progress)


def read_objects(
    dataset: Dataset,
    raw: RawBucket,
    lake: Store,
    partition: str,
    pseudonyms: Pseudonyms,
    progress: Progress,
    announce: Announce,
    processes: int | None = 1,
) -> Report:
    """Read every object of the manifest into the dataset's tables, or into quarantine with the reason.

    `announce` gets the rows of quarantine that were not there before, and gets them before they are written: a
    crash in between may repeat the news, never lose it. What waits for its other objects is no news.
    The parts of a large day are read in `processes` side by side (None: one a core).
    """
    manifest: dict[int, Part] = {}
    known: set[tuple[str, str, str]] | None = None
    read = partial(_read_listed, dataset, raw, lake, pseudonyms)

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        nonlocal known
        for output, refused in spread(read, ((manifest[index], stale[index]) for index in stale), processes):
            if refused and known is None:
                rows = rows_of(load_table(lake, dataset.quarantine_table, partition))
                known = {_identity(row) for row in rows}
            told = [row for row in refused if row["rule"] not in (VANISHED, WAITING)]
            news = [row for row in told if _identity(row) not in (known or ())]
            if news:
                announce(news)
            yield output

    outputs = [*dataset.tables, dataset.quarantine_table]
    code = digest(code_digest(), pseudonyms.key_id)
    inputs = _follow(lake, dataset.raw_table, partition, manifest, code)
    return reconcile(lake, partition, outputs, inputs, compute, progress)


def derive(
    dataset: Dataset, derived: Derived, lake: Store, partition: str, progress: Progress, processes: int | None = 1
) -> Report:
    """Compute derived tables part by part from the table they follow; those that `derived` names, of all it can."""
    source: dict[int, Part] = {}
    work = partial(_derive_part, derived, lake)

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        return spread(work, ((source[index], stale[index]) for index in stale), processes)

    table = next(table for table in dataset.tables if table.name == derived.source)
    inputs = _follow(lake, table, partition, source, code_digest())
    return reconcile(lake, partition, derived.tables, inputs, compute, progress)


def _derive_part(derived: Derived, lake: Store, task: tuple[Part, Inputs]) -> Output:
    source, needed = task
    rows = derived.compute(_load(lake, source, derived.columns))
    sheets = Sheets(derived.tables)
    sheets.append({table.name: rows[table.name] for table in derived.tables})
    return sheets.close(needed)


def _read_listed(
    dataset: Dataset, raw: RawBucket, lake: Store, pseudonyms: Pseudonyms, task: tuple[Part, Inputs]
) -> tuple[Output, list[dict[str, Any]]]:
    listed, needed = task
    rows = rows_of(_load(lake, listed))
    items = [
        ObjectInfo(row["source_key"], row["source_version"], row["size_bytes"], row["uploaded_at"]) for row in rows
    ]
    return read_part(dataset, raw, items, pseudonyms, needed)


def read_part(
    dataset: Dataset, raw: RawBucket, items: Sequence[ObjectInfo], pseudonyms: Pseudonyms, inputs: Inputs
) -> tuple[Output, list[dict[str, Any]]]:
    """Read the objects of one part: each becomes rows of the dataset's tables or one row of quarantine.

    What was read is laid out in slices of bounded weight, so that a part of long recordings needs no more memory
    than one of short ones. The rows of quarantine come back as well.
    """
    sheets = Sheets([*dataset.tables, dataset.quarantine_table])
    values: list[Any] = []
    weight = 0
    refused: list[dict[str, Any]] = []
    vanished: list[str] = []
    small: list[Bundle] = []
    infos = {item.key: item for item in items}
    for bundle in bundles(items, dataset.together):
        refusals = _weigh(bundle, dataset.limits.object_bytes)
        refused += [_refusal(dataset, infos, {}, refusal) for refusal in refusals]
        if not refusals:
            small.append(bundle)
    contents = raw.get_many([item for bundle in small for item in bundle])
    for bundle in small:
        data = {item.key: content for item, content in (next(contents) for _ in bundle)}
        there = {key: content for key, content in data.items() if content is not None}
        if len(there) < len(data):
            vanished += [key for key in data if key not in there]
            message = "deleted or replaced after it was listed; the partition will be built again"
            parsed = Parsed((), tuple(Refusal(key, VANISHED, message) for key in data))
        else:
            parsed = _parse(dataset, bundle, there, pseudonyms)
        values += parsed.values
        weight += parsed.weight_bytes
        refused += [_refusal(dataset, infos, there, refusal) for refusal in parsed.refusals]
        if weight >= SLICE_BYTES:
            sheets.append(dataset.tabulate(values))
            values, weight = [], 0
    sheets.append(dataset.tabulate(values))
    order = {item.key: position for position, item in enumerate(items)}
    refused.sort(key=lambda row: (order[row["source_key"]], row["record_number"] or 0))
    sheets.append({dataset.quarantine_table.name: dataset.quarantine_table.from_rows(refused)})
    return sheets.close(inputs, vanished), refused


def _weigh(bundle: Bundle, limit: int) -> list[Refusal]:
    """A refusal for each object where one is empty, or all together are too large to be read."""
    weight = size_bytes(bundle)
    if weight > limit:
        who = "the object has" if len(bundle) == 1 else f"{len(bundle)} objects that belong together have"
        return [Refusal(item.key, "S01", f"{who} {weight:,} bytes; the limit is {limit:,}") for item in bundle]
    if len(bundle) == 1 and weight == 0:
        return [Refusal(bundle[0].key, "S01", "the object is empty (0 bytes)")]
    return []


def _parse(dataset: Dataset, bundle: Bundle, contents: dict[str, bytes], pseudonyms: Pseudonyms) -> Parsed:
    objects = [
        RawObject(item.key, item.version, item.size_bytes, item.uploaded_at, contents[item.key]) for item in bundle
    ]
    try:
        return dataset.parse(objects, pseudonyms)
    except UnusableDataError as error:
        rule, message = error.rule, error.message
    except (MemoryError, OSError, ImportError, TransientError, PermanentError):
        raise  # the machine is at fault: a reader has bytes in its hand and no reason to touch a file
    except Exception as error:
        # Parsing is a function of the bytes alone, so whatever goes wrong in it is a finding about them.
        rule, message = "S02", f"the reader failed on it ({type(error).__name__})"
    return Parsed((), tuple(Refusal(item.key, rule, message) for item in bundle))


def _follow(
    lake: Store, table: Table, partition: str, parts: dict[int, Part], code: str
) -> Callable[[], dict[int, Inputs]]:
    """Inputs that are the parts of another table and `code`; the parts are remembered in `parts` for computing."""

    def inputs() -> dict[int, Inputs]:
        parts.clear()
        parts.update(parts_of(lake, table.name, partition))
        if any(part.inputs is None for part in parts.values()):
            raise ConflictError(
                f"{table.name} {partition} holds a file that is no part of ours; materialize it first"
            )
        return {index: part.inputs.then(code) for index, part in sorted(parts.items()) if part.inputs is not None}

    return inputs


def load_columns(
    dataset: Dataset, lake: Store, partition: str, wanted: Iterable[Mapping[str, list[str]]]
) -> dict[str, pa.Table]:
    """All the columns that are wanted of tables of a partition, by table; each part is fetched once."""
    columns: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for names in wanted:
        for table, of_table in names.items():
            columns[table] |= dict.fromkeys(of_table)
    return {
        name: load_table(lake, dataset.table(name), partition, list(of_table)) for name, of_table in columns.items()
    }


def load_table(lake: Store, table: Table, partition: str, columns: list[str] | None = None) -> pa.Table:
    """A partition of a table, all parts together, in order."""
    import pyarrow as pa

    parts = listed_parts(lake, table.name, partition).values()
    empty = pa.Table.from_batches([], table.arrow_schema()).select(columns or table.names)
    with side_by_side(len(parts)) as each:
        return pa.concat_tables([empty, *each(lambda part: _load(lake, part, columns), parts)])


def is_built(lake: Store, tables: Iterable[Table], partition: str, fingerprint: str) -> bool:
    """Whether these tables of a partition were built from the raw objects with this fingerprint."""
    return all(fingerprint_of(parts_of(lake, table.name, partition)) == fingerprint for table in tables)


def newest_part(lake: Store, table: Table, partition: str) -> parquet.Rows | None:
    """The last part of a partition: where the latest uploads are. None when there is no part."""
    parts = listed_parts(lake, table.name, partition)
    return parquet.Rows(_content(lake, parts[max(parts)])) if parts else None


def _identity(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["source_key"], row["source_version"], row["rule"]


def _load(lake: Store, part: Part | ObjectInfo, columns: list[str] | None = None) -> pa.Table:
    return parquet.decode(_content(lake, part), columns)


def _content(lake: Store, part: Part | ObjectInfo) -> bytes:
    try:
        return lake.get(part.key, part.version)
    except FileNotFoundError:
        raise ConflictError(f"{part.key} was replaced while it was read") from None


def _object_columns(item: ObjectInfo) -> dict[str, Any]:
    return {
        "source_key": item.key,
        "source_version": item.version,
        "size_bytes": item.size_bytes,
        "uploaded_at": item.uploaded_at,
    }


def _refusal(
    dataset: Dataset, items: dict[str, ObjectInfo], contents: dict[str, bytes], refusal: Refusal
) -> dict[str, Any]:
    item = items[refusal.key]
    return {
        "dataset": dataset.name,
        **_object_columns(item),
        "record_number": refusal.record_number,
        "rule": refusal.rule,
        "message": refusal.message,
        "excerpt_hex": contents.get(item.key, b"")[:4].hex() or None,
    }
