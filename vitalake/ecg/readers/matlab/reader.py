"""From the variables of a MATLAB file to a recording: which of them is the signal, and which its rate.

Belongs here: names and shapes of variables. Does not belong here: names of rates (`rate.py`), file layouts
(`matrices.py`), or what the dataset knows and the file does not say (`vitalake.ecg.structure`).
"""

from __future__ import annotations

import numpy as np

from vitalake.ecg.readers.limited.frames import Variables
from vitalake.ecg.readers.limited.process import read_limited
from vitalake.ecg.readers.matlab.matrices import counted, matlab_version, read_variables
from vitalake.ecg.readers.matlab.other_variables import NESTED
from vitalake.ecg.readers.matlab.rate import is_rate, stated_rate
from vitalake.ecg.readers.matlab.variable import Matrix
from vitalake.ecg.recording import Lead, Recording
from vitalake.errors import UnusableDataError

SIGNAL_NAMES = ("val", "ecg.data")
MAX_LEADS = 16
INT32 = np.iinfo(np.int32)


def recognises(data: bytes) -> bool:
    """Whether these bytes begin as a MATLAB file of any version does."""
    return matlab_version(data) is not None


def read(data: bytes, *, max_samples: int) -> Recording:
    """The recording in one MATLAB file, samples exactly as stored; gain and lead names are not in such a file.

    The signal is the variable called ``val``, or ``data`` in a structure ``ECG``, else the only matrix there is;
    its short side are the leads. The sampling rate is what a variable or field of such a name says (`rate.py`).

    Raises:
        UnusableDataError: S01 to S05, S07 or S10, with what was found and what was expected.
        PermanentError: the process for structures and v7.3 cannot be started.
    """
    version = matlab_version(data)
    if version == "v7.3":
        matrices, others = read_limited("matlab.other_variables", data, max_bytes=8 * max_samples)
    else:
        matrices, others = read_variables(data, max_bytes=8 * max_samples)
        if not any(name.lower() in SIGNAL_NAMES for name in matrices) and set(NESTED) & set(others.values()):
            matrices |= read_limited("matlab.other_variables", data, max_bytes=8 * max_samples).matrices
    signal = _find_signal(matrices, others)
    stored = _orient(matrices[signal])
    if stored.size > max_samples:
        raise UnusableDataError("S01", f"{stored.size:,} samples; the limit is {max_samples:,}")
    rate_hz = stated_rate(signal, matrices, others)
    if not rate_hz and version != "v7.3" and set(NESTED) & set(others.values()):
        rate_hz = stated_rate(signal, *_nested(data, 8 * max_samples))
    leads = tuple(Lead(f"lead_{number}", samples, rate_hz) for number, samples in enumerate(exact(stored), start=1))
    return Recording(leads, f"matlab_{version}")


def _nested(data: bytes, max_bytes: int) -> Variables:
    """What lies in structures beside the signal; nothing where they cannot be read, since the signal can."""
    try:
        return read_limited("matlab.other_variables", data, max_bytes=max_bytes)
    except UnusableDataError:
        return Variables({}, {})


def _find_signal(matrices: dict[str, Matrix], others: dict[str, str]) -> str:
    """Name of the usual variable (S04 where it is no numbers), else of the only matrix there is (S03)."""
    for usual in SIGNAL_NAMES:
        for name, what in others.items():
            if name.lower() == usual:
                raise UnusableDataError("S04", f"'{usual}' is {what}, expected a real numeric matrix")
        for name in matrices:
            if name.lower() == usual:
                return name
    if not matrices:
        raise UnusableDataError("S04", f"the file holds no real numeric matrix but {counted(others.values())}")
    large = [name for name, matrix in matrices.items() if matrix.size > 1]
    candidates = large if len(large) == 1 else [name for name in matrices if name in large or not is_rate(name)]
    if len(candidates) != 1:
        shapes = counted("{:,} x {:,} values".format(*matrices[name].shape) for name in candidates) or "none"
        raise UnusableDataError(
            "S03",
            f"{len(candidates)} candidates for the signal ({shapes}): "
            f"expected one matrix, or one called {' or '.join(SIGNAL_NAMES)}",
        )
    return candidates[0]


def _orient(matrix: Matrix) -> Matrix:
    """The short side is the leads; shape (leads, samples)."""
    rows, columns = matrix.shape
    leads = min(rows, columns)
    if not 1 <= leads <= MAX_LEADS:
        raise UnusableDataError(
            "S05", f"{rows:,} x {columns:,} values would be {leads:,} leads, expected 1 to {MAX_LEADS}"
        )
    return matrix if rows == leads else matrix.T


def exact(stored: Matrix) -> np.typing.NDArray[np.int32] | np.typing.NDArray[np.float64]:
    """int32 where every value is such an integer, else float64; a value that neither holds is refused (S10)."""
    is_float = stored.dtype.kind == "f"
    if stored.size == 0:
        return stored.astype(np.int32)
    low, high = stored.min().item(), stored.max().item()  # Python numbers: compared exactly, NaN with nothing
    if INT32.min <= low and high <= INT32.max:
        as_int: np.typing.NDArray[np.int32] = stored.astype(np.int32, order="C")
        if not is_float or (np.array_equal(as_int, stored) and not np.signbit(stored[stored == 0]).any()):
            return as_int
    with np.errstate(invalid="ignore"):  # a signalling NaN of a float32
        as_float: np.typing.NDArray[np.float64] = stored.astype(np.float64, order="C")
    # Back in its integer type a rounded value differs; one rounded out of its range must not get that far.
    if is_float or (
        as_float.max().item() <= np.iinfo(stored.dtype).max
        and np.array_equal(as_float.astype(stored.dtype), stored)
    ):
        return as_float
    raise UnusableDataError("S10", f"{stored.dtype.name} values that fit neither int32 nor float64")
