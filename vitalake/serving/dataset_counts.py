"""What there is of each dataset: objects in the bucket, rows in the lake, and the difference.

Belongs here: counting. Does not belong here: whether services run (`cli/status/health.py`), how it is shown
(`cli/status/command.py`).
"""

# ruff: noqa: S608 - names are declared by datasets

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vitalake.arrivals.calendar import Granularity, Partition

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    import duckdb

    from vitalake.arrivals.objects import Bucket, ObjectInfo
    from vitalake.lake.dataset import Dataset
    from vitalake.lake.parts import Store
    from vitalake.lake.versions.outdated import PartitionVersions


@dataclass(frozen=True)
class LakeCounts:
    """What the lake knows of a dataset.

    Args:
        newest_processed_at: the latest upload that was read (UTC).
        unprocessed: objects of the bucket that were not read with this content.
        unprocessed_since: when the first of them was uploaded (UTC).
        table: the dataset's first table.
        rows: its rows.
        warned: those of them with a warning.
        verdicts: verdict → rows; empty where there are none.
        quarantine: rule → records, an object that cannot be read being one.
    """

    newest_processed_at: datetime | None
    unprocessed: int
    unprocessed_since: datetime | None
    table: str
    rows: int
    warned: int
    verdicts: dict[str, int]
    quarantine: dict[str, int]


@dataclass(frozen=True)
class DatasetCounts:
    """What there is of one dataset.

    Args:
        partition: what is built at once.
        objects: objects in the raw bucket whose day or hour has come.
        waiting: objects whose key names one that has not come yet.
        newest_upload_at: the latest upload among the objects (UTC).
        lake: None where the lake cannot be asked.
        versions: of its partitions; None where there is no key for pseudonyms, which they depend on.
    """

    partition: Granularity
    objects: int
    waiting: int
    newest_upload_at: datetime | None
    lake: LakeCounts | None
    versions: PartitionVersions | None


def count(
    dataset: Dataset,
    raw: Bucket,
    lake: Store,
    first_day: date,
    connection: duckdb.DuckDBPyConnection | None,
    key_id: str | None = None,
) -> DatasetCounts:
    """Compare the raw bucket with the lake, as far as there is a connection to it.

    `key_id` is that of the key for pseudonyms (`vitalake.pseudonyms.Pseudonyms.key_id`).

    Raises:
        duckdb.Error: the lake cannot be asked.
        TransientError, PermanentError: the bucket cannot be listed.
    """
    from datetime import datetime, timezone

    from vitalake.arrivals.listing import arrived
    from vitalake.arrivals.partitions import partition_of
    from vitalake.lake.versions.outdated import partition_versions

    calendar = dataset.calendar(first_day)
    newest = calendar.newest(datetime.now(timezone.utc))
    found = arrived(raw, dataset.prefix, calendar, group_objects=dataset.group_objects)
    come = [item for bundle in found if partition_of(bundle, calendar) <= newest for item in bundle]
    return DatasetCounts(
        partition=dataset.partition,
        objects=len(come),
        waiting=sum(map(len, found)) - len(come),
        newest_upload_at=max((item.uploaded_at for item in come), default=None),
        lake=_in_lake(connection, dataset, lake, come) if connection else None,
        versions=partition_versions(dataset, lake, key_id) if key_id else None,
    )


def _in_lake(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, lake: Store, items: list[ObjectInfo]
) -> LakeCounts:
    from datetime import datetime, timezone

    table, quarantine = dataset.tables[0], dataset.quarantine_table.name

    def ask(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    warned = "len(warnings) > 0" if "warnings" in table.names else "false"
    [(rows, with_warning)] = ask(f'SELECT count(*), count_if({warned}) FROM "{table.name}"')
    verdicts = f'SELECT verdict, count(*) FROM "{table.name}" GROUP BY 1 ORDER BY 1'
    refused = f"SELECT rule, sum(record_count)::BIGINT FROM {quarantine} GROUP BY 1 ORDER BY 1"
    by = _partition_columns(dataset)
    manifest = f"SELECT {by}, source_key, source_version, epoch_us(uploaded_at) FROM {dataset.raw_table.name}"
    unread = _unread(ask, dataset, lake)
    objects = [found for day, hour, *found in ask(manifest) if Partition(day, hour) not in unread]
    known = {(key, version) for key, version, _ in objects}
    missing = [item.uploaded_at for item in items if (item.key, item.version) not in known]
    newest_us = max((uploaded_us for _, _, uploaded_us in objects), default=None)
    return LakeCounts(
        newest_processed_at=None if newest_us is None else datetime.fromtimestamp(newest_us / 1e6, timezone.utc),
        unprocessed=len(missing),
        unprocessed_since=min(missing, default=None),
        table=table.name,
        rows=rows,
        warned=with_warning,
        verdicts=dict(ask(verdicts)) if "verdict" in table.names else {},
        quarantine=dict(ask(refused)),
    )


def _partition_columns(dataset: Dataset) -> str:
    """The columns `date` and `hour`, the latter null where there are no hours."""
    return "date, hour" if dataset.partition == "hour" else "date, NULL"


def _unread(ask: Callable[[str], list[tuple[Any, ...]]], dataset: Dataset, lake: Store) -> set[Partition]:
    """Partitions that were listed and not read since, as where their run failed.

    An object without a record is in no table, so what is in none says only of which partitions the parts are looked
    at.
    """
    from vitalake.lake.parts import fingerprint_of, parts_of, side_by_side
    from vitalake.lake.stages import is_built

    raw, table, quarantine = dataset.raw_table.name, dataset.tables[0], dataset.quarantine_table
    seen = " UNION ALL ".join(
        f'SELECT source_key, source_version FROM "{each.name}"' for each in (table, quarantine)
    )
    by = _partition_columns(dataset)
    in_none = f'SELECT DISTINCT {by} FROM "{raw}" ANTI JOIN ({seen}) USING (source_key, source_version)'
    found = [Partition(day, hour) for day, hour in ask(in_none)]
    # Not everybody who asks for the status may read what names people.
    tables = [each for each in (*dataset.tables, quarantine) if not each.restricted]

    def is_read(partition: Partition) -> bool:
        return is_built(lake, tables, str(partition), fingerprint_of(parts_of(lake, raw, str(partition))))

    with side_by_side(len(found)) as each:
        return {partition for partition, is_so in zip(found, each(is_read, found), strict=True) if not is_so}
