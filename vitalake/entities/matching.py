"""Which entities of different source systems may be one business: the table `entities_matches`.

Belongs here: the table, and how the score comes about (`sql/matches_scored.sql`). Does not belong here: the
similarity of names (`trigrams.py`), what becomes of the pairs that are merged (`golden.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vitalake.entities.trigrams import MOST_ALIKE, MOST_CROWDED, similar_pairs
from vitalake.lake.tables import Column, Table

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MOST_MATCHES = 100  # pairs of one entity with one system; of branches of a chain each is like each
_RATIO = (
    "25 × the smaller over the larger where both are above 0, 25 where both are 0, else 0 (also where one is null)"
)

MATCHES = Table(
    "entities_matches",
    "Pairs of current entities of different source systems whose names have a trigram similarity above 0.6, each "
    "pair once: how likely they are one business, and what to do about it. Left out are, as `left_out` of "
    "`entities_golden` tells of each entity: names that say nothing (unknown, n/a and their like); a name that "
    f"more than {MOST_ALIKE} entities of a system have; of names that share only parts that more than "
    f"{MOST_CROWDED} names of each of two systems have among their rarest, as the branches of a chain do, those "
    f"that are not equal but for case; pairs that are not among the {MOST_MATCHES} best which either has with the "
    "other's system.",
    (
        Column("left_id", "string", "canonical_id of one; the smaller of the two as text.", nullable=False),
        Column("right_id", "string", "canonical_id of the other.", nullable=False),
        Column("left_system", "string", "Source system of the left one.", nullable=False),
        Column("right_system", "string", "Source system of the right one.", nullable=False),
        Column("left_name", "string", "Name of the left one.", nullable=False),
        Column("right_name", "string", "Name of the right one.", nullable=False),
        Column(
            "similarity",
            "float64",
            "Of the names, above 0.6 to 1: trigrams in both over trigrams in either, in single precision, as "
            "PostgreSQL's pg_trgm has it.",
            nullable=False,
        ),
        Column("name_points", "float64", "25 × similarity. Like all points, to four decimals.", nullable=False),
        Column("revenue_points", "float64", f"Of revenue: {_RATIO}.", nullable=False),
        Column("employees_points", "float64", f"Of the numbers of employees: {_RATIO}.", nullable=False),
        Column(
            "industry_points",
            "float64",
            "25 where the industries are equal, apart from case and blanks around them; else 0, also where one is "
            "null or blank.",
            nullable=False,
        ),
        Column("score", "float64", "Sum of the four kinds of points, 0 to 100.", nullable=False),
        Column(
            "confidence",
            "string",
            "very_high: score from 90; high: from 70; medium: from 50; else low.",
            nullable=False,
        ),
        Column(
            "action",
            "string",
            "auto_merge: score from 80; review: from 60; else investigate. Of pairs to be merged those are, in "
            "`entities_golden`, that are the one best match of both.",
            nullable=False,
        ),
        Column(
            "recommendation",
            "string",
            "What to do, in a sentence; it names what has fewer than 20 of its 25 points.",
            nullable=False,
        ),
    ),
    whole=True,
)

ENTITY_COLUMNS = (
    "canonical_id", "source_system", "name", "revenue", "employees", "industry", "quality_score", "uploaded_at",
)  # fmt: skip

# Numbers that are none, and blank text, say nothing.
_LOAD = r"""
CREATE TABLE entities AS
SELECT
    row_number() OVER (ORDER BY canonical_id) AS entity,
    canonical_id, source_system, name,
    CASE WHEN isfinite(revenue) THEN revenue END AS revenue,
    employees,
    nullif(trim(industry, E' \t\r\n'), '') AS industry,
    quality_score, uploaded_at
FROM given
"""
_BROKEN = """
SELECT
    count(*) - count(DISTINCT canonical_id),
    count(*) FILTER (canonical_id IS NULL OR source_system IS NULL OR name IS NULL)
FROM entities
"""


def load(connection: duckdb.DuckDBPyConnection, entities: pa.Table) -> None:
    """Make the table `entities` of a connection: what is given, numbered as `entity` in the order of canonical_id.

    Beside it `left_out` (entity, why), without rows: who was not compared with all, as matching finds out.

    Args:
        connection: an empty database.
        entities: the current ones, with `ENTITY_COLUMNS`.

    Raises:
        ValueError: a canonical_id is there twice, or an id, a source system or a name is null.
    """
    # A stream, which can be read once: handing over the table itself would import pandas.
    connection.register("given", entities.select(ENTITY_COLUMNS).__arrow_c_stream__())
    connection.execute(_LOAD)
    connection.execute("CREATE TABLE left_out (entity BIGINT, why VARCHAR)")
    connection.unregister("given")
    repeated, unnamed = connection.execute(_BROKEN).fetchall()[0]
    if repeated or unnamed:
        raise ValueError(
            f"current entities are one per canonical_id, with source system and name: {repeated} rows have no "
            f"canonical_id of their own, {unnamed} lack a value"
        )


def matches(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The rows of `MATCHES`, ordered by left_id and right_id, for the tables that `load` makes."""
    connection.register("pairs", similar_pairs(connection).__arrow_c_stream__())
    query = (Path(__file__).with_name("sql") / "matches_scored.sql").read_text()
    query = query.replace("{most_matches}", str(MOST_MATCHES))
    query = query.replace("{many}", f"it has more than {MOST_MATCHES} matches in a system")
    rows = connection.execute(query).to_arrow_table()
    connection.unregister("pairs")
    return MATCHES.from_columns(dict(zip(rows.column_names, rows.columns, strict=True)))
