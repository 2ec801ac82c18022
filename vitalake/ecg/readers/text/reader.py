"""Delimited text: columns of numbers, one a lead, with or without a header and a column of time.

Belongs here: from the columns of a table to leads. Does not belong here: how the text is laid out (`layout.py`),
its numbers (`table.py`), or its time axis (`time_axis.py`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitalake.ecg.channel_words import meaning_of
from vitalake.ecg.devices import UNDECLARED, Device
from vitalake.ecg.readers.names import lead_name
from vitalake.ecg.readers.text.clock import find_clock
from vitalake.ecg.readers.text.layout import HEAD_BYTES, Layout, decode, find_layout
from vitalake.ecg.readers.text.table import NumberColumn, read_columns
from vitalake.ecg.readers.text.time_axis import read_time
from vitalake.ecg.readers.units import per_millivolt, says_nothing
from vitalake.ecg.recording import MILLIVOLT, UNCALIBRATED, Lead, Recording
from vitalake.errors import UnusableDataError

FORMAT = "text"
MAX_COLUMNS = 512
INT32 = np.iinfo(np.int32)


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
    ``adu``, without a time axis or a line that names it the sampling rate is 0. Dates
    without a zone are of the device's clock (`CLOCK_TIME`).

    Args:
        data: the whole file, in UTF-8, UTF-16, or any encoding that extends ASCII.
        max_samples: of all columns together, time included.
        device: what is declared of its device; of a declared decimal sign nothing is guessed.

    Raises:
        UnusableDataError: S01, more than `max_samples`; S02, no such text, the first line that breaks its layout,
            or commas that may be anything; S05, more than 512 columns; S07, rates that contradict each other, or
            times that give none; S10, an integer beyond 53 bits.
    """
    text = decode(data)
    layout = find_layout(text, device.decimal_sign)
    if layout is None:
        raise UnusableDataError("S02", f"{len(data):,} bytes that are no text of rows of numbers")
    if layout.unclear:
        raise UnusableDataError("S02", layout.unclear)
    if layout.columns > MAX_COLUMNS:
        raise UnusableDataError("S05", f"{layout.columns:,} columns, expected at most {MAX_COLUMNS}")
    rows = 1 + max(text.count(end, layout.start) for end in (b"\n", b"\r"))
    if rows * layout.columns > max_samples:
        raise UnusableDataError("S01", f"{rows * layout.columns:,} cells; the limit is {max_samples:,}")
    columns = read_columns(text, layout)
    return _to_recording(columns, layout)


def _to_recording(columns: list[NumberColumn], layout: Layout) -> Recording:
    head = layout.head
    heads = [head.column(at) for at in range(len(columns))]
    axes = {
        at: axis
        for at, column in enumerate(columns)
        if at not in head.unused and (axis := read_time(column, *heads[at])) is not None
    }
    signals = [at for at in range(len(columns)) if at not in axes and at not in head.unused]
    if not signals:  # something has to be the signal: what is time by nothing but its even steps, else the last one
        signals = [max(axes, key=lambda at: (not heads[at][0], at))] if axes else [len(columns) - 1]
        axes = {at: axis for at, axis in axes.items() if at not in signals}
    if any(columns[at].values.dtype.kind == "M" or columns[at].is_clock for at in signals):
        raise UnusableDataError("S02", f"line {layout.line:,} holds a time where a number was expected")
    clock = find_clock([*axes.values()], head.rates_hz)
    names = [heads[at][0] for at in signals]
    if not any(names) and len(head.labels) in (len(signals), len(columns)):
        names = list(head.labels[-len(signals) :])
    return Recording(
        tuple(
            replace(
                _to_lead(columns[at], lead_name(name, number), heads[at][1] or head.unit, clock.sampling_rate_hz),
                label=meaning_of(name),
            )
            for number, (at, name) in enumerate(zip(signals, names, strict=True), 1)
        ),
        FORMAT,
        clock.started_at,
        findings=clock.findings,
    )


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
    return Lead(name, samples, rate_hz, 1.0, 0.0, UNCALIBRATED if says_nothing(unit) else unit, missing)
