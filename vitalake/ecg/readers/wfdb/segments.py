"""WFDB multi-segment records: the leads of many short records joined into long ones.

Belongs here: which signal of which segment continues which lead, and where nothing was recorded, after the section
"Multi-segment records" of header(5). Does not belong here: reading a single segment (`wfdb`), or the header's text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.channel_words import meaning_of
from vitalake.ecg.readers.names import lead_name
from vitalake.ecg.readers.wfdb.header import WfdbHeader, WfdbSegment
from vitalake.ecg.readers.wfdb.signal_line import WfdbSignal, calibration
from vitalake.ecg.recording import Finding, Lead
from vitalake.errors import UnusableDataError

NOTHING = "~"  # name of a segment in which nothing was recorded
MAX_PIECES = 1_000_000  # leads times segments
MAX_FINDINGS = 100

ReadOne = Callable[[WfdbHeader], tuple[tuple[Lead, ...], tuple[Finding, ...]]]


_Arrays = tuple[npt.NDArray[np.int32] | npt.NDArray[np.float64], npt.NDArray[np.bool_]]


class _Track(NamedTuple):
    """One lead of the whole record: its signal in each segment that has it."""

    first: WfdbSignal
    positions: dict[str, int]
    keeps_calibration: bool


def names(master: WfdbHeader) -> tuple[str, ...]:
    """Records that the segments are, each once, in order."""
    return tuple(dict.fromkeys(segment.name for segment in master.segments if segment.name != NOTHING))


def common_rate(headers: Iterable[WfdbHeader]) -> float | None:
    """Frames per second of a record and its segments; None where none of them says it.

    Raises:
        UnusableDataError: S02, they differ.
    """
    rates = [header.rate_hz for header in headers if header.rate_hz is not None]
    if not all(math.isclose(rate, rates[0], rel_tol=1e-6) for rate in rates):
        raise UnusableDataError("S02", "the segments of a multi-segment record differ in their sampling rate")
    return rates[0] if rates else None


def join(
    master: WfdbHeader, headers: Mapping[str, WfdbHeader], read_one: ReadOne, rate_hz: float, max_samples: int
) -> tuple[tuple[Lead, ...], tuple[Finding, ...]]:
    """The leads of a multi-segment record, and what is odd about it.

    Where no segment holds a lead it is missing. Samples stay as stored, unless gain or zero of a lead change from
    one segment to another: such a lead has no one calibration, so it becomes float64 in its unit (finding S09).

    Args:
        master: header with segments.
        headers: header of every record in `names(master)`.
        read_one: reads the leads of one of `headers`.
        rate_hz: frames per second.
        max_samples: for all leads together.

    Raises:
        UnusableDataError: S01, too many samples; S02, segments that do not fit each other; S08, too few samples.
    """
    layout = headers.get(master.segments[0].name) if master.segments[0].frames == 0 else None
    body = master.segments[1:] if layout else master.segments
    parts = {segment.name: headers[segment.name] for segment in body if segment.name != NOTHING}
    if not parts:
        raise UnusableDataError("S02", "a multi-segment record in which nothing was recorded")
    tracks = _match(layout, parts) if layout else _align(parts)
    total = sum(segment.frames for segment in body)
    findings = _check_length(master, total)
    samples = total * sum(track.first.samples_per_frame for track in tracks)
    if samples > max_samples or len(tracks) * len(body) > MAX_PIECES:
        raise UnusableDataError(
            "S01",
            f"{samples:,} samples in {len(tracks):,} leads and {len(body):,} segments, "
            f"expected at most {max_samples:,} samples and {MAX_PIECES:,} pieces",
        )
    arrays = [_empty(track, total) for track in tracks]
    for name, starts in _starts(body).items():
        leads, odd = read_one(parts[name])
        findings += [Finding(rule, f"segment {starts[0][0]}: {message}") for rule, message in odd]
        for at, start, frames in starts:
            findings += _place(name, at, start, frames, leads, tracks, arrays)
    joined = tuple(_lead(at, *pair, rate_hz) for at, pair in enumerate(zip(tracks, arrays, strict=True), start=1))
    findings += [
        Finding("S09", f"lead {at} changes its gain or zero between segments: its values are physical ones")
        for at, track in enumerate(tracks, start=1)
        if not track.keeps_calibration
    ]
    return joined, _shorten(findings)


def _align(parts: Mapping[str, WfdbHeader]) -> list[_Track]:
    """Fixed layout: the signals of every segment are the same, in the same order."""
    counts = sorted({len(header.signals) for header in parts.values()})
    if len(counts) > 1:
        raise UnusableDataError("S02", f"segments of {counts[0]} to {counts[-1]} signals, expected one number")
    return [_track(None, parts, dict.fromkeys(parts, at)) for at in range(counts[0])]


def _match(layout: WfdbHeader, parts: Mapping[str, WfdbHeader]) -> list[_Track]:
    """Variable layout: a signal belongs to the signal of the same description in the layout header."""
    keys = _keys(layout)
    found: dict[tuple[str, int], dict[str, int]] = {key: {} for key in keys}
    for name, header in parts.items():
        for at, key in enumerate(_keys(header)):
            if key not in found:
                raise UnusableDataError("S02", "a segment has a signal that the layout header does not list")
            found[key][name] = at
    return [_track(signal, parts, found[key]) for signal, key in zip(layout.signals, keys, strict=True)]


def _keys(header: WfdbHeader) -> list[tuple[str, int]]:
    """Description of each signal, and how many before it have the same."""
    seen: dict[str, int] = {}
    keys = []
    for signal in header.signals:
        seen[signal.name] = seen.get(signal.name, -1) + 1
        keys.append((signal.name, seen[signal.name]))
    return keys


def _track(in_layout: WfdbSignal | None, parts: Mapping[str, WfdbHeader], positions: dict[str, int]) -> _Track:
    signals = [parts[name].signals[at] for name, at in positions.items()]
    calibrations = {calibration(signal) for signal in signals}
    widths = {signal.samples_per_frame for signal in [*signals, *([in_layout] if in_layout else [])]}
    if len({found.unit for found in calibrations}) > 1 or len(widths) > 1:
        raise UnusableDataError("S02", "a lead has another unit or sampling rate in another segment")
    first = signals[0] if signals else in_layout
    if first is None:
        raise UnusableDataError("S02", "a multi-segment record without signals")
    return _Track(first, positions, len(calibrations) < 2)


def _empty(track: _Track, frames: int) -> _Arrays:
    """Samples and flags of a lead of which nothing is there yet."""
    size = frames * track.first.samples_per_frame
    missing = np.ones(size, np.bool_)
    return (np.zeros(size, np.int32) if track.keeps_calibration else np.zeros(size, np.float64)), missing


def _starts(body: Sequence[WfdbSegment]) -> dict[str, list[tuple[int, int, int]]]:
    """By record: position, first frame and number of frames of each segment that it is."""
    starts: dict[str, list[tuple[int, int, int]]] = {}
    start = 0
    for at, segment in enumerate(body, start=1):
        if segment.name != NOTHING:
            starts.setdefault(segment.name, []).append((at, start, segment.frames))
        start += segment.frames
    return starts


def _place(
    name: str, at: int, start: int, frames: int, leads: Sequence[Lead], tracks: list[_Track], arrays: list[_Arrays]
) -> list[Finding]:
    """Copies a segment to where it belongs; a segment longer than declared is cut (S15)."""
    longest = 0
    for track, (values, missing) in zip(tracks, arrays, strict=True):
        if name not in track.positions:
            continue
        lead, width = leads[track.positions[name]], track.first.samples_per_frame
        there = len(lead.samples) // width
        if there < frames - 1:
            raise UnusableDataError("S08", f"segment {at} has {there:,} samples, the record declares {frames:,}")
        longest = max(longest, there)
        size = min(there, frames) * width
        here = slice(start * width, start * width + size)
        values[here] = (lead.samples if track.keeps_calibration else lead.values())[:size]
        missing[here] = False if lead.missing is None else lead.missing[:size]
    if longest <= frames:
        return []
    return [Finding("S15", f"segment {at} has {longest:,} samples, the record declares {frames:,}")]


def _shorten(findings: list[Finding]) -> tuple[Finding, ...]:
    rest = len(findings) - MAX_FINDINGS
    return (*findings[:MAX_FINDINGS], *([Finding("S15", f"{rest:,} more findings")] if rest > 0 else []))


def _lead(at: int, track: _Track, arrays: _Arrays, rate_hz: float) -> Lead:
    gain, zero, unit = calibration(track.first)
    values, missing = arrays
    return Lead(
        name=lead_name(track.first.name, at),
        samples=values,
        sampling_rate_hz=rate_hz * track.first.samples_per_frame,
        gain_adu_per_unit=gain if track.keeps_calibration else 1.0,
        zero_adu=zero if track.keeps_calibration else 0.0,
        unit=unit,
        missing=missing if missing.any() else None,
        label=meaning_of(track.first.name),
    )


def _check_length(master: WfdbHeader, total: int) -> list[Finding]:
    declared = master.frames or total
    if total < 1 or total < declared - 1:
        raise UnusableDataError("S08", f"{total:,} samples in all segments, the record declares {declared:,}")
    if total == declared:
        return []
    return [Finding("S15", f"the segments have {total:,} samples, the record declares {declared:,}")]
