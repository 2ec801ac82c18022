"""MATLAB files with structs and cells, and HDF5 as MATLAB writes it, made up for tests, good and hostile.

Belongs here: writers of files. Does not belong here: what must come out of them.
"""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Callable

import h5py
import numpy as np

from tests.vitalake.ecg.matlab_files import strip, v5_file

V73_HEADER = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(384)
PIECE_BYTES = 2**25


def struct_file(compress: bool = False) -> bytes:
    """A struct ``ECG`` with data (2 x 400), fs, sex and a nested cell."""
    cells = np.array([[np.arange(6.0).reshape(2, 3), "II"]], dtype=object)
    return v5_file(compress, ECG={"data": strip(400, 2), "fs": 500, "sex": "F", "more": {"cells": cells}})


def hdf5_file(write: Callable[[h5py.File], None], matlab: bool = True) -> bytes:
    """What `write` puts into it, behind MATLAB's header or not."""
    file = io.BytesIO()
    with h5py.File(file, "w", userblock_size=512 if matlab else 0) as opened:
        write(opened)
    return V73_HEADER + file.getvalue()[512:] if matlab else file.getvalue()


def put(group: h5py.Group, name: str, values: object, matlab_class: str, **options: object) -> h5py.Dataset:
    """A dataset as MATLAB writes it: columns as rows, and the class beside it."""
    dataset = group.create_dataset(name, data=np.asarray(values).T, **options)
    dataset.attrs["MATLAB_class"] = np.bytes_(matlab_class)
    return dataset


def write_v73(file: h5py.File) -> None:
    """The struct of `struct_file` and a plain matrix ``val``, compressed in pieces."""
    group = file.create_group("ECG")
    group.attrs["MATLAB_class"] = np.bytes_("struct")
    put(group, "data", strip(400, 2), "int16", chunks=(100, 2), compression="gzip", shuffle=True)
    put(group, "fs", [[500.0]], "double")
    put(group, "sex", np.array([[70]], dtype=np.uint16), "char")
    put(file, "val", strip(400), "int16")
    cell = put(file.create_group("#refs#"), "b", np.arange(6.0).reshape(2, 3), "double")
    references = group.create_dataset("cells", (1, 1), dtype=h5py.ref_dtype)
    references[0, 0] = cell.ref
    references.attrs["MATLAB_class"] = np.bytes_("cell")


def kills_scipy() -> bytes:
    """One byte is wrong, the type of a field's values: it ends a process that calls `scipy.io.loadmat`."""
    good = v5_file(ECG={"data": strip()})
    at = good.index(struct.pack("<2I", 3, 7200))
    return good[:at] + b"\0" + good[at + 1 :]


@functools.cache
def takes_long() -> bytes:
    """HDF5 of 2 MB: 500 numbers, each alone in a piece that unpacks to 32 MB. 40 s of h5py, in 150 MB of memory.

    So long that no machine is through with it in a second or two, and no memory that would end it before its time.
    """
    pipeline = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    pipeline.set_chunk((1, PIECE_BYTES // 8))
    pipeline.set_shuffle()
    pipeline.set_deflate(9)
    pipeline.set_deflate(9)
    piece = zlib.compress(zlib.compress(bytes(PIECE_BYTES), 9), 9)
    space = h5py.h5s.create_simple((1, 1), (1, h5py.h5s.UNLIMITED))

    def write(file: h5py.File) -> None:
        for number in range(500):
            dataset = h5py.h5d.create(file.id, b"v%d" % number, h5py.h5t.STD_I64LE, space, pipeline)
            dataset.write_direct_chunk((0, 0), piece)

    return hdf5_file(write)


def asks_for_a_gigabyte() -> bytes:
    """HDF5 of 1 kB: a matrix that was never written, of 2**27 numbers."""
    return hdf5_file(lambda file: file.create_dataset("val", (2, 2**26), "f8", chunks=(2, 2**10)) and None)
