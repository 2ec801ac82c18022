"""The Huffman codes of SCP-ECG: from a lead's bits to the numbers it stores.

Belongs here: code tables and decoding, EN 1064:2005+A1:2007, 5.5 and annex C. Does not belong here:
sections, leads, or differences between samples (`waveforms.py`).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.errors import UnusableDataError

DEFAULT_TABLES = 19999  # in place of the number of tables: "the default table, which is not in the file"
MAX_TABLES = 16
MAX_PREFIX_BITS = 16
MAX_TAIL_BITS = 16
CODE_BYTES = 9
WINDOW_BITS = 40  # 7 bits of the byte before, a prefix, a tail; few enough for Python's fast integers


class Code(NamedTuple):
    """One row of a table; the lowest bit of `base_code` is the first in the data."""

    prefix_bits: int
    total_bits: int
    stays: int  # 0: no value, but a change to table number `base_value`
    base_value: int
    base_code: int


Table = tuple[Code, ...]
# Bits of the prefix, bits of the tail (a two's-complement number in place of the value), value, table to change to.
_Entry = tuple[int, int, int, int | None]

DEFAULT_TABLE: Table = (
    Code(1, 1, 1, 0, 0),
    *(
        Code(bits, bits, 1, sign * (bits - 2), 2 ** (bits - 2) - 1 + (2 ** (bits - 1) if sign < 0 else 0))
        for bits in range(3, 11)
        for sign in (1, -1)
    ),
    Code(10, 18, 1, 0, 2**9 - 1),
    Code(10, 26, 1, 0, 2**10 - 1),
)


def read_tables(content: bytes) -> tuple[Table, ...]:
    """The tables in the data of section 2, in order.

    Raises:
        UnusableDataError: S02, the tables are cut off or no code that could be decoded.
    """
    if len(content) < 2:
        raise UnusableDataError("S02", "section 2 (Huffman tables) is empty")
    number = int.from_bytes(content[:2], "little")
    if number == DEFAULT_TABLES:
        return (DEFAULT_TABLE,)
    if not 1 <= number <= MAX_TABLES:
        raise UnusableDataError("S02", f"{number:,} Huffman tables, expected 1 to {MAX_TABLES}")
    tables, at = [], 2
    for _ in range(number):
        codes = int.from_bytes(content[at : at + 2], "little")
        end = at + 2 + CODE_BYTES * codes
        if not codes or end > len(content):
            raise UnusableDataError(
                "S02", f"a Huffman table of {codes:,} codes, section 2 ends after them or before"
            )
        tables.append(tuple(map(Code._make, struct.iter_unpack("<BBBhI", content[at + 2 : end]))))
        at = end
    return tuple(tables)


class Decoder:
    """Decodes leads with `tables`, each lead from the first table on.

    Raises:
        UnusableDataError: S02, a code is impossible or two begin alike.
    """

    def __init__(self, tables: tuple[Table, ...]) -> None:
        self._bits = max(code.prefix_bits for table in tables for code in table)
        self._lookups = [_lookup(table, self._bits, len(tables)) for table in tables]

    def decode(self, data: bytes, count: int) -> tuple[npt.NDArray[np.int64], int]:
        """The first `count` numbers in `data`, shape (numbers,), and how many whole bytes are left over.

        Fewer numbers where the data ends; every step takes at least one bit.

        Raises:
            UnusableDataError: S02, bits that no code begins with.
        """
        windows, limit = _windows(data), 8 * len(data)
        shift, mask = WINDOW_BITS - self._bits, (1 << self._bits) - 1
        values: list[int] = []
        lookup, at = self._lookups[0], 0
        while len(values) < count and at < limit:
            offset = at & 7
            window = windows[at >> 3]
            entry = lookup[(window >> (shift - offset)) & mask]
            if entry is None:
                raise UnusableDataError("S02", f"bit {at:,} of a lead begins no Huffman code")
            prefix, tail, value, table = entry
            at += prefix + tail
            if at > limit:
                break
            if table is not None:
                lookup = self._lookups[table]
                continue
            if tail:
                value = (window >> (WINDOW_BITS - offset - prefix - tail)) & ((1 << tail) - 1)
                value -= (value >> (tail - 1)) << tail
            values.append(value)
        return np.array(values, dtype=np.int64), max(limit - at, 0) // 8


def _windows(data: bytes) -> list[int]:
    """The `WINDOW_BITS` bits that begin at each byte, zeros after the end."""
    padded = np.frombuffer(data + bytes(WINDOW_BITS // 8), dtype=np.uint8).astype(np.int64)
    windows = np.zeros(len(data), dtype=np.int64)
    for position in range(WINDOW_BITS // 8):
        windows = windows << 8 | padded[position : position + len(data)]
    listed: list[int] = windows.tolist()
    return listed


def _lookup(table: Table, bits: int, tables: int) -> list[_Entry | None]:
    """For each pattern of the next `bits` bits, the code that begins it."""
    if bits > MAX_PREFIX_BITS:
        raise UnusableDataError("S02", f"a Huffman code of {bits} bits, expected at most {MAX_PREFIX_BITS}")
    lookup: list[_Entry | None] = [None] * (1 << bits)
    for code in table:
        entry, free = _entry(code, tables), 1 << (bits - code.prefix_bits)
        start = int(f"{code.base_code:0{code.prefix_bits}b}"[::-1], 2) * free
        if any(lookup[start : start + free]):
            raise UnusableDataError("S02", "two Huffman codes begin with the same bits")
        lookup[start : start + free] = [entry] * free
    return lookup


def _entry(code: Code, tables: int) -> _Entry:
    tail = code.total_bits - code.prefix_bits
    if not (code.prefix_bits and 0 <= tail <= MAX_TAIL_BITS and code.base_code < 1 << code.prefix_bits):
        raise UnusableDataError(
            "S02", f"a Huffman code of {code.prefix_bits} bits in {code.total_bits} that is no such number of bits"
        )
    if code.stays:
        # The standard leaves open what a base value beside a tail means; its own table has 0 there.
        if tail and code.base_value:
            raise UnusableDataError("S02", "a Huffman code with both a base value and bits of its own")
        return code.prefix_bits, tail, code.base_value, None
    if tail or not 1 <= code.base_value <= tables:
        raise UnusableDataError("S02", f"a Huffman code changes to table {code.base_value:,} of {tables:,}")
    return code.prefix_bits, 0, 0, code.base_value - 1
