"""Exports as the source systems write them.

Belongs here: sample objects, and reading objects as the dataset does. Does not belong here: assertions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

import pyarrow as pa

from cli.demo.entities import ten_customers as _of_day
from vitalake.datasets.entities import ENTITIES
from vitalake.entities.tables import ENVELOPES, EXPORTS, PRIVATE_ATTRIBUTES, RECORDS
from vitalake.lake.columns import rows_of
from vitalake.lake.contents import RawObject, Refusal
from vitalake.pseudonyms import Pseudonyms

UPLOADED_AT = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
_PSEUDONYMS = Pseudonyms(b"a key for tests, long enough")


def ten_customers() -> dict[str, Any]:
    """The demo export of system crm."""
    return _of_day(date(2026, 11, 20))


def erp_export() -> dict[str, Any]:
    """Two suppliers of system erp: figures in nested objects, which hold other things too."""
    records = [
        {
            "id": 7001,
            "businessName": "Delft Dredging N.V.",
            "financials": {"annualRevenue": "87,000,000", "currency": "USD"},
            "hrData": {"employeeCount": 640},
            "sector": "Construction",
        },
        {
            "id": 7002,
            "businessName": "Kraków Konfekcja",
            "financials": {"annualRevenue": 3_100_000, "currency": "USD"},
            "hrData": {"employeeCount": 96, "sites": ["Kraków", "Tarnów"]},
            "sector": "textiles",
        },
    ]
    return {"records": records, "metadata": {"sourceSystem": "ERP", "exportId": 31, "exportDate": "2026-11-19"}}


def legacy_export() -> list[dict[str, Any]]:
    """A bare array of system legacy, which only the key names."""
    return [
        {"id": "L-1", "name": "Cork Coffee", "revenue": 450_000, "employees": 12, "industry": "food"},
        {"id": "L-2", "name": "Lviv Logistics", "revenue": None, "employees": "", "industry": "transport"},
    ]


@dataclass(frozen=True)
class Read:
    """What became of some objects."""

    records: pa.Table
    exports: pa.Table
    private: pa.Table
    envelopes: pa.Table
    refusals: list[Refusal]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of `entities_records`."""
        return rows_of(self.records)

    @property
    def export_rows(self) -> list[dict[str, Any]]:
        """The rows of `entities_exports`."""
        return rows_of(self.exports)

    @property
    def private_rows(self) -> list[dict[str, Any]]:
        """The rows of `entities_private_attributes`."""
        return rows_of(self.private)

    @property
    def envelope_rows(self) -> list[dict[str, Any]]:
        """The rows of `entities_envelopes`."""
        return rows_of(self.envelopes)


def as_json(value: Any) -> bytes:
    """UTF-8, as most systems write it."""
    return json.dumps(value, ensure_ascii=False).encode()


def read(
    objects: Mapping[str, Any], uploaded_at: Sequence[datetime] = (), pseudonyms: Pseudonyms = _PSEUDONYMS
) -> Read:
    """Read objects, bytes or what is to be JSON, by the declaration; S02 and the like raise."""
    values: list[Any] = []
    refusals: list[Refusal] = []
    for number, (key, content) in enumerate(objects.items()):
        data = content if isinstance(content, bytes) else as_json(content)
        at = uploaded_at[number] if uploaded_at else UPLOADED_AT
        for parsed in ENTITIES.parse([RawObject(key, f"v{number}", len(data), at, data)], pseudonyms):
            values += parsed.values
            refusals += parsed.refusals
    found = ENTITIES.tabulate(values)
    records, exports, private, envelopes = (
        found.tables[table.name] for table in (RECORDS, EXPORTS, PRIVATE_ATTRIBUTES, ENVELOPES)
    )
    return Read(records, exports, private, envelopes, [*refusals, *found.refusals])
