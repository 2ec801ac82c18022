"""Spellings of the units of voltage, and what each is worth in millivolts.

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


def per_millivolt(unit: str) -> float | None:
    """How many of `unit` make 1 mV, e.g. 1000 for ``"uV"``; None where it is no voltage or says nothing (``""``).

    A gain per `unit` times this is the gain per mV.
    """
    return _PER_MILLIVOLT.get(unit.strip().casefold())
