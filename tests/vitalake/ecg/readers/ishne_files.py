"""ISHNE Holter files made up for tests, written field by field from Badilini 1998.

Belongs here: a writer of valid files. Does not belong here: expectations.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from tests.vitalake.ecg.readers.scp_files import crc


def ishne_file(
    samples: npt.ArrayLike,
    *,
    declared: int | None = None,
    codes: tuple[int, ...] = (5, 6, 11),
    nanovolts: int = 2500,
    rate_hz: int = 200,
    date: tuple[int, int, int] = (31, 12, 2019),
    time: tuple[int, int, int] = (23, 59, 58),
    notes: bytes = b"",
) -> bytes:
    """A file of `samples`, shape (leads, samples), of Canary Wren; `notes` is the variable block."""
    values = np.asarray(samples, dtype="<i2")
    leads, length = values.shape
    start = 522 + len(notes)
    filled = [*codes, *[-9] * 12][:12]
    fields = [
        struct.pack("<4i", len(notes), length if declared is None else declared, 522, start),
        struct.pack("<h40s40s20s2h", 1, b"Canary", b"Wren", b"P-17", 1, 1),
        struct.pack("<3h3h3h3h", 1, 2, 1950, *date, 1, 1, 2020, *time),
        struct.pack("<h12h12h12h", leads, *filled, *[0] * 12, *[nanovolts] * leads, *[0] * (12 - leads)),
        struct.pack("<h40sh", 0, b"digital", rate_hz).ljust(44),
        struct.pack("<80s80s88s", b"", b"Canary Ltd", b""),
    ]
    header = b"".join(fields) + notes
    return b"ISHNE1.0" + struct.pack("<H", crc(header)) + header + values.tobytes("F")
