"""Values of DICOM elements: text, numbers, codes, dates, as PS3.5 section 6.2 spells them.

Belongs here: from the bytes of one element to a value, or to nothing where they are none.
Does not belong here: where an element is (`dicom_elements`), what it is for (`dicom`).
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone

from vitalake.ecg.readers.dicom.elements import Elements, Span

CODE, MEANING = 0x00080100, 0x00080104
MAX_TEXT = 64  # characters of a long string (LO)

_DATE_TIME = re.compile(r"(\d{8})(\d{2})(\d{2})?(\d{2})?(?:\.(\d{1,6}))?([+-]\d{4})?", re.ASCII)
_ZONE = re.compile(r"([+-])(\d{2})(\d{2})", re.ASCII)

Values = dict[int, Span]


def coded(elements: Elements, values: Values, tag: int) -> tuple[str, str]:
    """Code and meaning of the first item of a code sequence."""
    for span in elements.items(values.get(tag, (0, 0))):
        code = elements.find(span, frozenset((CODE, MEANING)))
        return text_of(elements, code, CODE), text_of(elements, code, MEANING)
    return "", ""


def text_of(elements: Elements, values: Values, tag: int) -> str:
    """First value of a text element, ``""`` where there is none."""
    start, end = values.get(tag, (0, 0))
    raw = elements.data[start : min(end, start + 4 * MAX_TEXT)]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.split("\\")[0].strip("\0 ")[:MAX_TEXT]


def number_of(elements: Elements, values: Values, tag: int) -> float | None:
    """First value of a decimal string; None where there is no finite number."""
    try:
        value = float(text_of(elements, values, tag))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def count_of(elements: Elements, values: Values, tag: int) -> int:
    """An unsigned integer of two or four bytes; 0 where there is none."""
    start, end = values.get(tag, (0, 0))
    if end - start not in (2, 4):
        return 0
    raw = elements.data[start:end]
    return int.from_bytes(raw, "little") if elements.encoding.order == "<" else int.from_bytes(raw, "big")


def date_time(text: str, zone: str) -> datetime | None:
    """A date with at least an hour; its own offset goes before that of the data set, and UTC after both."""
    written = _DATE_TIME.fullmatch(text)
    if not written:
        return None
    date, hour, minute, second, fraction, own_zone = written.groups()
    offset = _ZONE.fullmatch(own_zone or zone)
    try:
        local = datetime.strptime(date + hour + (minute or "00") + (second or "00"), "%Y%m%d%H%M%S")
        if offset:
            ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
            local -= -ahead if offset[1] == "-" else ahead
        return local.replace(microsecond=int((fraction or "0").ljust(6, "0")), tzinfo=timezone.utc)
    except (ValueError, OverflowError):  # no such day or hour: nobody knows when
        return None
