"""MATLAB structs and cells (v5 to v7) and HDF5 (v7.3) to plain numeric matrices, by MATLAB's own notation.

Belongs here: the walk through what `scipy.io` and `h5py` return. Neither is hardened against crafted files: call
`vitalake.ecg.readers.limited.read_nested`, which runs this in a process with limits.
Does not belong here: limits on time and memory (`limited_child`), or what the matrices mean.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from vitalake.ecg.readers.matlab import MAX_VARIABLES, MatlabVariables, matlab_version, read_variables
from vitalake.ecg.readers.matlab_variable import MAX_NAME_BYTES, Matrix
from vitalake.errors import UnusableDataError

if TYPE_CHECKING:
    import h5py

MAX_DEPTH = 8
MAX_ELEMENTS = 100  # of one cell or struct array: annotations may come in thousands, leads do not
NESTED = ("a struct", "a cell array")
INTERNAL_GROUPS = ("#refs#", "#subsystem#")  # where v7.3 keeps what cells refer to
MATRIX_TYPES = frozenset(f"{kind}{size}" for kind, sizes in (("iu", "1248"), ("f", "48")) for kind in kind for size in sizes)


def read_nested(data: bytes, *, max_bytes: int) -> MatlabVariables:
    """Real numeric matrices (rows, columns) of a MATLAB file, wherever they are, e.g. ``ECG.data`` or ``val{2}``.

    Vectors of HDF5, which MATLAB does not write, become one row. All matrices together have at most `max_bytes`,
    and compressed variables unpack to no more.

    Raises:
        UnusableDataError: S02, no readable MATLAB file, too large, or more than 1,000 variables.
        Exception: whatever scipy and h5py raise; and they may crash or hang on crafted files.
    """
    found = _Found(max_bytes)
    if matlab_version(data) == "v7.3":
        _read_hdf5(data, found)
    else:
        _read_v5(data, found)
    return found.variables


class _Found:
    """Variables so far, within their limits."""

    def __init__(self, max_bytes: int) -> None:
        self.variables = MatlabVariables({}, {})
        self.max_bytes = self._left = max_bytes

    def claim(self, path: str, size: int) -> None:
        """Raises S02 before `size` more bytes are read."""
        self._left -= size
        if self._left < 0:
            raise UnusableDataError(
                "S02", f"with '{path}' the matrices have more than the {self.max_bytes:,} bytes allowed"
            )

    def add(self, path: str, content: Matrix | str) -> None:
        """A matrix of stored numbers, or what else it is."""
        if len(path) > MAX_NAME_BYTES or not (path.isascii() and path.isprintable()):
            raise UnusableDataError("S02", "the name of a variable or field is not text")
        if len(self.variables.matrices) + len(self.variables.others) == MAX_VARIABLES:
            raise UnusableDataError("S02", f"the file holds more than {MAX_VARIABLES:,} variables and fields")
        if isinstance(content, str):
            self.variables.others[path] = content
            return
        if content.dtype.kind == "b":
            content = content.view(np.uint8)
        self.variables.matrices[path] = content.astype(content.dtype.newbyteorder("="), copy=False)


def _read_v5(data: bytes, found: _Found) -> None:
    import scipy.io

    # The bounded reader refuses broken layouts and bombs first; scipy sees only the variables beyond it.
    plain = read_variables(data, max_bytes=found.max_bytes)
    for name, matrix in plain.matrices.items():
        found.claim(name, matrix.nbytes)
        found.add(name, matrix)
    nested = [name for name, what in plain.others.items() if what in NESTED]
    loaded = scipy.io.loadmat(io.BytesIO(data), variable_names=nested) if nested else {}
    for name, what in plain.others.items():
        if name in loaded and what in NESTED:
            _walk_v5(loaded[name], name, found, 1)
        else:
            found.add(name, what)


def _walk_v5(value: Any, path: str, found: _Found, depth: int) -> None:
    import scipy.io.matlab

    opaque = (scipy.io.matlab.MatlabOpaque, scipy.io.matlab.MatlabObject, scipy.io.matlab.MatlabFunction)
    if not isinstance(value, np.ndarray) or isinstance(value, opaque):
        found.add(path, "sparse" if scipy.sparse.issparse(value) else "an object")
    elif value.dtype.hasobject:
        what, left, right = ("struct", "(", ")") if value.dtype.names else ("cell", "{", "}")
        if depth > MAX_DEPTH or value.size > MAX_ELEMENTS:
            found.add(path, f"a {what} array of {value.size:,} in depth {depth}")
            return
        for number, element in enumerate(value.ravel(order="F"), start=1):
            place = path if what == "struct" and value.size == 1 else f"{path}{left}{number}{right}"
            if what == "cell":
                _walk_v5(element, place, found, depth + 1)
            for field in value.dtype.names or ():
                _walk_v5(element[field], f"{place}.{field}", found, depth + 1)
    else:
        what = _no_matrix(value.dtype, value.shape)
        if not what:
            found.claim(path, value.nbytes)
        found.add(path, what or value)


def _no_matrix(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str | None:
    """What an array is that is no real numeric matrix; None for one that is."""
    if dtype.kind in "US":
        return "text"
    if dtype.kind == "c" or dtype.names == ("real", "imag"):
        return "complex"
    if dtype.kind != "b" and f"{dtype.kind}{dtype.itemsize}" not in MATRIX_TYPES:
        return "an object"
    return None if len(shape) == 2 else f"{len(shape)}-dimensional"


def _read_hdf5(data: bytes, found: _Found) -> None:
    import h5py

    with h5py.File(io.BytesIO(data), "r") as file:
        _walk_group(file, "", found, 1, set())


def _walk_group(group: h5py.Group, path: str, found: _Found, depth: int, seen: set[tuple[int, int]]) -> None:
    import h5py

    for name in group:
        place = f"{path}.{name}" if path else name
        if name in INTERNAL_GROUPS:
            continue
        # Soft and external links lead elsewhere, the latter to any file of this machine.
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            found.add(place, "a link")
        else:
            _walk_item(group[name], place, found, depth, seen)


def _walk_item(item: Any, path: str, found: _Found, depth: int, seen: set[tuple[int, int]]) -> None:
    import h5py

    info = h5py.h5o.get_info(item.id)
    if (info.fileno, info.addr) in seen or depth > MAX_DEPTH:
        found.add(path, "a group or value that is there already, or nested too deeply")
        return
    seen.add((info.fileno, info.addr))
    if isinstance(item, h5py.Group):
        if "MATLAB_sparse" in item.attrs:
            found.add(path, "sparse")
        else:
            _walk_group(item, path, found, depth + 1, seen)
    elif isinstance(item, h5py.Dataset):
        _read_dataset(item, path, found, depth, seen)
    else:
        found.add(path, "a type")


def _read_dataset(item: h5py.Dataset, path: str, found: _Found, depth: int, seen: set[tuple[int, int]]) -> None:
    import h5py

    matlab_class = item.attrs.get("MATLAB_class")
    if item.shape is None or "MATLAB_empty" in item.attrs:
        found.add(path, "empty")
    elif item.external or item.is_virtual:
        found.add(path, "a matrix kept in another file")
    elif h5py.check_ref_dtype(item.dtype) is h5py.Reference:
        if item.size > MAX_ELEMENTS:
            found.add(path, f"a cell array of {item.size:,}")
            return
        for number, reference in enumerate(np.ravel(item[()]), start=1):
            if reference:
                _walk_item(item.file[reference], f"{path}{{{number}}}", found, depth + 1, seen)
    elif matlab_class == b"char" or item.dtype.kind == "O":
        found.add(path, "text")
    else:
        shape = item.shape if len(item.shape) > 1 else (1, item.size)
        what = _no_matrix(item.dtype, shape)
        if what:
            found.add(path, what)
            return
        found.claim(path, item.size * item.dtype.itemsize)
        values = np.reshape(item[()], shape)
        # MATLAB writes its columns as rows and marks what it writes; other programs write what they mean.
        found.add(path, values.T if matlab_class is not None else values)
