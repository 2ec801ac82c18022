"""One recording on one page: every lead on ECG paper, its verdict in words, and its measures beside their limits.

Belongs here: the layout of the page. Does not belong here: how a strip is drawn (`ecg_grid.py`), what limits are
crossed (`vitalake/ecg/quality/threshold_text.py`), where the recording comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vitalake.charts.figures import BOLD_LINE, FAINT_INK, INK, drawable, new_figure, png
from vitalake.ecg.pictures.ecg_grid import COLOURS, DrawnStrip, draw, verdict_text
from vitalake.ecg.quality.rules import Quality
from vitalake.ecg.quality.threshold_text import CROSSED_SIGNS, Crossed, MeasureLine

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_PX = 1600
TWO_COLUMNS = 6  # from this many leads on
_MARGIN_PX = 40
_ROW_PX, _FEW_LEADS_PX = 150, 240  # one or two leads have the page to themselves
_LINE_PX = 17
_FACT_CHARS = 240
_COLUMNS_PX = (150, 40, 290)  # name, unit and limits of a measure
_Box = tuple[float, float, float, float]
_CROSSED_COLOURS: dict[Crossed, str] = {
    "": INK,
    "notes": INK,
    "warns": COLOURS["marginal"],
    "rejects": COLOURS["unacceptable"],
}


def report_page_png(
    title: str,
    facts: Sequence[str],
    verdict: Quality,
    reasons: tuple[str, ...],
    strips: Sequence[DrawnStrip],
    measures: Sequence[MeasureLine],
    start_s: float = 0.0,
) -> bytes:
    """A page 1600 px wide, as high as it needs to be; PNG bytes.

    Args:
        title: names the recording.
        facts: lines of small print below the title.
        verdict: of the recording.
        reasons: ids of the rules that fired.
        strips: its leads, at least one, in reading order: two columns from six leads on, filled downwards.
        measures: one cell per strip, in the order of `strips`.
        start_s: where in the recording the strips begin; the axis counts from there.
    """
    columns = 2 if len(strips) >= TWO_COLUMNS else 1
    rows = -(-len(strips) // columns)
    head_px = 62 + _LINE_PX * len(facts)
    row_px = _FEW_LEADS_PX if len(strips) <= 2 else _ROW_PX
    paper_px = rows * row_px + 30
    table_px = _LINE_PX * (len(measures) + 2) + 24
    height_px = head_px + paper_px + table_px
    figure = new_figure(WIDTH_PX, height_px)
    _draw_head(figure, title, facts, verdict, reasons)
    duration_s = max(1.0, *(strip.duration_s for strip in strips))
    width_px = (WIDTH_PX - 2 * _MARGIN_PX - (columns - 1) * 36) / columns
    for number, strip in enumerate(strips):
        column, row = divmod(number, rows)
        left_px = _MARGIN_PX + column * (width_px + 36)
        top_px = head_px + row * row_px + 20
        axes = figure.add_axes(_box(left_px, top_px, width_px, row_px - 26, height_px))
        draw(axes, strip, duration_s)
        axes.set_title(
            drawable(strip.title, 60),
            loc="left",
            color=INK,
            fontsize=10,
            fontweight="bold",
            pad=3,
            parse_math=False,
        )
        axes.set_title(strip.verdict_text, loc="right", color=strip.colour, fontsize=9, pad=3)
        if row == rows - 1 or number == len(strips) - 1:
            times = np.arange(0, duration_s + 1e-9, 1 + int(duration_s / 15))
            axes.set_xticks(times, [f"{start_s + time:g}" for time in times])
            axes.set_xlabel("seconds", color=FAINT_INK, fontsize=8, labelpad=1)
    table = figure.add_axes(
        _box(_MARGIN_PX, head_px + paper_px + 12, WIDTH_PX - 2 * _MARGIN_PX, table_px - 12, height_px)
    )
    _draw_table(table, [strip.title for strip in strips], measures, table_px - 12)
    return png(figure)


def _draw_head(
    figure: Figure, title: str, facts: Sequence[str], verdict: Quality, reasons: tuple[str, ...]
) -> None:
    height_px = figure.get_figheight() * figure.dpi

    def write(y_px: float, text: str, colour: str, size: float, weight: str) -> None:
        at = (_MARGIN_PX / WIDTH_PX, 1 - y_px / height_px)
        figure.text(*at, text, color=colour, fontsize=size, fontweight=weight, va="center", parse_math=False)

    write(22, drawable(title), INK, 14, "bold")
    write(45, verdict_text(verdict, reasons), COLOURS[verdict], 11, "bold")
    for number, line in enumerate(facts):
        write(64 + _LINE_PX * number, drawable(line, _FACT_CHARS), FAINT_INK, 9, "normal")


def _draw_table(axes: Axes, names: Sequence[str], measures: Sequence[MeasureLine], height_px: float) -> None:
    """The measures as rows, the leads as columns; what crosses a limit in colour, with a sign."""
    width_px = WIDTH_PX - 2 * _MARGIN_PX
    axes.set(xlim=(0, width_px), ylim=(height_px, 0))
    axes.set_axis_off()
    left_px = np.concatenate(([0], np.cumsum(_COLUMNS_PX)))
    each_px = min(110.0, (width_px - left_px[3]) / max(1, len(names)))
    right_px = [left_px[3] + each_px * (number + 1) - 12 for number in range(len(names))]

    def write(x: float, line: int, text: str, colour: str, side: str = "left", weight: str = "normal") -> None:
        y = _LINE_PX * (line + 0.5)
        look: dict[str, Any] = {"ha": side, "va": "center", "fontweight": weight, "fontsize": 8.5}
        axes.text(x, y, text, color=colour, parse_math=False, **look)

    for x, text in zip(left_px, ("measure", "unit", "limits"), strict=False):
        write(x, 0, text, FAINT_INK)
    for x, name in zip(right_px, names, strict=True):
        write(x, 0, drawable(name, 12), INK, "right", "bold")
    for line, measure in enumerate(measures, start=1):
        axes.hlines(_LINE_PX * line, 0, right_px[-1] + 12, color=BOLD_LINE, linewidth=0.6)
        write(left_px[0], line, measure.name, INK)
        write(left_px[1], line, measure.unit, FAINT_INK)
        write(left_px[2], line, measure.limits, FAINT_INK)
        for x, cell in zip(right_px, measure.cells, strict=True):
            weight = "bold" if cell.crossed in ("warns", "rejects") else "normal"
            write(x, line, cell.text, _CROSSED_COLOURS[cell.crossed], "right", weight)
            write(x + 2, line, CROSSED_SIGNS[cell.crossed], _CROSSED_COLOURS[cell.crossed], "left", "bold")
    signs = "of the whole lead    ! crosses the limit that warns    ✕ that rejects    i worth knowing, no more"
    write(0, len(measures) + 1, signs, FAINT_INK)


def _box(left_px: float, top_px: float, width_px: float, height_px: float, page_px: float) -> _Box:
    """A rectangle measured from the top left corner, as matplotlib wants it."""
    return left_px / WIDTH_PX, 1 - (top_px + height_px) / page_px, width_px / WIDTH_PX, height_px / page_px
