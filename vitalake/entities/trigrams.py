"""Names that resemble each other: PostgreSQL's trigram similarity, for all pairs between source systems at once.

Belongs here: the similarity of names. Does not belong here: what else speaks for a match (`matching.py`).

Exactly what pg_trgm's `similarity` gives in a UTF-8 database: words of lower-case letters and digits
(`word_characters.py`), two blanks before and one after each, the set of their distinct trigrams, shared over all,
in single precision; 0 where a name has no word. One difference: pg_trgm keeps 24 bits of trigrams that are not
ASCII, and takes two for one where those agree (1 in 16 million); here they stay two.

A similarity of just 3/5 is not above 0.6. PostgreSQL says so of `similarity(a, b) > 0.6::real`; with a plain 0.6 it
compares in double precision, where the single 3/5 is the larger by 2e-8.

Source: https://www.postgresql.org/docs/current/pgtrgm.html
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vitalake.entities.quality import PLACEHOLDERS
from vitalake.entities.word_characters import word_pattern

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MOST_ALIKE = 100  # entities of one system with one name, more of which make it a placeholder
# Names of each of two systems that have a trigram among their rarest: it makes a candidate of each with each, and
# branches of a chain are pairs all of them. Of 10,000 names of companies in each system, some 300 share one.
MOST_CROWDED = 1000
NO_NAME = "its name says nothing"
_SIMILAR = Path(__file__).with_name("sql") / "matches_similar.sql"


def similar_pairs(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Pairs of entities of different source systems whose names have a similarity above 0.6, each pair once.

    Names that stand for none (`PLACEHOLDERS`), or that more than `MOST_ALIKE` entities of one system have, are left
    out. A trigram that is among the rarest 2/5 of more than `MOST_CROWDED` names of each of two systems makes no
    pair by itself: names that share nothing rarer are compared only where they are equal but for case.

    Args:
        connection: with the table `entities`: entity (numbered in the order of canonical_id), canonical_id,
            source_system and name, none of them null; and with `left_out` (entity, why), which gets a row for each
            entity of which pairs may be missing, for each reason.

    Returns:
        left_id and right_id, canonical ids, the left one smaller; similarity, single precision. Ordered by the ids.
    """
    # Not as parameters: to take one from Python, DuckDB imports pandas.
    filled = {
        "{word}": word_pattern(),
        "{placeholders}": "[" + ", ".join(f"'{text}'" for text in PLACEHOLDERS) + "]",
        "{most_alike}": str(MOST_ALIKE),
        "{most_crowded}": str(MOST_CROWDED),
        "{no_name}": NO_NAME,
        "{alike}": f"more than {MOST_ALIKE} entities of its system have its name",
        "{crowded}": crowded(),
    }
    query = _SIMILAR.read_text()
    for mark, text in filled.items():
        query = query.replace(mark, text)
    return connection.execute(query).to_arrow_table()


def crowded() -> str:
    """Why an entity was not compared with all whose names may resemble its own."""
    return f"parts of its name are in more than {MOST_CROWDED} names of each of two systems"
