"""Where the elements of a DICOM file begin: behind preamble and mark, or without them, as programs cut them off.

Belongs here: telling by the first bytes. Does not belong here: elements (`elements.py`, in the limited process).
"""

from __future__ import annotations

import re

MARK = b"DICM"
PREAMBLE_BYTES = 128

# File meta information (PS3.10 section 7.1) is always explicit and little endian: tag, kind of value.
_META = re.compile(rb"\x02\x00[\x00-\x16]\x00(?:UL|OB|UI|SH|AE)")
_IMPLICIT_META = re.compile(rb"\x02\x00\x00\x00\x04\x00\x00\x00....\x02\x00[\x01\x02]\x00", re.DOTALL)
# The elements that a data set may begin with: the length of its group, character set, image type, date and time of
# its creation, and what it is; implicit ones have a length where others have the kind of their value.
_FIRST = rb"[\x00\x05\x08\x12\x13\x14\x16\x18]"
_DATA_SET = re.compile(
    rb"\x08\x00" + _FIRST + rb"\x00(?:(?:UL|CS|DA|TM|UI)[\x02-\x40]\x00|\x04\x00\x00\x00....\x08\x00"
    rb"|[\x02-\x40]\x00\x00\x00[ -~]{2})"
    rb"|\x00\x08\x00" + _FIRST + rb"(?:UL|CS|DA|TM|UI)\x00[\x02-\x40]",
    re.DOTALL,
)


def meta_at(data: bytes) -> int | None:
    """Where the file meta information begins, which says how all else is encoded; None where there is none."""
    if data[PREAMBLE_BYTES : PREAMBLE_BYTES + len(MARK)] == MARK:
        return PREAMBLE_BYTES + len(MARK)
    if data.startswith(MARK) and _META.match(data, len(MARK)):
        return len(MARK)
    if _META.match(data):
        return 0
    return PREAMBLE_BYTES if not any(data[:PREAMBLE_BYTES]) and _META.match(data, PREAMBLE_BYTES) else None


def is_data_set(data: bytes) -> bool:
    """Whether these are elements of DICOM with nothing that says how they are encoded."""
    return bool(_DATA_SET.match(data) or _IMPLICIT_META.match(data))
