"""Names of businesses compared between two source systems: all pairs above 0.6, beside PostgreSQL's pg_trgm.

Names as registers have them: few words of the trade and endings such as "Inc." in most of them, half of one
system's again in the other with a typo, another ending or in capitals. The pairs found are compared before the
times: with PostgreSQL's answer for the whole, where this machine has one with pg_trgm, and with every pair counted
one by one in Python for a tenth of the names. Then five times as many names, to see how it grows, and the score and
golden records.

    python -m benchmarks.matching [--names 2000] [--without-postgres]
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, text

from benchmarks.figures import line, report
from tests.vitalake.entities.pg_trgm import pg_trgm, similarity
from vitalake.entities.golden import matches_and_golden
from vitalake.entities.matching import load
from vitalake.entities.trigrams import similar_pairs

MOST_S = 4.0
GROWTH = 5
PEOPLE = """
    Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson
    Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis
    Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera
    Campbell Mitchell Carter Roberts Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris
    Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox
    Ward Richardson Watson Brooks Chavez Wood Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders
    Patel Myers Müller Schäfer Weiß Dvořák
""".split()  # noqa: SIM905
PLACES = """
    Pacific Atlantic Northern Southern Western Eastern Global National American European Nordic Alpine Summit
    Pioneer Liberty Heritage Evergreen Midwest Apex Vertex Quantum Nova Stellar Orion Zenith Titan Phoenix
    Falcon Eagle Lion Bridge Harbor Metro Urban Capital Silverlake Goldengate Redriver Blueridge Lakeside
""".split()  # noqa: SIM905
TRADES = """
    Software Technologies Systems Consulting Logistics Foods Energy Pharmaceuticals Medical Insurance Financial
    Capital Bank Motors Electric Construction Engineering Manufacturing Textiles Chemicals Plastics Steel Mining
    Airlines Shipping Media Publishing Entertainment Telecom Networks Data Analytics Robotics Biotech Farms
    Retail Stores Hotels Restaurants Realty Properties Security
""".split()  # noqa: SIM905
ENDINGS = [
    "Inc", "Inc.", "Corp", "Corporation", "LLC", "Ltd", "Ltd.", "Limited", "Co", "Company", "Group", "Holdings",
    "International", "& Co. KG", "GmbH", "Partners", "& Sons", "Associates", "Solutions", "Services",
]  # fmt: skip
KINDS: list[tuple[float, Callable[[random.Random], str]]] = [
    (0.35, lambda r: f"{r.choice(PEOPLE)} {r.choice(TRADES)}"),
    (0.20, lambda r: f"{r.choice(PEOPLE)} & {r.choice(PEOPLE)}"),
    (0.25, lambda r: f"{r.choice(PLACES)} {r.choice(TRADES)}"),
    (0.20, lambda r: f"{r.choice(PLACES)} {r.choice(PEOPLE)} {r.choice(TRADES)}"),
]
CHANGES: list[Callable[[str, random.Random], str]] = [
    lambda name, r: f"{name.rsplit(' ', 1)[0]} {r.choice(ENDINGS)}",
    lambda name, r: name[: (at := r.randrange(len(name)))] + name[at + 1 :],
    lambda name, _: name.upper(),
    lambda name, _: name,
]
# The same question in two ways: as written, and through the index that pg_trgm brings (its `%` includes 3/5).
QUESTIONS = {
    "plain": "SELECT a.id, b.id, similarity(a.name, b.name)::float8 FROM crm a, erp b "
    "WHERE similarity(a.name, b.name) > 0.6::real",
    "gin": "SELECT a.id, b.id, similarity(a.name, b.name)::float8 FROM crm a JOIN erp b ON a.name % b.name "
    "WHERE similarity(a.name, b.name) > 0.6::real",
}

Pairs = dict[tuple[str, str], float]


def entities(count: int) -> pa.Table:
    """So many current entities of each of two source systems."""
    rng = random.Random(count)  # noqa: S311
    kinds, weights = [kind for _, kind in KINDS], [weight for weight, _ in KINDS]
    ours, theirs = (
        [f"{kind(rng)} {rng.choice(ENDINGS)}" for kind in rng.choices(kinds, weights, k=count)] for _ in range(2)
    )
    theirs[: count // 2] = [rng.choice(CHANGES)(name, rng) for name in ours[: count // 2]]
    values = np.random.default_rng(count)
    return pa.table(
        {
            "canonical_id": [f"{system}_{number}" for system in ("crm", "erp") for number in range(count)],
            "source_system": ["crm"] * count + ["erp"] * count,
            "name": ours + theirs,
            "revenue": values.choice([0.0, 1e5, 2e6, 3e7], 2 * count),
            "employees": values.choice([0, 50, 200, 5000], 2 * count),
            "industry": rng.choices(TRADES[:5], k=2 * count),
            "quality_score": values.uniform(0, 100, 2 * count),
            "uploaded_at": pa.array(
                [datetime(2026, 11, 20, tzinfo=timezone.utc)] * 2 * count, pa.timestamp("us", "UTC")
            ),
        }
    )


def compare(given: pa.Table) -> tuple[Pairs, float]:
    """The product's pairs, and the seconds on the clock, loading included."""
    started = time.perf_counter()
    with duckdb.connect() as connection:
        load(connection, given)
        found = similar_pairs(connection)
    taken = time.perf_counter() - started
    keys = zip(found["left_id"].to_pylist(), found["right_id"].to_pylist(), strict=True)
    return dict(zip(keys, found["similarity"].to_pylist(), strict=True)), taken


