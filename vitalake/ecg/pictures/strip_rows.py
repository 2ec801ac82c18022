"""Pictures of recordings and of their quality, as PNG bytes.

Belongs here: rows of strips, and quality over days. Does not belong here: how one strip is drawn
(`ecg_grid.py`), which ones are shown (`dataset_pictures.py`), or where the bytes go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from vitalake.charts.figures import FAINT_INK, INK, WIDTH_PX, drawable, new_figure, over_days, png, say_nothing
from vitalake.ecg.pictures.ecg_grid import COLOURS, SIGNS, DrawnStrip, draw
from vitalake.ecg.quality.rules import QUALITIES, RULES

ROW_PX = 120
HEAD_PX = 34


class DayQuality(NamedTuple):
    """Quality index Q of the leads of one day, 0 to 1: mean, median, 10th and 90th percentile."""

    day: date
    mean: float
    median: float
    low: float
    high: float


def strips_png(strips: Sequence[DrawnStrip], head: str = "") -> bytes:
    """One row per strip on ECG paper, in the colour of its verdict, with the reason in words.

    1100 px wide, 120 px a row, 34 px for the head. All rows share the time axis of the longest strip, which should
    not be much longer than ten seconds.
    """
    height_px = ROW_PX * max(1, len(strips)) + 30 + (HEAD_PX if head else 0)
    figure = new_figure(WIDTH_PX, height_px)
    rows = figure.subplots(max(1, len(strips)), 1, squeeze=False, gridspec_kw={"hspace": 0.3})[:, 0]
    top_px = 26 + (HEAD_PX if head else 0)
    figure.subplots_adjust(left=0.048, right=0.985, top=1 - top_px / height_px, bottom=34 / height_px)
    if head:
        figure.text(0.012, 1 - 14 / height_px, head, color=INK, fontsize=11, fontweight="bold", va="center")
    if not strips:
        say_nothing(rows[0], "No recordings")
        return png(figure)
    duration_s = max(1.0, *(strip.duration_s for strip in strips))
    for axes, strip in zip(rows, strips, strict=True):
        draw(axes, strip, duration_s)
        axes.set_title(drawable(strip.title), loc="left", color=INK, fontsize=9.5, pad=4, parse_math=False)
        axes.set_title(strip.verdict_text, loc="right", color=strip.colour, fontsize=9.5, fontweight="bold", pad=4)
    rows[-1].set_xticks(np.arange(0, duration_s + 1e-9, 1 + int(duration_s / 15)))
    rows[-1].set_xlabel("seconds", color=FAINT_INK, fontsize=8, labelpad=1)
    return png(figure)


def quality_png(days: Sequence[DayQuality]) -> bytes:
    """Median and mean quality index of each day, the band that holds 80 % of the leads, and the rules' limits."""
    figure = new_figure(WIDTH_PX, 420)
    axes = figure.add_axes((0.055, 0.12, 0.93, 0.74))
    if not days:
        say_nothing(axes, "No judged leads")
        return png(figure)
    at = np.array([day.day.toordinal() for day in days])
    low, high = (np.array([getattr(day, name) for day in days]) for name in ("low", "high"))
    blue = COLOURS["acceptable"]
    axes.vlines(
        at, low, high, color=blue, alpha=0.25, linewidth=max(1.5, 9 - len(days) / 10), label="80 % of leads"
    )
    axes.plot(at, [day.median for day in days], color=blue, linewidth=1.6, marker="o", markersize=5, label="median")
    axes.plot(at, [day.mean for day in days], INK, linewidth=0, marker="x", markersize=6, label="mean")
    axes.set_ylim(0, 1.04)
    over_days(axes, at)
    for rule in (rule for rule in RULES if rule.measure == "quality_index"):
        for limit, quality in ((rule.warn, QUALITIES[1]), (rule.reject, QUALITIES[2])):
            if limit is not None:
                axes.axhline(limit, color=COLOURS[quality], linewidth=1, linestyle="--")
                words = f"{SIGNS[quality]} below {limit:g}: {quality}"
                axes.annotate(
                    words, (1, limit), (-4, -3), axes.get_yaxis_transform(), "offset points",
                    ha="right", va="top", color=COLOURS[quality], fontsize=8.5,
                )  # fmt: skip
    figure.text(0.012, 0.935, "Quality index Q of the leads", color=INK, fontsize=13, fontweight="bold")
    figure.legend(loc="upper right", bbox_to_anchor=(0.99, 0.995), ncols=3, frameon=False, labelcolor=INK)
    return png(figure)
