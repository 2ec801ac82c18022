"""Pictures of any dataset of records.

Belongs here: from rows that a query gives to a figure. Does not belong here: how a figure is drawn
(`vitalake/charts/figures.py`).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from vitalake.charts.figures import BAD, DOUBTFUL, GOOD, bars_by_day

KINDS = {"good": GOOD, "warned about": DOUBTFUL, "refused": BAD}


def records_over_time(rows: list[tuple[Any, ...]]) -> bytes:
    """Rows of (day, good, warned about, refused) as stacked bars: PNG bytes."""
    days: defaultdict[date, dict[str, int]] = defaultdict(dict)
    for day, *counts in rows:
        days[day] = dict(zip(KINDS, counts, strict=True))
    return bars_by_day("Records per day", KINDS, sorted(days.items()))
