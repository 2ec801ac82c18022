"""Timestamps as files write them: ISO 8601, read the same by every Python, and local times to UTC.

Belongs here: which texts are a time by ISO 8601, and which moment a local time is. Does not belong here: forms that
a dataset declares (`time_formats.py`), what is said about texts that are no time, times of ECG formats
(`vitalake/ecg/readers/`).
"""

from __future__ import annotations

import re
from datetime import datetime, timezone, tzinfo

_TIME = re.compile(
    r"""\s*([0-9]{4}-[0-9]{2}-[0-9]{2})
    (?:[Tt ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?
    \ ?([zZ]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?\s*""",
    re.ASCII | re.VERBOSE,
)


class SkippedTimeError(ValueError):
    """The clocks of the zone never show this time: they go forward over it."""


class RepeatedTimeError(ValueError):
    """The clocks of the zone show this time twice: they go back over it."""


def parse_timestamp(text: str, zone: tzinfo = timezone.utc) -> datetime:
    """A date, or a date with hours to nanoseconds, and a zone; in UTC.

    Without a zone it is in `zone`; a date alone is its midnight; what is finer than 1 µs is cut off.

    Raises:
        ValueError: it is none, or no calendar has it; `SkippedTimeError` or `RepeatedTimeError`.
        OverflowError: in UTC it is before the year 1 or after 9999.
    """
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError("not a date or time by ISO 8601")
    day, hour, minute, second, fraction, offset = found.groups()
    clock = f"{hour or '00'}:{minute or '00'}:{second or '00'}.{(fraction or '').ljust(6, '0')[:6]}"
    if offset is None:
        return in_utc(datetime.fromisoformat(f"{day}T{clock}"), zone)
    return datetime.fromisoformat(f"{day}T{clock}{iso_offset(offset)}").astimezone(timezone.utc)


def iso_offset(text: str) -> str:
    """An offset from UTC (`Z`, `+01`, `+0100`, `+01:00`) as every Python reads it."""
    digits = "+0000" if text in ("z", "Z") else text.replace(":", "").ljust(5, "0")
    return f"{digits[:3]}:{digits[3:]}"


def in_utc(local: datetime, zone: tzinfo) -> datetime:
    """The moment at which the clocks of a zone show a time.

    Raises:
        SkippedTimeError, RepeatedTimeError: there is none, or there are two.
        OverflowError: in UTC it is before the year 1 or after 9999.
    """
    if zone is timezone.utc:
        return local.replace(tzinfo=timezone.utc)
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    found = first.astimezone(timezone.utc)
    if first.utcoffset() != second.utcoffset():
        shown = found.astimezone(zone).replace(tzinfo=None)
        raise RepeatedTimeError if shown == local else SkippedTimeError
    return found
