from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.ecg.readers.units import other_quantity, per_millivolt, says_nothing


@pytest.mark.parametrize(
    ("spellings", "expected"),
    [
        (("mV", "mv", "MV", " mV ", "millivolt", "milliVolts", "mVolt", "milli-volts", "[mV]", "(mV)", "m V"), 1.0),
        (
            ("uV", "uv", "UV", "\N{MICRO SIGN}V", "\N{GREEK SMALL LETTER MU}V", "\N{MICRO SIGN}v", "[uV]", "mcV"),
            1e3,
        ),
        (
            ("\N{SQUARE MU V}", "\N{CYRILLIC SMALL LETTER EM}\N{CYRILLIC SMALL LETTER KA}\u0412", "{uV}", "uVolts"),
            1e3,
        ),
        (("V", "v", "volts", "Volt", "[V]"), 0.001),
        (("nV", "NV"), 1e6),
    ],
)
def test_every_spelling_of_a_voltage_is_worth_the_same(spellings: tuple[str, ...], expected: float) -> None:
    assert {per_millivolt(unit) for unit in spellings} == {expected}


@pytest.mark.parametrize(
    "unit",
    [
        "",
        " ",
        "mmHg",
        "%",
        "bpm",
        "mA",
        "m",
        "mV/s",
        "adu",
        "1",
        "kV",
        "Ohm",
        "?V",
        "\ufffdV",
        "uV/s",
        "-V",
        "Lead V",
        "IV",
    ],
)
def test_what_is_no_voltage_has_no_value_in_millivolts(unit: str) -> None:
    assert per_millivolt(unit) is None


@pytest.mark.parametrize(
    "encoding",
    ["shift_jis", "euc_jp", "gbk", "big5", "euc_kr", "utf-8", "latin-1", "cp1252", "cp437", "cp850", "cp1253"],
)
def test_a_micro_sign_in_any_code_page_is_one_where_it_is_read_as_latin_1(encoding: str) -> None:
    for sign in ("\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"):
        try:
            written = f"{sign}V".encode(encoding)
        except UnicodeEncodeError:
            continue
        assert per_millivolt(written.decode("latin-1")) == 1000.0


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
