"""Which columns of a text are a time axis, and the sampling rate and start that they give.

Belongs here: time columns. Does not belong here: how cells become numbers (`table.py`).
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.readers.text.table import NumberColumn
from vitalake.ecg.recording import Finding

MIN_ROWS = 10  # from which a column without a name counts as time by its even steps
UNEVEN_STEP = 0.1
UNEVEN_SHARE = 0.01
SNAP_SHARE = 1e-3
MAX_DIGITS = 6  # of written seconds
SAMPLED_ROWS = 2000
EPOCH_S = (946_684_800.0, 4_102_444_800.0)  # the years 2000 to 2099
RATES_HZ = (20.0, 100_000.0)  # by which the unit of a time column without one is guessed

_NAME = re.compile(
    r"(?:elapsed[ _]?)?(?:time|timestamps?|date|datetime|t|zeit|seconds?|s|sec|ms|milliseconds?)", re.IGNORECASE
)
_COUNTER = re.compile(
    r"(?:sample|index|idx|n|no|nr|#|row)[ _]?(?:number|no|nr|#|interval|index)?\.?", re.IGNORECASE
)
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e3),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microseconds"), 1e6),
    "ns": 1e9,
}


class TimeAxis(NamedTuple):
    """What one column says: the rate in Hz, 0 where it only counts; the start, if it is a date; what is odd."""

    sampling_rate_hz: float
    started_at: datetime | None
    findings: tuple[Finding, ...]


def is_time(name: str, unit: str) -> bool:
    """Whether a column of this name and unit is one of time."""
    return bool(_NAME.fullmatch(name)) and unit.casefold() in ("", *_UNITS)


def read_time(column: NumberColumn, name: str, unit: str) -> TimeAxis | None:
    """The time axis in a column; None where it is a signal.

    A column is one by its dates, by its name, or, without a telling name, by counting evenly as no signal does.
    """
    values = column.values
    is_date = values.dtype.kind == "M"
    named = bool(_NAME.fullmatch(name)) or column.is_clock or is_date
    counts = bool(_COUNTER.fullmatch(name))
    if not (named or counts or _is_even(column)):
        return None
    if column.missing is not None or len(values) < 2 or counts or (not named and _is_counter(values)):
        return TimeAxis(0.0, None, ())
    if is_date:
        nanoseconds = values.view(np.int64)
        return _axis((nanoseconds - nanoseconds[0]) / 1e9, _start(float(nanoseconds[0]) / 1e9))
    if not np.isfinite(values).all():
        return TimeAxis(0.0, None, (Finding("S15", "the time column holds values that are not finite"),))
    return _numeric(column, name, unit)


def _numeric(column: NumberColumn, name: str, unit: str) -> TimeAxis:
    values = column.values.astype(np.float64)
    first = float(values[0])
    steps = np.diff(values)
    known = 1.0 if column.is_clock else _UNITS.get((unit or name).casefold())
    epoch = next((each for each in (1.0, 1e3, 1e6, 1e9) if EPOCH_S[0] <= first / each <= EPOCH_S[1]), None)
    per_second = known or epoch or _guess(float(np.median(steps)) or float(steps.mean()))
    if per_second is None:
        return TimeAxis(0.0, None, ())
    started_at = _start(first / per_second) if EPOCH_S[0] <= first / per_second <= EPOCH_S[1] else None
    return _axis((column.values - column.values[0]) / per_second, started_at)


def _is_even(column: NumberColumn) -> bool:
    """Whether the values rise in even steps, as no signal does; a counter has to begin with 0 or 1."""
    values = column.values
    if column.missing is not None or len(values) < MIN_ROWS:
        return False
    steps = np.diff(values)
    if not np.isfinite(steps).all() or (steps <= 0).any():
        return False
    median = np.median(steps)
    uneven = np.mean(np.abs(steps - median) > UNEVEN_STEP * median)
    return bool(uneven <= UNEVEN_SHARE) and (not _is_counter(values) or values[0] in (0, 1))


def _is_counter(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind == "i" and bool((np.diff(values) == 1).all())


def _guess(step: float) -> float | None:
    """Units per second where nothing names them: seconds, else milliseconds, whichever gives a likely rate."""
    if step == 1.0:
        return None  # a counter as likely as milliseconds
    if step == 0.0:
        return 1.0
    return next((each for each in (1.0, 1e3) if step > 0 and RATES_HZ[0] <= each / step <= RATES_HZ[1]), None)


def _axis(seconds: npt.NDArray[np.float64], started_at: datetime | None) -> TimeAxis:
    steps = np.diff(seconds)
    span = float(seconds[-1] - seconds[0])
    median = float(np.median(steps))
    if not (median > 0 or span > 0):
        return TimeAxis(0.0, started_at, (Finding("S15", "the time column does not advance"),))
    even = (np.abs(steps - median) <= UNEVEN_STEP * median) | _rounded(seconds, steps, median)
    # Rounded times need their mean, and gaps must not count.
    step = float(steps[even].mean()) if even.mean() > 0.5 else median
    step = step if step > 0 else span / len(steps)
    findings = []
    uneven = len(steps) - int(even.sum())
    if uneven > UNEVEN_SHARE * len(steps):
        findings.append(
            Finding("S15", f"{uneven:,} of {len(steps):,} time steps differ from {step:.6g} s by more than 10 %")
        )
    elif abs(span - step * len(steps)) > max(UNEVEN_SHARE * span, step):
        findings.append(
            Finding(
                "S15", f"the time column spans {span:.6g} s, its samples {step * len(steps):.6g} s: it has gaps"
            )
        )
    return TimeAxis(_snapped(1 / step, len(steps)) if step > 0 else 0.0, started_at, tuple(findings))


def _rounded(
    seconds: npt.NDArray[np.float64], steps: npt.NDArray[np.float64], median: float
) -> npt.NDArray[np.bool_]:
    """Which steps differ by the rounding of written times alone: of an even step it leaves two neighbours."""
    for digits in range(MAX_DIGITS + 1):
        scaled = seconds[:SAMPLED_ROWS] * 10.0**digits
        if (np.abs(scaled - np.round(scaled)) < 1e-3).all():
            unit = 1.01 * 10.0**-digits
            near: npt.NDArray[np.bool_] = np.abs(steps - median) <= unit
            return near if np.ptp(steps[near]) <= unit else np.zeros(len(steps), np.bool_)
    return np.zeros(len(steps), np.bool_)


def _snapped(rate_hz: float, steps: int) -> float:
    """The whole number of Hz that written times can mean: less than one step off at the end, and 0.1 %."""
    whole = float(round(rate_hz))
    if whole and abs(whole - rate_hz) <= min(SNAP_SHARE * rate_hz, rate_hz / steps):
        return whole
    return rate_hz


def _start(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(round(seconds, 6), timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
