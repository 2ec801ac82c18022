"""Checks that any dataset can declare: shares of a partition that are refused, of one kind, or seen before.

Belongs here: counting over a partition's tables, the schema check. Does not belong here: thresholds (each dataset's
own), the comparison with the bucket (`vitalake/lake/freshness.py`), how a result is shown (`pipeline_assets/`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from vitalake.lake.columns import array, floats
from vitalake.lake.dataset import Check, Count, Statement, Threshold
from vitalake.lake.parts import Store, listed_parts, side_by_side
from vitalake.lake.tables import Table
from vitalake.lake.versions.changed_declaration import stored_schema

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = Statement("schema", "Columns and types are as declared.", Threshold(0.0, 0.0))


# Refusals that are no verdict on the bytes: the object changed under our hands, or waits for those it belongs to.
VANISHED = "S00"
WAITING = "S16"
# The object is of a time that nobody can be sure of, so nothing of it is read.
UNCLEAR_TIME = "S17"
# The store lists the object and does not give it out, so nobody has seen its bytes.
WITHHELD = "S18"

# The reader broke on the object: a defect of ours, and no verdict on the bytes either.
DEFECT = "X01"

# Refusals that mean "these bytes are no file of this kind, or none from some place on", or that the reader cannot
# tell, as against "a good file that we do not want".
UNREADABLE = ("S01", "S02", UNCLEAR_TIME, "D01", "D07", DEFECT)


def readable(dataset: str, threshold: Threshold) -> Check:
    """Objects that are files of a kind we know."""
    return _refusals(
        dataset, "readable", "Objects can be read as what they should be.", threshold, UNREADABLE.__contains__
    )


def quarantined(dataset: str, threshold: Threshold) -> Check:
    """Objects that made it out of quarantine."""
    return _refusals(dataset, "quarantined", "Objects are usable.", threshold, lambda rule: rule != WAITING)


def complete(dataset: str) -> Check:
    """Objects whose recording is whole; those that wait for the rest of theirs are told, and never block."""
    doc = "Recordings of several objects are complete."
    return _refusals(dataset, "complete", doc, Threshold(warn=0.0), WAITING.__eq__)


def _refusals(dataset: str, name: str, doc: str, threshold: Threshold, concerns: Callable[[str], bool]) -> Check:
    raw, quarantine = f"raw_{dataset}", f"{dataset}_quarantine"

    def count(tables: Mapping[str, pa.Table]) -> Count:
        import pyarrow as pa
        import pyarrow.compute as pc

        rules = tables[quarantine].column("rule")
        rows = {each["values"]: each["counts"] for each in pc.value_counts(rules).to_pylist()}
        by_rule: dict[str, int | float | str] = {rule: rows[rule] for rule in sorted(rows) if concerns(rule)}
        counted = pc.is_in(rules, value_set=array(list(by_rule), pa.string()))
        bad = pc.count_distinct(tables[quarantine].column("source_key").filter(counted)).as_py()
        return Count(bad, tables[raw].num_rows, by_rule)

    columns = {raw: ["source_key"], quarantine: ["source_key", "rule"]}
    return Check(name, doc, threshold, columns, count)


def share_of(name: str, doc: str, table: str, column: str, value: str, threshold: Threshold) -> Check:
    """Rows of `table` in which `column` has this value; the details count every value."""

    def count(tables: Mapping[str, pa.Table]) -> Count:
        counts = Counter(tables[table].column(column).to_pylist())
        return Count(counts[value], counts.total(), {str(v): counts[v] for v in sorted(counts, key=str)})

    return Check(name, doc, threshold, {table: [column]}, count)


def duplicated(table: str, column: str, threshold: Threshold) -> Check:
    """Rows whose content was already there under another key in the same partition."""

    def count(tables: Mapping[str, pa.Table]) -> Count:
        seen: dict[str, str] = {}
        pairs: dict[str, int | float | str] = {}
        for row in tables[table].select(["source_key", column]).to_pylist():
            first = seen.setdefault(row[column], row["source_key"])
            if first != row["source_key"]:
                pairs[row["source_key"]] = f"same content as {first}"
        return Count(len(pairs), tables[table].num_rows, pairs)

    doc = "Recordings differ from each other in content."
    return Check("duplicates", doc, threshold, {table: ["source_key", column]}, count)


def refused_records(dataset: str, table: str, threshold: Threshold) -> Check:
    """Records that made it out of quarantine; an object that cannot be read at all counts as one."""
    quarantine = f"{dataset}_quarantine"

    def count(tables: Mapping[str, pa.Table]) -> Count:
        import pyarrow.compute as pc

        rules, counts = (tables[quarantine].column(name) for name in ("rule", "record_count"))
        refused: dict[str, int | float | str] = {  # an Arrow scalar is compared: for a str, Arrow imports pandas
            rule.as_py(): pc.sum(counts.filter(pc.equal(rules, rule))).as_py() for rule in pc.unique(rules)
        }
        bad = pc.sum(counts).as_py() or 0
        return Count(bad, tables[table].num_rows + bad, dict(sorted(refused.items())))

    columns = {table: ["source_key"], quarantine: ["rule", "record_count"]}
    return Check("refused", "Records are as declared.", threshold, columns, count)


def warned(table: str, threshold: Threshold) -> Check:
    """Records that a rule warns about; the details count each rule."""

    def count(tables: Mapping[str, pa.Table]) -> Count:
        import numpy as np
        import pyarrow.compute as pc

        column = tables[table].column("warnings")
        rules = pc.value_counts(pc.list_flatten(column)).to_pylist()
        details: dict[str, int | float | str] = dict(sorted((each["values"], each["counts"]) for each in rules))
        lengths = pc.list_value_length(column).chunks  # to combine none of them, Arrow imports pandas
        bad = sum(int(np.count_nonzero(floats(each))) for each in lengths)
        return Count(bad, len(column), details)

    return Check("warned", "Records give no reason for a warning.", threshold, {table: ["warnings"]}, count)


def repeated_keys(
    table: str,
    key: Sequence[str],
    threshold: Threshold,
    name: str = "repeated_keys",
    doc: str = "Each key comes once a day; of several rows the newest is current.",
) -> Check:
    """Rows that another one of the same key and day replaces; the details name the first few keys."""

    def count(tables: Mapping[str, pa.Table]) -> Count:
        import duckdb

        columns = ", ".join(f'"{column}"' for column in key)
        with duckdb.connect() as connection:
            # As a stream: Arrow's own grouping imports pandas, and so does DuckDB for a table.
            connection.register("rows", tables[table].select(list(key)).__arrow_c_stream__())
            connection.execute(f"CREATE TABLE keys AS SELECT {columns}, count(*) AS rows FROM rows GROUP BY ALL")
            bad, total = connection.execute("SELECT sum(rows - 1), sum(rows) FROM keys").fetchall()[0]
            often = connection.execute("FROM keys WHERE rows > 1 ORDER BY ALL LIMIT 20").fetchall()
        details: dict[str, int | float | str] = {", ".join(map(str, named)): rows for *named, rows in often}
        return Count(int(bad or 0), int(total or 0), details)

    return Check(name, doc, threshold, {table: list(key)}, count)


def schema_differences(lake: Store, tables: list[Table], partition: str) -> Count:
    """Columns of stored parts that are not as declared: missing, unknown, or of another type."""
    differences: dict[str, int | float | str] = {}
    declared = {table.name: {field.name: field.type for field in table.arrow_schema()} for table in tables}
    parts = [(name, item.key) for name in declared for item in listed_parts(lake, name, partition).values()]
    with side_by_side(len(parts)) as each:
        stored = each(partial(stored_schema, lake), (key for _, key in parts))
        for (name, key), schema in zip(parts, stored, strict=True):
            wanted, types = declared[name], {field.name: field.type for field in schema}
            for column in wanted.keys() | types.keys():
                if wanted.get(column) != types.get(column):
                    differences[f"{key} {column}"] = f"{types.get(column)}, declared {wanted.get(column)}"
    return Count(len(differences), sum(map(len, declared.values())), differences)
