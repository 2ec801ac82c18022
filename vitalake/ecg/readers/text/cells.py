"""How a cell of a text is spelled: numbers with either decimal mark, missing values, dates and times of the day.

Belongs here: spellings. Does not belong here: where cells are (`layout.py`), what a column of them is (`table.py`,
`time_axis.py`).
"""

from __future__ import annotations

import re

NULLS = ("", "nan", "NaN", "NAN", "na", "NA", "n/a", "N/A", "null", "NULL", "None")
POINT_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
COMMA_NUMBER = r"^[+-]?([0-9]+(,[0-9]+)?|,[0-9]+)([eE][+-]?[0-9]+)?$"

# What Arrow reads by itself is a date as ISO 8601 has it; in front of or behind a time of the day others may stand,
# whose days and months nobody can tell apart, and need not: only the time of the day counts then.
_DATE = r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}"
CLOCK = (  # a pattern of RE2 too
    rf"^(?:{_DATE}[ T]+)?(?:(?P<h>[0-9]{{1,4}}):)?(?P<m>[0-9]{{1,6}}):"
    rf"(?P<s>[0-9]{{2}}(?:[.,][0-9]{{1,9}}|:[0-9]{{3}})?)"
    rf"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: +{_DATE})?$"
)

DAY = rf"^{_DATE}$"
_DAY = re.compile(DAY)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*|,[0-9]+)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?inf", re.IGNORECASE)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.,]{5,}(?: ?Z|[+-][0-9:]{2,6})?)?")
_CLOCK = re.compile(CLOCK)


def is_number(cell: str) -> bool:
    """Whether it is a number, with a decimal point or a decimal comma."""
    return bool(_NUMBER.fullmatch(cell))


def is_time(cell: str) -> bool:
    """Whether it is a date, a time of the day or both."""
    plain = cell.strip("[]")
    return bool(_TIME.fullmatch(plain) or _CLOCK.match(plain) or _DAY.match(plain))
