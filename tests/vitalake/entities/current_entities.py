"""Current entities for tests, as few words as possible each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from vitalake.lake.tables import Column, Table

COLUMNS = Table(
    "entities",
    "What matching is given.",
    (
        Column("canonical_id", "string", "."),
        Column("source_system", "string", "."),
        Column("name", "string", "."),
        Column("revenue", "float64", "."),
        Column("employees", "int64", "."),
        Column("industry", "string", "."),
        Column("quality_score", "float64", "."),
        Column("uploaded_at", "timestamp", "."),
    ),
)


def entity(canonical_id: str, name: str = "Acme Rockets", **values: Any) -> dict[str, Any]:
    """One entity; its source system is that of its id, and what is not given is not known."""
    return {
        "canonical_id": canonical_id,
        "source_system": canonical_id.partition("_")[0],
        "name": name,
        "revenue": None,
        "employees": None,
        "industry": None,
        "quality_score": 50.0,
        "uploaded_at": datetime(2026, 11, 20, tzinfo=timezone.utc),
    } | values


def table(entities: Sequence[dict[str, Any]]) -> pa.Table:
    """These, as matching is given them."""
    return COLUMNS.from_rows(entities)
