"""Structural checks S01 to S10 and S14: from the bytes and key of a MATLAB object to a recording.

Belongs here: whether an object holds an ECG at all, which variable it is, and what the path says about it.
Does not belong here: file layouts (`vitalake.ecg.readers`), or how good the signal is (`vitalake.ecg.quality`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.readers.matlab import list_others, matlab_version, read_variables
from vitalake.ecg.readers.matlab_variable import Matrix
from vitalake.ecg.recording import Calibration, Recording
from vitalake.errors import UnusableDataError

MAX_MISSING_SHARE = 0.05
MAX_MISSING_RUN_S = 0.2
NAMED_IN_MESSAGES = 20
INT32 = np.iinfo(np.int32)

Samples = npt.NDArray[np.int32] | npt.NDArray[np.float64]

_CLASS_FOLDER = re.compile(r"[0-9]{1,3} (?P<label>[A-Za-z]\w*)", re.ASCII)
_FRAGMENT_FILE = re.compile(r"(?P<record>[0-9]{1,6})m \((?P<fragment>[0-9]{1,6})\)\.mat", re.ASCII)
_DEVICE_FOLDER = re.compile(r"(?:^|/)device=([^/]+)/")


@dataclass(frozen=True)
class SourceConfig:
    """What a dataset knows that its files do not say; the defaults are those of Plawiak's fragments.

    Source: Plawiak 2017, "ECG signals (1000 fragments)", doi 10.17632/7dybx7wyfn.3.
    """

    signal_names: tuple[str, ...] = ("val",)
    rate_names: tuple[str, ...] = ("fs", "Fs")
    sampling_rate_hz: float = 360.0
    gain_adu_per_mv: float | None = 200.0
    zero_adu: float = 1024.0
    lead_names: tuple[str, ...] = ("MLII",)
    min_duration_s: float = 5.0
    max_leads: int = 16
    rate_range_hz: tuple[float, float] = (50.0, 2000.0)
    object_bytes: int = 64 * 2**20


class PathMetadata(NamedTuple):
    """What the key of an object says; None where it says nothing."""

    label: str | None
    record: str | None
    fragment: int | None
    device_id: str | None
    warnings: tuple[str, ...]


def parse_path(key: str) -> PathMetadata:
    """Metadata of ``…/<n> <class>/<record>m (<fragment>).mat`` and of ``device=<id>/`` anywhere in the key.

    A key that only half follows the first pattern gives none of it, and the warning S14.
    """
    _, folder, file = ("/" * 2 + key).rsplit("/", 2)
    in_class, fragment = _CLASS_FOLDER.fullmatch(folder), _FRAGMENT_FILE.fullmatch(file)
    device = _DEVICE_FOLDER.search(key)
    device_id = device[1] if device else None
    if in_class and fragment:
        return PathMetadata(in_class["label"], fragment["record"], int(fragment["fragment"]), device_id, ())
    return PathMetadata(None, None, None, device_id, ("S14",) if in_class or fragment else ())


def read_recording(key: str, data: bytes, config: SourceConfig) -> Recording:
    """The recording in one MATLAB object, samples exactly as stored, of shape (leads, samples).

    Raises:
        UnusableDataError: S01 to S08 or S10, with what was found and what was expected.
    """
    if not 0 < len(data) <= config.object_bytes:
        raise UnusableDataError("S01", f"{len(data):,} bytes, expected 1 to {config.object_bytes:,}")
    matrices, others = read_variables(data, max_bytes=config.object_bytes)
    stored = _orient(_find_signal(matrices, others, config), config)
    rate_hz = _find_rate(matrices, others, config)
    leads, length = stored.shape
    shortest = math.ceil(config.min_duration_s * rate_hz)
    if length < shortest:
        expected = f"{shortest:,} ({config.min_duration_s:g} s at {rate_hz:g} Hz)"
        raise UnusableDataError("S08", f"{length:,} samples, expected at least {expected}")
    path = parse_path(key)
    warnings = {*path.warnings, *_check_missing(stored, rate_hz)}
    named = leads == len(config.lead_names)
    if not named or config.gain_adu_per_mv is None:
        warnings.add("S09")
    lead_names = config.lead_names if named else tuple(f"lead_{number}" for number in range(1, leads + 1))
    return Recording(
        samples=_exact(stored),
        calibration=Calibration(rate_hz, config.gain_adu_per_mv, config.zero_adu, lead_names),
        file_format=f"matlab_{matlab_version(data)}",
        device_id=path.device_id,
        label=path.label,
        record=path.record,
        fragment=path.fragment,
        warnings=tuple(sorted(warnings)),
    )


def _find_signal(matrices: dict[str, Matrix], others: dict[str, str], config: SourceConfig) -> Matrix:
    """The configured variable (S04 where it is no numbers), else the only matrix there is (S03)."""
    for name in config.signal_names:
        if name in others:
            raise UnusableDataError("S04", f"'{name}' is {others[name]}, expected a real numeric matrix")
        if name in matrices:
            return matrices[name]
    if not matrices:
        raise UnusableDataError("S04", f"the file holds no real numeric matrix: {list_others(others)}")
    candidates = [name for name, matrix in matrices.items() if name not in config.rate_names or matrix.size > 1]
    if len(candidates) != 1:
        listed = ", ".join(candidates[:NAMED_IN_MESSAGES]) or "none"
        raise UnusableDataError(
            "S03",
            f"{len(candidates)} candidates for the signal ({listed}): "
            f"expected {' or '.join(config.signal_names)}, or exactly one matrix",
        )
    return matrices[candidates[0]]


def _orient(matrix: Matrix, config: SourceConfig) -> Matrix:
    """The short side is the leads; shape (leads, samples)."""
    rows, columns = matrix.shape
    leads = min(rows, columns)
    if not 1 <= leads <= config.max_leads:
        raise UnusableDataError(
            "S05", f"{rows:,} x {columns:,} values would be {leads:,} leads, expected 1 to {config.max_leads}"
        )
    return matrix if rows == leads else matrix.T


def _find_rate(matrices: dict[str, Matrix], others: dict[str, str], config: SourceConfig) -> float:
    """Sampling rate in Hz: the file's if it has one, else the configured one."""
    low, high = config.rate_range_hz
    named = [name for name in config.rate_names if name in matrices or name in others]
    rates = {name: _single_number(name, matrices, others) for name in named}
    rates = rates or {"the configuration": config.sampling_rate_hz}
    if len(set(rates.values())) > 1 or not all(low <= rate <= high for rate in rates.values()):
        shown = " and ".join(f"{rate:g} Hz in {where}" for where, rate in rates.items())
        raise UnusableDataError("S07", f"sampling rate {shown}: expected one from {low:g} to {high:g} Hz")
    return next(iter(rates.values()))


