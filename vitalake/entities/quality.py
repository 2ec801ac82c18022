"""What follows from an entity's values: how large it is, how good its data are, and a digest of its content.

Belongs here: formulas, as SQL over all entities at once. Does not belong here: the classes by size
(`entity_type.py`), reading records.

Three parts, each 0 to 100, from the content alone:

* completeness: 80 × the share of name, revenue, employees and industry that are there + 20 × the share of the other
  fields that hold something (all 20 where there are none).
* validity: 100 × the share of the values there are that are plausible. A name has two letters or digits and is no
  placeholder; revenue is at most 1e12 USD; employees are at most 5 million; an industry is no placeholder, and a
  code of 2 to 8 digits where it is a number.
* consistency: revenue per employee is that of a business: 100 from 10,000 to 2,000,000 USD a year, 50 less for each
  factor of ten outside, 0 at least. 100 where both are 0; 50 where it cannot be judged: one is missing or 0.

The digest of the content covers what not everybody may see, a telephone number say, through a digest with a secret
key: who knows all the rest of a record could otherwise try all numbers.

quality_score = 0.5 × completeness + 0.3 × validity + 0.2 × consistency, all of them rounded to two decimals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitalake.entities.entity_type import entity_type_sql

if TYPE_CHECKING:
    import pyarrow as pa

PLACEHOLDERS = (
    "-", "--", "?", "n/a", "na", "nil", "none", "null", "test", "tbd", "tba", "todo", "unknown", "undefined", "xxx",
)  # fmt: skip
COMPUTED = ("entity_type", "completeness", "validity", "consistency", "quality_score", "content_sha256")

_SELECT = r"""
WITH judged AS (
    SELECT
        *,
        -- 1 plausible, 0 not, null where there is no value
        (NOT list_contains({placeholders}, lower(name))
            AND regexp_matches(name, '[\p{L}\p{N}].*[\p{L}\p{N}]', 's'))::INTEGER AS name_valid,
        (revenue <= 1e12)::INTEGER AS revenue_valid,
        (employees <= 5000000)::INTEGER AS employees_valid,
        CASE
            WHEN regexp_full_match(industry, '[0-9]+') THEN len(industry) BETWEEN 2 AND 8
            ELSE NOT list_contains({placeholders}, lower(industry))
        END::INTEGER AS industry_valid,
        CASE WHEN revenue > 0 AND employees > 0 THEN log10(revenue) - log10(employees) END AS log_per_employee
    FROM entities
),
parts AS (
    SELECT
        *,
        80 * (1 + (revenue IS NOT NULL)::INTEGER + (employees IS NOT NULL)::INTEGER
                + (industry IS NOT NULL)::INTEGER) / 4
            + CASE WHEN attribute_count = 0 THEN 20 ELSE 20 * attributes_filled / attribute_count END
            AS completeness,
        100 * list_avg([name_valid, revenue_valid, employees_valid, industry_valid]) AS validity,
        CASE
            WHEN revenue = 0 AND employees = 0 THEN 100
            WHEN log_per_employee IS NULL THEN 50
            ELSE greatest(0, 100 - 50 * greatest(0, 4 - log_per_employee, log_per_employee - log10(2e6)))
        END AS consistency
    FROM judged
)
SELECT
    {entity_type} AS entity_type,
    round(completeness, 2)::DOUBLE AS completeness,
    round(validity, 2)::DOUBLE AS validity,
    round(consistency, 2)::DOUBLE AS consistency,
    round(0.5 * completeness + 0.3 * validity + 0.2 * consistency, 2)::DOUBLE AS quality_score,
    -- As JSON, so that no two contents are one text; a number as text, so that every one has its own.
    sha256(to_json(CASE
        WHEN private_digest IS NULL THEN [name, revenue::VARCHAR, employees::VARCHAR, industry, attributes]
        ELSE [name, revenue::VARCHAR, employees::VARCHAR, industry, attributes, private_digest]
    END)::VARCHAR) AS content_sha256
FROM parts
ORDER BY row_number
"""


def computed_columns(entities: pa.Table) -> pa.Table:
    """The columns `COMPUTED`, a row for each row, in order.

    Args:
        entities: name, revenue, employees, industry, attributes, attribute_count, attributes_filled, and
            private_digest: of all attributes, by a secret key; null where everybody sees them all.
    """
    import duckdb
    import numpy as np
    import pyarrow as pa

    from vitalake.lake.columns import numbers

    numbered = entities.append_column("row_number", numbers(np.arange(entities.num_rows), pa.int64()))
    with duckdb.connect(config={"threads": 1}) as connection:
        # A stream, which can be read once: handing over the table itself would import pandas, 0.4 s of CPU a
        # run, and so would parameters.
        connection.register("entities", numbered.__arrow_c_stream__())
        return connection.execute(_select()).to_arrow_table()


def _select() -> str:
    placeholders = ", ".join(f"'{text}'" for text in PLACEHOLDERS)
    select = _SELECT.replace("{placeholders}", f"[{placeholders}]")
    return select.replace("{entity_type}", entity_type_sql("revenue", "employees"))
