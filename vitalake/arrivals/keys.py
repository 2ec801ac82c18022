"""The date that a key names.

Belongs here: the layouts in which keys name their date. Does not belong here: what a key without one belongs to
(`partitions.py`).
"""

from __future__ import annotations

import re
from datetime import date

# date=2026-11-20/ as Hive writes it, 2026/11/20/ as Firehose does; only whole path segments count. The last one
# does too: a console that makes a folder puts an empty object of its name, which obstore lists without the slash.
_DATE_IN_KEY = re.compile(r"(?:^|/)(?:date=(\d{4})-(\d{2})-(\d{2})|(\d{4})/(\d{2})/(\d{2}))(?:/|$)")


_LAST_DAY = date(2099, 12, 31)


def date_in_key(key: str) -> date | None:
    """The first calendar date among the path segments of a key, if there is one."""
    match = _DATE_IN_KEY.search(key)
    if match is None:
        return None
    year, month, day = (int(group) for group in match.groups() if group is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def dated(key: str, first_day: date) -> date | None:
    """The date that a key names, if it is a day of the calendar: from `first_day` to 2099."""
    named = date_in_key(key)
    return named if named is not None and first_day <= named <= _LAST_DAY else None
