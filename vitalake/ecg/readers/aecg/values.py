"""The values of aECG files: HL7 timestamps, quantities with units, and lists of numbers.

Belongs here: the data types TS, PQ, GLIST and SLIST of HL7 version 3. Does not belong here: which lead or series
they belong to (`aecg`).
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from vitalake.ecg.readers.units import per_millivolt
from vitalake.ecg.recording import CLOCK_TIME, MILLIVOLT, UNCALIBRATED
from vitalake.errors import UnusableDataError

SECONDS = {
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "\N{MICRO SIGN}s": 1e-6,
    "\N{GREEK SMALL LETTER MU}s": 1e-6,
    "ns": 1e-9,
}
MAX_NUMBER_LENGTH = 40
NOT_NUMBERS = "digits with something else than numbers among them"
INT32 = np.iinfo(np.int32)
_NO_NUMBER = re.compile(r"[^0-9+\-.eE \t\r\n]")
_FRACTION = re.compile(r"[.eE]")
_STRAY_SIGN = re.compile(r"[0-9+\-][+\-]|[+\-](?![0-9])")
_TOKEN = re.compile(r"\S+")
_TIMESTAMP = re.compile(
    r"(?P<day>\d{8})(?P<hour>\d\d)(?P<minute>\d\d)?(?P<second>\d\d)?(?:\.(?P<fraction>\d{1,9}))?"
    r"(?P<zone>[+-]\d{4})?",
    re.ASCII,
)

Samples = npt.NDArray[np.int32] | npt.NDArray[np.float64]


class Axis(NamedTuple):
    """Evenly spaced samples: time of the first, a date or s after the start of the series; rate, 0: unknown."""

    head: datetime | float | None
    rate_hz: float


class Scale(NamedTuple):
    """``(digit - zero) / gain`` is a value in `unit`."""

    gain: float
    zero: float
    unit: str


def read_time(text: str | None) -> datetime | None:
    """``YYYYMMDDHH[MM[SS[.f]]][+hhmm]`` in UTC, taken as UTC without a zone; None where it is no such time.

    A date without an hour is no time at which anything started.
    """
    found = _TIMESTAMP.fullmatch((text or "").strip()[:MAX_NUMBER_LENGTH])
    if not found:
        return None
    try:
        day = datetime.strptime(found["day"], "%Y%m%d").replace(
            tzinfo=timezone.utc if found["zone"] else CLOCK_TIME
        )
        clock = day.replace(
            hour=int(found["hour"]),
            minute=int(found["minute"] or 0),
            second=int(found["second"] or 0),
            microsecond=int((found["fraction"] or "0").ljust(6, "0")[:6]),
        )
        zone = int(found["zone"] or 0)
        return clock - timedelta(minutes=int(math.copysign(abs(zone) // 100 * 60 + abs(zone) % 100, zone)))
    except (ValueError, OverflowError):
        return None


def read_axis(value: Element | None) -> Axis:
    """A GLIST_TS or GLIST_PQ; any other list of times gives no rate."""
    head = None if value is None else value.find("head")
    increment = None if value is None else value.find("increment")
    first: datetime | float | None = None
    if value is not None and head is not None:
        relative = _seconds(head) if data_type(value) == "GLIST_PQ" else None
        first = read_time(head.get("value")) if relative is None else relative
    step = None if increment is None else _seconds(increment)
    rate = 1 / step if step is not None and step > 1e-9 else 0.0
    return Axis(first, _round_off(rate))


def read_scale(value: Element) -> Scale:
    """Origin and scale of an SLIST as gain and zero: per mV for voltages, without unit for an SLIST_INT.

    Raises:
        UnusableDataError: S09, they are no numbers that make sense.
    """
    origin, scale = value.find("origin"), value.find("scale")
    step = 1.0 if scale is None else _number(scale.get("value"))
    offset = 0.0 if origin is None else _number(origin.get("value", "0"))
    if step is None or offset is None or not 1e-30 < abs(step) < 1e30 or abs(offset) > 1e30:
        raise UnusableDataError("S09", "an origin or a scale that is no usable number")
    unit = "" if scale is None else scale.get("unit", "").strip()
    offset_unit = unit if origin is None else origin.get("unit", unit).strip()
    per_mv, offset_per_mv = per_millivolt(unit), per_millivolt(offset_unit)
    if per_mv is None:
        if offset and offset_unit != unit:
            raise UnusableDataError("S09", "an origin in another unit than the scale")
        return Scale(1 / step, -offset / step, unit[:MAX_NUMBER_LENGTH] or UNCALIBRATED)
    if offset and offset_per_mv is None:
        raise UnusableDataError("S09", "an origin in no unit of voltage, beside a scale in one")
    gain = per_mv / step
    return Scale(gain, -offset / (offset_per_mv or 1.0) * gain if offset else 0.0, MILLIVOLT)


def read_digits(text: str, max_samples: int) -> Samples:
    """The numbers in `text`, separated by white space, shape (numbers,); int32 where all are integers that fit.

    Raises:
        UnusableDataError: S01, more than `max_samples`; S04, something else than numbers.
    """
    if _NO_NUMBER.search(text):
        raise UnusableDataError("S04", NOT_NUMBERS)
    spaces = np.frombuffer(text.encode("ascii"), dtype=np.uint8) <= ord(" ")
    number = int(np.count_nonzero(spaces[:-1] & ~spaces[1:])) + int(len(spaces) > 0 and not spaces[0])
    if number > max_samples:
        raise UnusableDataError("S01", f"more than {max_samples:,} samples")
    if not number:
        return np.empty(0, dtype=np.int32)
    values = np.fromstring(text, dtype=np.float64, sep=" ") if _is_integers(text) else _read_floats(text, number)
    if not np.isfinite(values).all():
        raise UnusableDataError("S04", NOT_NUMBERS)
    if values.min() < INT32.min or values.max() > INT32.max:
        return values
    whole = values.astype(np.int32)
    return whole if np.array_equal(whole, values) else values


def _is_integers(text: str) -> bool:
    """True where numpy's quick parser, which takes ``1-2`` for two numbers, can do no wrong."""
    return not (_FRACTION.search(text) or _STRAY_SIGN.search(text))


def _read_floats(text: str, number: int) -> npt.NDArray[np.float64]:
    """One by one, without a list of them."""
    try:
        return np.fromiter((float(found[0]) for found in _TOKEN.finditer(text)), dtype=np.float64, count=number)
    except ValueError:
        raise UnusableDataError("S04", NOT_NUMBERS) from None


def data_type(value: Element) -> str:
    """What ``xsi:type`` says, without its prefix."""
    return value.get("type", "").rpartition(":")[2]


def _seconds(quantity: Element) -> float | None:
    number, unit = _number(quantity.get("value")), SECONDS.get(quantity.get("unit", "s").strip())
    return None if number is None or unit is None else number * unit


def _number(text: str | None) -> float | None:
    stripped = (text or "").strip()
    if len(stripped) > MAX_NUMBER_LENGTH or not stripped or _NO_NUMBER.search(stripped):
        return None
    try:
        number = float(stripped)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _round_off(rate_hz: float) -> float:
    """What 1 / 0.002 should give; increments are decimal fractions, rates nearly always integers."""
    return float(round(rate_hz)) if abs(rate_hz - round(rate_hz)) < 1e-9 * rate_hz else rate_hz
