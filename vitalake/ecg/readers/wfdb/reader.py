"""WFDB recordings: a header and the signal files that it names, from bytes to leads.

Belongs here: which files a header needs, and how header and samples fit each other. Does not belong here: the text
of a header (`header.py`), the storage formats (`signal_file.py`), joining segments (`segments.py`), or which
objects of a bucket go together (`names.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.channel_words import meaning_of
from vitalake.ecg.readers.matlab import v4 as matlab_v4
from vitalake.ecg.readers.names import lead_name
from vitalake.ecg.readers.wfdb import segments as wfdb_segments
from vitalake.ecg.readers.wfdb.header import DEFAULT_RATE_HZ, WfdbHeader, looks_like_header, parse
from vitalake.ecg.readers.wfdb.names import HEADER_SUFFIX
from vitalake.ecg.readers.wfdb.signal_file import (
    DIFFERENCES,
    count_samples,
    invalid_value,
    padded_bytes,
    read_signals,
)
from vitalake.ecg.readers.wfdb.signal_line import DEFAULT_GAIN, NO_FILES, WfdbSignal, calibration
from vitalake.ecg.recording import RATE_ASSUMED, Finding, Lead, Recording
from vitalake.errors import UnusableDataError

FILE_FORMAT = "wfdb"


class Incomplete(NamedTuple):
    """Names of files, without a folder, that the header names and that are not there."""

    missing: tuple[str, ...]


class _Group(NamedTuple):
    """The signals that share one file, by position in the header, and how many frames the file holds."""

    file: str
    positions: list[int]
    signals: list[WfdbSignal]
    frames: int
    spare_frames: int


def is_header(name: str, data: bytes) -> bool:
    """Whether this is a WFDB header: named ``….hea``, and the first line that is no comment is a record line."""
    return name.endswith(HEADER_SUFFIX) and looks_like_header(data)


def is_whole_header(data: bytes) -> bool:
    """Whether this is the text of a header to its end, whatever the file is called."""
    try:
        return looks_like_header(data) and bool(needed(data))
    except UnusableDataError:
        return False


def needed(header: bytes) -> tuple[str, ...]:
    """Names of the files that a header needs: signal files or, for a multi-segment record, headers of its segments.

    Raises:
        UnusableDataError: as `vitalake.ecg.readers.wfdb.header.parse`.
    """
    return _needed(parse(header))


def read(
    name: str, files: Mapping[str, bytes], *, max_samples: int, declared_rate_hz: float | None = None
) -> Recording | Incomplete:
    """The recording that a header describes, samples as stored.

    A signal of n samples per frame becomes a lead of n times the rate of the record. Samples that the format marks
    as invalid, and those that a skew moves beyond the end, are missing. Where header and samples contradict each
    other without harm, the recording carries the finding S15. What WFDB assumes is assumed here: 200 adu/mV for an
    uncalibrated signal, with the finding S09, and for a header without a rate that of its device, or where nobody
    declares one 250 Hz, with the finding S07.

    Args:
        name: of the header.
        files: everything that lies in its folder or group, by name.
        max_samples: for all leads together; checked before memory is taken.
        declared_rate_hz: what the device is known to have.

    Returns:
        The names of the missing files where not everything is there yet.

    Raises:
        UnusableDataError: S01, too many samples; S02, not readable; S07, no possible rate; S08, too few samples.
    """
    if name not in files:
        return Incomplete((name,))
    header = parse(files[name])
    segments = wfdb_segments.names(header)
    # Segments that are not there yet cannot say what they need: it is asked for once they are.
    parts = {part: parse(files[part + HEADER_SUFFIX]) for part in segments if part + HEADER_SUFFIX in files}
    if any(part.segments for part in parts.values()):
        raise UnusableDataError("S02", "a segment of a multi-segment record is no ordinary record")
    wanted = [*_needed(header), *(file for part in parts.values() for file in _needed(part))]
    if missing := tuple(dict.fromkeys(file for file in wanted if file not in files)):
        return Incomplete(missing)
    stated_hz = wfdb_segments.common_rate((header, *parts.values()))
    rate_hz = stated_hz or declared_rate_hz or DEFAULT_RATE_HZ
    if header.segments:
        leads, findings = wfdb_segments.join(
            header, parts, lambda part: _read_leads(part, files, rate_hz, max_samples), rate_hz, max_samples
        )
    else:
        leads, findings = _read_leads(header, files, rate_hz, max_samples)
    if stated_hz is None and declared_rate_hz is None:
        findings = (*findings, Finding(RATE_ASSUMED, f"the header has no sampling rate, {rate_hz:g} Hz is assumed"))
    return Recording(
        leads=leads,
        file_format=FILE_FORMAT,
        started_at=header.started_at,
        label=header.label,
        findings=findings,
        assumed=(
            *(("sampling_rate_hz",) if stated_hz is None else ()),
            *(("gain",) if any(each.rule == "S09" for each in findings) else ()),
        ),
    )


def _needed(header: WfdbHeader) -> tuple[str, ...]:
    if header.segments:
        return tuple(part + HEADER_SUFFIX for part in wfdb_segments.names(header))
    return tuple(dict.fromkeys(signal.file for signal in header.signals if signal.file not in NO_FILES))


def _read_leads(
    header: WfdbHeader, files: Mapping[str, bytes], rate_hz: float, max_samples: int
) -> tuple[tuple[Lead, ...], tuple[Finding, ...]]:
    """The leads of an ordinary record, and what is odd about them."""
    if any(signal.file in NO_FILES for signal in header.signals):
        raise UnusableDataError("S02", "a header with signals that lie in no file")
    groups = [_group(number, file, header, files[file]) for number, file in enumerate(_needed(header), start=1)]
    frames, findings = _agree_on_length(header.frames, groups)
    samples = frames * sum(signal.samples_per_frame for signal in header.signals)
    if samples > max_samples:
        raise UnusableDataError("S01", f"{samples:,} samples in all leads, expected at most {max_samples:,}")
    leads: dict[int, Lead] = {}
    for group in groups:
        first = group.signals[0]
        arrays = read_signals(
            memoryview(files[group.file])[first.byte_offset :],
            first.storage_format,
            frames,
            [signal.samples_per_frame for signal in group.signals],
            [signal.initial for signal in group.signals],
        )
        for at, signal, stored in zip(group.positions, group.signals, arrays, strict=True):
            findings += _check(at, signal, stored, whole=frames == header.frames)
            leads[at] = _lead(at, signal, stored, rate_hz)
    return tuple(leads[at] for at in range(1, len(header.signals) + 1)), tuple(findings)


def _group(number: int, file: str, header: WfdbHeader, data: bytes) -> _Group:
    at = [place for place, signal in enumerate(header.signals, start=1) if signal.file == file]
    signals = [header.signals[place - 1] for place in at]
    layouts = {(signal.storage_format, signal.byte_offset) for signal in signals}
    if len(layouts) > 1:
        raise UnusableDataError("S02", f"signals of file {number} differ in storage format or byte offset")
    if file.lower().endswith(".mat") and matlab_v4.byte_order(data) is None:
        raise UnusableDataError("S02", f"file {number} is no MATLAB v4 file: its values lie in no WFDB format")
    storage_format, offset = layouts.pop()
    width = sum(signal.samples_per_frame for signal in signals)
    size = max(len(data) - offset, 0)
    frames = count_samples(storage_format, size) // width
    # A last block that is filled up is no sample too many.
    padded = padded_bytes(storage_format, width * min(header.frames or frames, frames))
    return _Group(file, at, signals, frames, frames - (header.frames or frames) if size > padded else 0)


def _agree_on_length(declared: int | None, groups: Iterable[_Group]) -> tuple[int, list[Finding]]:
    """Number of frames to read, and what is odd about it."""
    held = [group.frames for group in groups]
    expected = max(held) if declared is None else declared
    frames = min([*held, expected])
    if frames < 1 or frames < expected - 1:
        told = "another signal file holds" if declared is None else "the header declares"
        raise UnusableDataError("S08", f"{frames:,} samples in a signal file, {told} {max(expected, 1):,}")
    if frames < expected:
        return frames, [Finding("S15", f"{frames:,} samples in a signal file, expected {expected:,}")]
    spare = max(group.spare_frames for group in groups)
    if spare > 0:
        return frames, [Finding("S15", f"{frames + spare:,} samples in a signal file, expected {expected:,}")]
    return frames, []


def _check(at: int, signal: WfdbSignal, stored: npt.NDArray[np.int32], *, whole: bool) -> list[Finding]:
    """Initial value and 16-bit checksum of a lead against its header, and whether it is calibrated."""
    findings = []
    if signal.gain is None:
        findings.append(Finding("S09", f"lead {at} is uncalibrated, {DEFAULT_GAIN:g} adu per unit are assumed"))
    first = int(stored[0])
    if signal.initial_is_given and signal.storage_format != DIFFERENCES and first != signal.initial:
        findings.append(Finding("S15", f"lead {at} begins with {first:,}, its header says {signal.initial:,}"))
    # Without a declared length there is nothing that a checksum could be of, says header(5).
    if whole and signal.checksum is not None:
        found = int(stored.sum(dtype=np.int64)) & 0xFFFF
        if found != signal.checksum & 0xFFFF:
            told = f"its header says {signal.checksum & 0xFFFF}"
            findings.append(Finding("S15", f"lead {at} has the checksum {found}, {told}"))
    return findings


def _lead(at: int, signal: WfdbSignal, stored: npt.NDArray[np.int32], rate_hz: float) -> Lead:
    """The lead, moved by its skew: that many frames lie before the start of the record (header(5))."""
    invalid = invalid_value(signal.storage_format)
    missing = None if invalid is None else stored == invalid
    moved = min(signal.skew * signal.samples_per_frame, len(stored))
    if moved:
        stored = np.concatenate((stored[moved:], np.full(moved, invalid or 0, np.int32)))
        tail = np.ones(moved, np.bool_)
        missing = np.concatenate(
            (np.zeros(len(stored) - moved, np.bool_) if missing is None else missing[moved:], tail)
        )
    gain, zero, unit = calibration(signal)
    return Lead(
        name=lead_name(signal.name, at),
        samples=stored,
        sampling_rate_hz=rate_hz * signal.samples_per_frame,
        gain_adu_per_unit=gain,
        zero_adu=zero,
        unit=unit,
        missing=missing if missing is not None and missing.any() else None,
        label=meaning_of(signal.name),
    )
