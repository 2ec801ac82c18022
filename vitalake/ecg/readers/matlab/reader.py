"""From the variables of a MATLAB file to a recording: which of them is the signal, and which its rate.

Belongs here: names and shapes of variables. Does not belong here: file layouts (`matrices.py`), or what the dataset
knows and the file does not say (`vitalake.ecg.structure`).
"""

from __future__ import annotations

import numpy as np

from vitalake.ecg.readers.limited.process import read_limited
from vitalake.ecg.readers.matlab.matrices import counted, matlab_version, read_variables
from vitalake.ecg.readers.matlab.other_variables import NESTED
from vitalake.ecg.readers.matlab.variable import Matrix
from vitalake.ecg.recording import Lead, Recording
from vitalake.errors import UnusableDataError

SIGNAL_NAMES = ("val", "ecg.data")
RATE_NAMES = ("fs", "ecg.fs")
MAX_LEADS = 16
INT32 = np.iinfo(np.int32)


def recognises(data: bytes) -> bool:
    """Whether these bytes begin as a MATLAB file of any version does."""
    return matlab_version(data) is not None


def read(data: bytes, *, max_samples: int) -> Recording:
    """The recording in one MATLAB file, samples exactly as stored; gain and lead names are not in such a file.

    The signal is the variable called ``val``, or ``data`` in a structure ``ECG``, else the only matrix there is;
    its short side are the leads. The sampling rate is the variable ``fs``, in any case of letters, if there is one.

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
    stored = _orient(_find_signal(matrices, others))
    if stored.size > max_samples:
        raise UnusableDataError("S01", f"{stored.size:,} samples; the limit is {max_samples:,}")
    rate_hz = _find_rate(matrices, others)
    leads = tuple(Lead(f"lead_{number}", samples, rate_hz) for number, samples in enumerate(exact(stored), start=1))
    return Recording(leads, f"matlab_{version}")


def _find_signal(matrices: dict[str, Matrix], others: dict[str, str]) -> Matrix:
    """The variable with the usual name (S04 where it is no numbers), else the only matrix there is (S03)."""
    for usual in SIGNAL_NAMES:
        for name, what in others.items():
            if name.lower() == usual:
                raise UnusableDataError("S04", f"'{usual}' is {what}, expected a real numeric matrix")
        for name, matrix in matrices.items():
            if name.lower() == usual:
                return matrix
    if not matrices:
        raise UnusableDataError("S04", f"the file holds no real numeric matrix but {counted(others.values())}")
    candidates = [name for name, matrix in matrices.items() if name.lower() not in RATE_NAMES or matrix.size > 1]
    if len(candidates) != 1:
        shapes = counted("{:,} x {:,} values".format(*matrices[name].shape) for name in candidates) or "none"
        raise UnusableDataError(
            "S03",
            f"{len(candidates)} candidates for the signal ({shapes}): "
            f"expected one matrix, or one called {' or '.join(SIGNAL_NAMES)}",
        )
    return matrices[candidates[0]]


def _orient(matrix: Matrix) -> Matrix:
    """The short side is the leads; shape (leads, samples)."""
    rows, columns = matrix.shape
    leads = min(rows, columns)
    if not 1 <= leads <= MAX_LEADS:
        raise UnusableDataError(
            "S05", f"{rows:,} x {columns:,} values would be {leads:,} leads, expected 1 to {MAX_LEADS}"
        )
    return matrix if rows == leads else matrix.T


def _find_rate(matrices: dict[str, Matrix], others: dict[str, str]) -> float:
    """Sampling rate in Hz as the file says it; 0 where it says nothing."""
    named = [name for name in (*matrices, *others) if name.lower() in RATE_NAMES]
    rates = {name: _single_number(name, matrices, others) for name in named}
    if len(set(rates.values())) > 1:
        shown = " and ".join(f"{rate:g} Hz in {where}" for where, rate in rates.items())
        raise UnusableDataError("S07", f"sampling rate {shown}: expected one")
    rate = next(iter(rates.values()), 0.0)
    if rates and not rate > 0:
        raise UnusableDataError("S07", f"sampling rate {rate:g} Hz, expected more than 0")
    return rate


def _single_number(name: str, matrices: dict[str, Matrix], others: dict[str, str]) -> float:
    matrix = matrices.get(name)
    if matrix is None or matrix.size != 1:
        found = others.get(name) if matrix is None else "{:,} x {:,} values".format(*matrix.shape)
        raise UnusableDataError("S07", f"'{name}' is {found}, expected a single number")
    return float(matrix.flat[0])


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
