"""MATLAB files made up for tests, good ones, byte by byte the same on every run.

Belongs here: writers of valid files and their elements. Does not belong here: what is wrong with a file
(`broken_files`).
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io

V4_TYPES = ("f8", "f4", "i4", "i2", "u2", "u1")
V5_TYPES = (*V4_TYPES, "i1", "u4", "i8", "u8")
V5_HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"


def strip(samples: int = 3600, leads: int = 1) -> npt.NDArray[np.int16]:
    """A made-up ECG strip: a spike of 1 mV every second, a slow wave and noise, 360 Hz, 200 adu/mV, zero 1024."""
    time = np.arange(samples)
    wave = 1024 + 20 * np.sin(time / 200) + 200 * (time % 360 < 8)
    noise = np.random.default_rng(1).integers(-8, 9, (leads, samples))
    signal: npt.NDArray[np.int16] = (wave + noise).astype(np.int16)
    return signal


def v4_file(
    values: npt.ArrayLike, name: bytes = b"val", order: str = "<", kind: int = 0, imaginary: int = 0
) -> bytes:
    """A v4 file, or another variable to append to one; `kind` is 0 full, 1 text, 2 sparse."""
    matrix: npt.NDArray[Any] = np.asarray(values)
    number = (1000 if order == ">" else 0) + 10 * V4_TYPES.index(matrix.dtype.str[1:]) + kind
    header = struct.pack(f"{order}5i", number, *matrix.shape, imaginary, len(name) + 1)
    body = matrix.astype(order + matrix.dtype.str[1:]).tobytes(order="F")
    return header + name + b"\0" + body * (1 + imaginary)


def v5_file(compress: bool = False, **variables: Any) -> bytes:
    """A v5 file as scipy writes it, without the time of writing."""
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=compress)
    return V5_HEADER + file.getvalue()[128:]


def compressed(element: bytes) -> bytes:
    """A data element inside a compressed one."""
    packed = zlib.compress(element)
    return struct.pack("<2I", 15, len(packed)) + packed


def v5_big_endian(values: npt.ArrayLike, name: bytes = b"val") -> bytes:
    """A big-endian v5 file with one double matrix, which scipy reads but does not write."""
    matrix: npt.NDArray[Any] = np.asarray(values, dtype=">f8")

    def element(kind: int, content: bytes) -> bytes:
        return struct.pack(">2I", kind, len(content)) + content + bytes(-len(content) % 8)

    body = element(6, struct.pack(">2I", 6, 0)) + element(5, struct.pack(">2i", *matrix.shape))
    body += element(1, name) + element(9, matrix.tobytes(order="F"))
    return V5_HEADER[:124] + b"\x01\x00MI" + element(14, body)
