"""One record for each business, out of what the source systems say of it: the table `entities_golden`.

Belongs here: which entities are one business, and whose values are taken. Does not belong here: how alike two
entities are (`matching.py`).

A pair is merged where its action is `auto_merge` and each is the one best match that the other has in its source
system: the branches of a chain resemble each other as much as themselves. Where two are equally good, neither is
merged; the pairs stay in `entities_matches` for somebody to look at. An entity that could not be compared with all
(`trigrams.MOST_CROWDED`) merges with its namesakes only. What merged pairs connect is one business, but never two
ids of one system: the better pairs count first, and one that would bring two together counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from vitalake.entities.entity_type import entity_type_sql
from vitalake.entities.matching import MATCHES, load, matches
from vitalake.entities.trigrams import crowded
from vitalake.lake.tables import Column, Table

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SQL = Path(__file__).with_name("sql")
_BEST = "of the member with the highest quality_score that has one (then the newest upload, then the smallest id)"

GOLDEN = Table(
    "entities_golden",
    "One row per business. Two current entities are one where the action of their pair is `auto_merge` and each is "
    "the one best match (highest score) that the other has in its source system; of two that are equally good, "
    "neither is. Also what such pairs connect through others is one, the better pairs first, but never two ids of "
    "one system. An entity that was not compared with all, because of the parts of its name (`left_out`), is "
    "merged only where the similarity is 1. Who is one with nobody stands alone.",
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
        Column(
            "left_out",
            "list<string>",
            "Members of which pairs may be missing in `entities_matches`, as canonical_id: why; sorted. Empty: "
            "every pair is there.",
            nullable=False,
        ),
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
        connection: with the tables that `matching.load` makes.
        pairs: of them, with the columns left_id, right_id, left_system, right_system, similarity, score and action
            of `MATCHES`.
    """
    connection.register("pairs", pairs.__arrow_c_stream__())
    merged = connection.execute(
        (_SQL / "matches_merged.sql").read_text().replace("{crowded}", crowded())
    ).fetchall()
    connection.register("groups", _groups(merged).__arrow_c_stream__())
    query = (_SQL / "matches_golden.sql").read_text()
    rows = connection.execute(
        query.replace("{entity_type}", entity_type_sql("revenue", "employees"))
    ).to_arrow_table()
    connection.unregister("pairs")
    connection.unregister("groups")
    return GOLDEN.from_columns(dict(zip(rows.column_names, rows.columns, strict=True)))


def _groups(merged: Sequence[tuple[int, str, int, str, float]]) -> pa.Table:
    """Which entities are one: each `entity` that is merged with another, and as `golden` the smallest of its group.

    Pairs of one score are taken together, so that their order decides nothing: what they connect is one, unless
    there were two entities of one source system in it; then none of them counts.

    Args:
        merged: entity, its source system, another entity, its system and their score, the highest first.
    """
    import numpy as np
    import pyarrow as pa

    from vitalake.lake.columns import numbers

    groups: dict[int, dict[int, str]] = {}  # entity → the members of its group, with their source systems
    for _, equal in groupby(merged, key=itemgetter(4)):
        joined: dict[int, dict[int, str]] = {}
        for left, left_system, right, right_system, _ in equal:
            one = joined.get(left) or groups.get(left) or {left: left_system}
            other = joined.get(right) or groups.get(right) or {right: right_system}
            both = one | other
            joined |= dict.fromkeys(both, both)
        groups |= {entity: group for entity, group in joined.items() if len({*group.values()}) == len(group)}
    columns = {"entity": list(groups), "golden": [min(group) for group in groups.values()]}
    return pa.table({name: numbers(np.array(column, np.int64), pa.int64()) for name, column in columns.items()})
