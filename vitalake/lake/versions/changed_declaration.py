"""What a declaration may become while older parts stay as they are, and what is refused.

Belongs here: comparing declared columns and partitions with those that parts have. Does not belong here: reading an
older part as declared (`vitalake.lake.parquet.decode_as`, the views of `vitalake/serving/catalog.py`).

The part without rows of each table says for which columns it was last found that all parts can be read. Where it
says so of today's, one look suffices; where not, every part is looked at, once, before anything is written.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from vitalake.arrivals.calendar import Calendar, Granularity, Partition
from vitalake.arrivals.fingerprints import digest, objects_digest
from vitalake.errors import PermanentError
from vitalake.lake.parquet import INPUTS_KEY, SEED_PARTITION, Encoded, part_index, part_key, whole_tail
from vitalake.lake.parts import Inputs, Store, parts_of, side_by_side
from vitalake.lake.tables import Table, arrow_types

if TYPE_CHECKING:
    import pyarrow as pa

# Stored kind → declared kinds as which every engine reads each of its values exactly. Not int64 as float64, which
# rounds beyond 2**53, nor a date as a time, which depends on the zone of whoever asks.
WIDER: Mapping[str, tuple[str, ...]] = {
    "int32": ("int64", "float64"),
    "list<int32>": ("list<float64>",),
}

_NOW = b"now"  # in the metadata of a column with a former name


class DeclarationRefusedError(PermanentError):
    """A table is declared so that its older parts cannot be read with new ones."""


def seed_inputs(table: Table) -> Inputs:
    """What the part without rows says: the columns that it was written for."""
    columns = [f"{column.name} {column.kind} {column.nullable}" for column in table.stored_columns]
    return Inputs(objects_digest([]), digest(*columns))


def seed_part(table: Table) -> Encoded:
    """The part without rows: the columns that any part has, and what those with a former name are called now."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = arrow_types()
    now = {name: {_NOW: column.name} for column in table.columns for name in column.formerly}
    columns = [
        pa.field(column.name, types[column.kind], column.nullable, now.get(column.name))
        for column in table.stored_columns
    ]
    sink = io.BytesIO()
    schema = pa.schema(columns, {INPUTS_KEY: str(seed_inputs(table))})
    pq.write_table(pa.Table.from_batches([], schema), sink)  # `empty_table` imports pandas
    return Encoded(sink.getvalue(), 0)


def seed_partition(unit: Granularity) -> str:
    """Where the part without rows lies."""
    day = date.fromisoformat(SEED_PARTITION)
    return str(Calendar(day, unit).of(day))


def require_readable(lake: Store, tables: Iterable[Table], unit: Granularity) -> None:
    """Refuse tables whose older parts cannot be read as they are declared now.

    One request a table whose declaration is known to be fine; else one for each of its parts.

    Raises:
        DeclarationRefusedError: which columns or partitions, stored as what, declared as what, and what to do.
    """
    seed = seed_partition(unit)
    changed = [table for table in tables if not _is_known(lake, table, seed)]
    refused = [line for table in changed for line in _unreadable(lake, table, unit)]
    if refused:
        raise DeclarationRefusedError("\n".join(refused))


def stored_schema(lake: Store, key: str) -> pa.Schema:
    """The columns of a part, by its footer."""
    import pyarrow.parquet as pq

    return pq.read_schema(io.BytesIO(whole_tail(partial(lake.tail, key))))


def _is_known(lake: Store, table: Table, partition: str) -> bool:
    if table.whole:
        return True  # it has no other part than the one that is about to be replaced
    seed = parts_of(lake, table.name, partition).get(0)
    return seed is not None and seed.inputs == seed_inputs(table)


def _unreadable(lake: Store, table: Table, unit: Granularity) -> Iterator[str]:
    parts = (item for item in lake.objects(f"{table.name}/") if part_index(item.key) is not None)
    listed = [item.key for item in parts if item.size_bytes]  # S3 refuses a request for the end of nothing
    seeds = f"{table.name}/date={SEED_PARTITION}/"  # of days and of hours: they hold no rows
    keys = [key for key in listed if not key.startswith(seeds)]
    if otherwise := [key for key in keys if _unit_of(key) not in (unit, None)]:
        stored = str(_unit_of(otherwise[0]))
        yield (
            f"table {table.name}: it is declared to be built by the {unit} and stored by the {stored} in "
            f"{_where(otherwise)}. Both cannot be read together: nobody would see what is stored by the {stored}. "
            f'Declare partition="{stored}" again, or give the dataset another name; to have this one by the '
            f"{unit}, delete {table.name}/ from the lake's bucket and backfill the dataset, which builds it from "
            "the objects in the raw bucket"
        )
        return
    with side_by_side(len(keys)) as each:
        read = zip(keys, each(partial(_schema_of, lake), keys), strict=True)
        schemas = {key: schema for key, schema in read if schema is not None}
    declared = {column.name: column for column in table.stored_columns}
    wrong: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for key, schema in schemas.items():
        for field in schema:
            column, kind = declared.get(field.name), _kind(field.type)
            if column and kind != column.kind and column.kind not in WIDER.get(kind, ()):
                wrong[field.name, kind].append(key)
    for (name, kind), those in wrong.items():
        yield (
            f"table {table.name}: column {name} is declared {declared[name].kind} and stored as {kind} in "
            f"{_where(those)}. Both cannot be read together. Give the new column another name (the old one stays "
            f"in older partitions, where nobody sees it), or declare it {kind} again; where no older value is "
            f"wanted, delete {table.name}/ from the lake's bucket and backfill the dataset"
        )
    seed = part_key(table.name, seed_partition(unit), 0)
    before = _schema_of(lake, seed) if seed in listed else None
    if before is not None:
        yield from _forgotten(table, before, schemas)


def _forgotten(table: Table, seed: pa.Schema, schemas: Mapping[str, pa.Schema]) -> Iterator[str]:
    """Former names that are no longer declared, while there are parts that have nothing else."""
    declared = {column.name for column in table.stored_columns}
    for field in seed:
        now = (field.metadata or {}).get(_NOW, b"").decode()
        if now in table.names and field.name not in declared:
            names = {key: set(schema.names) for key, schema in schemas.items()}
            those = [key for key, stored in names.items() if field.name in stored and now not in stored]
            if those:
                yield (
                    f"table {table.name}: column {now} was called {field.name}, which {_where(those)} still "
                    f"{'has' if len(those) == 1 else 'have'}. Keep formerly=({field.name!r},) until "
                    "`vitalake backfill DATASET --outdated` has built them"
                )


def _schema_of(lake: Store, key: str) -> pa.Schema | None:
    """None where another run deleted it, or it is no part of ours: then it is about to be replaced."""
    try:
        return stored_schema(lake, key)
    except (OSError, ValueError):  # pyarrow raises both for a footer that it cannot make sense of
        return None


def _unit_of(key: str) -> Granularity | None:
    """Of what a part is, by its folders; None for one that is in no partition."""
    partition = Partition.of_folder(key)
    if partition is None:
        return None
    return "day" if partition.hour is None else "hour"


def _kind(stored: pa.DataType) -> str:
    """The kind of a stored column; of one that is none of ours, Arrow's name."""
    return next((kind for kind, known in arrow_types().items() if known == stored), str(stored))


def _where(keys: list[str]) -> str:
    partitions = sorted({key.partition("/")[2].rpartition("/")[0] for key in keys})
    if len(partitions) == 1:
        return partitions[0]
    return f"{len(partitions):,} partitions ({partitions[0]} to {partitions[-1]})"
