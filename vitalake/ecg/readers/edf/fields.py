"""Fields of the header of EDF and BDF files: text, numbers as text.

Belongs here: the spellings that recorders use. Does not belong here: what a field is for (`header.py`).
"""

from __future__ import annotations

import math
import re

from vitalake.errors import UnusableDataError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def text(field: bytes) -> str:
    """ASCII by the specification, UTF-8 or Latin-1 in the wild (µV); filled up with blanks, or with zeros."""
    try:
        text = field.decode("utf-8")
    except UnicodeDecodeError:
        text = field.decode("latin-1")
    return text.strip("\0 \t\r\n")


def number(field: bytes, what: str) -> float:
    """A finite number, with a point or a comma; UnusableDataError, S02, names `what` where it is none."""
    spelled = text(field).replace(",", ".")
    value = float(spelled) if _NUMBER.fullmatch(spelled) else math.nan
    if not math.isfinite(value):
        raise UnusableDataError("S02", f"{what} is not a number")
    return value


def whole(field: bytes, what: str) -> int:
    """As `number`, and whole."""
    value = number(field, what)
    if value != int(value):
        raise UnusableDataError("S02", f"{what} is {value:g}, expected a whole number")
    return int(value)
