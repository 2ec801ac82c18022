"""MATLAB files, v4 to v7, from bytes to matrices: safe on anything that anybody uploads.

Belongs here: which version a file is, which of its variables can be used, and a good answer where none can.
Does not belong here: the layouts (`v4.py`, `v5.py`), or what a matrix means (`vitalake.ecg.structure`).

Variables and fields may be called anything, `John_Smith_1951` too. So no message repeats such a name: what a file
holds is counted, and told by its shape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from vitalake.ecg.readers.matlab import v4 as matlab_v4
from vitalake.ecg.readers.matlab import v5
from vitalake.ecg.readers.matlab.variable import Matrix, Variable
from vitalake.errors import UnusableDataError

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
V73_MARKS = (b"\x00\x02IM", b"\x02\x00MI")
MAX_VARIABLES = 1000
TOLD = 10  # kinds or shapes in a message
CONTROL_BYTES = frozenset(range(32)) - frozenset(b"\t\n\f\r")

Version = Literal["v4", "v5", "v7.3"]


class MatlabVariables(NamedTuple):
    """Real numeric matrices by name, and by name what every other variable is, e.g. ``"a struct"``."""

    matrices: dict[str, Matrix]
    others: dict[str, str]


def matlab_version(data: bytes) -> Version | None:
    """Version that the content, not the name, of a file shows; None where it is no MATLAB file.

    v6 and v7 files have the layout of v5. v7.3 is HDF5 behind 512 bytes of header; plain HDF5 counts as v7.3.
    """
    if matlab_v4.byte_order(data) is not None:
        return "v4"
    if data.startswith((HDF5_SIGNATURE, b"MATLAB 7.3")) or data[512:520] == HDF5_SIGNATURE:
        return "v7.3"
    if data[124:128] in V73_MARKS:
        return "v7.3"
    if data[124:128] in v5.BYTE_ORDERS or (data.startswith(b"MATLAB 5.0") and len(data) < 128):
        return "v5"
    return None


def read_matlab(data: bytes, *, max_bytes: int) -> dict[str, Matrix]:
    """All real numeric matrices of a MATLAB v4 to v7 file, by variable name, shape (rows, columns).

    Values keep the type in which they are stored, in native byte order. Time and memory are bounded by the size
    of `data` and by `max_bytes`, to which all compressed variables together may unpack.

    Raises:
        UnusableDataError: S02, no readable MATLAB file; S04, no real numeric matrix in it.
    """
    matrices, others = read_variables(data, max_bytes=max_bytes)
    if not matrices:
        raise UnusableDataError("S04", f"the file holds no real numeric matrix but {counted(others.values())}")
    return matrices


def read_variables(data: bytes, *, max_bytes: int) -> MatlabVariables:
    """As `read_matlab`, with the variables that are no real numeric matrix beside it; raises S02 only."""
    found = MatlabVariables({}, {})
    for name, content in _open(data, max_bytes):
        if name in found.matrices or name in found.others:
            raise UnusableDataError("S02", "the file holds two variables of one name")
        if len(found.matrices) + len(found.others) == MAX_VARIABLES:
            raise UnusableDataError("S02", f"the file holds more than {MAX_VARIABLES:,} variables")
        if isinstance(content, str) or not name:
            found.others[name] = content if isinstance(content, str) else "MATLAB's own workspace"
        else:
            found.matrices[name] = content
    if not (found.matrices or found.others):
        raise UnusableDataError("S02", f"the MATLAB file ends after its header of {len(data):,} bytes: no variable")
    return found


def counted(kinds: Iterable[str]) -> str:
    """How many variables there are of which kind or shape, the commonest first, for messages."""
    counts = Counter(kinds).most_common()
    shown = [kind if count == 1 else f"{count:,} times {kind}" for kind, count in counts[:TOLD]]
    return ", ".join(shown) + (", …" if len(counts) > TOLD else "")


def _open(data: bytes, max_bytes: int) -> Iterator[Variable]:
    version = matlab_version(data)
    if version == "v4":
        return matlab_v4.read_variables(data)
    if version == "v5":
        return v5.read_variables(data, max_bytes)
    raise UnusableDataError("S02", _why_not(data, version))


def _why_not(data: bytes, version: Version | None) -> str:
    if version == "v7.3":
        return "a MATLAB v7.3 (HDF5) file, which this reader does not take"
    if not data:
        return "the file is empty"
    if len(data) < 4:
        return f"the file ends after {len(data)} byte{'s' * (len(data) > 1)}: too short for any MATLAB file"
    if not CONTROL_BYTES.isdisjoint(data[:512]):
        return f"the first bytes belong to no MATLAB version ({len(data):,} bytes)"
    if len(data) < 512 and data.strip().endswith(b".mat"):
        return f"{len(data)} bytes of text, the name of a MATLAB file in place of its content: upload the file"
    return f"{len(data):,} bytes of text, not a MATLAB file"
