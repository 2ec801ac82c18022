"""Spellings of units: of voltage, with what each is worth in millivolts, of other quantities, and of none.

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

# A unit is free text in most formats, and free text may say anything: only these are kept.
_KEPT = (
    "mmHg cmH2O kPa Pa hPa mbar bar % pm bpm 1/min /min rpm Hz Ohm kOhm MOhm mA uA l/min L/min ml L l degC C degF "
    "K g mg kg m/s2 m/s^2 s ms us min deg deg/s rad rad/s uS lux dB W uT mT m cm mm ppm"
)
_OTHERWISE_SPELT = {
    "°c": "degC",
    "celsius": "degC",
    "grad c": "degC",
    "deg c": "degC",
    "°f": "degF",
    "m/s²": "m/s2",
    "ms-2": "m/s2",
    "m s-2": "m/s2",
    "gs": "g",
    "g-force": "g",
    "g's": "g",
    "°": "deg",
    "degree": "deg",
    "degrees": "deg",
    "°/s": "deg/s",
    "dps": "deg/s",
    "percent": "%",
    "prozent": "%",
    "beats/min": "bpm",
    "breaths/min": "1/min",
    "min-1": "1/min",
    "ω": "Ohm",
    "kω": "kOhm",
    "ohms": "Ohm",
    "μs": "uS",
    "microsiemens": "uS",
    "μt": "uT",
    "torr": "mmHg",
    "mm hg": "mmHg",
    "mm[hg]": "mmHg",
    "cm[h2o]": "cmH2O",
    "cel": "degC",
    "cm h2o": "cmH2O",
    "liter": "L",
    "sec": "s",
    "seconds": "s",
    "msec": "ms",
}
_OF_OTHER_QUANTITIES = {**{unit.casefold(): unit for unit in reversed(_KEPT.split())}, **_OTHERWISE_SPELT}
_NO_UNITS = frozenset(
    (
        *(
            "",
            "adu",
            "nu",
            "n/a",
            "na",
            "nd",
            "-",
            "--",
            "none",
            "null",
            "unknown",
            "1",
            "?",
            "x",
            "count",
            "counts",
        ),
        *("digit", "digits", "lsb", "lsbs", "bit", "bits", "raw", "au", "a.u.", "a.u", "arb", "arb.", "arb. unit"),
        *("adc", "unit", "units", "dimensionless", "unitless", "no unit", "no units", "no_units", "normalized"),
    )
)


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


def other_quantity(unit: str) -> str | None:
    """How the tables spell a unit that is none of voltage, e.g. "degC" for "°C"; None where it is not known."""
    return _OF_OTHER_QUANTITIES.get(_bare(unit))


def says_nothing(unit: str) -> bool:
    """Whether a unit is only a word for stored units, or for none: ``""``, "a.u.", "counts"."""
    return _bare(unit) in _NO_UNITS


def _bare(unit: str) -> str:
    """Without blanks and one pair of brackets around it, in lower case."""
    text = unit.strip().casefold()
    return text[1:-1].strip() if text[:1] + text[-1:] in ("[]", "()", "{}") else text
