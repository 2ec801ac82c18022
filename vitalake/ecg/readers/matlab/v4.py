"""MATLAB v4 files: a row of variables, each a 20-byte header, a name and the values.

Belongs here: the v4 layout, as "MAT-File Format" (The MathWorks), chapter "Version 4", describes it.
Does not belong here: later versions, or what the variables mean.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from vitalake.ecg.readers.matlab.variable import MAX_NAME_BYTES, Variable, decode_name, to_matrix
from vitalake.errors import UnusableDataError

HEADER_BYTES = 20
VALUE_TYPES = ("f8", "f4", "i4", "i2", "u2", "u1")  # by the digit P of the type number
FULL, TEXT, SPARSE = 0, 1, 2  # the digit T


def byte_order(start: bytes) -> str | None:
    """``"<"`` or ``">"`` if the bytes begin with a v4 type number, else None.

    The number has four decimal digits MOPT: machine, zero, type of the values, kind of matrix. M is 0 for little
    and 1 for big endian; the VAX and Cray machines (2 to 4) have no numbers that anything reads today.
    """
    for order, machine in (("<", 0), (">", 1)):
        number = int.from_bytes(start[:4], "little" if order == "<" else "big")
        precision, kind = divmod(number - 1000 * machine, 10)
        if len(start) >= 4 and 0 <= precision < len(VALUE_TYPES) and kind <= SPARSE:
            return order
    return None


def read_variables(data: bytes) -> Iterator[Variable]:
    """Every variable in file order, as views on `data`.

    Raises:
        UnusableDataError: S02, the layout is broken; no memory is taken on the word of a header.
    """
    at = 0
    while at < len(data):
        variable, at = _read_variable(data, at)
        yield variable


def _read_variable(data: bytes, at: int) -> tuple[Variable, int]:
    order = byte_order(data[at : at + 4])
    if order is None:
        raise UnusableDataError(
            "S02", f"{len(data) - at:,} bytes of junk follow the last variable, which ends at byte {at:,}"
        )
    values_type, rows, columns, imaginary, name_bytes = _read_header(data, at, order)
    name_at = at + HEADER_BYTES
    name = decode_name(data[name_at : name_at + name_bytes], at)
    dtype = np.dtype(order + VALUE_TYPES[values_type // 10 % 10])
    values_at = name_at + name_bytes
    end = values_at + rows * columns * dtype.itemsize * (1 + imaginary)
    if end > len(data):
        raise UnusableDataError(
            "S02",
            f"the file ends after {len(data):,} bytes, the matrix at byte {at:,} "
            f"({rows:,} x {columns:,} {dtype.name}) needs {end:,}",
        )
    kind = values_type % 10
    if kind != FULL:
        return Variable(name, "text" if kind == TEXT else "sparse"), end
    if imaginary:
        return Variable(name, "complex"), end
    return Variable(name, to_matrix(memoryview(data)[values_at:end], dtype, rows, columns)), end


def _read_header(data: bytes, at: int, order: str) -> tuple[int, int, int, int, int]:
    """Type number, rows, columns, imaginary flag (0 or 1) and length of the name."""
    if len(data) - at < HEADER_BYTES:
        raise UnusableDataError(
            "S02", f"the file ends after {len(data):,} bytes, inside the header of the variable at byte {at:,}"
        )
    header: tuple[int, int, int, int, int] = struct.unpack_from(f"{order}5i", data, at)
    _, rows, columns, imaginary, name_bytes = header
    if rows < 0 or columns < 0:
        raise UnusableDataError("S02", f"the variable at byte {at:,} has wrong dimensions: {rows:,} x {columns:,}")
    if imaginary not in (0, 1):
        raise UnusableDataError("S02", f"the variable at byte {at:,} has {imaginary:,} imaginary parts")
    if not 0 < name_bytes <= MAX_NAME_BYTES:
        raise UnusableDataError("S02", f"the variable at byte {at:,} has a name of {name_bytes:,} bytes")
    return header
