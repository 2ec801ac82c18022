"""What the two sides of the limited process say to each other, over a pair of pipes.

Belongs here: the layout of requests and answers, distrusted on the side that reads. Does not belong here:
processes.

A request is the length of the file and the limit of what it unpacks to, then the file. An answer is one byte for
its kind and its length, then text, or a directory (JSON) and the values of each matrix in column order. These
plain values are all that a parser can say.
"""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from vitalake.ecg.readers.matlab.variable import Matrix, to_matrix
from vitalake.errors import UnusableDataError

REQUEST = struct.Struct("<2Q")
ANSWER = struct.Struct("<cQ")
DIRECTORY = struct.Struct("<Q")
READY, VARIABLES, UNUSABLE, GAVE_UP, BROKEN = b"r", b"v", b"u", b"g", b"b"
MEMORY, TIME, CRASH, KILLED = b"memory", b"time", b"crash", b"killed"  # what GAVE_UP says
MAX_TEXT_BYTES = 4096
MAX_DIRECTORY_BYTES = 2**20
VALUE_TYPES = frozenset(("i1", "u1", "i2", "u2", "i4", "u4", "f4", "i8", "u8", "f8"))
ALIGNMENT = 8


class Variables(NamedTuple):
    """What a parser found: matrices by name, and a text for everything else."""

    matrices: dict[str, Matrix]
    others: dict[str, str]


def read_exactly(source: io.FileIO, size: int) -> bytearray | None:
    """The next `size` bytes; None where the other side ended first."""
    content = bytearray(size)
    left = memoryview(content)
    while left:
        count = source.readinto(left)
        if not count:
            return None
        left = left[count:]
    return content


def write_all(target: io.FileIO, data: bytes | memoryview) -> None:
    """All of it, in as many writes as the pipe takes.

    Raises:
        OSError: the other side ended.
    """
    left = memoryview(data).cast("B")
    while left:
        left = left[target.write(left) or 0 :]


def answer(kind: bytes, *parts: bytes) -> Iterator[bytes]:
    """The pieces of an answer."""
    yield ANSWER.pack(kind, sum(map(len, parts)))
    yield from parts


def pack_variables(matrices: dict[str, Matrix], others: dict[str, str]) -> list[bytes]:
    """Directory and values, for `unpack_variables`.

    Raises:
        UnusableDataError: S02, more names and texts than fit into the directory.
    """
    entries = [[name, matrix.dtype.str[1:], *matrix.shape] for name, matrix in matrices.items()]
    directory = json.dumps([entries, others]).encode()
    directory += b" " * (-len(directory) % ALIGNMENT)
    if DIRECTORY.size + len(directory) > MAX_DIRECTORY_BYTES:
        raise UnusableDataError("S02", "the file says more beside its samples than any recording")
    parts = [DIRECTORY.pack(len(directory)), directory]
    for matrix in matrices.values():
        values = matrix.tobytes(order="F")
        parts.append(values + bytes(-len(values) % ALIGNMENT) if len(values) % ALIGNMENT else values)
    return parts


def unpack_variables(content: bytearray) -> Variables:
    """Matrices, as views on `content`, and what else there is.

    Raises:
        ValueError: no such content; memory is taken for no more than it holds.
    """
    try:
        (size,) = DIRECTORY.unpack_from(content)
        entries, others = json.loads(content[DIRECTORY.size : DIRECTORY.size + size])
        view, at = memoryview(content), DIRECTORY.size + size
        matrices: dict[str, Matrix] = {}
        for name, value_type, rows, columns in entries:
            if value_type not in VALUE_TYPES or not (
                type(rows) is type(columns) is int and min(rows, columns) >= 0
            ):
                raise ValueError("no matrix")
            dtype = np.dtype(value_type)
            length = math.prod((rows, columns, dtype.itemsize))
            matrices[str(name)] = to_matrix(view[at : at + length], dtype, rows, columns)
            at += length + -length % ALIGNMENT
        if at != len(content):
            raise ValueError("not as long as announced")
        return Variables(matrices, {str(name): str(what) for name, what in others.items()})
    except (struct.error, TypeError, AttributeError, KeyError, RecursionError, OverflowError) as error:
        raise ValueError("no variables") from error
