"""What becomes of files: the rows of each table, what is refused, what is warned about, and that nothing is lost.

Belongs here: the account, taken of what the lake's own code makes of them. Does not belong here: reading itself
(`vitalake/lake/reading.py`), how the account is shown (`cli/check/text.py`, `cli/check/document.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cli.check.local_files import LocalFiles, LocalListing
from cli.check.throwaway_pseudonyms import ThrowawayPseudonyms
from vitalake.arrivals.bundles import bundles
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.partitions import by_partition, cut
from vitalake.lake.columns import array, rows_of
from vitalake.lake.dataset import Dataset
from vitalake.lake.parquet import Rows, decode_as, encode
from vitalake.lake.parts import Inputs
from vitalake.lake.reading import read_part
from vitalake.lake.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

Outcome = Literal["read", "refused in part", "refused", "part of another"]


@dataclass
class CheckedObject:
    """One object.

    Args:
        key: under which it would be uploaded.
        file: which it is now.
        size_bytes: of it.
        partition: the day or hour that it would belong to.
        rows: table → how many come from it.
        refused_records: records of it in quarantine.
        refused_whole: whether quarantine has it as a whole; what was read before it gave up stays.
        companion_of: key of the object whose recording it belongs to.
    """

    key: str
    file: Path
    size_bytes: int
    partition: str
    rows: Counter[str] = field(default_factory=Counter)
    refused_records: int = 0
    refused_whole: bool = False
    companion_of: str | None = None

    @property
    def outcome(self) -> Outcome:
        """What becomes of it."""
        if self.refused_whole:
            return "refused in part" if self.rows else "refused"
        if self.companion_of is not None:
            return "part of another"
        return "refused in part" if self.refused_records else "read"


@dataclass
class CheckedTable:
    """A table: how many rows it would get, the first of them, and which of its columns hold pseudonyms."""

    table: Table
    first: pa.Table
    rows: int = 0
    pseudonymised: tuple[str, ...] = ()


@dataclass
class CheckedRefusals:
    """All refusals of one object for one reason: records, the numbers of the first ones, and their texts."""

    key: str
    rule: str
    message: str
    records: int = 0
    whole: bool = False
    numbers: list[int] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)


class KeptPart(NamedTuple):
    """All rows of one part: the day that it belongs to, and the rows by table."""

    day: date
    tables: dict[str, pa.Table]


@dataclass
class Account:
    """What becomes of all files together.

    Args:
        dataset: that they were read as.
        objects: each file that can be uploaded, by key.
        tables: of the dataset, in order, and those derived from them.
        refusals: in the order of the objects.
        warnings: id of a rule → records that it warns about.
        verdicts: of recordings, where there are any → how many.
        failed: files that no upload takes, each with the reason.
        kept: the first part that has rows, where `keep` asked for it.
    """

    dataset: Dataset
    objects: dict[str, CheckedObject]
    tables: dict[str, CheckedTable]
    refusals: dict[tuple[str, str, str], CheckedRefusals] = field(default_factory=dict)
    warnings: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    failed: tuple[tuple[Path, str], ...] = ()
    kept: KeptPart | None = None

    @property
    def refused(self) -> bool:
        """Whether anything would not come into the lake's tables."""
        return bool(self.refusals or self.failed)

    @property
    def records(self) -> tuple[int, int] | None:
        """Good and refused records; None where the tables are not of one row a record."""
        ours = [self.tables[table.name] for table in self.dataset.tables]
        if any("record_number" not in each.table.names for each in ours) or len({each.rows for each in ours}) > 1:
            return None
        return ours[0].rows, sum(each.refused_records for each in self.objects.values())


