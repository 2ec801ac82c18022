"""Which spellings are a declared name, and which only look like one."""

from __future__ import annotations

import unicodedata

import pytest

from vitalake.records.names import DeclaredNames, declared_names

NAMES = ("Region", "ID", "Größe (cm)", "Wert (µmol/l)", "Probe-Nr.", "Temp (°C)", "diagnosis", "Å")


@pytest.fixture
def known() -> DeclaredNames:
    return declared_names(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_letters_are_the_same_name(known: DeclaredNames, name: str) -> None:
    spellings = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    spellings += [f"\ufeff{name}", f" {name}\u00a0", f"{name}\u200b", f"\u202a{name}\u202c"]
    assert {known.declared(each) for each in spellings} == {name}
    assert known.declared("\u212b") == "Å", "the sign of the unit is that letter"


@pytest.mark.parametrize(
    ("name", "declared", "sign"),
    [
        ("Regi\u043en", "Region", "U+043E CYRILLIC SMALL LETTER O"),
        ("Regi\u03bfn", "Region", "U+03BF GREEK SMALL LETTER OMICRON"),
        ("\uff32\uff45\uff47\uff49\uff4f\uff4e", "Region", "U+FF32 FULLWIDTH LATIN CAPITAL LETTER R"),
        ("Reg\u0131on", "Region", "U+0131 LATIN SMALL LETTER DOTLESS I"),
        ("Reg\u200bion", "Region", "U+200B ZERO WIDTH SPACE"),
        ("Regi\u00adon", "Region", "U+00AD SOFT HYPHEN"),
        ("\u0406D", "ID", "U+0406 CYRILLIC CAPITAL LETTER BYELORUSSIAN-UKRAINIAN I"),
        ("\u0130D", "ID", "U+0130 LATIN CAPITAL LETTER I WITH DOT ABOVE"),
        ("Probe\u2011Nr.", "Probe-Nr.", "U+2011 NON-BREAKING HYPHEN"),
        ("Probe\u2013Nr.", "Probe-Nr.", "U+2013 EN DASH"),
        ("Probe\u2212Nr.", "Probe-Nr.", "U+2212 MINUS SIGN"),
        ("Wert (\u03bcmol/l)", "Wert (µmol/l)", "U+03BC GREEK SMALL LETTER MU"),
        ("Wert\u00a0(µmol/l)", "Wert (µmol/l)", "U+00A0 NO-BREAK SPACE"),
        ("Temp (\u00baC)", "Temp (°C)", "U+00BA MASCULINE ORDINAL INDICATOR"),
        ("Temp (\u2103)", "Temp (°C)", "U+2103 DEGREE CELSIUS"),
        ("d\U0001d422agnosis", "diagnosis", "U+1D422 MATHEMATICAL BOLD SMALL I"),
        ("d\u13a5agnosis", "diagnosis", "U+13A5 CHEROKEE LETTER V"),
        ("Große (cm)", "Größe (cm)", "lacks U+00F6 LATIN SMALL LETTER O WITH DIAERESIS"),
    ],
)
def test_a_look_alike_is_told_by_its_code_point(known: DeclaredNames, name: str, declared: str, sign: str) -> None:
    assert known.declared(name) is None
    assert known.resembled(name) == declared
    said = known.likeness(name) or ""
    assert f"looks like {declared!r}" in said
    assert sign in said


@pytest.mark.parametrize("name", ["", "other", "Regio", "Regions", "größte", "年齢", "x"])
def test_another_name_looks_like_none(known: DeclaredNames, name: str) -> None:
    assert (known.declared(name), known.likeness(name)) == (None, None)


def test_another_case_is_another_name_and_is_told(known: DeclaredNames) -> None:
    assert known.declared("region") is None
    assert known.resembled("region") is None
    assert known.likeness("region") == "a name differs from 'Region' in upper and lower case"
