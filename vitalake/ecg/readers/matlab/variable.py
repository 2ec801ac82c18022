"""What the readers of both MATLAB versions hand over: one variable, a matrix or the reason why it is none.

Belongs here: the variable, its name and how its values become an array. Does not belong here: file layouts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.errors import UnusableDataError

Matrix = npt.NDArray[Any]
MAX_NAME_BYTES = 256


class Variable(NamedTuple):
    """A real numeric matrix of shape (rows, columns), or what else it is, e.g. ``"a struct"``."""

    name: str
    content: Matrix | str


def decode_name(raw: bytes, at: int) -> str:
    """Name of the variable that starts at byte `at`; refused (S02) unless it is short, printable text."""
    name = raw.strip(b"\0").decode("ascii", errors="replace")
    if len(raw) > MAX_NAME_BYTES or not (name.isascii() and name.isprintable()):
        raise UnusableDataError("S02", f"the name of the variable at byte {at:,} is not text")
    return name


def to_matrix(values: bytes | memoryview, dtype: np.dtype[Any], rows: int, columns: int) -> Matrix:
    """Values in column order, as MATLAB stores them, to a matrix in native byte order; no copy where it can."""
    matrix: Matrix = np.frombuffer(values, dtype=dtype).reshape((rows, columns), order="F")
    return matrix.astype(dtype.newbyteorder("="), copy=False)
