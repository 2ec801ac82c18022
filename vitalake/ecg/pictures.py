"""What is drawn of the ECG tables: a selection of strips, and verdicts over time.

Belongs here: choosing what to show. Does not belong here: drawing (`vitalake/ecg/plots.py`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from vitalake.ecg.plots import Strip, strips_png, verdicts_png
from vitalake.ecg.quality import QUALITIES
from vitalake.ecg.tabulate import signals_in_unit

if TYPE_CHECKING:
    import pyarrow as pa

_OF_EACH = 2


def accepted_and_rejected(signals: pa.Table) -> bytes:
    """A few strips of each verdict, the newest first, with the reasons: PNG bytes."""
    rows: list[int] = []
    verdicts = signals.column("verdict").to_pylist()
    for quality in reversed(QUALITIES):
        rows += [row for row in reversed(range(len(verdicts))) if verdicts[row] == quality][:_OF_EACH]
    chosen = signals.take(rows)
    facts = chosen.select(["source_key", "lead_name", "sampling_rate_hz", "verdict", "reasons"]).to_pylist()
    return strips_png(
        [
            Strip(
                f"{row['source_key']} · {row['lead_name']}",
                x,
                row["sampling_rate_hz"],
                row["verdict"],
                row["reasons"],
            )
            for row, x in zip(facts, signals_in_unit(chosen), strict=True)
        ]
    )


def verdicts_over_time(rows: list[tuple[Any, ...]]) -> bytes:
    """Rows of (day, verdict, recordings) as stacked bars: PNG bytes."""
    days: defaultdict[Any, dict[str, int]] = defaultdict(dict)
    for day, verdict, count in rows:
        days[day][verdict] = count
    return verdicts_png(sorted(days.items()))
