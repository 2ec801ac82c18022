"""CREATE TABLE statements with which Athena and Trino read the lake as it lies in the bucket.

Belongs here: declared columns to the DDL of an engine that keeps its own catalog. Does not belong here: DuckDB's
views, which need no catalog (`vitalake/serving/catalog.py`), or running a statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from vitalake.arrivals.calendar import Granularity
from vitalake.lake.parquet import WHOLE
from vitalake.lake.tables import Kind, Table, partition_columns
from vitalake.serving.catalog import selected

COMMENT_BYTES = 255  # AWS Glue, Athena's catalog, refuses a column's comment that is longer

HIVE_TYPES: Mapping[Kind, str] = {
    "string": "string",
    "int32": "int",
    "int64": "bigint",
    "float64": "double",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "list<string>": "array<string>",
    "list<int32>": "array<int>",
    "list<float64>": "array<double>",
}
# Microseconds, as they are stored: a catalog that is set to another precision refuses the statement, where
# timestamp(3) would lose three digits without a word.
TRINO_TYPES: Mapping[Kind, str] = {
    "string": "varchar",
    "int32": "integer",
    "int64": "bigint",
    "float64": "double",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp(6)",
    "list<string>": "array(varchar)",
    "list<int32>": "array(integer)",
    "list<float64>": "array(double)",
}

_HOURS = {
    "projection.hour.type": "integer",
    "projection.hour.range": "0,23",
    "projection.hour.digits": "2",
}


def athena(table: Table, bucket: str, first_day: date, unit: Granularity = "day") -> str:
    """`CREATE EXTERNAL TABLE` in Hive's language, for Athena.

    Partitions are projected: Athena computes them from the range of days, so a new one is there at once and nobody
    has to register it. The part without rows before the first day (`vitalake.serving.catalog.seed`) is outside the
    range.
    """
    columns = ",\n".join(
        _hive_column(column.name, HIVE_TYPES[column.kind], column.doc) for column in table.stored_columns
    )
    name = stored_name(table)
    if table.whole:
        return (
            f"CREATE EXTERNAL TABLE IF NOT EXISTS `{name}` (\n{columns}\n)\n"
            f"COMMENT {_hive(_comment(table.doc))}\n"
            "STORED AS PARQUET\n"
            f"LOCATION {_hive(location(table, bucket))}"
        )
    by = partition_columns(unit)
    partitions = ",\n".join(_hive_column(column.name, HIVE_TYPES[column.kind], column.doc) for column in by)
    properties = {
        "projection.enabled": "true",
        "projection.date.type": "date",
        "projection.date.format": "yyyy-MM-dd",
        "projection.date.range": f"{first_day},NOW+1DAYS",  # devices east of Greenwich write tomorrow
        "projection.date.interval": "1",
        "projection.date.interval.unit": "DAYS",
        **(_HOURS if unit == "hour" else {}),
        "storage.location.template": location(table, bucket) + "".join(f"{c.name}=${{{c.name}}}/" for c in by),
    }
    listed = ",\n".join(f"  {_hive(name)} = {_hive(value)}" for name, value in properties.items())
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `{name}` (\n{columns}\n)\n"
        f"COMMENT {_hive(_comment(table.doc))}\n"
        f"PARTITIONED BY (\n{partitions}\n)\n"
        "STORED AS PARQUET\n"
        f"LOCATION {_hive(location(table, bucket))}\n"
        f"TBLPROPERTIES (\n{listed}\n)"
    )


def trino(table: Table, bucket: str, unit: Granularity = "day") -> str:
    """`CREATE TABLE` for Trino's Hive connector, in the schema of the session.

    The catalog has to say ``hive.timestamp-precision=MICROSECONDS``. Partitions become known by
    ``CALL system.sync_partition_metadata(schema, table, 'FULL')``.
    """
    by = () if table.whole else partition_columns(unit)
    columns = (*table.stored_columns, *by)  # partitions last, as it demands
    listed = ",\n".join(_trino_column(column.name, TRINO_TYPES[column.kind], column.doc) for column in columns)
    names = ", ".join(f"'{column.name}'" for column in by)
    partitioned = f",\n  partitioned_by = ARRAY[{names}]" if by else ""
    return (
        f'CREATE TABLE IF NOT EXISTS "{stored_name(table)}" (\n{listed}\n)\n'
        f"COMMENT {_ansi(_comment(table.doc))}\n"
        "WITH (\n"
        f"  external_location = {_ansi(location(table, bucket))},\n"
        f"  format = 'PARQUET'{partitioned}\n"
        ")"
    )


def stored_name(table: Table) -> str:
    """What the table over the files is called: otherwise than declared where columns have former names too."""
    return table.name if table.stored_columns == table.columns else f"{table.name}_stored"


def renamed_view(table: Table, unit: Granularity = "day") -> str | None:
    """`CREATE VIEW` with the columns as they are called now, for Athena and Trino; None where no name has changed.

    These engines read columns by name and know nothing of former ones. What a partition was written without, and
    what it has in a narrower kind, they read as it is declared without help.
    """
    if stored_name(table) == table.name:
        return None
    by = () if table.whole else partition_columns(unit)
    columns = [selected(column) for column in (*table.columns, *by)]
    return f'CREATE OR REPLACE VIEW "{table.name}" AS SELECT {", ".join(columns)} FROM "{stored_name(table)}"'  # noqa: S608


def location(table: Table, bucket: str) -> str:
    """Where a table's partitions are."""
    return f"s3://{bucket}/{table.name}/{WHOLE + '/' if table.whole else ''}"


def _hive_column(name: str, kind: str, doc: str) -> str:
    return f"  `{name}` {kind} COMMENT {_hive(_comment(doc))}"


def _trino_column(name: str, kind: str, doc: str) -> str:
    return f'  "{name}" {kind} COMMENT {_ansi(_comment(doc))}'


def _comment(doc: str) -> str:
    """On one line, as Glue demands, and cut where it would refuse it."""
    line = " ".join(doc.split())
    if len(line.encode()) <= COMMENT_BYTES:
        return line
    return line.encode()[: COMMENT_BYTES - len("…".encode())].decode(errors="ignore") + "…"


def _hive(text: str) -> str:
    """A literal of Hive, where a doubled quote is no quote but the end of one literal and the start of another."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _ansi(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
