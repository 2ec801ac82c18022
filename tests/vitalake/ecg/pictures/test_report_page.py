"""The page of one recording: its size follows its leads, and what crosses a limit keeps its colour."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vitalake.ecg.pictures.test_strip_rows import X, amount_of, pixels
from vitalake.ecg.pictures.ecg_grid import COLOURS, DrawnStrip
from vitalake.ecg.pictures.report_page import report_page_png
from vitalake.ecg.pictures.strip_rows import strips_png
from vitalake.ecg.quality.threshold_text import measure_lines


def page(leads: int, flat_run_s: float = 0.01, start_s: float = 0.0) -> bytes:
    strips = [
        DrawnStrip(f"V{number}", X, 360, "acceptable", r_peaks=np.array([144, 432])) for number in range(leads)
    ]
    measures = measure_lines([{"flat_run_s": flat_run_s}] * leads)
    return report_page_png("ecg/a.hea", ["wfdb"], "acceptable", (), strips, measures, start_s)


def test_twelve_leads_stand_in_two_columns() -> None:
    heights = [pixels(page(leads)).shape[0] for leads in (5, 6, 12)]
    assert heights[1] < heights[0] < heights[2]
    assert heights[2] - heights[1] == 3 * 150
    right_half = pixels(page(6))[:, 820:]
    assert (np.abs(right_half - (0x00, 0x72, 0xB2)).max(axis=-1) <= 12).sum() > 500


@pytest.mark.parametrize(("flat_run_s", "verdict"), [(0.5, "marginal"), (2.0, "unacceptable")])
def test_one_crossed_limit_shows_in_its_colour(flat_run_s: float, verdict: str) -> None:
    colour = {str(name): colour for name, colour in COLOURS.items()}[verdict]
    assert amount_of(colour, page(12)) == 0
    assert amount_of(colour, page(12, flat_run_s)) > 50


def test_the_axis_counts_from_where_the_strips_begin() -> None:
    assert page(1) != page(1, start_s=120.0)


def test_names_are_text_and_no_formulas() -> None:
    odd = DrawnStrip(r"$\frac{", X, 360, "acceptable", unit="$_{")
    png = report_page_png(r"ecg/$\frac{.mat", [r"$\frac{"], "acceptable", (), [odd], measure_lines([{}]))
    assert pixels(png).shape[1] == 1600
    assert pixels(strips_png([odd])).shape[1] == 1100
