"""ECG paper: the colours and signs of verdicts, and a strip drawn on its grid.

Belongs here: what every picture of a recording shares. Does not belong here: what a picture is made of
(`strip_rows.py`, `report_page.py`), what pictures of any dataset share (`vitalake/charts/figures.py`), measuring,
judging.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vitalake.charts.figures import (
    BAD,
    BOLD_LINE,
    DOUBTFUL,
    FAINT_INK,
    FINE_LINE,
    GOOD,
    INK,
    Shade,
    clear,
    drawable,
)
from vitalake.ecg.quality.quality_model import MODEL_REASON
from vitalake.ecg.quality.rules import Quality, in_words
from vitalake.ecg.recording import MILLIVOLT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADES: dict[Quality, Shade] = {"acceptable": GOOD, "marginal": DOUBTFUL, "unacceptable": BAD}
COLOURS: dict[Quality, str] = {quality: shade.colour for quality, shade in SHADES.items()}
SIGNS: dict[Quality, str] = {quality: shade.sign for quality, shade in SHADES.items()}
MIN_SPAN_MV = 2.0
_WORDS_CHARS = 90
_MODEL_WORDS = "poor to the model"


@dataclass(frozen=True)
class DrawnStrip:
    """One strip to draw.

    Args:
        title: what it is.
        x: samples in `unit`, shape (samples,); gaps are NaN.
        sampling_rate_hz: samples a second.
        verdict: None: not judged.
        reasons: ids of the rules that fired.
        unit: as in `Lead.unit`.
        r_peaks: positions of the R peaks in `x`.
    """

    title: str
    x: npt.NDArray[np.float64]
    sampling_rate_hz: float
    verdict: Quality | None
    reasons: tuple[str, ...] = ()
    unit: str = MILLIVOLT
    r_peaks: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def duration_s(self) -> float:
        """Length in s."""
        return len(self.x) / self.sampling_rate_hz

    @property
    def colour(self) -> str:
        """The colour of its verdict."""
        return COLOURS[self.verdict] if self.verdict else FAINT_INK

    @property
    def verdict_text(self) -> str:
        """Verdict and reasons in words."""
        return verdict_text(self.verdict, self.reasons)


def verdict_text(verdict: Quality | None, reasons: tuple[str, ...], most_chars: int = _WORDS_CHARS) -> str:
    """Sign, verdict and reasons in words, cut to a length: ``✕ unacceptable: flat line, stuck at its limit``."""
    if verdict is None:
        return "not judged"
    by_rule = in_words(reason for reason in reasons if reason != MODEL_REASON)
    # The model knows no single cause, so it is heard where no rule says enough.
    why = ", ".join(
        filter(None, (by_rule, _MODEL_WORDS if MODEL_REASON in reasons and "Q17" not in reasons else ""))
    )
    noted = f" (noted: {why})" if verdict == "acceptable" else f": {why}"  # what is noted is no reason
    words = f"{SIGNS[verdict]} {verdict}{noted * bool(why)}"
    return words if len(words) <= most_chars else words[: most_chars - 1] + "…"


def draw(axes: Axes, strip: DrawnStrip, duration_s: float) -> None:
    """A strip on ECG paper, 0.2 s by 0.5 mV, in the colour of its verdict, R peaks marked at the upper edge.

    The vertical scale is the strip's own and shows at least 2 mV; a strip in another unit has round steps.
    """
    finite = strip.x[np.isfinite(strip.x)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    calibrated = strip.unit == MILLIVOLT
    span = max(MIN_SPAN_MV if calibrated else 1e-6 + 1e-3 * abs(high), (high - low) * 1.2)
    bottom = (low + high - span) / 2 + 0.04 * span  # room above for the marks
    axes.set(xlim=(0, duration_s), ylim=(bottom, bottom + span))
    slower = 1 + int(duration_s / 15)  # a long or wild strip keeps a legible grid
    bold = float(1 + int(span / 5)) if calibrated else _round_step(span / 3)
    for every_s, every, colour in ((0.2, bold / 2, FINE_LINE), (1.0, bold, BOLD_LINE)):
        times = np.arange(0, duration_s + 1e-9, every_s * slower)
        levels = np.arange(np.ceil(bottom / every), (bottom + span) / every) * every
        # Lines, not ticks: a tick costs a millisecond, and there are hundreds.
        axes.vlines(times, bottom, bottom + span, colour, linewidth=0.8)
        axes.hlines(levels, 0, duration_s, colour, linewidth=0.8)
    axes.set(xticks=[], yticks=levels)
    clear(axes)
    time = np.arange(len(strip.x)) / strip.sampling_rate_hz
    axes.plot(time, strip.x, color=strip.colour, linewidth=1.1, solid_joinstyle="round")
    beats = strip.r_peaks / strip.sampling_rate_hz
    axes.plot(beats, np.full(len(beats), bottom + 0.97 * span), linestyle="", marker="v", color=INK, markersize=4)
    axes.set_ylabel(drawable(strip.unit, 16), color=FAINT_INK, fontsize=8, labelpad=2, parse_math=False)


def _round_step(span: float) -> float:
    """1, 2 or 5 times a power of ten, at most `span`."""
    power = 10.0 ** np.floor(np.log10(span))
    return float(power * next(step for step in (5, 2, 1) if step * power <= span * (1 + 1e-9)))
