"""What is drawn of the ECG tables: the worst, the median and the best recording, and quality over time.

Belongs here: choosing what to show. Does not belong here: drawing (`vitalake/ecg/pictures/strip_rows.py`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vitalake.charts.figures import bars_by_day
from vitalake.ecg.assess import assess
from vitalake.ecg.pictures.ecg_grid import SHADES, SIGNS, DrawnStrip
from vitalake.ecg.pictures.strip_rows import DayQuality, quality_png, strips_png
from vitalake.ecg.quality.quality_model import combine_record
from vitalake.ecg.quality.rules import QUALITIES, Verdict
from vitalake.ecg.recording import Lead, Recording
from vitalake.ecg.tabulate import signals_in_unit

if TYPE_CHECKING:
    import pyarrow as pa

    from vitalake.lake.parquet import Rows

SHOWN_S = 10.0
WHOLE_S = 12.0  # a strip up to here is shown as a whole
_SEARCHED_S = 1800.0  # the worst place of a longer one would take seconds to find
_KEY_CHARS = 55
_FACTS = ["source_key", "lead_name", "unit", "sampling_rate_hz", "duration_s", "gain_adu_per_unit", "zero_adu"]


def worst_median_best(signals: Rows) -> bytes:
    """A strip each of the worst, the median and the best recording of `ecg_signals`, with verdicts counted: PNG."""
    return strips_png(*chosen(signals))


def chosen(signals: Rows | pa.Table) -> tuple[list[DrawnStrip], str]:
    """The strips to show, worst first, and the counts of verdicts in words.

    Recordings are ranked by verdict, then by the mean quality index of their leads. Of the worst the worst lead is
    shown, of the median the median one, of the best the best. Of two recordings none is the median.
    """
    facts = ["recording_id", "verdict", "reasons", "quality_index", "poor_probability"]
    ranked = _ranked(signals.select(facts).to_pylist())
    if not ranked:
        return [], ""
    count = len(ranked)
    named = {count - 1: "best", (count - 1) // 2: "median", 0: "worst" if count > 1 else "the only one"}
    strips = []
    for place, name in sorted(named.items()):
        leads = ranked[place][1]
        row = {"best": leads[-1], "median": leads[(len(leads) - 1) // 2]}.get(name, leads[0])
        strips.append(_strip(name, signals.slice(row, 1)))
    return strips, _head(Counter(verdict for verdict, _ in ranked))


def verdicts_over_time(rows: list[tuple[Any, ...]]) -> bytes:
    """Rows of (day, verdict, recordings) as stacked bars: PNG bytes."""
    days: defaultdict[Any, dict[str, int]] = defaultdict(dict)
    for day, verdict, count in rows:
        days[day][verdict] = count
    kinds = {str(quality): shade for quality, shade in SHADES.items()}
    return bars_by_day("Recordings per day", kinds, sorted(days.items()))


def quality_over_time(rows: list[tuple[Any, ...]]) -> bytes:
    """Rows of (day, mean, median, 10th and 90th percentile of the quality index) as a line: PNG bytes."""
    return quality_png([DayQuality(*row) for row in sorted(rows)])


def _ranked(leads: list[dict[str, Any]]) -> list[tuple[str, list[int]]]:
    """Verdict and rows of each recording, worst first, the rows worst first; what was not judged is left out."""

    def worth(verdict: str, quality: float | None) -> tuple[int, float]:
        return -QUALITIES.index(verdict), -1.0 if quality is None else quality

    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for row, lead in enumerate(leads):
        if lead["verdict"] is not None:
            rows_of[lead["recording_id"]].append(row)
    found = []
    for rows in rows_of.values():
        known = [quality for row in rows if (quality := leads[row]["quality_index"]) is not None]
        mean = sum(known) / len(known) if known else None
        verdicts = [Verdict(leads[row]["verdict"], tuple(leads[row]["reasons"])) for row in rows]
        poor = [leads[row]["poor_probability"] for row in rows]
        whole = combine_record(verdicts, [np.nan if value is None else value for value in poor]).verdict
        rows.sort(key=lambda row: worth(leads[row]["verdict"], leads[row]["quality_index"]))
        found.append((worth(whole, mean), whole, rows))
    found.sort(key=lambda item: (item[0], item[2]))
    return [(verdict, rows) for _, verdict, rows in found]


def _head(counts: Counter[str]) -> str:
    total = sum(counts.values())
    of_each = "   ".join(f"{SIGNS[quality]} {counts[quality]:,} {quality}" for quality in QUALITIES)
    return f"{f'The newest {total:,} recordings' if total > 1 else 'One recording'}:   {of_each}"


def _strip(name: str, row: pa.Table) -> DrawnStrip:
    """The part of one lead that is worth a look, with words about which part it is."""
    [facts] = row.select([*_FACTS, "verdict", "reasons", "quality_index", "r_peaks"]).to_pylist()
    [x] = signals_in_unit(row)
    facts["whole"] = row.column("samples")[0].is_valid
    rate_hz, key = facts["sampling_rate_hz"], facts["source_key"]
    start_s, where = 0.0, ""
    if facts["duration_s"] > WHOLE_S:
        start_s, where = _place(x, facts)
    first = round(start_s * rate_hz)
    last = len(x) if facts["duration_s"] <= WHOLE_S else first + round(SHOWN_S * rate_hz)
    peaks = np.asarray(facts["r_peaks"] or [], dtype=np.int64)
    key = key if len(key) <= _KEY_CHARS else "…" + key[1 - _KEY_CHARS :]
    quality = "" if facts["quality_index"] is None else f" · Q {facts['quality_index']:.2f}"
    return DrawnStrip(
        f"{name}: {key} · {facts['lead_name']}{quality}{where}",
        x[first:last],
        rate_hz,
        facts["verdict"],
        tuple(facts["reasons"]),
        facts["unit"],
        peaks[(peaks >= first) & (peaks < last)] - first,
    )


def _place(x: npt.NDArray[np.float64], facts: dict[str, Any]) -> tuple[float, str]:
    """Where to begin in a long lead, in s, and how to say so: its worst window, or the start of a good one."""
    of = f" of {facts['duration_s']:,.0f} s"
    if facts["verdict"] == QUALITIES[0] or facts["duration_s"] > _SEARCHED_S:
        return 0.0, f" · first {SHOWN_S:g} s{of}"
    # As it was stored: flat is what moves less than half a stored unit.
    gain, zero = facts["gain_adu_per_unit"], facts["zero_adu"]
    missing, stored = np.isnan(x), x * gain + zero
    if facts["whole"]:
        stored = np.rint(np.nan_to_num(stored)).astype(np.int32)
    lead = Lead(facts["lead_name"], stored, facts["sampling_rate_hz"], gain, zero, facts["unit"], missing)
    [judged] = assess([Recording((lead,), file_format="")])[0].leads
    windows = () if judged is None else judged.windows
    if not windows:
        return 0.0, f" · first {SHOWN_S:g} s{of}"

    def badness(index: int) -> tuple[int, float]:
        quality = windows[index].values["quality_index"]
        return QUALITIES.index(windows[index].verdict.verdict), -quality if np.isfinite(quality) else 1.0

    worst = windows[max(range(len(windows)), key=lambda index: (*badness(index), -index))]
    return worst.start_s, f" · its worst {SHOWN_S:g} s, from {worst.start_s:,.0f}{of}"