def one_by_one(given: pa.Table) -> Pairs:
    """Every pair compared, in Python."""
    rows = given.select(["canonical_id", "source_system", "name"]).to_pylist()
    ours, theirs = ([row for row in rows if row["source_system"] == system] for system in ("crm", "erp"))
    every = {(a["canonical_id"], b["canonical_id"]): similarity(a["name"], b["name"]) for a in ours for b in theirs}
    return {pair: float(alike) for pair, alike in every.items() if alike > np.float32(0.6)}


def postgres(engine: Engine, given: pa.Table, question: str) -> tuple[Pairs, float]:
    """PostgreSQL's pairs, and the seconds for the query alone: rows, index and statistics are there before."""
    rows = given.select(["canonical_id", "source_system", "name"]).to_pylist()
    with engine.begin() as connection:
        for system in ("crm", "erp"):
            names = [
                {"id": row["canonical_id"], "name": row["name"]} for row in rows if row["source_system"] == system
            ]
            connection.execute(text(f"CREATE TEMP TABLE {system} (id text, name text) ON COMMIT DROP"))
            connection.execute(text(f"INSERT INTO {system} VALUES (:id, :name)"), names)  # noqa: S608
            connection.execute(text(f"CREATE INDEX ON {system} USING gin (name gin_trgm_ops)"))
            connection.execute(text(f"ANALYZE {system}"))
        connection.execute(text("SET LOCAL pg_trgm.similarity_threshold = 0.6"))
        started = time.perf_counter()
        found = connection.execute(text(QUESTIONS[question])).fetchall()
        return {(left, right): alike for left, right, alike in found}, time.perf_counter() - started


def agree(ours: Pairs, theirs: Pairs, whose: str) -> dict[str, Any]:
    """A line that counts the pairs that only one has, or that differ in a bit of their similarity."""
    different = len(set(ours.items()) ^ set(theirs.items()))
    return line(f"matching_unlike_{whose}", different, "pairs", most=0, pairs=len(theirs))


def main() -> int:
    """1 if a figure misses its target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", type=int, default=2000, help="in each of the two systems")
    parser.add_argument("--without-postgres", action="store_true")
    arguments = parser.parse_args()
    return report(_figures(arguments.names, beside_postgres=not arguments.without_postgres))


def _figures(count: int, *, beside_postgres: bool) -> Iterator[dict[str, Any]]:
    few, given, many = entities(count // 10), entities(count), entities(GROWTH * count)
    yield agree(compare(few)[0], one_by_one(few), "one_by_one")
    found, _ = compare(given)
    theirs = postgres_times(given) if beside_postgres else {}
    for question, (pairs, _) in theirs.items():
        yield agree(found, pairs, f"postgres_{question}")
    ours = min(compare(given)[1] for _ in range(3))
    yield line("matching", ours, "s", most=MOST_S, names=2 * count, pairs=len(found))
    for question, (_, taken) in theirs.items():
        yield line(f"postgres_{question}_over_matching", taken / ours, "×", seconds=round(taken, 2))
    more, taken = compare(many)
    yield line("matching_grown", taken, "s", names=many.num_rows, pairs=len(more))
    yield line("matching_growth_exponent", math.log(taken / ours, GROWTH), "")
    started = time.perf_counter()
    records = matches_and_golden(many)["entities_golden"].num_rows
    yield line("matches_and_golden_grown", time.perf_counter() - started, "s", names=many.num_rows, records=records)


def postgres_times(given: pa.Table) -> dict[str, tuple[Pairs, float]]:
    """Question → its pairs and seconds; none where this machine has no PostgreSQL with pg_trgm."""
    try:
        with pg_trgm() as engine:
            return {question: postgres(engine, given, question) for question in QUESTIONS}
    except LookupError as missing:
        print(f"not beside PostgreSQL: {missing}", file=sys.stderr)
        return {}


if __name__ == "__main__":
    sys.exit(main())