def account_of(
    dataset: Dataset,
    listing: LocalListing,
    first_day: date,
    pseudonyms: ThrowawayPseudonyms,
    shown_rows: int,
    shown_refusals: int,
    advance: Callable[[int], None],
    *,
    keep: bool = False,
) -> Account:
    """Read files as the lake would, part by part.

    Args:
        dataset: to read them as.
        listing: the files.
        first_day: of the lake.
        pseudonyms: made for this.
        shown_rows: how many rows of each table are kept.
        shown_refusals: how many numbers of records are kept of each reason.
        advance: called with bytes as they are read.
        keep: whether the rows of the first part that has any stay at hand (`Account.kept`).
    """
    import pyarrow as pa

    calendar = dataset.calendar(first_day)
    days = by_partition(bundles(listing.items, dataset.group_objects), calendar)
    tables = [*dataset.tables, *(table for each in dataset.derived for table in each.tables)]
    found = Account(
        dataset,
        {
            item.key: CheckedObject(item.key, listing.files[item.key], item.size_bytes, str(partition))
            for partition, all_of_it in days.items()
            for bundle in all_of_it
            for item in bundle
        },
        {table.name: CheckedTable(table, pa.Table.from_batches([], table.arrow_schema())) for table in tables},
        failed=listing.failed,
    )
    raw = LocalFiles(listing.files, advance)
    for partition, all_of_it in days.items():
        for items in cut(all_of_it, dataset.limits):
            output, _ = read_part(dataset, raw, items, pseudonyms, Inputs("", ""))
            for table in dataset.tables:
                _add(found, table, output.parts[table.name].data, items, shown_rows)
            for derived in dataset.derived:
                source = dataset.table(derived.source)
                rows = derived.compute(decode_as(source, output.parts[source.name].data, derived.columns))
                for table in derived.tables:
                    _add(found, table, encode(table, rows[table.name], ""), items, shown_rows)
            quarantine = dataset.quarantine_table
            for row in rows_of(decode_as(quarantine, output.parts[quarantine.name].data)):
                _refuse(found, row, shown_refusals)
            if keep and found.kept is None and any(output.parts[table.name].rows for table in dataset.tables):
                whole = {table.name: decode_as(table, output.parts[table.name].data) for table in dataset.tables}
                found.kept = KeptPart(partition.day, whole)
    for each in found.tables.values():
        each.pseudonymised = tuple(
            column.name
            for column in each.table.columns
            if column.kind == "string"
            and not pseudonyms.made.isdisjoint(each.first.column(column.name).to_pylist())
        )
    return found


def _add(found: Account, table: Table, data: bytes, items: Sequence[ObjectInfo], shown: int) -> None:
    """Count the rows of a part of a table by object, and keep the first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    checked, rows = found.tables[table.name], Rows(data)
    if rows.num_rows and checked.first.num_rows < shown:
        more = rows.slice(0, shown - checked.first.num_rows).cast(checked.first.schema)
        # Copied, so that the rest of the part is let go.
        checked.first = pa.concat_tables([checked.first, more.take(array(list(range(more.num_rows)), pa.int64()))])
    checked.rows += rows.num_rows
    if len(items) == 1 and rows.num_rows:
        found.objects[items[0].key].rows[table.name] += rows.num_rows
    wanted = [
        "warnings",
        "companion_keys",
        *(["verdict"] if table is found.dataset.tables[0] else []),
        *(["source_key"] if len(items) > 1 else []),
    ]
    names = [name for name in wanted if name in table.names]
    for batch in rows.batches(names) if names else ():
        if "warnings" in names:
            found.warnings.update(_counts(pc.list_flatten(batch.column("warnings"))))
        if "verdict" in names:
            found.verdicts.update(_counts(batch.column("verdict")))
        if "source_key" in names:
            for key, count in _counts(batch.column("source_key")).items():
                found.objects[key].rows[table.name] += count
        if "companion_keys" in names and "source_key" in names:
            pairs = zip(*(batch.column(name).to_pylist() for name in ("source_key", "companion_keys")), strict=True)
            for main, keys in pairs:
                for key in keys:
                    found.objects[key].companion_of = main


def _counts(column: pa.Array) -> dict[str, int]:
    import pyarrow.compute as pc

    return {each["values"]: each["counts"] for each in pc.value_counts(column).to_pylist()}


def _refuse(found: Account, row: dict[str, Any], shown: int) -> None:
    """Add a row of quarantine."""
    key, rule, message, count = row["source_key"], row["rule"], row["message"], row["record_count"]
    each = found.refusals.setdefault((key, rule, message), CheckedRefusals(key, rule, message))
    each.records += count
    if row["record_number"] is None:
        each.whole = found.objects[key].refused_whole = True
        return
    found.objects[key].refused_records += count
    if len(each.numbers) < shown:
        each.numbers.append(row["record_number"])
        each.texts.append(row["record_text"])
