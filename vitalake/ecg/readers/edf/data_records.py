"""Where the data records of EDF+ and BDF+ files lie in time: the time-keeping annotation of each record.

Belongs here: onsets, and the runs of records that follow each other without a gap. Does not belong here: other
annotations, or samples (`edf`). Source: Kemp and Olivan 2003, section "time keeping of data records".
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from vitalake.ecg.readers.edf.header import EdfHeader
from vitalake.errors import UnusableDataError

MAX_RECORDS = 1_000_000  # of an interrupted recording: eleven days in records of a second
MAX_RUNS = 10_000

# A list of annotations begins with its onset in s; the one that keeps the time is empty: +12.5 14h 14h.
_ONSET = re.compile(rb"([+-]\d{1,12}(?:\.\d{0,12})?)\x14\x14")


def first_onset_s(raw: npt.NDArray[np.uint8], header: EdfHeader) -> float:
    """Onset of the first record in s after the header's start time; 0 where nothing says so."""
    onset = _onset_s(raw[0], header)
    return 0.0 if onset is None else onset


def record_starts(raw: npt.NDArray[np.uint8], header: EdfHeader, max_samples: int) -> npt.NDArray[np.float64]:
    """Start of each data record in s after the first, shape (records,), ascending.

    Raises:
        UnusableDataError: S01, the leads with their gaps have more than `max_samples`; S02, a record without onset,
            or earlier than the one before it.
    """
    if len(raw) > MAX_RECORDS:
        raise UnusableDataError("S01", f"{len(raw):,} data records with gaps, expected at most {MAX_RECORDS:,}")
    onsets = np.zeros(len(raw))
    for i, record in enumerate(raw):
        onset = _onset_s(record, header)
        if onset is None:
            raise UnusableDataError(
                "S02", f"data record {i + 1:,} of an interrupted recording does not say when it was"
            )
        onsets[i] = onset
    if np.any(np.diff(onsets) < 0):
        raise UnusableDataError("S02", "the data records are not in the order of their time")
    starts: npt.NDArray[np.float64] = onsets - onsets[0]
    if header.record_s:
        leads = [signal for signal in header.signals if not signal.is_annotation]
        per_record = sum(signal.samples_per_record for signal in leads)
        length = per_record * (1 + float(starts[-1]) / header.record_s) + len(leads)
        if length > max_samples:
            raise UnusableDataError(
                "S01", f"{length:,.0f} samples in all leads, gaps included, expected at most {max_samples:,}"
            )
    return starts


def runs_of(
    starts: npt.NDArray[np.float64], samples_per_record: int, number: int
) -> tuple[list[tuple[int, int, int]], int]:
    """Runs of records without a gap as (first record, last + 1, first sample), and the length of all in samples.

    Args:
        starts: of each record in samples, shape (records,), not rounded.
        samples_per_record: of this signal.
        number: of this signal, for messages.

    Raises:
        UnusableDataError: S01, more than 10,000 runs; S02, records overlap by more than a sample of rounding.
    """
    shift = np.rint(starts).astype(np.int64) - np.arange(len(starts)) * samples_per_record
    smooth = np.maximum.accumulate(shift)
    overlap = int(np.max(smooth - shift))
    if overlap > 1:
        raise UnusableDataError("S02", f"data records of signal {number} overlap by {overlap:,} samples")
    firsts = np.flatnonzero(np.diff(smooth, prepend=-1))
    if len(firsts) > MAX_RUNS:
        raise UnusableDataError("S01", f"{len(firsts):,} pieces of signal {number}, expected at most {MAX_RUNS:,}")
    lasts = [*firsts[1:].tolist(), len(starts)]
    runs = [
        (first, last, int(smooth[first]) + first * samples_per_record)
        for first, last in zip(firsts.tolist(), lasts, strict=True)
    ]
    return runs, int(smooth[-1]) + len(starts) * samples_per_record


def _onset_s(record: npt.NDArray[np.uint8], header: EdfHeader) -> float | None:
    for signal in header.signals:
        if signal.is_annotation:
            found = _ONSET.match(record[signal.at : signal.at + signal.bytes_per_record].tobytes()[:64])
            return float(found[1]) if found else None
    return None
