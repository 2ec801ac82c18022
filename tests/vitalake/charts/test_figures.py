"""Bars over days: as high as they should be, in their colours, within the picture."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.vitalake.ecg.pictures.test_strip_rows import amount_of, pixels
from vitalake.charts.figures import BAD, DOUBTFUL, GOOD, bars_by_day
from vitalake.charts.records_over_time import records_over_time

KINDS = {"fine": GOOD, "odd": DOUBTFUL, "bad": BAD}
FIRST = date(2026, 2, 27)


def test_bars_are_as_high_as_their_counts() -> None:
    png = bars_by_day("Things per day", KINDS, [(FIRST + timedelta(i), {"fine": 40, "bad": 20}) for i in range(3)])
    good, bad = (amount_of(shade.colour, png) for shade in (GOOD, BAD))
    assert good / bad == pytest.approx(2, rel=0.1)
    assert amount_of(DOUBTFUL.colour, png) < 500  # its sign in the legend only


def test_many_days_stay_within_the_picture() -> None:
    png = bars_by_day("Things per day", KINDS, [(FIRST + timedelta(i), {"fine": i}) for i in range(200)])
    assert pixels(png).shape[1] == 1100
    assert len(png) < 150_000


def test_nothing_is_said_in_words() -> None:
    assert 0 < (pixels(bars_by_day("Things per day", KINDS, [])) < 200).sum() < 30_000


def test_what_is_refused_shows_among_the_records_of_a_day() -> None:
    pictures = [records_over_time([(FIRST, 50, 0, 0)]), records_over_time([(FIRST, 50, 0, 50)])]
    few, many = (amount_of(BAD.colour, png) for png in pictures)
    assert many > few + 10_000
