"""MATLAB v7.3 files, and HDF5 of any other origin, to plain numeric matrices.

Belongs here: the walk through groups, datasets and references. Does not belong here: limits
(`vitalake/ecg/readers/limited/`). h5py is not hardened: nothing but the limited process may call this.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from vitalake.ecg.readers.matlab.other_variables import MAX_DEPTH, MAX_ELEMENTS
from vitalake.ecg.readers.matlab.variable import Matrix

if TYPE_CHECKING:
    from vitalake.ecg.readers.matlab.other_variables import BoundedVariables

INTERNAL_GROUPS = ("#refs#", "#subsystem#")  # where v7.3 keeps what its cells refer to


def read_hdf5(data: bytes, found: BoundedVariables) -> None:
    """Add every variable of the file to `found`.

    Raises:
        UnusableDataError: S02, by `found`.
        Exception: whatever h5py raises.
    """
    with h5py.File(io.BytesIO(data), "r") as file:
        _Walk(found).item(file["/"], "", 0)


class _Walk:
    """One pass over a file, each object at most once: links may go round in circles."""

    def __init__(self, found: BoundedVariables) -> None:
        self._found = found
        self._seen: set[tuple[int, int]] = set()

    def _group(self, group: h5py.Group, path: str, depth: int) -> None:
        for name in group:
            place = f"{path}.{name}" if path else name
            # Soft and external links lead elsewhere, the latter to any file of this machine.
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                self._found.add_other(place, "a link")
            elif name not in INTERNAL_GROUPS:
                self.item(group[name], place, depth)

    def item(self, item: Any, path: str, depth: int) -> None:
        info = h5py.h5o.get_info(item.id)
        place = (info.fileno, info.addr)
        if place in self._seen or depth > MAX_DEPTH:
            self._found.add_other(path, f"there already, or in depth {depth}")
            return
        self._seen.add(place)
        if isinstance(item, h5py.Dataset):
            self._dataset(item, path, depth)
        elif isinstance(item, h5py.Group) and "MATLAB_sparse" not in item.attrs:
            self._group(item, path, depth + 1)
        else:
            self._found.add_other(path, "sparse" if isinstance(item, h5py.Group) else "a type")

    def _dataset(self, item: h5py.Dataset, path: str, depth: int) -> None:
        matlab_class = item.attrs.get("MATLAB_class")
        if item.shape is None or "MATLAB_empty" in item.attrs:
            self._found.add_other(path, "empty")
        elif item.external or item.is_virtual:
            self._found.add_other(path, "a matrix kept in another file")
        elif matlab_class == b"char" or h5py.check_string_dtype(item.dtype):
            self._found.add_other(path, "text")
        elif h5py.check_ref_dtype(item.dtype) is h5py.Reference:
            self._cells(item, path, depth)
        else:
            shape = item.shape if len(item.shape) > 1 else (1, int(item.size))

            def values() -> Matrix:
                matrix: Matrix = np.reshape(item[()], shape)
                # MATLAB writes columns as rows, and marks what it writes; other programs write what they mean.
                return matrix if matlab_class is None else matrix.T

            self._found.add_array(path, item.dtype, shape, values)

    def _cells(self, item: h5py.Dataset, path: str, depth: int) -> None:
        if item.size > MAX_ELEMENTS:
            self._found.add_other(path, f"a cell array of {item.size:,}")
            return
        for number, reference in enumerate(np.ravel(item[()]), start=1):
            if reference:
                self.item(item.file[reference], f"{path}{{{number}}}", depth + 1)
