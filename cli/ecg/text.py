"""A recording as text: its leads in braille dots, and the table of their measures.

Belongs here: how strips and measures look in a terminal. Does not belong here: which recording and which part of
it (`cli/ecg/view.py`), what limits are crossed (`vitalake/ecg/quality/threshold_text.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from rich import box
from rich.table import Table
from rich.text import Text

from vitalake.ecg.pictures.report_page import TWO_COLUMNS
from vitalake.ecg.quality.threshold_text import CROSSED_SIGNS, MeasureLine
from vitalake.escaping import printable

if TYPE_CHECKING:
    from rich.console import Console

    from vitalake.ecg.pictures.ecg_grid import DrawnStrip

STYLES = {"acceptable": "blue", "marginal": "yellow", "unacceptable": "red", None: "dim"}
_CROSSED_STYLES = {"": "", "notes": "", "warns": "yellow", "rejects": "red"}
_TALL_ROWS, _LOW_ROWS = 8, 4
_GUTTER = 3
_TWO_COLUMNS_WIDTH = 100
_CELL_WIDTH = 12

# Bits of a braille character, U+2800 and up: four rows of dots, two in each.
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


def can_draw(console: Console) -> bool:
    """Whether curves can be shown: on a terminal whose encoding has braille."""
    try:
        "⠿▾✕".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return console.is_terminal


def show_strips(strips: Sequence[DrawnStrip], console: Console) -> None:
    """Every strip in braille, side by side from six leads on where the terminal is wide enough."""
    columns = 2 if len(strips) >= TWO_COLUMNS and console.width >= _TWO_COLUMNS_WIDTH else 1
    width = (console.width - _GUTTER * (columns - 1)) // columns
    rows = _TALL_ROWS if len(strips) <= 2 else _LOW_ROWS
    longest_s = max(strip.duration_s for strip in strips)
    panels = [_panel(strip, width, rows, longest_s) for strip in strips]
    height = -(-len(panels) // columns)
    for left, right in zip_longest(panels[:height], panels[height:]):
        for at, line in enumerate(left):
            beside = right[at] if right else Text()
            padding = Text(" " * (width - line.cell_len + _GUTTER)) if right else Text()
            console.print(Text.assemble(line, padding, beside), no_wrap=True, crop=True)


def show_measures(names: Sequence[str], measures: Sequence[MeasureLine], console: Console) -> None:
    """Measures as rows and leads as columns, in as many tables as the terminal's width needs."""
    fixed = max(len(line.name) for line in measures) + max(len(line.unit) for line in measures) + 6
    limits = max(len(line.limits) for line in measures) + 2
    first = 0
    while first < len(names):
        room = console.width - fixed - (0 if first else limits)
        last = first + max(1, room // _CELL_WIDTH)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for heading in ("measure", "unit", *(() if first else ("limits",))):
            table.add_column(heading, no_wrap=True)
        for name in names[first:last]:
            table.add_column(Text(printable(name)), justify="right", overflow="fold")
        for line in measures:
            # The sign has a place of its own, so that the digits stand below each other.
            cells = [
                Text(f"{cell.text} {CROSSED_SIGNS[cell.crossed]:1}", style=_CROSSED_STYLES[cell.crossed])
                for cell in line.cells[first:last]
            ]
            table.add_row(line.name, line.unit, *(() if first else (line.limits,)), *cells)
        console.print(table)
        console.print()
        first = last
    console.print(
        "of the whole lead; ! crosses the limit that warns, ✕ that rejects; i: worth knowing, changes no verdict",
        style="dim",
    )


def braille(x: npt.NDArray[np.float64], columns: int, rows: int) -> list[str]:
    """A curve as lines of braille characters, highest value on top; gaps (NaN) stay blank.

    Every column of dots spans the lowest to the highest of its samples, so that no R peak is lost.

    Args:
        x: shape (samples,).
        columns: characters a line.
        rows: lines.
    """
    finite = np.isfinite(x)
    if not finite.any() or columns < 1:
        return [" " * max(columns, 0)] * rows
    low, high = x[finite].min(), x[finite].max()
    top = 4 * rows - 1
    height = np.round((x - low) / (high - low) * top) if high > low else np.where(finite, top // 2, np.nan)
    edges = np.linspace(0, len(x), 2 * columns + 1)
    dots = np.zeros((4 * rows, 2 * columns), dtype=np.bool_)
    before: tuple[int, int] | None = None
    for column, (start, stop) in enumerate(pairwise(edges)):
        here = height[int(start) : max(int(start) + 1, int(np.ceil(stop)))]
        here = here[np.isfinite(here)]
        if not len(here):
            before = None
            continue
        bottom, peak = int(here.min()), int(here.max())
        if before is not None:  # a jump from one column to the next is a line
            bottom, peak = min(bottom, before[1]), max(peak, before[0])
        dots[top - peak : top - bottom + 1, column] = True
        before = int(here.min()), int(here.max())
    bits = (dots.reshape(rows, 4, columns, 2) * _DOTS[None, :, None, :]).sum(axis=(1, 3))
    return ["".join(chr(0x2800 + bit) if bit else " " for bit in line) for line in bits]


def _panel(strip: DrawnStrip, width: int, rows: int, longest_s: float) -> list[Text]:
    """Heading, marks of the R peaks, and the curve, each a line of at most `width` characters."""
    columns = max(1, round(width * strip.duration_s / longest_s)) if longest_s else width
    finite = strip.x[np.isfinite(strip.x)]
    extent = f"{finite.min():.3g} to {finite.max():.3g} {strip.unit}" if len(finite) else "no values"
    style = STYLES[strip.verdict]
    heading = Text.assemble(
        (printable(strip.title), "bold"), "  ", (strip.verdict_text, style), "  ", (printable(extent), "dim")
    )
    heading.truncate(width, overflow="ellipsis")
    marks = [" "] * columns
    for peak in strip.r_peaks:
        marks[min(columns - 1, int(peak) * columns // len(strip.x))] = "▾"
    return [heading, Text("".join(marks)), *(Text(line, style=style) for line in braille(strip.x, columns, rows))]
