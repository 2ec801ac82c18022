"""SCP-ECG records made up for tests, with an encoder of their own, written from EN 1064:2005+A1:2007.

Belongs here: a writer that shares no line with the reader, not even the checksum or the code table. Does not belong
here: expectations.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

# The default table of the standard as bits in the order in which they are sent.
DEFAULT_CODES = {0: "0"} | {
    sign * size: "1" * size + "0" + ("0" if sign > 0 else "1") for size in range(1, 9) for sign in (1, -1)
}
DEFAULT_8_BITS, DEFAULT_16_BITS = "1111111110", "1111111111"


class Tables(NamedTuple):
    """Content of section 2 and the codes it describes: values by bits, then what announces 8 and 16 plain bits."""

    content: bytes
    codes: dict[int, str]
    plain_8: str | None
    plain_16: str


DEFAULT = Tables(struct.pack("<H", 19999), DEFAULT_CODES, DEFAULT_8_BITS, DEFAULT_16_BITS)


def crc(data: bytes | bytearray) -> int:
    """CRC-CCITT bit by bit."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1) ^ 0x1021 if register & 0x8000 else register << 1
            register &= 0xFFFF
    return register


def row(bits: str, total: int, value: int, *, stays: bool = True) -> bytes:
    """A row of a code table in section 2; its code has the first bit in the lowest place."""
    code = sum(1 << place for place, bit in enumerate(bits) if bit == "1")
    return struct.pack("<BBBhI", len(bits), total, stays, value, code)


def own_table() -> Tables:
    """A table unlike the default one: one to three values, everything else in 16 bits."""
    codes = {1: "0", 0: "10", -300: "110"}
    rows = [row(bits, len(bits), value) for value, bits in codes.items()] + [row("111", 19, 0)]
    return Tables(struct.pack("<HH", 1, len(rows)) + b"".join(rows), codes, None, "111")


def huffman(values: Sequence[int], tables: Tables = DEFAULT) -> bytes:
    """Codes of `values` one after the other, highest bit first, filled up with zeros to an even number of bytes."""
    sent = []
    for value in values:
        if value in tables.codes:
            sent.append(tables.codes[value])
        elif tables.plain_8 and -128 <= value < 128:
            sent.append(tables.plain_8 + f"{value & 0xFF:08b}")
        else:
            sent.append(tables.plain_16 + f"{value & 0xFFFF:016b}")
    bits = "".join(sent)
    bits += "0" * (-len(bits) % 16)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def differences(values: Sequence[int], order: int) -> list[int]:
    """`values`, or what is left after subtracting the prediction from one or two earlier samples."""
    if order == 1:
        return [value - (values[at - 1] if at else 0) for at, value in enumerate(values)]
    if order == 2:
        later = [values[at] - 2 * values[at - 1] + values[at - 2] for at in range(2, len(values))]
        return [*values[:2], *later]
    return list(values)


def plain(values: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(values)}h", *values)


def waveforms(
    leads: Sequence[bytes], *, amplitude: int = 5000, interval: int = 2000, order: int = 0, bimodal: int = 0
) -> bytes:
    """Content of section 5 or 6 from the bytes of each lead."""
    lengths = struct.pack(f"<{len(leads)}H", *(len(lead) & 0xFFFF for lead in leads))
    return struct.pack("<HHBB", amplitude, interval, order, bimodal) + lengths + b"".join(leads)


def lead_table(rows: Sequence[tuple[int, int, int]], flags: int = 4) -> bytes:
    """Content of section 3 from first sample, last sample and lead code."""
    return struct.pack("<BB", len(rows), flags) + b"".join(struct.pack("<IIB", *one) for one in rows)


def tags(**values: bytes) -> bytes:
    """Content of section 1 from fields ``t2=b"..."``, in order."""
    fields = [struct.pack("<BH", int(name[1:]), len(value)) + value for name, value in values.items()]
    return b"".join(fields) + struct.pack("<BH", 255, 0)


def record(sections: dict[int, bytes]) -> bytes:
    """A record of the given contents, with pointers and checksums."""
    pointers, bodies = [], []
    at = 6 + 16 + 10 * 12
    for number in range(1, 12):
        if number not in sections:
            pointers.append(struct.pack("<HII", number, 0, 0))
            continue
        body = _section(number, sections[number] + b"\0" * (len(sections[number]) % 2))
        pointers.append(struct.pack("<HII", number, len(body), at + 1))
        bodies.append(body)
        at += len(body)
    first = struct.pack("<HII", 0, 16 + 10 * 12, 7)
    start = _section(0, first + b"".join(pointers), b"SCPECG")
    whole = struct.pack("<I", 6 + len(start) + sum(map(len, bodies))) + start + b"".join(bodies)
    return struct.pack("<H", crc(whole)) + whole


def _section(number: int, content: bytes, reserved: bytes = bytes(6)) -> bytes:
    checked = struct.pack("<HIBB", number, 16 + len(content), 20, 20) + reserved + content
    return struct.pack("<H", crc(checked)) + checked
