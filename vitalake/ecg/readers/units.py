"""Spellings of units: of voltage, with what each is worth in millivolts, of other quantities, and of none.

Belongs here: one table for the readers of all formats.
Does not belong here: what a file without a unit means; each format says that for itself.
"""

from __future__ import annotations

# Case is folded, which also makes the micro sign U+00B5 the Greek letter U+03BC. The price is that "MV" is taken as
# millivolts: recorders write it, and no electrode ever saw a megavolt.
_PER_MILLIVOLT = {
    **dict.fromkeys(("nv", "nanovolt", "nanovolts"), 1e6),
    **dict.fromkeys(("uv", "\N{GREEK SMALL LETTER MU}v", "microvolt", "microvolts"), 1e3),
    **dict.fromkeys(("mv", "millivolt", "millivolts"), 1.0),
    **dict.fromkeys(("v", "volt", "volts"), 1e-3),
}

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
        *("adc", "unit", "units", "dimensionless", "unitless", "no unit", "normalized"),
    )
)


def per_millivolt(unit: str) -> float | None:
    """How many of `unit` make 1 mV, e.g. 1000 for ``"uV"``; None where it is no voltage or says nothing (``""``).

    A gain per `unit` times this is the gain per mV.
    """
    return _PER_MILLIVOLT.get(unit.strip().casefold())


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
