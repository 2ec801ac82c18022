"""The outer layout of SCP-ECG files: a record of numbered sections with checksums, and the tags of section 1.

Belongs here: EN 1064:2005+A1:2007, 5.1 to 5.4. Does not belong here: what the leads hold (`scp`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from vitalake.ecg.readers import names
from vitalake.ecg.readers.crc import crc_ccitt
from vitalake.ecg.recording import CLOCK_TIME, Finding
from vitalake.errors import UnusableDataError

RECORD_HEADER, SECTION_HEADER, POINTER_BYTES = 6, 16, 10
MAX_SECTIONS = 100
NO_ZONE = 0x7FFF
PATIENT_ID, DEVICE, DATE, TIME, ZONE, LAST_TAG = 2, 14, 25, 26, 34, 255


def recognises(data: bytes) -> bool:
    """True where the first section is called SCPECG, or, as before version 1.3, where lengths and CRC fit one."""
    if data[16:22] == b"SCPECG":
        return True
    if len(data) < 142 or data[8:10] != b"\0\0" or int.from_bytes(data[2:6], "little") != len(data):
        return False
    end = RECORD_HEADER + int.from_bytes(data[10:14], "little")
    return 142 <= end <= len(data) and crc_ccitt(data[8:end]) == int.from_bytes(data[6:8], "little")


def read_sections(data: bytes, findings: list[Finding]) -> dict[int, bytes]:
    """Content, without its header, of every section that is not empty, by number; adds to `findings`.

    Raises:
        UnusableDataError: S02, the layout is broken; S08, the file is cut off.
    """
    if not recognises(data):
        raise UnusableDataError("S02", f"{len(data):,} bytes that do not begin as an SCP-ECG record does")
    length = int.from_bytes(data[2:6], "little")
    if length > len(data):
        raise UnusableDataError("S08", f"the file ends after {len(data):,} bytes, the record declares {length:,}")
    if length < len(data):
        findings.append(Finding("S15", f"{len(data) - length:,} bytes follow the record of {length:,}"))
    _check_crc(data, 0, length, "the record", findings)
    pointers_end = RECORD_HEADER + int.from_bytes(data[10:14], "little")
    number = (pointers_end - RECORD_HEADER - SECTION_HEADER) // POINTER_BYTES
    if not 1 <= number <= MAX_SECTIONS or pointers_end > length:
        raise UnusableDataError("S02", f"section 0 points to {number:,} sections, expected 1 to {MAX_SECTIONS}")
    sections: dict[int, bytes] = {}
    for pointer in range(number):
        at = RECORD_HEADER + SECTION_HEADER + POINTER_BYTES * pointer
        section, size, index = struct.unpack_from("<HII", data, at)
        start = index - 1  # the standard counts bytes from 1
        if not size:
            continue
        if size < SECTION_HEADER or start < 0 or start + size > length:
            raise UnusableDataError(
                "S02", f"section {section} of {size:,} bytes at {start:,} is outside the record"
            )
        if section in sections or int.from_bytes(data[start + 2 : start + 4], "little") != section:
            raise UnusableDataError(
                "S02", f"no section {section} of its own at byte {start:,}, where one should be"
            )
        _check_crc(data, start, size, f"section {section}", findings)
        sections[section] = data[start + SECTION_HEADER : start + size]
    return sections


def read_tags(content: bytes) -> dict[int, bytes]:
    """The fields of section 1 by tag number, the first of each; what is cut off is left out."""
    tags: dict[int, bytes] = {}
    for tag, value in _iterate_tags(content):
        tags.setdefault(tag, value)
    return tags


def started_at(tags: dict[int, bytes]) -> datetime | None:
    """Date and time of acquisition, moved to UTC where the file knows its time zone; None where there is none."""
    date, time, zone = tags.get(DATE, b""), tags.get(TIME, b""), tags.get(ZONE, b"")
    if len(date) < 4 or len(time) < 3:
        return None
    minutes = int.from_bytes(zone[:2], "little", signed=True) if len(zone) >= 2 else NO_ZONE
    try:
        year, month, day = struct.unpack_from("<HBB", date)
        hour, minute, second = time[:3]
        local = datetime(year, month, day, hour, minute, second, tzinfo=CLOCK_TIME)
        return local if minutes == NO_ZONE else (local - timedelta(minutes=minutes)).replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        return None


def subject(tags: dict[int, bytes]) -> str | None:
    """The patient identification number, and nothing else that section 1 says of a person."""
    return names.subject_identifier(_text(tags.get(PATIENT_ID, b"")))


def device_model(tags: dict[int, bytes]) -> str | None:
    """The model of the acquiring device, five letters at most; the serial number stays where it is."""
    return names.device_model(_text(tags.get(DEVICE, b"")[8:14]))


def _check_crc(data: bytes, start: int, size: int, what: str, findings: list[Finding]) -> None:
    """S15 unless the first two bytes are the checksum of the others."""
    stored = int.from_bytes(data[start : start + 2], "little")
    computed = crc_ccitt(memoryview(data)[start + 2 : start + size])
    if stored != computed:
        findings.append(Finding("S15", f"the CRC of {what} is {stored:#06x}, its content gives {computed:#06x}"))


def _iterate_tags(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 3 <= len(content) and content[at] != LAST_TAG:
        end = at + 3 + int.from_bytes(content[at + 1 : at + 3], "little")
        if end > len(content):
            return
        yield content[at], content[at + 3 : end]
        at = end


def _text(value: bytes) -> str:
    return value.split(b"\0")[0].decode("latin-1")