def _single_number(name: str, matrices: dict[str, Matrix], others: dict[str, str]) -> float:
    matrix = matrices.get(name)
    if matrix is None or matrix.size != 1:
        found = others.get(name) if matrix is None else "{:,} x {:,} values".format(*matrix.shape)
        raise UnusableDataError("S07", f"'{name}' is {found}, expected a single number")
    return float(matrix.flat[0])


def _check_missing(stored: Matrix, rate_hz: float) -> tuple[str, ...]:
    """The warning S06 where single samples are NaN or infinite; S06 as an error where too many of a lead are."""
    missing = ~np.isfinite(stored)
    if not missing.any():
        return ()
    share = float(missing.mean(axis=1).max())
    run, longest = max(_longest_run(lead) for lead in missing), math.floor(MAX_MISSING_RUN_S * rate_hz)
    if share > MAX_MISSING_SHARE or run > longest:
        raise UnusableDataError(
            "S06",
            f"{share:.1%} of a lead are NaN or infinite, {run:,} samples in a row: "
            f"expected at most {MAX_MISSING_SHARE:.0%} and {longest:,} ({MAX_MISSING_RUN_S:g} s)",
        )
    return ("S06",)


def _longest_run(flags: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _exact(stored: Matrix) -> Samples:
    """int32 where every value is such an integer, else float64; a value that neither holds is refused (S10)."""
    is_float = stored.dtype.kind == "f"
    low, high = stored.min().item(), stored.max().item()  # Python numbers: compared exactly, NaN with nothing
    if INT32.min <= low and high <= INT32.max:
        as_int: npt.NDArray[np.int32] = stored.astype(np.int32, order="C")
        if not is_float or (np.array_equal(as_int, stored) and not np.signbit(stored[stored == 0]).any()):
            return as_int
    with np.errstate(invalid="ignore"):  # a signalling NaN of a float32
        as_float: npt.NDArray[np.float64] = stored.astype(np.float64, order="C")
    # Back in its integer type a rounded value differs; one rounded out of its range must not get that far.
    if is_float or (
        as_float.max().item() <= np.iinfo(stored.dtype).max
        and np.array_equal(as_float.astype(stored.dtype), stored)
    ):
        return as_float
    raise UnusableDataError(
        "S10", f"{stored.dtype.name} values from {low:,} to {high:,} fit neither int32 nor float64"
    )
