"""What Athena and Trino are told is what is declared, in words that they understand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest
import sqlglot
from sqlglot import exp

from vitalake.datasets.declared import DATASETS
from vitalake.lake.tables import HOUR, PARTITION, Column, Kind, Table
from vitalake.serving.ddl import COMMENT_BYTES, HIVE_TYPES, TRINO_TYPES, athena, trino

FIRST_DAY = date(2025, 1, 1)
# Quotes of every language, a backslash, two lines, and more than Glue takes.
HARD = 'it\'s "a" `b` \\n C:\\ ; -- /* ? \n second line'
HARD_LINE = 'it\'s "a" `b` \\n C:\\ ; -- /* ? second line'
EVERY_KIND = Table(
    "things",
    HARD,
    tuple(Column(f"c{number}", kind, HARD) for number, kind in enumerate(HIVE_TYPES)),
)
TABLES = [table for dataset in DATASETS for table in dataset.all_tables] + [EVERY_KIND]


def parsed(statement: str, dialect: str) -> exp.Create:
    (tree,) = sqlglot.parse(statement, dialect=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    assert isinstance(tree, exp.Create)
    assert tree.kind == "TABLE"
    return tree


def columns(schema: exp.Expression, dialect: str) -> list[tuple[str, str, str]]:
    """(name, type, comment) of the columns right below a schema."""
    found = []
    for column in schema.expressions:
        assert isinstance(column, exp.ColumnDef)
        (comment,) = column.find_all(exp.CommentColumnConstraint)
        found.append((column.name, column.args["kind"].sql(dialect).lower(), comment.this.name))
    return found


def properties(tree: exp.Create) -> dict[str, str]:
    return {
        item.name: item.args["value"].name for item in tree.find_all(exp.Property) if type(item) is exp.Property
    }


def expected(table: Table, types: Mapping[Kind, str]) -> list[tuple[str, str, str]]:
    return [(c.name, types[c.kind], HARD_LINE if c.doc == HARD else c.doc) for c in table.columns]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_athena_is_told_the_declared_columns_and_projects_the_days(table: Table) -> None:
    tree = parsed(athena(table, "my-lake", FIRST_DAY), "athena")
    assert tree.this.this.name == table.name
    assert columns(tree.this, "hive") == expected(table, HIVE_TYPES)
    partition = tree.find(exp.PartitionedByProperty)
    assert partition is not None
    assert columns(partition.this, "hive") == [("date", "date", PARTITION.doc)]
    assert tree.find(exp.ExternalProperty)
    place, form = tree.find(exp.LocationProperty), tree.find(exp.FileFormatProperty)
    assert (place and place.name, form and form.name) == (f"s3://my-lake/{table.name}/", "PARQUET")
    assert properties(tree) == {
        "projection.enabled": "true",
        "projection.date.type": "date",
        "projection.date.format": "yyyy-MM-dd",
        "projection.date.range": "2025-01-01,NOW+1DAYS",
        "projection.date.interval": "1",
        "projection.date.interval.unit": "DAYS",
        "storage.location.template": f"s3://my-lake/{table.name}/date=${{date}}/",
    }


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_trino_is_told_the_declared_columns_the_partition_last(table: Table) -> None:
    tree = parsed(trino(table, "my-lake"), "trino")
    assert tree.this.this.name == table.name
    types = {
        kind: sqlglot.exp.DataType.build(text, dialect="trino").sql("trino").lower()
        for kind, text in TRINO_TYPES.items()
    }
    assert columns(tree.this, "trino") == [*expected(table, types), ("date", "date", PARTITION.doc)]
    assert properties(tree) == {"external_location": f"s3://my-lake/{table.name}/"}
    form, partition = tree.find(exp.FileFormatProperty), tree.find(exp.PartitionedByProperty)
    assert form and form.name == "PARQUET"
    assert partition and [item.name for item in partition.this.expressions] == ["date"]


def test_of_hours_both_columns_are_partitions_and_projected() -> None:
    tree = parsed(athena(EVERY_KIND, "my-lake", FIRST_DAY, "hour"), "athena")
    partition = tree.find(exp.PartitionedByProperty)
    assert partition is not None
    assert columns(partition.this, "hive") == [("date", "date", PARTITION.doc), ("hour", "int", HOUR.doc)]
    found = properties(tree)
    assert {name: value for name, value in found.items() if ".hour." in name} == {
        "projection.hour.type": "integer",
        "projection.hour.range": "0,23",
        "projection.hour.digits": "2",  # as the folders are called
    }
    assert found["storage.location.template"] == "s3://my-lake/things/date=${date}/hour=${hour}/"
    tree = parsed(trino(EVERY_KIND, "my-lake", "hour"), "trino")
    assert [name for name, _, _ in columns(tree.this, "trino")][-2:] == ["date", "hour"]
    by = tree.find(exp.PartitionedByProperty)
    assert by and [item.name for item in by.this.expressions] == ["date", "hour"]


@pytest.mark.parametrize(
    "comment", ["x" * 255, "x" * 256, "µ" * 200], ids=["fits", "too long", "too long in bytes"]
)
def test_a_comment_is_cut_where_glue_would_refuse_it(comment: str) -> None:
    table = Table("t", "T.", (Column("a", "string", comment),))
    for tree in (parsed(athena(table, "b", FIRST_DAY), "athena"), parsed(trino(table, "b"), "trino")):
        said = columns(tree.this, "trino")[0][2]
        assert len(said.encode()) <= COMMENT_BYTES
        assert said == comment if len(comment.encode()) <= COMMENT_BYTES else said.endswith("…")
        assert comment.startswith(said.rstrip("…"))
