"""Whether a comma is a decimal mark, lies between two cells, or separates thousands.

Belongs here: weighing what rows show. Does not belong here: which delimiter a text has otherwise (`layout.py`),
columns of numbers with a comma (`table.py`).

A program that writes in the user's language writes 0,5 for a half, and may put it into a CSV file as it is. Nothing
but the rows themselves tells 12,5 from 12 and 5 then, and a wrong answer would look like two leads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from vitalake.ecg.readers.units import per_millivolt

MANY_ROWS = 50  # fewer are no second of an ECG, and show too little
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DIGITS = re.compile(r"[0-9]+")
# A number with a comma that may separate thousands, and one that needs none.
THOUSANDS = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"
BELOW_THOUSAND = r"^[+-]?[0-9]{1,3}$"


class Mark(Enum):
    """What a comma is."""

    CELLS = "between cells"
    DECIMAL = "decimal mark"
    UNCLEAR = "either"


def mark_of_pairs(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Mark:
    """What the commas of these rows are, which were split at each.

    Args:
        names: what names the columns, or the only lead; empty where nothing does.
        rows: cells; a number without a fraction has one.
    """
    pairs = [row for row in rows if len(row) > 1]
    width = len(pairs[0]) if pairs else 0
    halves = len(names) == width / 2 or (width == 2 == len(names) and per_millivolt(names[1]) is not None)
    if width % 2 or any(len(row) != width for row in pairs) or not all(map(_could_be_decimals, pairs)):
        return Mark.CELLS
    if width > 2:
        return Mark.UNCLEAR if halves else Mark.CELLS
    if names and halves:
        return Mark.DECIMAL
    padded = any(_begins_with_zero(row[1]) for row in pairs) and not any(_begins_with_zero(row[0]) for row in pairs)
    surely = padded or any(row[0] in ("-0", "+0") for row in pairs)
    if names:
        return Mark.UNCLEAR if surely else Mark.CELLS
    whole = any(len(row) == 1 and row[0] for row in rows) and not any(row[1].endswith("0") for row in pairs)
    if surely or (whole and len(pairs) >= MANY_ROWS):
        return Mark.DECIMAL
    tenths = {row[1] for row in pairs}
    return Mark.UNCLEAR if len(pairs) >= MANY_ROWS and tenths == set("0123456789") else Mark.CELLS


def _could_be_decimals(row: Sequence[str]) -> bool:
    """Whether each first cell of two is a whole number, and each second one digits behind its comma."""
    return all(_WHOLE.fullmatch(cell) for cell in row[::2]) and all(_DIGITS.fullmatch(cell) for cell in row[1::2])


def _begins_with_zero(cell: str) -> bool:
    digits = cell.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0"
