"""Figures as PNG bytes: colours that everybody tells apart, the page, and bars over days.

Belongs here: what pictures of any dataset share. Does not belong here: signals
(`vitalake/ecg/pictures/ecg_grid.py`), or what a picture is made of.

Blue, amber and dark red differ in lightness as well, so that colour-blind readers tell them apart; a sign and a
word say the same again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.escaping import bounded_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Shade(NamedTuple):
    """How something good, doubtful or bad is drawn."""

    colour: str
    sign: str


GOOD, DOUBTFUL, BAD = Shade("#0072B2", "✓"), Shade("#CC8400", "!"), Shade("#A63603", "✕")
INK, FAINT_INK = "#1F2933", "#616E7C"
PAPER, FINE_LINE, BOLD_LINE = "#FFFDFA", "#F6E6DF", "#EBCBBE"
DPI = 100
WIDTH_PX = 1100
PALETTE = 48  # colours kept in the file: enough for smooth lines, a third of the bytes
_KEPT = (*(shade.colour for shade in (GOOD, DOUBTFUL, BAD)), "#FFFFFF", INK, FAINT_INK, PAPER, FINE_LINE, BOLD_LINE)


def new_figure(width_px: int, height_px: int) -> Figure:
    """An empty white page."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI, facecolor="white")


def drawable(text: str, limit: int = 120) -> str:
    """One bounded line of what a file says, for a figure: characters that the font lacks are told by their number.

    It is drawn with `parse_math=False`: dollars are dollars.
    """
    glyphs = _glyphs()
    return bounded_line(
        "".join(each if ord(each) in glyphs else ascii(each)[1:-1] for each in text[: limit + 1]), limit
    )


@cache
def _glyphs() -> frozenset[int]:
    """What can be drawn both plain and bold."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    plain, bold = (
        frozenset(get_font(findfont(FontProperties(weight=weight))).get_charmap()) for weight in ("normal", "bold")
    )
    return plain & bold


def clear(axes: Axes) -> None:
    """Paper below everything, no frame, quiet labels."""
    axes.set_facecolor(PAPER)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=7.5, labelcolor=FAINT_INK)
    for side in axes.spines.values():
        side.set_visible(False)


def png(figure: Figure) -> bytes:
    """The figure drawn by Agg and stored with few colours: the same figure gives the same bytes."""
    from PIL import Image, ImageColor

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, pil_kwargs={"compress_level": 1})
    full = Image.open(file).convert("RGB")
    common = full.quantize(PALETTE, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).getpalette() or []
    # What is rare on the page means something all the same: one value that crosses a limit keeps its colour.
    colours = [*common[: 3 * PALETTE], *(part for name in _KEPT for part in ImageColor.getrgb(name))]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours + colours[:3] * (256 - len(colours) // 3))
    few = full.quantize(palette=palette, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, "PNG", optimize=True)
    return file.getvalue()


def bars_by_day(
    title: str, kinds: Mapping[str, Shade], counts_by_day: Sequence[tuple[date, Mapping[str, int]]]
) -> bytes:
    """Stacked bars: how many of each kind on each day, with the day's number on top: PNG bytes.

    Args:
        title: in the upper left corner.
        kinds: from the bottom of a bar to its top.
        counts_by_day: date and number of each kind; days without any may be left out.
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(WIDTH_PX, 420)
    axes = figure.add_axes((0.055, 0.12, 0.93, 0.74))
    if not counts_by_day:
        say_nothing(axes, "Nothing yet")
        return png(figure)
    days = np.array([day.toordinal() for day, _ in counts_by_day])
    base = np.zeros(len(days))
    for kind, shade in kinds.items():
        counts = np.array([float(counts.get(kind, 0)) for _, counts in counts_by_day])
        label = f"{shade.sign} {kind} ({counts.sum():,.0f})"
        axes.bar(days, counts, 0.72, base, color=shade.colour, edgecolor=PAPER, linewidth=1, label=label)
        base += counts
    if len(days) <= 31:
        for day, total in zip(days, base, strict=True):
            axes.annotate(f"{total:,.0f}", (day, total), (0, 3), textcoords="offset points", ha="center", color=INK)
    axes.set_ylim(0, max(1.0, base.max() * 1.12))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    over_days(axes, days)
    figure.text(0.012, 0.935, title, color=INK, fontsize=13, fontweight="bold")
    figure.legend(loc="upper right", bbox_to_anchor=(0.99, 0.995), ncols=3, frameon=False, labelcolor=INK)
    return png(figure)


def over_days(axes: Axes, days: npt.NDArray[np.int64]) -> None:
    """A time axis of days, given as ordinals, with at least a week on it."""
    first, last = int(days.min()), int(days.max())
    middle, reach = (first + last) / 2, max(4.0, (last - first) / 2 + 0.7)
    axes.set_xlim(middle - reach, middle + reach)
    ticks = range(first, last + 1, 1 + (last - first) // 14)
    axes.set_xticks(ticks, [f"{day.day} {day:%b}" for day in map(date.fromordinal, ticks)])
    axes.grid(axis="y", color=BOLD_LINE, linewidth=0.7)
    clear(axes)
    axes.tick_params(labelsize=9)


def say_nothing(axes: Axes, words: str) -> None:
    """Words in place of a picture."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=FAINT_INK, fontsize=12, transform=axes.transAxes)
