"""MATLAB structs and cells (v5 to v7) and HDF5 (v7.3) to plain numeric matrices, by MATLAB's own notation.

Belongs here: the walk through what scipy makes of structs and cells. Does not belong here: limits on time and
memory (`vitalake/ecg/readers/limited/`), HDF5 (`hdf5.py`), or what the matrices mean.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from typing import Any

import numpy as np

from vitalake.ecg.readers.matlab.matrices import MAX_VARIABLES, MatlabVariables, matlab_version, read_variables
from vitalake.ecg.readers.matlab.variable import MAX_NAME_BYTES, Matrix
from vitalake.errors import UnusableDataError

MAX_DEPTH = 8
MAX_ELEMENTS = 100  # of one cell or struct array: annotations may come in thousands, leads do not
NESTED = ("a struct", "a cell array")
ENCODINGS = ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


def read_unguarded(data: bytes, max_bytes: int) -> MatlabVariables:
    """Real numeric matrices (rows, columns), e.g. ``ECG.data`` or ``val{2}``, and what every other variable is.

    Vectors of HDF5, which MATLAB does not write, become one row. All matrices together have at most `max_bytes`,
    and compressed variables unpack to no more. Only `read_limited` may run this, in its own process.

    Raises:
        UnusableDataError: S02.
        Exception: whatever scipy and h5py raise; and they crash, hang or ask for gigabytes on crafted files.
    """
    found = BoundedVariables(max_bytes)
    if matlab_version(data) == "v7.3":
        from vitalake.ecg.readers.matlab import hdf5

        hdf5.read_hdf5(data, found)
    else:
        _read_v5(data, found)
    return found.variables


def warm_up() -> None:
    """Read a small file of each kind: what imports late does so now."""
    import h5py
    import scipy.io

    for encoding in ENCODINGS:
        codecs.lookup(encoding)
    mat, hdf5 = io.BytesIO(), io.BytesIO()
    cells = np.array([1.0, "a"], dtype=object)
    scipy.io.savemat(mat, {"a": {"b": np.ones((2, 3)), "c": "d", "e": cells}}, do_compression=True)
    with h5py.File(hdf5, "w") as file:
        file.create_dataset("a/b", data=np.ones((2, 3)), compression="gzip", shuffle=True)
        cell = file.create_dataset("c", data="d")
        cell.attrs["MATLAB_class"] = np.bytes_("char")
        file.create_dataset("e", data=[cell.ref], dtype=h5py.ref_dtype)
        file["f"] = h5py.SoftLink("/c")
    for content in (mat, hdf5):
        read_unguarded(content.getvalue(), 2**20)


class BoundedVariables:
    """Variables so far, within their limits."""

    def __init__(self, max_bytes: int) -> None:
        self.variables = MatlabVariables({}, {})
        self.max_bytes = self._left = max_bytes

    def add_other(self, path: str, what: str) -> None:
        """A variable that is no real numeric matrix."""
        self._check(path)
        self.variables.others[path] = what

    def add_array(
        self, path: str, dtype: np.dtype[Any], shape: tuple[int, ...], values: Callable[[], Matrix]
    ) -> None:
        """An array, read by `values` only if it is a real numeric matrix within the limits."""
        what = _no_matrix(dtype, shape)
        if what:
            self.add_other(path, what)
            return
        self._check(path)
        self._left -= int(np.prod(shape, dtype=object)) * dtype.itemsize
        if self._left < 0:
            raise UnusableDataError("S02", f"the matrices unpack to more than the {self.max_bytes:,} bytes allowed")
        matrix = values()
        if matrix.dtype.kind == "b":
            matrix = matrix.astype(np.uint8)
        self.variables.matrices[path] = matrix.astype(matrix.dtype.newbyteorder("="), copy=False)

    def _check(self, path: str) -> None:
        if not 0 < len(path) <= MAX_NAME_BYTES or not (path.isascii() and path.isprintable()):
            raise UnusableDataError("S02", "the name of a variable or field is not text")
        if path in self.variables.matrices or path in self.variables.others:
            raise UnusableDataError("S02", "the file holds two variables of one name")
        if len(self.variables.matrices) + len(self.variables.others) == MAX_VARIABLES:
            raise UnusableDataError("S02", f"the file holds more than {MAX_VARIABLES:,} variables and fields")


def _no_matrix(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str | None:
    """What an array is that is no real numeric matrix; None for one that is."""
    if dtype.kind in "SU":
        return "text"
    if dtype.kind == "c" or dtype.names == ("real", "imag"):
        return "complex"
    if dtype.kind not in "biuf" or (dtype.kind == "f" and dtype.itemsize not in (4, 8)):
        return "an object"
    return None if len(shape) == 2 else f"{len(shape)}-dimensional"


def _read_v5(data: bytes, found: BoundedVariables) -> None:
    import scipy.io

    # The bounded reader refuses broken layouts and bombs first; scipy sees only the variables beyond it.
    plain = read_variables(data, max_bytes=found.max_bytes)
    for name, matrix in plain.matrices.items():
        found.add_array(name, matrix.dtype, matrix.shape, lambda matrix=matrix: matrix)  # type: ignore[misc]
    nested = [name for name, what in plain.others.items() if name and what in NESTED]
    loaded = scipy.io.loadmat(io.BytesIO(data), variable_names=nested) if nested else {}
    for name, what in plain.others.items():
        if name in nested and name in loaded:
            _walk(loaded[name], name, found, 1)
        elif name:
            found.add_other(name, what)


def _walk(value: Any, path: str, found: BoundedVariables, depth: int) -> None:
    import scipy.io.matlab as mat
    import scipy.sparse

    if not isinstance(value, np.ndarray) or isinstance(value, (mat.MatlabOpaque, mat.MatlabObject)):
        found.add_other(path, "sparse" if scipy.sparse.issparse(value) else "an object")
    elif isinstance(value, mat.MatlabFunction) or not value.dtype.hasobject:
        found.add_array(path, value.dtype, value.shape, lambda: value)
    elif depth > MAX_DEPTH or value.size > MAX_ELEMENTS:
        found.add_other(path, f"an array of {value.size:,} structs or cells in depth {depth}")
    else:
        _walk_elements(value, path, found, depth)


def _walk_elements(value: Any, path: str, found: BoundedVariables, depth: int) -> None:
    fields = value.dtype.names
    for number, element in enumerate(value.ravel(order="F"), start=1):
        if fields is None:
            _walk(element, f"{path}{{{number}}}", found, depth + 1)
        for field in fields or ():
            place = path if value.size == 1 else f"{path}({number})"
            _walk(element[field], f"{place}.{field}", found, depth + 1)
