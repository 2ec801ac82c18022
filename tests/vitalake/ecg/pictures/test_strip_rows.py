"""The pictures: size, colours, and strips that are hard to draw."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from vitalake.ecg.pictures.ecg_grid import COLOURS, DrawnStrip
from vitalake.ecg.pictures.strip_rows import DayQuality, quality_png, strips_png
from vitalake.ecg.quality.rules import QUALITIES, Quality

TIME = np.arange(3600) / 360
X = 1.2 * np.exp(-0.5 * (((TIME % 0.8) - 0.4) / 0.012) ** 2)
REASONS: dict[Quality, tuple[str, ...]] = {"acceptable": (), "marginal": ("Q01",), "unacceptable": ("Q17",)}


def pixels(png: bytes) -> npt.NDArray[np.int64]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=np.int64)


def amount_of(colour: str, png: bytes) -> int:
    """Number of pixels that are nearly of that colour."""
    rgb = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    return int((np.abs(pixels(png) - rgb).max(axis=-1) <= 12).sum())


def test_a_row_per_strip_at_reading_size_in_few_bytes() -> None:
    noisy = X + np.random.default_rng(1).normal(0, 0.1, X.size)
    png = strips_png([DrawnStrip(f"strip {i}", noisy, 360, "acceptable") for i in range(10)])
    assert pixels(png).shape == (1230, 1100, 3)
    assert len(png) < 150_000


@pytest.mark.parametrize("quality", QUALITIES)
def test_each_verdict_has_its_own_colour(quality: Quality) -> None:
    png = strips_png([DrawnStrip("one", X, 360, quality, REASONS[quality])])
    assert amount_of(COLOURS[quality], png) > 500
    assert all(amount_of(COLOURS[other], png) < 20 for other in QUALITIES if other != quality)


def test_colours_differ_in_lightness_too() -> None:
    lightness = sorted(
        0.2126 * int(c[1:3], 16) + 0.7152 * int(c[3:5], 16) + 0.0722 * int(c[5:], 16) for c in COLOURS.values()
    )
    assert min(np.diff(lightness)) > 20


def test_the_reason_is_part_of_the_picture() -> None:
    with_reason, without = (strips_png([DrawnStrip("one", X, 360, "unacceptable", r)]) for r in (("Q04",), ()))
    assert with_reason != without


def test_a_head_takes_a_line_of_its_own() -> None:
    strip = DrawnStrip("one", X, 360, "acceptable")
    plain, headed = pixels(strips_png([strip])), pixels(strips_png([strip], "✓ 1 acceptable"))
    assert headed.shape[0] == plain.shape[0] + 34
    assert (headed[:28] < 100).any()


def test_r_peaks_are_marked_above_the_curve() -> None:
    peaks = np.array([X.argmax()])
    marked, bare = (
        pixels(strips_png([DrawnStrip("one", X, 360, "acceptable", r_peaks=found)])) for found in (peaks, peaks[:0])
    )
    rows, columns = np.nonzero(np.abs(marked - bare).max(axis=-1) > 100)
    assert 0 < np.ptp(columns) < 12
    at_s = (columns.mean() - 0.048 * 1100) / ((0.985 - 0.048) * 1100) * 10
    assert at_s == pytest.approx(peaks[0] / 360, abs=0.05)
    assert rows.max() < 26 + 90 / 3, "in the upper third"


def test_gaps_stay_gaps() -> None:
    gap = X.copy()
    gap[1000:2000] = np.nan
    whole, broken = (strips_png([DrawnStrip("one", x, 360, "acceptable")]) for x in (X, gap))
    assert amount_of(COLOURS["acceptable"], broken) < 0.85 * amount_of(COLOURS["acceptable"], whole)


def test_what_was_not_judged_has_no_verdicts_colour() -> None:
    png = strips_png([DrawnStrip("one", X, 360, None)])
    assert all(amount_of(colour, png) < 20 for colour in COLOURS.values())


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ((), "! marginal"),
        (("Q01", "Q03"), "! marginal: flat line, stuck at its limit"),
        (("M01", "Q01"), "! marginal: flat line, poor to the model"),
        (("M01",), "! marginal: poor to the model"),
        (("M01", "Q01", "Q17"), "! marginal: lead off"),
    ],
)
def test_reasons_are_words(reasons: tuple[str, ...], said: str) -> None:
    assert DrawnStrip("one", X, 360, "marginal", reasons).verdict_text == said


@pytest.mark.parametrize("unit", ["mV", "adu"])
@pytest.mark.parametrize(
    "x",
    [np.empty(0), np.array([0.3]), np.full(50, np.nan), np.zeros(3600), X * 4000, np.tile(X, 6)],
    ids=["empty", "one sample", "unknown", "constant", "stored units", "a minute"],
)
def test_any_strip_can_be_drawn_beside_a_good_one(x: npt.NDArray[np.float64], unit: str) -> None:
    odd = DrawnStrip("odd", x, 360, "unacceptable", ("Q17",), unit)
    png = strips_png([odd, DrawnStrip("good", X, 360, "acceptable")])
    assert amount_of(COLOURS["acceptable"], png) > 500


def test_no_recordings_are_said_in_words() -> None:
    for png in (strips_png([]), quality_png([])):
        assert 0 < (pixels(png) < 200).sum() < 30_000


def test_quality_falls_when_its_line_does() -> None:
    first = date(2026, 2, 27)
    values = (0.95, 0.6, 0.2)
    png = quality_png([DayQuality(first + timedelta(i), q, q, q - 0.1, q + 0.02) for i, q in enumerate(values)])
    image = pixels(png)
    left, width = 0.055 * 1100, 0.93 * 1100
    seen = []
    for number in range(3):
        column = round(left + width * (number - 1 + 4) / 8)
        marker = np.abs(image[60:, column] - (0x1F, 0x29, 0x33)).max(axis=-1) < 60  # the cross of the mean
        seen.append(np.flatnonzero(marker)[0])
    assert seen[0] < seen[1] < seen[2]
    slopes = np.diff(seen) / np.diff(values)
    assert slopes[0] == pytest.approx(slopes[1], rel=0.05), "the scale is linear"


def test_the_same_picture_is_the_same_bytes() -> None:
    assert strips_png([DrawnStrip("one", X, 360, "marginal", ("Q01",))]) == strips_png(
        [DrawnStrip("one", X, 360, "marginal", ("Q01",))]
    )


def test_importing_the_module_does_not_import_matplotlib() -> None:
    script = "import sys, vitalake.ecg.pictures.strip_rows; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
