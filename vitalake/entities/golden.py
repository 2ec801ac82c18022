"""One record for each business, out of what the source systems say of it: the table `entities_golden`.

Belongs here: which entities are one business, and whose values are taken. Does not belong here: how alike two
entities are (`matching.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitalake.entities.entity_type import entity_type_sql
from vitalake.entities.matching import MATCHES, load, matches
from vitalake.tables import Column, Table

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_BEST = "of the member with the highest quality_score that has one (then the newest upload, then the smallest id)"

_MERGED = """
SELECT l.entity AS left, r.entity AS right
FROM pairs JOIN entities AS l ON l.canonical_id = left_id JOIN entities AS r ON r.canonical_id = right_id
WHERE action = 'auto_merge'
"""

GOLDEN = Table(
    "entities_golden",
    "One row per business: the current entities that pairs of action `auto_merge` connect, directly or through "
    "others, are one; an entity that matches nothing stands alone.",
    (
        Column("golden_id", "string", "The smallest canonical_id of the members, as text.", nullable=False),
        Column("member_ids", "list<string>", "canonical_id of every member, sorted.", nullable=False),
        Column("member_count", "int64", "How many members there are, from 1.", nullable=False),
        Column(
            "source_systems", "list<string>", "Source systems of the members, each once, sorted.", nullable=False
        ),
        Column("name", "string", f"Name {_BEST}.", nullable=False),
        Column("revenue", "float64", f"Revenue a year in USD {_BEST}; null: none has."),
        Column("employees", "int64", f"Number of employees {_BEST}; null: none has."),
        Column("industry", "string", f"Industry {_BEST}, without blanks around it; null: none has."),
        Column(
            "entity_type", "string", "Computed anew from revenue and employees, as of every entity.", nullable=False
        ),
        Column("quality_score", "float64", "The highest of the members, 0 to 100."),
        Column("name_from", "string", "canonical_id of the member whose name it is.", nullable=False),
        Column("revenue_from", "string", "canonical_id of the member whose revenue it is; null: none has."),
        Column("employees_from", "string", "canonical_id of the member whose employees it is; null: none has."),
        Column("industry_from", "string", "canonical_id of the member whose industry it is; null: none has."),
    ),
    whole=True,
)


def matches_and_golden(entities: pa.Table) -> dict[str, pa.Table]:
    """The tables `MATCHES` and `GOLDEN` by name, in order of their ids, whatever the order of what is given.

    Args:
        entities: the current ones: canonical_id, source_system, name, revenue (USD a year), employees, industry,
            quality_score (0 to 100), uploaded_at. The first three are never null, and canonical_id is unique.

    Raises:
        ValueError: they are not.
    """
    import duckdb

    with duckdb.connect() as connection:
        load(connection, entities)
        pairs = matches(connection)
        return {MATCHES.name: pairs, GOLDEN.name: golden(connection, pairs)}


def golden(connection: duckdb.DuckDBPyConnection, pairs: pa.Table) -> pa.Table:
    """The rows of `GOLDEN`, ordered by golden_id.

    Args:
        connection: with the table `entities` that `matching.load` makes.
        pairs: of them, with the columns left_id, right_id and action of `MATCHES`.
    """
    connection.register("pairs", pairs.__arrow_c_stream__())
    merged: dict[str, Any] = connection.execute(_MERGED).fetchnumpy()
    connection.register("groups", _groups(merged["left"], merged["right"]).__arrow_c_stream__())
    query = (Path(__file__).with_name("sql") / "matches_golden.sql").read_text()
    rows = connection.execute(
        query.replace("{entity_type}", entity_type_sql("revenue", "employees"))
    ).to_arrow_table()
    connection.unregister("pairs")
    connection.unregister("groups")
    return GOLDEN.from_columns(dict(zip(rows.column_names, rows.columns, strict=True)))


def _groups(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> pa.Table:
    """Which entities are one: each `entity` up to the last in a pair, and as `golden` the smallest of its group.

    Args:
        left: one of each pair of entities that are merged, by its number, shape (n,).
        right: the other, shape (n,).
    """
    import numpy as np
    import pyarrow as pa
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    from vitalake.columns import numbers

    count = 1 + max(left.max(initial=0), right.max(initial=0))
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    _, smallest = np.unique(component, return_index=True)
    columns = {"entity": np.arange(count), "golden": smallest[component]}
    return pa.table({name: numbers(column, pa.int64()) for name, column in columns.items()})
