"""Tables to Parquet bytes and back, the same bytes for the same rows.

Belongs here: writer settings, where parts lie, what their footers say. Does not belong here: what is in a table
or when a part is written (`vitalake/lake/reconcile.py`).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitalake.arrivals.calendar import Partition
from vitalake.lake.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE = "all"  # the one partition of a table over all days
SEED_PARTITION = "1970-01-01"  # a part without rows, so that a view has columns (`vitalake/serving/catalog.py`)
INPUTS_KEY = b"vitalake.inputs"
FOOTER_BYTES = 64 * 1024
_MAGIC = b"PAR1"
_ROWS_PER_GROUP = 64 * 1024
_DICTIONARY_BYTES = 128 * 1024  # beyond, texts are their own: a dictionary costs time and makes the part larger
_SAMPLES_PER_GROUP = 1024  # rows of a table that holds signals
_ENCODINGS = {
    "int32": "DELTA_BINARY_PACKED",
    "int64": "DELTA_BINARY_PACKED",
    "list<int32>": "DELTA_BINARY_PACKED",
    "list<float64>": "PLAIN",
}
_PART = re.compile(r"/part-(\d{5})\.parquet$")


def partition_prefix(table: str, partition: str) -> str:
    """Folder of one table's partition, in the Hive layout that DuckDB, Athena, Trino and Spark read."""
    return f"{table}/{WHOLE}/" if partition == WHOLE else f"{table}/{Partition.parse(partition).folder}"


def part_key(table: str, partition: str, index: int) -> str:
    """Key of one part."""
    return f"{partition_prefix(table, partition)}part-{index:05d}.parquet"


def part_index(key: str) -> int | None:
    """Index of a part from its key; None for anything else."""
    match = _PART.search(key)
    return int(match.group(1)) if match else None


@dataclass(frozen=True)
class Encoded:
    """A whole part as it is stored."""

    data: bytes
    rows: int


class TableWriter:
    """One part of a table while it is written, slice by slice, so that only its compressed bytes are held.

    Equal slices, declaration and inputs give equal bytes. Integers are delta packed, fractions plain, strings
    dictionary coded: the smallest and fastest encodings that every engine reads (docs/adr/0002). ZSTD goes
    over samples, Snappy over everything else.
    """

    def __init__(self, table: Table) -> None:
        import pyarrow.parquet as pq

        leaves = {c.name: f"{c.name}.list.element" if c.kind.startswith("list<") else c.name for c in table.columns}
        encodings = {leaves[c.name]: _ENCODINGS[c.kind] for c in table.columns if c.kind in _ENCODINGS}
        strings = [leaves[c.name] for c in table.columns if c.kind in ("string", "list<string>")]
        samples = [leaves[c.name] for c in table.columns if c.kind in ("list<int32>", "list<float64>")]
        # A reader pays more to set ZSTD up than a small page costs to unpack (docs/adr/0008).
        codecs = {leaf: "zstd" if leaf in samples else "snappy" for leaf in leaves.values()}
        self.rows = 0
        self._rows_per_group = _SAMPLES_PER_GROUP if samples else _ROWS_PER_GROUP
        self._schema = table.arrow_schema()
        self._sink = io.BytesIO()
        self._writer = pq.ParquetWriter(
            self._sink,
            self._schema,
            compression=codecs,
            compression_level=dict.fromkeys(samples, 3) or None,
            use_dictionary=strings,
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
            column_encoding=encodings or None,
            write_statistics=list(table.names),
            version="2.6",
        )

    def append(self, rows: pa.Table) -> None:
        """Add a slice, which must have the table's schema."""
        if rows.num_rows:
            self._writer.write_table(rows.cast(self._schema), row_group_size=self._rows_per_group)
            self.rows += rows.num_rows

    def close(self, inputs: str) -> Encoded:
        """The whole part, with the digest of everything that it was computed from in its footer."""
        self._writer.add_key_value_metadata({INPUTS_KEY: inputs.encode()})
        self._writer.close()
        return Encoded(self._sink.getvalue(), self.rows)


