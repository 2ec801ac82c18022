from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.ecg.readers.units import per_millivolt


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
