"""Three pictures of the report, as PNG files.

Belongs here: drawing. Does not belong here: the numbers (`figures.py`) or the page they stand on (`report.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.quality.noise import RATIOS_DB
from benchmarks.quality.scores import Counts, Roc
from vitalake.charts.figures import BOLD_LINE, DPI, FAINT_INK, INK, PAPER, clear, new_figure
from vitalake.ecg.pictures.ecg_grid import COLOURS, SIGNS
from vitalake.ecg.quality.rules import QUALITIES, Quality

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_PX = 1100

# Colour, line and marker together, so that no two lines differ by colour alone.
STYLES = (
    (COLOURS["acceptable"], "-", "o"),
    (COLOURS["marginal"], "--", "s"),
    (COLOURS["unacceptable"], "-.", "^"),
    (INK, ":", "D"),
    (FAINT_INK, "-", "v"),
)


@dataclass(frozen=True)
class RocPanel:
    """One data set: curves of scores by name, and the points at which programs decide."""

    title: str
    curves: Mapping[str, Roc]
    points: Mapping[str, Counts]


def roc_png(panels: Sequence[RocPanel], path: Path) -> None:
    """ROC curves side by side, with the points at which programs decide."""
    figure = new_figure(WIDTH_PX, 540)
    for axes, panel in zip(_row(figure, len(panels), bottom=0.13), panels, strict=True):
        for (name, curve), (colour, line, _) in zip(panel.curves.items(), STYLES, strict=False):
            label = f"{name}, area {curve.area:.3f}"
            axes.plot(curve.false_positive_rate, curve.true_positive_rate, line, color=colour, label=label, lw=1.8)
        for (name, table), (colour, _, marker) in zip(panel.points.items(), (*STYLES, *STYLES), strict=False):
            where = (1 - table.specificity, table.sensitivity)
            axes.plot(*where, marker, color=colour, ms=8, mec="white", label=name, clip_on=False)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="good called bad", ylabel="bad called bad")
        axes.legend(loc="lower right", fontsize=9, frameon=False, labelcolor=INK)
        _dress(axes, panel.title)
    _save(figure, path)


def noise_png(panels: Mapping[str, Mapping[str, Sequence[float]]], path: Path) -> None:
    """Lines over the signal-to-noise ratio, from good to bad; one panel a title, one line a name."""
    figure = new_figure(WIDTH_PX, 470)
    for axes, (title, lines) in zip(_row(figure, len(panels), bottom=0.27), panels.items(), strict=True):
        for (name, values), (colour, line, marker) in zip(lines.items(), STYLES, strict=False):
            axes.plot(range(len(RATIOS_DB)), values, line, color=colour, marker=marker, ms=5, label=name, lw=1.6)
        axes.set(ylim=(0, 1.04), xlabel="signal-to-noise ratio, dB")
        axes.set_xticks(range(len(RATIOS_DB)), [f"{ratio:g}".replace("-", "−") for ratio in RATIOS_DB])
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, fontsize=9, frameon=False, labelcolor=INK
        )
        _dress(axes, title)
    _save(figure, path)


def verdicts_png(rows: Mapping[str, Mapping[Quality, int]], path: Path) -> None:
    """One bar a class of a data set, divided by verdict, with numbers."""
    height = 90 + 38 * len(rows)
    figure = new_figure(WIDTH_PX, height)
    axes = figure.add_axes((0.27, 40 / height, 0.60, 1 - 90 / height))
    for position, counts in enumerate(rows.values()):
        total, base = max(1, sum(counts.values())), 0.0
        for quality in QUALITIES:
            share = counts[quality] / total
            axes.barh(position, share, 0.72, base, color=COLOURS[quality], edgecolor=PAPER, linewidth=1)
            base += share
        numbers = " · ".join(f"{counts[quality]:,}" for quality in QUALITIES)
        axes.text(1.01, position, numbers, ha="left", va="center", color=INK, fontsize=10)
    labels = [f"{name} ({sum(counts.values()):,})" for name, counts in rows.items()]
    axes.set_yticks(range(len(rows)), labels)
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    _dress(axes, "")
    axes.tick_params(axis="y", labelsize=10, labelcolor=INK)
    handles = [
        axes.barh(0, 0, color=COLOURS[quality], label=f"{SIGNS[quality]} {quality}") for quality in QUALITIES
    ]
    figure.legend(handles=handles, loc="upper right", bbox_to_anchor=(0.99, 1.0), ncols=3, frameon=False)
    figure.text(0.012, 1 - 26 / height, "Verdict by reference class", color=INK, fontsize=13, fontweight="bold")
    _save(figure, path)


def _row(figure: Figure, panels: int, bottom: float) -> list[Axes]:
    axes = figure.subplots(1, panels, squeeze=False)[0]
    figure.subplots_adjust(left=0.065, right=0.985, top=0.91, bottom=bottom, wspace=0.22)
    return list(axes)


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold")
    clear(axes)
    axes.grid(color=BOLD_LINE, linewidth=0.7)
    axes.tick_params(labelsize=9)
    axes.xaxis.label.set_color(FAINT_INK)
    axes.yaxis.label.set_color(FAINT_INK)


def _save(figure: Figure, path: Path) -> None:
    """Without the library's version in the file, so that the same figures give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})
