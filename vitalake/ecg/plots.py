"""Pictures of recordings and of their quality, as PNG bytes.

Belongs here: drawing what was measured and judged. Does not belong here: measuring, judging, or where the bytes go.

Blue, amber and dark red differ in lightness as well, so that colour-blind readers tell them apart; a sign and a
word say the same again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vitalake.ecg.quality import QUALITIES, Quality, in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: dict[Quality, str] = {"acceptable": "#0072B2", "marginal": "#CC8400", "unacceptable": "#A63603"}
SIGNS: dict[Quality, str] = {"acceptable": "✓", "marginal": "!", "unacceptable": "✕"}
INK, FAINT_INK = "#1F2933", "#616E7C"
PAPER, FINE_LINE, BOLD_LINE = "#FFFDFA", "#F6E6DF", "#EBCBBE"

WIDTH_PX = 1100
DPI = 100
ROW_PX = 120
PALETTE = 48  # colours kept in the file: enough for smooth lines, a third of the bytes


@dataclass(frozen=True)
class Strip:
    """One strip to draw: samples in mV, shape (samples,), and the verdict with the ids of its reasons."""

    title: str
    x_mv: npt.NDArray[np.float64]
    sampling_rate_hz: float
    verdict: Quality
    reasons: tuple[str, ...] = ()


def strips_png(strips: Sequence[Strip]) -> bytes:
    """One row per strip on ECG paper (0.2 s by 0.5 mV), in the colour of its verdict, with the reason in words.

    1100 px wide, 120 px a row. All rows share the time axis of the longest strip, which should not be much longer
    than ten seconds; the scale of mV is a row's own and shows at least 2 mV; gaps (NaN) stay gaps.
    """
    figure = _figure(ROW_PX * max(1, len(strips)) + 30)
    rows = figure.subplots(max(1, len(strips)), 1, squeeze=False, gridspec_kw={"hspace": 0.3})[:, 0]
    figure.subplots_adjust(left=0.048, right=0.985, top=1 - 26 / _height(figure), bottom=34 / _height(figure))
    if not strips:
        _say_nothing(rows[0], "No recordings")
        return _png(figure)
    duration_s = max(1.0, *(len(strip.x_mv) / strip.sampling_rate_hz for strip in strips))
    for axes, strip in zip(rows, strips, strict=True):
        _draw_strip(axes, strip, duration_s)
    rows[-1].set_xticks(np.arange(0, duration_s + 1e-9, 1 + int(duration_s / 15)))
    rows[-1].set_xlabel("seconds", color=FAINT_INK, fontsize=8, labelpad=1)
    return _png(figure)


def verdicts_png(counts_by_day: Sequence[tuple[date, Mapping[str, int]]]) -> bytes:
    """Stacked bars: recordings of each day by verdict, with the day's number of recordings on top.

    Args:
        counts_by_day: date and number of recordings per verdict; days without recordings may be left out.
    """
    from matplotlib.ticker import MaxNLocator

    figure = _figure(420)
    axes = figure.add_axes((0.055, 0.12, 0.93, 0.74))
    if not counts_by_day:
        _say_nothing(axes, "No recordings")
        return _png(figure)
    days = np.array([day.toordinal() for day, _ in counts_by_day])
    base = np.zeros(len(days))
    for quality in QUALITIES:
        counts = np.array([float(counts.get(quality, 0)) for _, counts in counts_by_day])
        label = f"{SIGNS[quality]} {quality} ({counts.sum():,.0f})"
        axes.bar(days, counts, 0.72, base, color=COLOURS[quality], edgecolor=PAPER, linewidth=1, label=label)
        base += counts
    if len(days) <= 31:
        for day, total in zip(days, base, strict=True):
            axes.annotate(f"{total:,.0f}", (day, total), (0, 3), textcoords="offset points", ha="center", color=INK)
    first, last = int(days.min()), int(days.max())
    middle, reach = (first + last) / 2, max(4.0, (last - first) / 2 + 0.7)
    axes.set(xlim=(middle - reach, middle + reach), ylim=(0, max(1.0, base.max() * 1.12)))
    ticks = range(first, last + 1, 1 + (last - first) // 14)
    axes.set_xticks(ticks, [f"{day.day} {day:%b}" for day in map(date.fromordinal, ticks)])
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", color=BOLD_LINE, linewidth=0.7)
    _clear(axes)
    axes.tick_params(labelsize=9)
    figure.text(0.012, 0.935, "Recordings per day", color=INK, fontsize=13, fontweight="bold")
    figure.legend(loc="upper right", bbox_to_anchor=(0.99, 0.995), ncols=3, frameon=False, labelcolor=INK)
    return _png(figure)


def _draw_strip(axes: Axes, strip: Strip, duration_s: float) -> None:
    x = np.asarray(strip.x_mv, dtype=np.float64)
    finite = x[np.isfinite(x)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    span = max(2.0, (high - low) * 1.12)
    bottom = (low + high - span) / 2
    axes.set(xlim=(0, duration_s), ylim=(bottom, bottom + span))
    slower, wider = 1 + int(duration_s / 15), 1 + int(span / 5)  # a long or wild strip keeps a legible grid
    for every_s, every_mv, colour in ((0.2, 0.5, FINE_LINE), (1.0, 1.0, BOLD_LINE)):
        times = np.arange(0, duration_s + 1e-9, every_s * slower)
        levels = np.arange(np.ceil(bottom / (every_mv * wider)), (bottom + span) / (every_mv * wider))
        levels *= every_mv * wider
        # Lines, not ticks: a tick costs a millisecond, and there are hundreds.
        axes.vlines(times, bottom, bottom + span, colour, linewidth=0.8)
        axes.hlines(levels, 0, duration_s, colour, linewidth=0.8)
    axes.set(xticks=[], yticks=levels)
    _clear(axes)
    colour = COLOURS[strip.verdict]
    axes.plot(np.arange(len(x)) / strip.sampling_rate_hz, x, color=colour, linewidth=1.1, solid_joinstyle="round")
    why = f": {in_words(strip.reasons)}" if strip.reasons else ""
    says = f"{SIGNS[strip.verdict]} {strip.verdict}{why}"
    axes.set_title(strip.title, loc="left", color=INK, fontsize=9.5, pad=4)
    axes.set_title(says, loc="right", color=colour, fontsize=9.5, fontweight="bold", pad=4)
    axes.set_ylabel("mV", color=FAINT_INK, fontsize=8, labelpad=2)


def _figure(height_px: int) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_PX / DPI, height_px / DPI), dpi=DPI, facecolor="white")


def _height(figure: Figure) -> float:
    return float(figure.get_figheight() * DPI)


def _clear(axes: Axes) -> None:
    """Paper below everything, no frame, quiet labels."""
    axes.set_facecolor(PAPER)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=7.5, labelcolor=FAINT_INK)
    for side in axes.spines.values():
        side.set_visible(False)


def _say_nothing(axes: Axes, words: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=FAINT_INK, fontsize=12, transform=axes.transAxes)


def _png(figure: Figure) -> bytes:
    """The figure drawn by Agg and stored with few colours: the same figure gives the same bytes."""
    from PIL import Image

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, pil_kwargs={"compress_level": 1})
    few = Image.open(file).convert("RGB").quantize(PALETTE, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, "PNG", optimize=True)
    return file.getvalue()
