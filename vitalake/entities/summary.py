"""Whether the summary of an export is true of its records.

Belongs here: which figures of a summary can be computed again, and the comparison. Does not belong here: where
the figures come from (`envelope.py`), the row that keeps the verdict (`tabulate.py`).

A figure is known by its path in letters and digits, `totalRevenue`, `total_revenue` and `revenue.total` alike:
`count`, `total` or `number` of records, customers, companies …; `total`, `average`, `minimum`, `maximum`, `median`
of revenue or employees (and their other names); the number of distinct industries. An average is over the records
that have the value. A declared figure may be rounded: half of its last written digit is forgiven, and a relative
1e-9 for the order of a sum.
"""

from __future__ import annotations

import math
import re
import statistics
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from vitalake.entities.mapping import Entity, number_of
from vitalake.entities.vocabulary import visible_name

_LISTED = 1000  # of an export
_COUNT = re.compile(
    r"(records?|entit(y|ies)|customers?|compan(y|ies)|business(es)?)?(total|counts?|number)|"
    r"(total|count|number)(of)?(records?|entities|customers|companies|businesses)"
)
_MEASURES: dict[str, Callable[[Sequence[float]], float]] = {
    "total": math.fsum,
    "sum": math.fsum,
    "average": statistics.fmean,
    "avg": statistics.fmean,
    "mean": statistics.fmean,
    "min": min,
    "minimum": min,
    "max": max,
    "maximum": max,
    "median": statistics.median,
}
_VALUES = {
    "revenue": "revenue",
    "annualrevenue": "revenue",
    "employees": "employees",
    "employee": "employees",
    "employeecount": "employees",
    "headcount": "employees",
}
_KNOWN = {
    name: (measure, field)
    for word, measure in _MEASURES.items()
    for value, field in _VALUES.items()
    for name in (word + value, value + word)
}
_PLAIN = re.compile(r"[A-Za-z_.-]{1,80}")
_INDUSTRIES = {"industrycount", "totalindustries", "uniqueindustries", "distinctindustries"}


@dataclass(frozen=True)
class Reconciled:
    """What came of the comparison.

    Args:
        differences: figures that differ from the records, the first 1,000: path, declared, found.
        unchecked: paths of figures that nobody here can compute, the first 1,000.
        figures: the others by path, as declared. Paths here and above consist of known names.
    """

    differences: list[str]
    unchecked: list[str]
    figures: dict[str, Any] = field(default_factory=dict)


class Values:
    """What figures are computed from, of all usable records of an export; None is left out."""

    def __init__(self) -> None:
        self.count = 0
        self.revenue, self.employees = array("d"), array("q")
        self.industries: set[str] = set()

    def add(self, entities: Sequence[Entity]) -> None:
        """Some more of the records."""
        self.count += len(entities)
        self.revenue.extend(each.revenue for each in entities if each.revenue is not None)
        self.employees.extend(each.employees for each in entities if each.employees is not None)
        self.industries.update(each.industry for each in entities if each.industry is not None)


def compare(summary: Mapping[str, Any], declared_count: int | None, found: Values, record_count: int) -> Reconciled:
    """Compute a summary again.

    Args:
        summary: as it arrived; figures may be nested.
        declared_count: `metadata.recordCount`.
        found: of the usable records, over which sums and averages go.
        record_count: all records, which counts go by.
    """
    differences: list[str] = []
    unchecked: list[str] = []
    figures: dict[str, Any] = {}
    if declared_count is not None and declared_count != record_count:
        differences.append(f"metadata.recordCount: declared {declared_count}, found {record_count}")
    for path, value in _figures(summary, "summary"):
        declared = number_of(value)
        if declared is None:
            continue
        computed = _computed(path, found, record_count)
        if computed is None:
            unchecked.append(visible_name(path))
            continue
        # What letters there are in the path of a known figure are those of its name.
        named = path if _PLAIN.fullmatch(path) else visible_name(path)
        figures[named] = value
        if not _agree(declared, value, computed[0]):
            figure = "none" if computed[0] is None else f"{computed[0]:.15g}"
            refused = record_count - found.count
            without = f" (without {refused} quarantined)" if refused and not computed[1] else ""
            differences.append(f"{named}: declared {value}, found {figure}{without}")
    return Reconciled(differences[:_LISTED], unchecked[:_LISTED], figures)


def _figures(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _figures(each, f"{path}.{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _figures(each, f"{path}[{number}]")
    else:
        yield path, value


def _computed(path: str, found: Values, record_count: int) -> tuple[float | None, bool] | None:
    """The figure (None: of no values at all) and whether it counts all records; None: an unknown figure."""
    name = re.sub(r"[^a-z0-9]", "", path.lower().partition(".")[2])
    if _COUNT.fullmatch(name):
        return record_count, True
    if name in _INDUSTRIES:
        return len(found.industries), False
    if name not in _KNOWN:
        return None
    measure, field = _KNOWN[name]
    values = getattr(found, field)
    if not values and measure is not math.fsum:
        return None, False
    try:
        return float(measure(values)), False
    except OverflowError:
        return math.inf, False


def _agree(declared: float, written: Any, computed: float | None) -> bool:
    if computed is None:
        return declared == 0
    try:
        declared = float(declared)
    except OverflowError:
        declared = math.inf
    last_digit = Decimal(str(written).replace(",", "")).as_tuple().exponent
    half = 0.5 * 10.0 ** min(int(last_digit), 0) * (1 + 1e-9)
    return math.isclose(declared, computed, rel_tol=1e-9, abs_tol=half)