def encode(table: Table, rows: pa.Table, inputs: str) -> bytes:
    """Parquet bytes of `rows` in one slice."""
    sheet = TableWriter(table)
    sheet.append(rows)
    return sheet.close(inputs).data


def decode(data: bytes, columns: list[str] | None = None) -> pa.Table:
    """Rows of a part, without footer metadata."""
    import pyarrow.parquet as pq

    # Not `pq.read_table`: its way through datasets imports pandas, a second in every run.
    table: pa.Table = pq.ParquetFile(io.BytesIO(data)).read(columns=columns).replace_schema_metadata(None)
    return table if columns is None else table.select(columns)


def decode_as(table: Table, data: bytes, columns: list[str] | None = None) -> pa.Table:
    """Rows of a part as the table is declared today, all columns or some; what it was written without is null.

    Raises:
        pyarrow.ArrowInvalid: a column is stored as another kind (`vitalake/lake/versions/changed_declaration.py`).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(data))
    stored = set(file.schema_arrow.names)
    names = columns or table.names
    formerly = {column.name: (column.name, *column.formerly) for column in table.columns}
    found = {name: next((each for each in formerly[name] if each in stored), None) for name in names}
    rows = file.read(columns=[each for each in found.values() if each])
    schema = pa.schema([table.arrow_schema().field(name) for name in names])
    arrays = [
        pa.nulls(rows.num_rows, field.type) if (each := found[field.name]) is None else rows[each].cast(field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


class Rows:
    """A part of which only a little is looked at: the rest is not unpacked. Named as pyarrow names the like."""

    def __init__(self, data: bytes) -> None:
        import pyarrow.parquet as pq

        self._file = pq.ParquetFile(io.BytesIO(data))
        self.num_rows: int = self._file.metadata.num_rows

    def select(self, columns: list[str]) -> pa.Table:
        """Some columns of all rows."""
        return self._file.read(columns=columns)

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The same, some thousand rows at a time, for parts of which even one column is large."""
        yield from self._file.iter_batches(columns=columns)

    def slice(self, row: int, count: int) -> pa.Table:
        """All columns of rows that lie in one row group, at least the first of them."""
        for group in range(self._file.metadata.num_row_groups):
            rows = self._file.metadata.row_group(group).num_rows
            if row < rows:
                return self._file.read_row_group(group).slice(row, count)
            row -= rows
        raise IndexError(f"row {row} beyond the end of the part")


def whole_tail(read: Callable[[int], bytes]) -> bytes:
    """The last bytes of a part, with its whole footer; `read` gives that many bytes from the end.

    One request, or two where there are so many row groups or such long keys that the footer is larger than usual.
    """
    tail = read(FOOTER_BYTES)
    size = _footer_size(tail)
    return read(size) if tail[-4:] == _MAGIC and size > len(tail) else tail


def footer(tail: bytes) -> tuple[str, int]:
    """(inputs digest, number of rows) from the last bytes of a part.

    Raises:
        ValueError: the bytes end no Parquet file of ours, or `tail` is shorter than the footer.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if tail[-4:] != _MAGIC or _footer_size(tail) > len(tail):
        raise ValueError("not the end of a Parquet file")
    try:
        metadata = pq.read_metadata(io.BytesIO(tail))
    except (OSError, pa.ArrowException) as error:  # what pyarrow raises for a footer that it cannot make sense of
        raise ValueError("not the end of a Parquet file") from error
    groups = range(metadata.num_row_groups)
    if metadata.num_rows != sum(metadata.row_group(group).num_rows for group in groups):
        raise ValueError("a footer that contradicts itself")  # a bit of it changed on the way, or in the store
    inputs = (metadata.metadata or {}).get(INPUTS_KEY, b"")
    return inputs.decode(), metadata.num_rows


def _footer_size(tail: bytes) -> int:
    return int.from_bytes(tail[-8:-4], "little") + 8
