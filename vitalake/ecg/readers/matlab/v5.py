"""MATLAB v5 to v7 files: a 128-byte header, then tagged elements, each a variable, often compressed.

Belongs here: the v5 layout, as "MAT-File Format" (The MathWorks), chapter "Level 5", describes it.
Does not belong here: v4, v7.3 (which is HDF5), or what the variables mean.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from vitalake.ecg.readers.matlab.variable import Variable, decode_name, to_matrix
from vitalake.errors import UnusableDataError

HEADER_BYTES = 128
BYTE_ORDERS = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}  # version 1 and endian mark, bytes 124 to 127
TAG_BYTES = 8
MATRIX, COMPRESSED = 14, 15
FLAGS_TYPES, DIMENSION_TYPES, NAME_TYPES = (6,), (5, 6), (1, 2, 16)
VALUE_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
NUMERIC_CLASSES = range(6, 16)
OPAQUE = 17
OTHER_CLASSES = {
    1: "a cell array",
    2: "a struct",
    3: "an object",
    4: "text",
    5: "sparse",
    16: "a function",
    OPAQUE: "an object",
}
COMPLEX_FLAG = 0x0800
MAX_DIMENSIONS = 32


class _Element(NamedTuple):
    kind: int
    content: memoryview
    end: int


def read_variables(data: bytes, max_bytes: int) -> Iterator[Variable]:
    """Every variable in file order; together they unpack to at most `max_bytes`.

    Raises:
        UnusableDataError: S02, the layout is broken or the compressed data too large. What a variable unpacks to
            is read first and refused before it is unpacked.
    """
    order = BYTE_ORDERS.get(data[HEADER_BYTES - 4 : HEADER_BYTES])
    if order is None:
        raise UnusableDataError("S02", f"the file ends after {len(data):,} bytes, inside its header of 128")
    at, left = HEADER_BYTES, max_bytes
    while at < len(data):
        if len(data) - at < TAG_BYTES:
            raise _junk(data, at)
        kind, size = struct.unpack_from(f"{order}2I", data, at)
        if kind not in (MATRIX, COMPRESSED):
            raise _junk(data, at)
        start, end = at + TAG_BYTES, at + TAG_BYTES + size
        if end > len(data):
            raise UnusableDataError(
                "S02", f"the file ends after {len(data):,} bytes, the variable at byte {at:,} needs {end:,}"
            )
        content = memoryview(data)[start:end]
        if kind == COMPRESSED:
            content = _unpack(content, at, order, left, max_bytes)
            left -= len(content)
        yield _read_matrix(content, at, order)
        at = end


def _junk(data: bytes, at: int) -> UnusableDataError:
    where = "the header" if at == HEADER_BYTES else "the last variable"
    return UnusableDataError("S02", f"{len(data) - at:,} bytes of junk follow {where}, which ends at byte {at:,}")


def _unpack(packed: memoryview, at: int, order: str, left: int, max_bytes: int) -> memoryview:
    """Content of the matrix element inside a compressed one."""
    inflater = zlib.decompressobj()
    try:
        tag = inflater.decompress(packed, TAG_BYTES)
        kind, size = struct.unpack(f"{order}2I", tag) if len(tag) == TAG_BYTES else (0, 0)
        if kind != MATRIX:
            raise UnusableDataError("S02", f"the compressed data at byte {at:,} hold no variable")
        if size > left:
            raise UnusableDataError(
                "S02",
                f"the compressed variable at byte {at:,} unpacks to {size:,} bytes: "
                f"all variables together may have {max_bytes:,}",
            )
        # One byte more than announced is asked for, so that the checksum at the end is read and verified.
        content = inflater.decompress(inflater.unconsumed_tail, size + 1)
    except zlib.error as error:
        raise UnusableDataError("S02", f"the compressed variable at byte {at:,} is damaged") from error
    if len(content) > size:
        raise UnusableDataError("S02", f"the variable at byte {at:,} unpacks to more than its {size:,} bytes")
    if not inflater.eof:
        raise UnusableDataError("S02", f"the compressed variable at byte {at:,} ends early")
    if inflater.unused_data:
        raise UnusableDataError("S02", f"junk follows the compressed data of the variable at byte {at:,}")
    if len(content) < size:
        raise UnusableDataError(
            "S02", f"the variable at byte {at:,} unpacks to {len(content):,} bytes, announced are {size:,}"
        )
    return memoryview(content)


def _read_matrix(body: memoryview, at: int, order: str) -> Variable:
    flags = _read_element(body, 0, at, order, FLAGS_TYPES)
    if len(flags.content) != 8:
        raise UnusableDataError("S02", f"the variable at byte {at:,} has {len(flags.content):,} bytes of flags")
    flag_bits = int(np.frombuffer(flags.content, f"{order}u4")[0])
    array_class = flag_bits & 0xFF
    shape: tuple[int, ...] = ()
    end = flags.end
    if array_class != OPAQUE:
        shape, end = _read_shape(body, end, at, order)
    raw_name = _read_element(body, end, at, order, NAME_TYPES)
    name = decode_name(bytes(raw_name.content), at)
    if array_class not in NUMERIC_CLASSES:
        if array_class not in OTHER_CLASSES:
            raise UnusableDataError("S02", f"the variable at byte {at:,} has the unknown class {array_class}")
        return Variable(name, OTHER_CLASSES[array_class])
    if flag_bits & COMPLEX_FLAG:
        return Variable(name, "complex")
    if len(shape) != 2:
        return Variable(name, f"{len(shape)}-dimensional")
    values = _read_element(body, raw_name.end, at, order, tuple(VALUE_TYPES))
    dtype: np.dtype[Any] = np.dtype(order + VALUE_TYPES[values.kind])
    rows, columns = shape
    needed = math.prod(shape) * dtype.itemsize
    if len(values.content) != needed or values.end < len(body):
        raise UnusableDataError(
            "S02",
            f"the matrix at byte {at:,} ({rows:,} x {columns:,} {dtype.name}) needs {needed:,} bytes, "
            f"{len(values.content) + max(len(body) - values.end, 0):,} are there",
        )
    return Variable(name, to_matrix(values.content, dtype, rows, columns))


def _read_shape(body: memoryview, start: int, at: int, order: str) -> tuple[tuple[int, ...], int]:
    dimensions = _read_element(body, start, at, order, DIMENSION_TYPES)
    size = len(dimensions.content)
    if size not in range(8, 4 * MAX_DIMENSIONS + 1, 4):
        raise UnusableDataError("S02", f"the variable at byte {at:,} has its dimensions in {size:,} bytes")
    shape: tuple[int, ...] = struct.unpack(f"{order}{size // 4}i", dimensions.content)
    if min(shape) < 0:
        raise UnusableDataError("S02", f"the variable at byte {at:,} has wrong dimensions: {shape}")
    return shape, dimensions.end


def _read_element(body: memoryview, start: int, at: int, order: str, kinds: tuple[int, ...]) -> _Element:
    """The data element at `start` of the variable at byte `at`; up to four bytes are packed into its tag."""
    if len(body) - start < TAG_BYTES:
        raise UnusableDataError("S02", f"the variable at byte {at:,} ends inside its description")
    kind, size = struct.unpack_from(f"{order}2I", body, start)
    content_at, end = start + TAG_BYTES, start + TAG_BYTES + (size + 7) // 8 * 8
    if kind >> 16:
        kind, size = kind & 0xFFFF, kind >> 16
        content_at, end = start + 4, start + TAG_BYTES
        if size > 4:
            raise UnusableDataError("S02", f"the variable at byte {at:,} has {size:,} bytes in a place for four")
    if kind not in kinds:
        raise UnusableDataError("S02", f"the variable at byte {at:,} has an unexpected part of type {kind}")
    if content_at + size > len(body):
        raise UnusableDataError("S02", f"a part of the variable at byte {at:,} is longer than the variable")
    return _Element(kind, body[content_at : content_at + size], end)
