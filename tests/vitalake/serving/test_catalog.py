"""The SQL of views, whatever they are called."""

from __future__ import annotations

from datetime import date

import duckdb

from tests.vitalake.vitals import VITALS
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.lake.dataset import SqlView
from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field
from vitalake.serving.catalog import statements, views


def test_a_word_of_sql_is_a_name_as_any_other() -> None:
    with duckdb.connect() as connection:
        words = connection.execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()
        assert ("order",) in words
        for (word,) in words:
            for line in statements(SqlView(word, f'SELECT 1 AS "{word}"', "It's one.", {word: "One."})):
                connection.execute(line)
        query = "SELECT comment FROM duckdb_columns() WHERE table_name = 'order' AND column_name = 'order'"
        assert connection.execute(query).fetchall() == [("One.",)]


def test_views_and_pictures_of_a_table_that_is_called_as_a_word_of_sql() -> None:
    fields = (
        Field("group", "group", "string", "Which.", required=True),
        Field("value", "select", "int64", "How many."),
    )
    orders = csv_dataset("order", "Orders.", "team:data", fields, key=("group",))
    with duckdb.connect() as connection:
        for table in (*orders.tables, orders.quarantine_table):
            connection.register("rows", table.from_rows([]))
            connection.execute(f'CREATE TABLE "{table.name}" AS SELECT *, current_date AS date FROM rows')  # noqa: S608
        row = "'a', i, [], 'order/1', 'v', i, now(), DATE '2026-11-20'"
        connection.execute(f'INSERT INTO "order" SELECT {row} FROM range(3) rows(i)')  # noqa: S608
        for view in orders.views:
            for line in statements(view):
                connection.execute(line)
        assert connection.execute('SELECT "select" FROM order_current').fetchall() == [(2,)]
        assert connection.execute('SELECT "select" FROM order_superseded ORDER BY 1').fetchall() == [(0,), (1,)]
        [trend] = orders.trends
        day = date(2026, 11, 20)
        assert connection.execute(trend.query, [day]).fetchall() == [(day, 3, 0, 0)]


def test_the_views_of_a_lake_by_the_day_know_no_hour() -> None:
    """Else a published catalog would be made anew where nothing is built by the hour."""
    [raw] = [view for view in views([RETINA, PRICING], "lake", "names") if view.name == "raw_retina"]
    assert "'s3://lake/raw_retina/date=*/part-*.parquet'" in raw.select and "hour" not in raw.select
    [union] = [view for view in views([RETINA, PRICING], "lake", "names") if view.name == "quarantine"]
    assert union.select == 'SELECT * FROM "retina_quarantine" UNION ALL BY NAME SELECT * FROM "pricing_quarantine"'
    assert "hour" not in {**raw.columns, **union.columns}


def test_the_views_of_a_dataset_by_the_hour_have_the_hour() -> None:
    found = {view.name: view for view in views([PRICING, VITALS], "lake", "names")}
    assert "'s3://lake/vitals/date=*/hour=*/part-*.parquet'" in found["vitals"].select
    for name in ("vitals", "vitals_current", "vitals_superseded", "quarantine"):
        assert found[name].columns["hour"] == "Partition: the hour of the day, in UTC."
    assert "hour" not in found["pricing_instances_current"].columns
    assert " UNION ALL BY NAME " in str(found["quarantine"].sql)
