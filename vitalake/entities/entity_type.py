"""How large a business is: the one place with its thresholds.

Belongs here: the classes and their SQL expression. Does not belong here: the tables that carry the class.
"""

from __future__ import annotations

LARGE_REVENUE_USD, LARGE_EMPLOYEES = 10_000_000, 1_000
MEDIUM_REVENUE_USD, MEDIUM_EMPLOYEES = 1_000_000, 100


def entity_type_sql(revenue: str, employees: str) -> str:
    """A CASE expression of DuckDB: large_enterprise, medium_business or small_business; never null.

    Each threshold is to be exceeded, by either of the two; what is not known exceeds none.

    Args:
        revenue: SQL of the revenue a year, in USD; it may be null.
        employees: SQL of the number of employees; it may be null.
    """
    return (
        f"CASE WHEN ({revenue}) > {LARGE_REVENUE_USD} OR ({employees}) > {LARGE_EMPLOYEES} THEN 'large_enterprise'"
        f" WHEN ({revenue}) > {MEDIUM_REVENUE_USD} OR ({employees}) > {MEDIUM_EMPLOYEES} THEN 'medium_business'"
        " ELSE 'small_business' END"
    )
