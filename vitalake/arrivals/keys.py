"""The time that a key names.

Belongs here: the layouts in which keys name their date and hour, and what of them nobody can be sure of. Does not
belong here: what a key without a date belongs to (`partitions.py`).

Understood are `date=2026-11-20/` and `dt=2026-11-20/` (also with an hour, `dt=2026-11-20-05`, as S3 Inventory and
Firehose write it), `year=2026/month=11/day=20/` and `hour=05/` as Hive and Glue write them, `2026/11/20/` and
`2026/11/20/05/` as Firehose does, and `2026-11-20/`. Numbers that are no year name something else. The first date
in a key counts, so that a folder's name says what everything in it belongs to. Only whole path segments count. The
last one does too: an object whose key ends in a slash is listed without it (`resources/object_store.py`).
"""

from __future__ import annotations

import re
from datetime import date

from vitalake.arrivals.calendar import LAST_DAY, Calendar, Granularity, Partition

_NAMED = re.compile(
    r"""(?:^|/)(?:
        (?P<explicit>
            (?:date|dt)=(\d{4})-(\d\d)-(\d\d)(?:[T-](\d\d)(?:-\d\d)?)?
            | year=(\d{4})/month=(\d{1,2})/day=(\d{1,2})
        )
        | ((?:19|20)\d\d)/(\d\d)/(\d\d)(?:/(\d\d))?
        | ((?:19|20)\d\d)-(\d\d)-(\d\d)
    )(?=/|$)""",
    re.VERBOSE,
)
_HOUR = re.compile(r"(?:^|/)hour=(\d{1,2})(?=/|$)")
# Folders that say they are a date, in a form that is none of the above: day or month first, or any other.
_UNREAD = re.compile(r"(?:^|/)(?:(?:date|dt)=[^/]*|(?:\w+=)?\d{1,2}([-._])\d{1,2}\1\d{4})/")


def date_in_key(key: str) -> date | None:
    """The first calendar date among the path segments of a key, if there is one."""
    match = _NAMED.search(key)
    return None if match is None else _date(match)


def dated(key: str, calendar: Calendar) -> Partition | None:
    """The partition that a key names, if its date is one of the calendar: from the first day to 2099.

    Where there are hours, a date alone is its 00:00, as everywhere; an hour that no day has counts as none.
    """
    match = _NAMED.search(key)
    named = None if match is None else _date(match)
    if match is None or named is None or not calendar.first_day <= named <= LAST_DAY:
        return None
    hour = next(iter(_hours(key, match)), 0) if calendar.unit == "hour" else 0
    return calendar.of(named, hour if hour < 24 else 0)


def names_hour(key: str) -> bool:
    """Whether what follows in the key cannot change the hour that it names."""
    match = _NAMED.search(key)
    return match is not None and bool(_hours(key, match))


def unclear(key: str, unit: Granularity) -> str | None:
    """Why nobody can be sure of the time that a key names, in words without a value; None where it is clear.

    A date in the form `name=value` stands for itself: folders of other dates below it are the uploader's own.
    """
    names = list(_NAMED.finditer(key))
    if not names:
        return "the key names a date in a form that is not read" if _UNREAD.search(key) else None
    if _date(names[0]) is None:
        return "the key names a date that no calendar has"
    if len({_date(match) for match in names if match["explicit"] or not names[0]["explicit"]}) > 1:
        return "the key names more than one date"
    hours = set(_hours(key, names[0])) if unit == "hour" else set()
    if any(hour > 23 for hour in hours):
        return "the key names an hour that no day has"
    return "the key names more than one hour" if len(hours) > 1 else None


def _fields(match: re.Match[str]) -> list[str]:
    """Year, month, day, and the hour where it is named with them."""
    return [each for each in match.groups()[1:] if each is not None]


def _date(match: re.Match[str]) -> date | None:
    year, month, day = map(int, _fields(match)[:3])
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _hours(key: str, match: re.Match[str]) -> list[int]:
    """The hours that a key names with its date and behind it, in order; of any size."""
    return [int(hour) for hour in (*_fields(match)[3:], *_HOUR.findall(key, match.end()))]
