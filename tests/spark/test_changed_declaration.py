"""Days that were written by an older declaration, read by Spark as by DuckDB.

Athena and Trino have the same two statements; neither can be run here.
"""

# ruff: noqa: S608 - folders and columns of our own

from __future__ import annotations

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.spark.test_spark import PYTHON
from vitalake.lake.parquet import SEED_PARTITION, encode, part_key
from vitalake.lake.tables import Column, Kind, Table
from vitalake.lake.versions.changed_declaration import WIDER, seed_part
from vitalake.serving.catalog import table_view
from vitalake.serving.ddl import athena, location, renamed_view, stored_name

pytestmark = [
    pytest.mark.timeout(480),
    pytest.mark.skipif(not PYTHON.exists(), reason="Spark is not there: make .venv-spark/ready"),
]

OLD, NEW = "2026-11-20", "2026-11-21"
WIDENED: list[tuple[Any, Kind]] = [(old, new) for old, kinds in WIDER.items() for new in kinds]  # type: ignore[misc]
ID = Column("id", "string", "Which.")
BEFORE = Table(
    "things",
    "Things.",
    (
        ID,
        *(Column(f"c{at}", old, "A value.") for at, (old, _) in enumerate(WIDENED)),
        Column("note", "string", "N."),
    ),
)
AFTER = Table(
    "things",
    "Things.",
    (
        ID,
        *(Column(f"c{at}", new, "A value.") for at, (_, new) in enumerate(WIDENED)),
        Column("remark", "string", "R.", formerly=("note",)),
        Column("more", "date", "M."),
    ),
)
VALUES: dict[str, list[Any]] = {
    "int32": [2**31 - 1, None],
    "int64": [2**62, -1],
    "float64": [0.5, None],
    "list<int32>": [[1, -(2**31)], None],
    "list<float64>": [[0.5], []],
}


def row(table: Table, at: int, **more: Any) -> dict[str, Any]:
    values = {column.name: VALUES[column.kind][at] for column in table.columns if column.kind in VALUES}
    return values | more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One day of each declaration, and the part without rows."""
    old = [row(BEFORE, at, id=f"old{at}", note="then") for at in range(2)]
    new = [row(AFTER, at, id=f"new{at}", remark="now", more=date(2026, 1, 2)) for at in range(2)]
    parts = {
        part_key("things", OLD, 0): encode(BEFORE, BEFORE.from_rows(old), "x"),
        part_key("things", NEW, 0): encode(AFTER, AFTER.from_rows(new), "x"),
        part_key("things", SEED_PARTITION, 0): seed_part(AFTER).data,
    }
    for key, data in parts.items():
        path = tmp_path / "lake" / key
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    return tmp_path / "lake"


def test_spark_and_duckdb_read_older_days_as_declared_now(folder: Path, tmp_path: Path) -> None:
    expected = [
        *([f"new{at}", *(VALUES[new][at] for _, new in WIDENED), "now", "2026-01-02", NEW] for at in range(2)),
        *([f"old{at}", *(VALUES[old][at] for old, _ in WIDENED), "then", None, OLD] for at in range(2)),
    ]
    with duckdb.connect() as connection:
        select = table_view(AFTER, "b").select.replace("s3://b/", f"{folder}/")
        rows = connection.execute(f"SELECT * FROM ({select}) ORDER BY id").fetchall()
    assert [[str(each) if isinstance(each, date) else each for each in found] for found in rows] == expected

    view, name = renamed_view(AFTER), stored_name(AFTER)
    assert view is not None
    ddl = athena(AFTER, "b", date(2026, 1, 1)).replace(location(AFTER, "b"), f"{(folder / 'things').as_uri()}/")
    values = ", ".join(f"c{at}" for at in range(len(WIDENED)))
    found = f"parquet.`{folder / 'things'}`"
    queries = [
        view.replace('"', "`"),
        "SELECT * FROM things ORDER BY id",
        f"SELECT id, {values}, coalesce(remark, note), more, date FROM {found} ORDER BY id",
    ]
    work = tmp_path / "spark"
    work.mkdir()
    (work / "job.json").write_text(
        json.dumps({"tables": {name: str(folder / "things")}, "ddl": {name: ddl}, "queries": queries})
    )
    argv = [str(PYTHON), str(Path(__file__).with_name("ask.py")), "job.json", "answers.json"]
    with (work / "log.txt").open("wb") as log:
        done = subprocess.run(argv, cwd=work, stdout=log, stderr=log, timeout=360, check=False)
    assert done.returncode == 0, (work / "log.txt").read_text()[-3000:]
    answers = json.loads((work / "answers.json").read_text())["answers"]
    assert answers[1:] == [expected, expected], "by the statements, and as Spark finds the files"
