"""Spellings of the units of voltage, and what each is worth in millivolts.

Belongs here: one table for the readers of all formats.
Does not belong here: what a file without a unit means; each format says that for itself.
"""

from __future__ import annotations

import re
import unicodedata

# Case is folded, which also makes the micro sign U+00B5 the Greek letter U+03BC. The price is that "MV" is taken as
# millivolts: recorders write it, and no electrode ever saw a megavolt.
_MICRO = "\N{GREEK SMALL LETTER MU}"
_PREFIXES = {
    **dict.fromkeys(("n", "nano"), 1e6),
    **dict.fromkeys(
        ("u", _MICRO, "micro", "mic", "mc", "\N{CYRILLIC SMALL LETTER EM}\N{CYRILLIC SMALL LETTER KA}"), 1e3
    ),
    **dict.fromkeys(("m", "milli", "\N{CYRILLIC SMALL LETTER EM}"), 1.0),
    "": 1e-3,
}
_VOLT = ("v", "volt", "volts", "\N{CYRILLIC SMALL LETTER VE}")
_PER_MILLIVOLT = {f"{prefix}{volt}": worth for prefix, worth in _PREFIXES.items() for volt in _VOLT}

# Recorders write the micro sign in the code page of their language, and a header has no room to say which: these
# are its bytes as Latin-1 has them. None of them begins a unit in Latin-1 itself.
_AS_LATIN_1 = (
    "\x83\xca",  # Shift JIS
    "\xa6\xcc",  # EUC-JP, GBK
    "\xa5\xec",  # EUC-KR
    "\xa3g",  # Big5
    "\xc2\xb5",  # UTF-8, the micro sign
    "\xce\xbc",  # UTF-8, the Greek letter
    "\xc3\x82\xc2\xb5",  # UTF-8 that was taken for Latin-1 and written as UTF-8
    "\xc3\x8e\xc2\xbc",
    "\xe6",  # the code pages 437 and 850 of DOS
    "\xec",  # the Greek code pages 1253 and ISO 8859-7
)
_MISREAD = re.compile(rf"(?:{'|'.join(map(re.escape, _AS_LATIN_1))})(?= ?v)", re.IGNORECASE)
_BRACKETS = ("()", "[]", "{}", "<>")


def per_millivolt(unit: str) -> float | None:
    """How many of `unit` make 1 mV, e.g. 1000 for ``"uV"``; None where it is no voltage or says nothing (``""``).

    Brackets, blanks, dashes and the case of letters make no other unit. A gain per `unit` times this is the gain
    per mV.
    """
    plain = unit.strip(" \t\0'\"")
    if plain[:1] + plain[-1:] in _BRACKETS:
        plain = plain[1:-1].strip()
    # NFKC: one character has one spelling, such as the square "mV" of Asian fonts, and the micro sign.
    plain = unicodedata.normalize("NFKC", _MISREAD.sub(_MICRO, plain)).casefold().rstrip(".")
    return _PER_MILLIVOLT.get(re.sub(r"(?<=\w)[ _-](?=v(?:olts?)?$)", "", plain))
