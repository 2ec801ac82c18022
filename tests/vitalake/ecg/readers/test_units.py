from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.ecg.readers.units import other_quantity, per_millivolt, says_nothing


@pytest.mark.parametrize(
    ("spellings", "expected"),
    [
        (("mV", "mv", "MV", " mV ", "millivolt"), 1.0),
        (("uV", "uv", "UV", "\N{MICRO SIGN}V", "\N{GREEK SMALL LETTER MU}V", "\N{MICRO SIGN}v"), 1000.0),
        (("V", "v", "volts"), 0.001),
        (("nV", "NV"), 1e6),
    ],
)
def test_every_spelling_of_a_voltage_is_worth_the_same(spellings: tuple[str, ...], expected: float) -> None:
    assert {per_millivolt(unit) for unit in spellings} == {expected}


@pytest.mark.parametrize("unit", ["", " ", "mmHg", "%", "bpm", "mA", "m", "mV/s", "adu", "1", "kV", "Ohm"])
def test_what_is_no_voltage_has_no_value_in_millivolts(unit: str) -> None:
    assert per_millivolt(unit) is None


@given(st.text())
def test_any_text_is_a_voltage_or_is_not(unit: str) -> None:
    assert per_millivolt(unit) in (None, 1e6, 1e3, 1.0, 1e-3)


@pytest.mark.parametrize(
    ("unit", "kept"),
    [
        ("mmHg", "mmHg"),
        ("°C", "degC"),
        ("DegC", "degC"),
        ("m/s²", "m/s2"),
        ("[%]", "%"),
        ("G", "g"),
        ("kOhm", "kOhm"),
    ],
)
def test_units_of_other_quantities_have_one_spelling(unit: str, kept: str) -> None:
    assert other_quantity(unit) == kept


@pytest.mark.parametrize("unit", ["mV", "uV", "V", "", "adu", "a.u.", "furlong", "John"])
def test_other_units_are_of_no_other_quantity(unit: str) -> None:
    assert other_quantity(unit) is None


def test_words_for_no_unit() -> None:
    assert all(map(says_nothing, ("", " ", "a.u.", "counts", "N/A", "LSB", "[-]")))
    assert not any(map(says_nothing, ("mV", "mmHg", "furlong")))
