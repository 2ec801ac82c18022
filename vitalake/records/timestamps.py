"""Timestamps as files write them: ISO 8601, read the same by every Python.

Belongs here: which texts are a time, and which one. Does not belong here: what is said about those that are none,
times of ECG formats (`vitalake/ecg/readers/`).
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

_TIME = re.compile(
    r"""\s*([0-9]{4}-[0-9]{2}-[0-9]{2})
    (?:[Tt ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?
    \ ?([zZ]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?\s*""",
    re.ASCII | re.VERBOSE,
)


def parse_timestamp(text: str) -> datetime:
    """A date, or a date with hours to nanoseconds, and a zone; in UTC.

    Without a zone it is in UTC; a date alone is its midnight; what is finer than 1 µs is cut off.

    Raises:
        ValueError: it is none, or no calendar has it.
        OverflowError: in UTC it is before the year 1 or after 9999.
    """
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError("not a date or time by ISO 8601")
    day, hour, minute, second, fraction, zone = found.groups()
    zone = "+0000" if zone in (None, "z", "Z") else zone.replace(":", "").ljust(5, "0")
    clock = f"{hour or '00'}:{minute or '00'}:{second or '00'}.{(fraction or '').ljust(6, '0')[:6]}"
    return datetime.fromisoformat(f"{day}T{clock}{zone[:3]}:{zone[3:]}").astimezone(timezone.utc)
