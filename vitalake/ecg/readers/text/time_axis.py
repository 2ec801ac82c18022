"""Which columns of a text are a time axis, and the sampling rate and start that they give.

Belongs here: time columns. Does not belong here: how cells become numbers (`table.py`), which of several time axes
and of stated rates counts (`clock.py`).
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.readers.text.table import NumberColumn
from vitalake.ecg.readers.text.time_names import (
    TIME_UNITS,
    has_only_time_words,
    has_time_word,
    is_counter_name,
    is_time_name,
)
from vitalake.ecg.readers.units import other_quantity, per_millivolt
from vitalake.ecg.recording import CLOCK_TIME, UNCALIBRATED, Finding

MIN_ROWS = 10  # from which a column without a name counts as time by its even steps
UNEVEN_STEP = 0.1
UNEVEN_SHARE = 0.01
MIN_TICKS = 3  # of a clock coarser than the samples
FEW_JUMPS = 5  # more, and what lies between them is no gap of a recording
MOSTLY = 0.9  # of the steps of a counter, which may begin again
SNAP_SHARE = 1e-3
MAX_DIGITS = 6  # of written seconds
SAMPLED_ROWS = 2000
DAY_S = 86_400.0
EPOCH_S = (946_684_800.0, 4_102_444_800.0)  # the years 2000 to 2099
RATES_HZ = (20.0, 100_000.0)  # by which the unit of a time column without one is guessed

_NO_UNIT = frozenset(("hh:mm:ss", "hh:mm:ss.mmm", "formatted", "utc", "gmt", "local", "relative", "elapsed"))
_IN_BRACKETS = re.compile(r"[(\[]\s*(.+?)\s*[)\]]")


class TimeAxis(NamedTuple):
    """What one column says.

    Args:
        sampling_rate_hz: 0 where it only counts, or nobody can tell.
        started_at: the start, if it is a date.
        findings: what is odd about it.
        sure: whether its unit is known, and not guessed by what rate is likely.
        uneven: whether it advances so unevenly that it gives no rate.
    """

    sampling_rate_hz: float = 0.0
    started_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    sure: bool = True
    uneven: bool = False


def read_time(column: NumberColumn, name: str, unit: str) -> TimeAxis | None:
    """The time axis in a column; None where it is a signal.

    A column is one by its dates, by its name, by numbers that are dates, or, without a telling name, by counting
    evenly as no signal does.
    """
    values = column.values
    is_date = values.dtype.kind == "M"
    if not is_date and not column.is_clock and _is_quantity(unit):
        return None
    rises = is_date or column.is_clock or _rises(values)
    # "V2_time_aligned" is a lead, unless it counts as times do.
    sure = has_time_word(name) and (rises or has_only_time_words(name))
    named = sure or (is_time_name(name) and rises) or column.is_clock or is_date
    counts = is_counter_name(name) and not unit and rises
    if not (named or counts or _advances(column)):
        return None
    if column.missing is not None or len(values) < 2 or counts or (not named and _is_counter(values)):
        return TimeAxis()
    if is_date:
        nanoseconds = values.view(np.int64)
        # A date without a time of the day, which stands in another column, is no start.
        only_days = not (nanoseconds % (10**9 * int(DAY_S))).any()
        begin = None if only_days else _start(float(nanoseconds[0]) / 1e9)
        if begin is not None and not column.has_zone:
            begin = begin.replace(tzinfo=CLOCK_TIME)
        return _axis((nanoseconds - nanoseconds[0]) / 1e9, begin)
    if not np.isfinite(values).all():
        return TimeAxis(0.0, None, (Finding("S15", "the time column holds values that are not finite"),))
    return _numeric(column, name, unit)


def _is_quantity(unit: str) -> bool:
    """Whether it is a unit, and none of time: what a signal is measured in, however evenly it counts."""
    known = per_millivolt(unit) is not None or other_quantity(unit) is not None or unit.casefold() == UNCALIBRATED
    return known and unit.casefold() not in TIME_UNITS


def _numeric(column: NumberColumn, name: str, unit: str) -> TimeAxis:
    values = column.values.astype(np.float64)
    first = float(values[0])
    seconds = column.values - column.values[0]
    if column.is_clock:
        # Over midnight, or over noon where nobody says which half of the day it is.
        turns = np.diff(values, prepend=first) < -DAY_S / 4
        half = turns.any() and values.max() < 0.55 * DAY_S
        return _axis(seconds + np.cumsum(turns) * (DAY_S / 2 if half else DAY_S), None)
    known = TIME_UNITS.get((unit or name).casefold())
    epoch = _epoch(first)
    if known is None and epoch is None and _unknown_unit(name, unit):
        return TimeAxis()
    steps = np.diff(values)
    per_second = known or epoch or _guess(float(np.median(steps)) or float(steps.mean()))
    if per_second is None:
        return TimeAxis()
    started_at = _start(first / per_second) if EPOCH_S[0] <= first / per_second <= EPOCH_S[1] else None
    return _axis(seconds / per_second, started_at)._replace(sure=bool(known or epoch))


def _rises(values: npt.NDArray[Any]) -> bool:
    """Whether numbers mostly go up, or stay for a while, as times and counters do and signals do not."""
    steps = np.diff(values)
    return bool(len(steps) and np.mean(steps >= 0) > MOSTLY and np.mean(steps) != 0)


def _unknown_unit(name: str, unit: str) -> bool:
    """Whether a name or a unit says what the numbers count, and nobody here knows it, such as days."""
    inside = _IN_BRACKETS.search(name)
    said = (unit or (inside[1] if inside else "")).casefold()
    return bool(said) and said not in _NO_UNIT


def _advances(column: NumberColumn) -> bool:
    """Whether the values are dates as numbers, or rise in even steps; a counter has to begin with 0 or 1."""
    values = column.values
    if column.missing is not None or len(values) < MIN_ROWS or values.dtype.kind == "M":
        return False
    steps = np.diff(values)
    if not np.isfinite(steps).all():
        return False
    if _wraps(values, steps):
        return True
    if (steps >= 0).all() and values[0] < values[-1] and _epoch(values[0]) and _epoch(values[-1]):
        return True
    if (steps <= 0).any():
        return False
    median = np.median(steps)
    uneven = np.mean(np.abs(steps - median) > UNEVEN_STEP * median)
    return bool(uneven <= UNEVEN_SHARE) and (not _is_counter(values) or values[0] in (0, 1))


def _wraps(values: npt.NDArray[Any], steps: npt.NDArray[Any]) -> bool:
    """Whether whole numbers count from 0 to an end, and again from 0, as the numbers of packets do."""
    if not (values == np.round(values)).all() or values.min() != 0:
        return False
    last, back = values.max(), steps != 1
    return bool(back.any() and last >= 9 and (steps[back] == -last).all())


def _is_counter(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind not in "if":
        return False
    steps = np.diff(values)
    return bool(_wraps(values, steps) or (values.dtype.kind == "i" and (steps == 1).all()))


def _epoch(value: Any) -> float | None:
    """In which unit a number is a date, as parts of a second since 1970."""
    return next((each for each in (1.0, 1e3, 1e6, 1e9) if EPOCH_S[0] <= value / each <= EPOCH_S[1]), None)


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
    share = float(even.mean())
    # Rounded times need their mean, and gaps must not count.
    step = float(steps[even].mean()) if share > 0.5 else median
    ticks = np.flatnonzero(steps > 0)
    tick = 0.0
    if median == 0:
        # Many rows have one time: they are counted between the first tick and the last, of which all is there.
        tick = float(np.median(steps[ticks]))
        if len(ticks) < MIN_TICKS:
            said = f"the {len(seconds):,} rows have {len(ticks) + 1} different times"
            return TimeAxis(0.0, started_at, (Finding("S15", said),), uneven=True)
        step = float((seconds[ticks[-1] + 1] - seconds[ticks[0] + 1]) / (ticks[-1] - ticks[0]))
    if step <= 0:
        return TimeAxis(0.0, started_at, (Finding("S15", "the time column does not advance"),), uneven=True)
    uneven = len(steps) - int(even.sum())
    mean = span / len(steps)
    if abs(mean - step) > UNEVEN_STEP * step and (
        share < 1 - UNEVEN_STEP / 2 or (uneven > FEW_JUMPS and mean > 1.5 * step)
    ):
        return TimeAxis(0.0, started_at, (_jumps(uneven, steps, step),), uneven=True)
    if share <= 0.5 and median:
        step = mean
    findings = []
    if uneven > UNEVEN_SHARE * len(steps):
        findings.append(_jumps(uneven, steps, step))
    elif abs(span - step * len(steps)) > max(UNEVEN_SHARE * span, step, 2 * tick):
        findings.append(
            Finding(
                "S15", f"the time column spans {span:.6g} s, its samples {step * len(steps):.6g} s: it has gaps"
            )
        )
    return TimeAxis(_snapped(1 / step, len(steps)), started_at, tuple(findings))


def _jumps(uneven: int, steps: npt.NDArray[np.float64], step: float) -> Finding:
    return Finding("S15", f"{uneven:,} of {len(steps):,} time steps differ from {step:.6g} s by more than 10 %")


def _rounded(
    seconds: npt.NDArray[np.float64], steps: npt.NDArray[np.float64], median: float
) -> npt.NDArray[np.bool_]:
    """Which steps differ by the rounding of written times alone: of an even step it leaves two neighbours."""
    for digits in range(MAX_DIGITS + 1):
        scaled = seconds[:SAMPLED_ROWS] * 10.0**digits
        if (np.abs(scaled - np.round(scaled)) < 1e-3).all():
            unit = 1.01 * 10.0**-digits
            near: npt.NDArray[np.bool_] = np.abs(steps - median) <= unit
            # The median of two far steps is near neither.
            return near if near.any() and np.ptp(steps[near]) <= unit else np.zeros(len(steps), np.bool_)
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
