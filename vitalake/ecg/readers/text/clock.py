"""Which sampling rate and start a text has, of all that its columns of times and its head say.

Belongs here: the choice, and its refusal. Does not belong here: what one column says (`time_axis.py`), or one line
(`rates.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from vitalake.ecg.readers.text.time_axis import TimeAxis
from vitalake.ecg.recording import Finding
from vitalake.errors import UnusableDataError

AGREEMENT = 0.1  # of two rates: what differs more means something else


class Clock(NamedTuple):
    """The sampling rate in Hz, 0 where nothing says it; the start; what is odd about them."""

    sampling_rate_hz: float
    started_at: datetime | None
    findings: tuple[Finding, ...]


def find_clock(axes: Sequence[TimeAxis], stated_hz: Sequence[float]) -> Clock:
    """The rate of an even column of times, else the one that the head states, else that of an uneven column.

    Args:
        axes: what each column of times says, in the order of the columns.
        stated_hz: the rates that the head states, each once.

    Raises:
        UnusableDataError: S07, where what is said contradicts itself, and where times are so uneven that they give
            no rate and nothing else does.
    """
    started_at = next((axis.started_at for axis in axes if axis.started_at), None)
    timed = [axis for axis in axes if axis.sampling_rate_hz]
    even = [axis for axis in timed if not axis.findings]
    best = min(even, key=lambda axis: not axis.sure, default=None)
    stated = next(iter(stated_hz), 0.0)
    if best is not None and (best.sure or not stated):
        agreeing = [rate for rate in stated_hz if _agree(rate, best.sampling_rate_hz)]
        if stated_hz and not agreeing:
            raise UnusableDataError(
                "S07",
                f"the head states {_told(stated_hz)}, the column of times {best.sampling_rate_hz:.6g} Hz: nobody "
                "can tell which is right. Correct the head or the times",
            )
        others = [axis for axis in even if axis.sure and not _agree(axis.sampling_rate_hz, best.sampling_rate_hz)]
        if others:
            raise UnusableDataError(
                "S07",
                f"a column of times gives {best.sampling_rate_hz:.6g} Hz, another {others[0].sampling_rate_hz:.6g} "
                "Hz: nobody can tell which is right. Leave one of them out",
            )
        return Clock(best.sampling_rate_hz, started_at, ())
    if len(stated_hz) > 1:
        raise UnusableDataError(
            "S07",
            f"the head states {_told(stated_hz)}, and no column of times tells which is that of "
            "the ECG: save each signal with its own rate in a file of its own",
        )
    findings = tuple(finding for axis in axes for finding in axis.findings)
    if stated:
        return Clock(stated, started_at, findings)
    if timed:
        return Clock(min(timed, key=lambda axis: not axis.sure).sampling_rate_hz, started_at, findings)
    uneven = next((axis for axis in axes if axis.uneven), None)
    if uneven is not None:
        raise UnusableDataError(
            "S07",
            f"{uneven.findings[0].message}: they give no sampling rate. State it in a line before the numbers, "
            "e.g. '# Sampling rate (Hz): 500'",
        )
    return Clock(0.0, started_at, findings)


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= AGREEMENT * max(one, other)


def _told(rates_hz: Sequence[float]) -> str:
    return " and ".join(f"{rate:.6g} Hz" for rate in rates_hz)
