"""The checksum that ISHNE and SCP-ECG files carry.

Belongs here: CRC-CCITT. Does not belong here: which bytes of a file it covers, which each reader says for itself.
"""

from __future__ import annotations

import binascii

_START = 0xFFFF


def crc_ccitt(data: bytes | memoryview) -> int:
    """CRC-CCITT of `data`, 16 bits: polynomial x^16 + x^12 + x^5 + 1, register filled with ones, highest bit first.

    Source: EN 1064:2005+A1:2007; Badilini 1998, "The ISHNE Holter Standard Output File Format".
    """
    return binascii.crc_hqx(data, _START)
