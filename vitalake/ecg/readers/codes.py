"""Codes of diagnoses, told from whatever else somebody may write in their place.

Belongs here: what a code of SNOMED CT or ICD-10 looks like. Does not belong here: where a format keeps them, or
what they mean.

A code is kept as it stands and seen by everybody, so six digits in a row are not enough: they may be a telephone
number, a record number or a date of birth. An identifier of SNOMED CT has a check digit, and says that it is one of
a concept.

Source: SNOMED CT Release File Specifications, "SCTID Constraints" and "Verhoeff Check".
"""

from __future__ import annotations

import re

# With the letters that ICD-10-CM has: I48.0, I21.A1, S52.521A, Z79.4.
_ICD_10 = re.compile(r"[A-Z]\d[0-9AB](?:\.[0-9A-Z][0-9X]{0,2}[0-9A-Z]?)?", re.ASCII)
# Before the check digit, 00 for a concept of the international edition and 10 for one of an extension.
_CONCEPT = re.compile(r"[1-9]\d{2,14}[01]0\d", re.ASCII)
_DATE = re.compile(r"(?:19|20)\d\d[01]\d[0-3]\d", re.ASCII)

# Multiplication in the dihedral group of order 10, and how a digit is permuted by its place.
# fmt: off
_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)
_PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)
# fmt: on


def is_diagnosis(text: str) -> bool:
    """Whether a text is a code of ICD-10, or the identifier of a concept of SNOMED CT and no day of a calendar."""
    if _CONCEPT.fullmatch(text):
        return _has_check_digit(text) and not _DATE.fullmatch(text)
    return _ICD_10.fullmatch(text) is not None


def _has_check_digit(digits: str) -> bool:
    found = 0
    for place, digit in enumerate(reversed(digits)):
        found = int(_PRODUCT[found][int(_PERMUTED[place % 8][int(digit)])])
    return found == 0
