"""Generated business records: exports of three source systems, links between companies, and their figures.

Belongs here: which synthetic companies there are, good and broken, the same bytes for the same arguments. Does not
belong here: how exports are read, matched and judged (`vitalake/entities/`), uploading them, or any real company.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np

from cli.demo.recordings import DemoFile

_CUSTOMERS = (
    ("CUST001", "Aalborg Analytics Inc", 15_000_000.0, 1200, "technology", "Aalborg", "DK"),
    ("CUST002", "Brugge Bicycles BV", 2_500_000.0, 85, "manufacturing", "Brugge", "BE"),
    ("CUST003", "Cork Coffee Ltd", 450_000.0, 12, "food", "Cork", "IE"),
    ("CUST004", "Delft Dredging NV", 87_000_000.0, 640, "construction", "Delft", "NL"),
    ("CUST005", "Évora Energia SA", 5_200_000.0, 150, "energy", "Évora", "PT"),
    ("CUST006", "Freiburg Fenster GmbH", 980_000.0, 101, "manufacturing", "Freiburg", "DE"),
    ("CUST007", "Ghent Games BV", 0.0, 4, "technology", "Gent", "BE"),
    ("CUST008", "Helsinki Health Oy", 12_300_000.5, 310, "healthcare", "Helsinki", "FI"),
    ("CUST009", "Iași Imports SRL", 1_000_000.0, 100, "trade", "Iași", "RO"),
    ("CUST010", "Jönköping Joinery AB", 730_000.25, 19, "construction", "Jönköping", "SE"),
)
_LATER = {"CUST007": (260_000.0, 7), "CUST009": (1_150_000.0, 108)}  # revenue and employees in the evening
_METRICS = {"orders": ("count", 0.02), "revenue": ("USD", 1.0)}  # unit, and the value of a day per USD of it
_DAYS_OF_METRICS = 30


def ten_customers(day: date) -> dict[str, Any]:
    """The export of system crm: the id is called `customer_id`, half the fields have no column."""
    records = [
        {
            "customer_id": customer_id,
            "company_name": name,
            "annual_revenue": revenue,
            "employee_count": employees,
            "industry_code": industry,
            "address": {"city": city, "country": country},
            "contacts": [f"office@{customer_id.lower()}.example"],
            "credit_limit": None if employees < 20 else 10_000 * employees,
            "account_status": "active",
        }
        for customer_id, name, revenue, employees, industry, city, country in _CUSTOMERS
    ]
    return {
        "records": records,
        "metadata": {
            "sourceSystem": "crm",
            "exportId": f"crm-{day}-001",
            "recordCount": len(records),
            "exportDate": f"{day}T06:00:00Z",
            "dataVersion": "1.4",
            "schema": "customer/3",
        },
        "summary": _summary(records) | {"churnRisk": 0.12},
    }


def customers_later(day: date) -> dict[str, Any]:
    """The next export of crm, in the evening: two companies have grown, and one record has no id."""
    export = ten_customers(day)
    export["metadata"] |= {"exportId": f"crm-{day}-002", "exportDate": f"{day}T18:00:00Z"}
    for record in export["records"]:
        found = record["annual_revenue"], record["employee_count"]
        record["annual_revenue"], record["employee_count"] = _LATER.get(record["customer_id"], found)
    export["summary"] = _summary(export["records"])
    export["records"].append({"company_name": "Kiruna Kayaks AB", "annual_revenue": 90_000.0, "employee_count": 3})
    export["metadata"]["recordCount"] = export["summary"]["totalRecords"] = len(export["records"])
    return export


def erp_export(day: date) -> dict[str, Any]:
    """Suppliers of system erp, some of them customers too; the total of its summary is wrong."""
    suppliers = (
        (7001, "Delft Dredging N.V.", "87,000,000", 640, "Construction"),
        (7002, "Kraków Konfekcja", 3_100_000, 96, "textiles"),
        (7003, "Helsinki Health", 12_300_000, 305, "Healthcare"),
        (7004, "Brugge Bicycle", 1_900_000, 60, "Manufacturing"),
        (7005, "Freiburg Fensterbau", 2_400_000, 40, "construction"),
        (7006, "Linz Logistik", "about a million", 15, "transport"),
    )
    records = [
        {
            "id": number,
            "businessName": name,
            "financials": {"annualRevenue": revenue, "currency": "USD"},
            "hrData": {"employeeCount": employees},
            "sector": sector,
        }
        for number, name, revenue, employees, sector in suppliers
    ]
    metadata = {"sourceSystem": "ERP", "exportId": 31, "exportDate": f"{day}", "recordCount": len(records)}
    return {"records": records, "metadata": metadata, "summary": {"totalRevenue": 108_000_000}}


def legacy_export() -> list[dict[str, Any]]:
    """A bare array of system legacy, which only its key names."""
    return [
        {"id": "L-1", "name": "Cork Coffee", "revenue": 450_000, "employees": 12, "industry": "food"},
        {"id": "L-2", "name": "Lviv Logistics", "revenue": None, "employees": "", "industry": "transport"},
        {"id": "L-3", "name": "DELFT DREDGING", "revenue": 8e7, "employees": 600, "industry": "construction"},
        {"id": "L-4", "name": "   ", "revenue": 1_000, "employees": 1, "industry": "unknown"},
    ]


def entity_files(first_day: date) -> Iterator[DemoFile]:
    """Exports of crm, erp and legacy, a second one of crm, and one of a system that nobody knows."""
    folder = f"entities/date={first_day}"
    yield DemoFile(f"{folder}/source=crm/customers-1.json", _json(ten_customers(first_day)), "crm")
    yield DemoFile(f"{folder}/source=crm/customers-2.json", _json(customers_later(first_day)), "crm, later")
    yield DemoFile(f"{folder}/source=erp/suppliers.json", _json(erp_export(first_day)), "erp")
    yield DemoFile(f"{folder}/source=legacy/dump.json", _json(legacy_export()), "legacy")
    yield DemoFile(f"{folder}/unsorted/companies.json", _json(legacy_export()[:2]), "unknown system")


def relationship_files(first_day: date) -> Iterator[DemoFile]:
    """Who belongs to whom: a small group of companies, one link to itself, and one that is too strong."""
    links = (
        ("crm_CUST004", "crm_CUST010", "subsidiary", "1"),
        ("crm_CUST004", "crm_CUST006", "subsidiary", "0.75"),
        ("crm_CUST006", "erp_7005", "subsidiary", "0.6"),
        ("crm_CUST001", "crm_CUST007", "subsidiary", "0.51"),
        ("crm_CUST008", "crm_CUST001", "supplier", "0.2"),
        ("crm_CUST005", "crm_CUST002", "supplier", ""),
        ("crm_CUST003", "crm_CUST003", "supplier", "0.1"),
        ("crm_CUST009", "erp_7002", "partner", "40"),
    )
    lines = ["parent_id,child_id,type,strength", *map(",".join, links)]
    yield DemoFile(f"entity_relationships/date={first_day}/links.csv", _lines(lines), "links")


def metric_files(first_day: date) -> Iterator[DemoFile]:
    """What each customer ordered and brought in on each of the last days, and one figure of a day far ahead."""
    rng = np.random.default_rng(1)
    lines = ["entity_id,metric,date,value,unit"]
    for customer_id, _, revenue, *_ in _CUSTOMERS:
        for ago in range(_DAYS_OF_METRICS, 0, -1):
            day = first_day - timedelta(days=ago)
            sold = revenue / 365 * (0.4 if day.weekday() >= 5 else 1.2) * float(rng.uniform(0.8, 1.2))
            for metric, (unit, share) in _METRICS.items():
                value = f"{sold * share:.0f}" if unit == "count" else f"{sold * share:.2f}"
                lines.append(f"crm_{customer_id},{metric},{day},{value},{unit}")
    lines.append("crm_CUST001,revenue,2098-01-01,1.00,USD")
    yield DemoFile(f"entity_metrics/date={first_day}/daily.csv", _lines(lines), "daily")


def _summary(records: list[dict[str, Any]]) -> dict[str, Any]:
    revenues = [record["annual_revenue"] for record in records]
    return {
        "totalRecords": len(records),
        "totalRevenue": sum(revenues),
        "averageRevenue": round(sum(revenues) / len(revenues), 2),
        "totalEmployees": sum(record["employee_count"] for record in records),
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _lines(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
