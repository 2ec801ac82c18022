"""One object to Parquet by DuckDB alone, on the same store, with the types that the datasets declare.

Belongs here: the statement and its connection. Does not belong here: what is compared (`benchmarks/records.py`).

It checks that values are of their types, and no rule; one bad value ends it.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from resources.catalog import init_sql
from resources.settings import Settings
from vitalake.serving.catalog import quote

PRICE_LIST = {
    "ID": "BIGINT",
    "Region": "VARCHAR",
    "InstanceFamily": "VARCHAR",
    "InstanceType": "VARCHAR",
    "Price (USD/h)": "DOUBLE",
    "vCPU": "INTEGER",
    "Memory": "DOUBLE",
    "Storage": "VARCHAR",
    "OS": "VARCHAR",
    "Network": "VARCHAR",
}
SCANS = {
    "patient_id": "VARCHAR",
    "patient_name": "VARCHAR",
    "scan_date": "DATE",
    "retina_thickness_microns": "INTEGER",
    "optic_disc_cup_ratio": "DOUBLE",
    "diagnosis": "VARCHAR",
}


def copy_csv(settings: Settings, key: str, target: str) -> None:
    """A price list to one Parquet object."""
    _copy(settings, f"read_csv({_at(settings.raw_bucket, key)}, header = true, columns = {PRICE_LIST})", target)


def copy_json(settings: Settings, key: str, target: str) -> None:
    """An array of scans to one Parquet object, names and all."""
    read = f"read_json_auto({_at(settings.raw_bucket, key)}, format = 'array', columns = {SCANS})"
    _copy(settings, read, target)


def _copy(settings: Settings, read: str, target: str) -> None:
    to = _at(settings.lake_bucket, target)
    with connected(settings) as connection:
        connection.execute(f"COPY (SELECT * FROM {read}) TO {to} (FORMAT parquet)")  # noqa: S608


def connected(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A connection that knows the store, and spills to the state folder if it must."""
    connection = duckdb.connect(config={"temp_directory": str(Path(settings.home).resolve() / "duckdb")})
    connection.execute(init_sql(settings))
    return connection


def _at(bucket: str, key: str) -> str:
    return quote(f"s3://{bucket}/{key}")
