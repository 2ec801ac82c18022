"""Spark, a distributed engine that others keep, reads the lake as it lies and answers as DuckDB does.

Spark speaks S3 only with libraries that are not on PyPI, so the objects are copied byte for byte into a folder of
the same layout. DuckDB asks the S3 server, through the published catalog.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Iterable
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dagster import DagsterInstance

from cli.demo.ecg_files import wfdb
from cli.demo.recordings import demo_files
from pipeline_assets.build import build_defs
from resources.catalog import connect
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.pipeline_assets.running import run_day, upload_all
from tests.spark.queries import DAYS, NOBODY, QUERIES
from tests.vitalake.notes import upload
from tests.vitalake.vitals import VITALS, pulses
from vitalake.datasets.ecg import ECG
from vitalake.lake.dataset import Dataset
from vitalake.serving.ddl import HIVE_TYPES, athena, location

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-spark" / "bin" / "python"
TABLES = {table.name: table for table in ECG.all_tables}

pytestmark = [
    pytest.mark.store,
    pytest.mark.timeout(480),  # 40 s of CPU, most of it Java's: a minute is much on a busy machine
    pytest.mark.skipif(not PYTHON.exists(), reason="Spark is not there: make .venv-spark/ready"),
]


@pytest.fixture
def lake(settings: Settings, raw: ObjectStore, store: ObjectStore) -> ObjectStore:
    """Two days of recordings in several formats, good and broken, one of them with samples missing."""
    for file in demo_files(date.fromisoformat(DAYS[0]), days=len(DAYS), per_device=6):
        upload(raw, file.key, file.data)
    gaps = np.sin(np.arange(2 * 5000) / 40).reshape(2, 5000)
    gaps[:, 700:720] = -32.768  # the value that says "missing" in this format
    header, signals = wfdb("gaps", gaps, ("II", "V5"), 500, datetime(2025, 3, 2, 23, 59, 59, tzinfo=timezone.utc))
    upload_all(raw, [("gaps.hea", header), ("gaps.dat", signals)])
    with DagsterInstance.ephemeral() as instance:
        for day in DAYS:
            assert run_day(settings, instance, day=day).success
    return store


def copy(lake: ObjectStore, folder: Path, tables: Iterable[str] = TABLES) -> None:
    """Every object of every table, byte for byte."""
    for name in tables:
        for item in lake.objects(f"{name}/"):
            file = folder / item.key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(lake.get(item.key))


def ask_spark(
    folder: Path, bucket: str, queries: Iterable[str], work: Path, dataset: Dataset = ECG
) -> dict[str, Any]:
    """What Spark sees of the lake in `folder`, through the very DDL of Athena but for the address."""
    ddl, tables = {}, {table.name: table for table in dataset.all_tables}
    for name, table in tables.items():
        statement = athena(table, bucket, date(2015, 1, 1), dataset.partition)
        assert location(table, bucket) in statement
        ddl[name] = statement.replace(location(table, bucket), f"{(folder / name).as_uri()}/")
    work.mkdir()
    job = {"tables": {name: str(folder / name) for name in tables}, "ddl": ddl, "queries": list(queries)}
    (work / "job.json").write_text(json.dumps(job))
    # Far from UTC, so that a time that is taken for local time shows.
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SPARK", "PYSPARK", "JAVA", "JDK"))
    }
    argv = [str(PYTHON), str(Path(__file__).with_name("ask.py")), "job.json", "answers.json"]
    with (work / "log.txt").open("wb") as log:
        done = subprocess.run(
            argv, cwd=work, env=env | {"TZ": "Asia/Kathmandu"}, stdout=log, stderr=log, timeout=360, check=False
        )
    assert done.returncode == 0, (work / "log.txt").read_text()[-3000:]
    found: dict[str, Any] = json.loads((work / "answers.json").read_text())
    return found


def plain(value: Any) -> Any:
    """A value of DuckDB as JSON has it, times in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def ordered(rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
    return sorted(([*row] for row in rows), key=lambda row: json.dumps(row[:6]))


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Equal, and of equal type, but for the last digits of a computed fraction."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair, tolerance) for pair in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=tolerance)
    return type(one) is type(other) and bool(one == other)


def test_spark_reads_the_lake_as_it_is_and_answers_as_duckdb_does(
    settings: Settings, lake: ObjectStore, tmp_path: Path
) -> None:
    with connect(settings) as connection:

        def duckdb(query: str) -> list[list[Any]]:
            columns = connection.execute(query).to_arrow_table().to_pydict().values()
            return ordered([plain(value) for value in row] for row in zip(*columns, strict=True))

        everything = {name: duckdb(f"TABLE {name}") for name in TABLES}
        answers = {name: duckdb(query.duckdb) for name, query in QUERIES.items()}
    copy(lake, tmp_path / "lake")
    asked = [f"TABLE {name}" for name in TABLES] + [query.spark or query.duckdb for query in QUERIES.values()]
    spark = ask_spark(tmp_path / "lake", settings.lake_bucket, asked, tmp_path / "spark")
    told = [ordered(rows) for rows in spark["answers"]]

    for name, table in TABLES.items():
        types = [[column.name, HIVE_TYPES[column.kind]] for column in table.columns] + [["date", "date"]]
        assert spark["inferred"][name] == types
        docs = [column.doc for column in table.columns] + ["Partition: the day, in UTC."]
        declared = [[*pair, doc] for pair, doc in zip(types, docs, strict=True)]
        assert spark["declared"][name] == declared
    for (name, rows), seen in zip(everything.items(), told, strict=False):
        assert rows, name
        assert same(seen, rows, 0.0), name
    for (name, rows), seen in zip(answers.items(), told[len(TABLES) :], strict=True):
        assert bool(rows) == (name != NOBODY), name
        assert same(seen, rows, 1e-9), (name, seen[:5], rows[:5])

    signals = [dict(zip(TABLES["ecg_signals"].names, row, strict=False)) for row in everything["ecg_signals"]]
    assert any(None in (row["samples"] or []) for row in signals)  # else the lake was too easy to read
    assert any(row["samples_real"] for row in signals)
    assert any(row["unusable_s"] for row in signals)


def test_spark_reads_hours_as_duckdb_does(
    settings: Settings, raw: ObjectStore, store: ObjectStore, tmp_path: Path
) -> None:
    job = build_defs(settings, datasets=(VITALS,)).resolve_job_def("vitals_job")
    with DagsterInstance.ephemeral() as instance:
        for hour in ("05", "17"):
            upload(raw, f"vitals/{DAYS[0].replace('-', '/')}/{hour}/a.csv", pulses(*range(60, 60 + int(hour))))
            assert job.execute_in_process(instance=instance, partition_key=f"{DAYS[0]}T{hour}").success
    queries = [
        "SELECT date, hour, count(*), max(pulse_bpm) FROM vitals GROUP BY date, hour ORDER BY hour",
        "SELECT source_key, hour FROM raw_vitals WHERE date = DATE '2025-03-02' AND hour = 5",
    ]
    with connect(settings) as connection:
        ours = [[list(map(plain, row)) for row in connection.execute(query).fetchall()] for query in queries]
    assert ours[0] == [[DAYS[0], 5, 5, 64.0], [DAYS[0], 17, 17, 76.0]]
    copy(store, tmp_path / "lake", [table.name for table in VITALS.all_tables])
    spark = ask_spark(tmp_path / "lake", settings.lake_bucket, queries, tmp_path / "spark", VITALS)
    assert spark["answers"] == ours
    assert spark["inferred"]["vitals"][-2:] == [["date", "date"], ["hour", "int"]]
    assert [column[:2] for column in spark["declared"]["vitals"][-2:]] == [["date", "date"], ["hour", "int"]]
