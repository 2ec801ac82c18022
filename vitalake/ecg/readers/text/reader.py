"""Delimited text: columns of numbers, one a lead, with or without a header and a column of time.

Belongs here: from the columns of a table to leads. Does not belong here: how the text is laid out (`layout.py`),
its numbers (`table.py`), or its time axis (`time_axis.py`).
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from vitalake.ecg.channel_words import meaning_of
from vitalake.ecg.devices import UNDECLARED, Device
from vitalake.ecg.readers.names import lead_name
from vitalake.ecg.readers.text.layout import HEAD_BYTES, Layout, decode, find_layout
from vitalake.ecg.readers.text.table import NumberColumn, read_columns
from vitalake.ecg.readers.text.time_axis import TimeAxis, is_time, read_time
from vitalake.ecg.readers.units import other_quantity, per_millivolt
from vitalake.ecg.recording import MILLIVOLT, UNCALIBRATED, Lead, Recording
from vitalake.errors import UnusableDataError

FORMAT = "text"
MAX_COLUMNS = 512
MAX_TIME_COLUMNS = 2  # a date and the seconds since, or a counter and a time
INT32 = np.iinfo(np.int32)
OTHER_UNITS = frozenset(
    ("mmhg", "cmh2o", "bpm", "%", "ohm", "kohm", "°c", "l/min", "ml", "g", "m/s2", "m/s^2", "pm")
)

_IN_BRACKETS = re.compile(r"(.*?)[\s_]*[(\[]\s*([^()\[\]]{1,12})\s*[)\]]")
_AT_THE_END = re.compile(r"(.*?)[\s_]+([mµμun]v|m?sec|[mµμu]?s)", re.IGNORECASE)


def recognises(data: bytes) -> bool:
    """Whether the first 64 kB are text in lines, most of them numbers once a header is over."""
    head = data[: HEAD_BYTES - HEAD_BYTES % 4]
    try:
        return find_layout(decode(head)) is not None
    except UnusableDataError:
        return False


def read(data: bytes, *, max_samples: int, device: Device = UNDECLARED) -> Recording:
    """Every column but those of time as a lead, on one time axis.

    Integers stay int32 where they fit, decimals are float64; an empty cell is missing. Without a unit a lead is in
    ``adu``, without a time axis or a line that names it the sampling rate is 0. Times without a zone are UTC.

    Args:
        data: the whole file, in UTF-8, UTF-16, or any encoding that extends ASCII.
        max_samples: of all columns together, time included.
        device: what is declared of its device; of a declared decimal sign nothing is guessed.

    Raises:
        UnusableDataError: S01, more than `max_samples`; S02, no such text, or the first line that breaks its
            layout; S05, more than 512 columns; S10, an integer beyond 53 bits.
    """
    text = decode(data)
    layout = find_layout(text, device.decimal_sign)
    if layout is None:
        raise UnusableDataError("S02", f"{len(data):,} bytes that are no text of rows of numbers")
    if layout.columns > MAX_COLUMNS:
        raise UnusableDataError("S05", f"{layout.columns:,} columns, expected at most {MAX_COLUMNS}")
    rows = 1 + max(text.count(end, layout.start) for end in (b"\n", b"\r"))
    if rows * layout.columns > max_samples:
        raise UnusableDataError("S01", f"{rows * layout.columns:,} cells; the limit is {max_samples:,}")
    columns = read_columns(text, layout, MAX_TIME_COLUMNS)
    return _to_recording(columns, layout)


def _to_recording(columns: list[NumberColumn], layout: Layout) -> Recording:
    heads = [_head(layout, at) for at in range(len(columns))]
    axes: list[TimeAxis] = []
    while len(axes) < min(MAX_TIME_COLUMNS, len(columns) - 1):
        axis = read_time(columns[len(axes)], *heads[len(axes)])
        if axis is None:
            break
        axes.append(axis)
    leads = columns[len(axes) :]
    if any(column.values.dtype.kind == "M" or column.is_clock for column in leads):
        raise UnusableDataError("S02", f"line {layout.line:,} holds a time where a number was expected")
    rate_hz = next((axis.sampling_rate_hz for axis in axes if axis.sampling_rate_hz), layout.sampling_rate_hz)
    names = [name for name, _ in heads[len(axes) :]]
    if not any(names) and len(layout.labels) in (len(leads), len(columns)):
        names = list(layout.labels[-len(leads) :])
    return Recording(
        tuple(
            replace(_to_lead(column, lead_name(name, number), unit or layout.unit, rate_hz), label=meaning_of(name))
            for number, (column, name, (_, unit)) in enumerate(
                zip(leads, names, heads[len(axes) :], strict=True), 1
            )
        ),
        FORMAT,
        next((axis.started_at for axis in axes if axis.started_at), None),
        findings=tuple(finding for axis in axes for finding in axis.findings),
    )


def _head(layout: Layout, at: int) -> tuple[str, str]:
    """Name and unit of a column; what stands in brackets and is no unit belongs to the name."""
    name = layout.names[at] if layout.names else ""
    unit = layout.units[at] if layout.units else ""
    match = _IN_BRACKETS.fullmatch(name) or _AT_THE_END.fullmatch(name)
    if match and not unit and (_is_unit(match[2]) or is_time(match[1], match[2])):
        name, unit = match[1], match[2]
    elif len(name) > 1 and per_millivolt(name):  # a single V is the chest lead
        name, unit = "", name
    return name, unit.strip("'\" ")


def _is_unit(text: str) -> bool:
    # A single letter in brackets is a side or a lead as likely: ECG (L), Leg (R).
    other = text.casefold() in OTHER_UNITS or (len(text) > 1 and other_quantity(text) is not None)
    return other or per_millivolt(text) is not None or text.casefold() == UNCALIBRATED


def _to_lead(column: NumberColumn, name: str, unit: str, rate_hz: float) -> Lead:
    values, missing = column.values, column.missing
    samples = values
    if values.dtype.kind == "i":
        low, high = int(values.min(initial=0)), int(values.max(initial=0))
        if INT32.min <= low and high <= INT32.max:
            samples = values.astype(np.int32)
        elif max(-low, high) <= 2**53:
            samples = values.astype(np.float64)
        else:
            raise UnusableDataError("S10", "integers that fit neither int32 nor float64")
    if missing is not None and samples.dtype.kind == "f":
        samples, missing = np.where(missing, np.nan, samples), None
    gain = per_millivolt(unit)
    if gain is not None:
        return Lead(name, samples, rate_hz, gain, 0.0, MILLIVOLT, missing)
    return Lead(
        name, samples, rate_hz, 1.0, 0.0, unit if other_quantity(unit) is not None else UNCALIBRATED, missing
    )
