"""WFDB header files: one line about the record, then one for each signal or segment, and comments.

Belongs here: the text format, as "header - WFDB header file format" describes it (header(5), WFDB Applications
Guide, physionet.org/physiotools/wag/header-5.htm). Does not belong here: the fields of a signal line
(`signal_line.py`), or what lies in the files that it names.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import NamedTuple

from vitalake.ecg.readers.codes import is_diagnosis
from vitalake.ecg.readers.wfdb.signal_line import FLOAT, WfdbSignal, checked_name, parse_signal
from vitalake.ecg.recording import CLOCK_TIME
from vitalake.errors import UnusableDataError

MAX_BYTES = 2**20
MAX_SIGNALS = 1000
DEFAULT_RATE_HZ = 250.0  # DEFREQ of wfdb.h, for a header without a sampling rate
_RECORD = re.compile(r"[^\s/#]{1,255}?(?:/(?P<segments>\d{1,9}))?", re.ASCII)
_RATE = re.compile(rf"(?P<rate>{FLOAT})(?:/(?:{FLOAT})?(?:\((?:{FLOAT})?\))?)?", re.ASCII)
_COUNT = re.compile(r"\d{1,15}", re.ASCII)
_TIME = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,2}):)?(\d{1,2})(?:\.(\d{1,9}))?", re.ASCII)
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_DIAGNOSES = re.compile(r"#\s*Dx\s*:(.*)", re.IGNORECASE)


class WfdbSegment(NamedTuple):
    """A segment specification line: the name of a record, or ``~`` where nothing was recorded."""

    name: str
    frames: int


class WfdbHeader(NamedTuple):
    """A header: signals or, in a multi-segment record, segments. None where it says nothing."""

    signals: tuple[WfdbSignal, ...]
    segments: tuple[WfdbSegment, ...]
    rate_hz: float | None
    frames: int | None
    started_at: datetime | None
    label: str | None


def looks_like_header(data: bytes) -> bool:
    """Whether the first line that is no comment is a record line."""
    lines = _split(data[:MAX_BYTES])[0]
    try:
        return bool(lines) and _parse_record(lines[0]) is not None
    except UnusableDataError:
        return False


def parse(data: bytes) -> WfdbHeader:
    """The content of a header file.

    Raises:
        UnusableDataError: S01, larger than 1 MB; S02, not as header(5) describes it, or a name with a folder in it;
            S07, a sampling rate that is no positive number.
    """
    if len(data) > MAX_BYTES:
        raise UnusableDataError("S01", f"the header has {len(data):,} bytes, expected at most {MAX_BYTES:,}")
    lines, comments = _split(data)
    if not lines:
        raise UnusableDataError("S02", "the header has no record line")
    segments, signals, rate_hz, frames, started_at = _parse_record(lines[0])
    count, kind = (signals, "signal") if segments is None else (segments, "segment")
    if len(lines) - 1 < count or count < 1:
        raise UnusableDataError(
            "S02",
            f"the record line announces {count:,} {kind}s, {len(lines) - 1:,} lines follow: expected 1 or more",
        )
    if segments is None and count > MAX_SIGNALS:
        raise UnusableDataError("S02", f"{count:,} signals, expected at most {MAX_SIGNALS:,}")
    wanted = list(enumerate(lines[1 : count + 1], start=1))
    return WfdbHeader(
        signals=tuple(parse_signal(line, at) for at, line in wanted) if segments is None else (),
        segments=tuple(_parse_segment(line, at) for at, line in wanted) if segments is not None else (),
        rate_hz=rate_hz,
        frames=frames,
        started_at=started_at,
        label=_diagnoses(comments),
    )


def _split(data: bytes) -> tuple[list[str], list[str]]:
    """Lines with content, and comments, both stripped."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    stripped = [line.strip() for line in text.replace("\r", "\n").split("\n")]
    return [line for line in stripped if line and line[0] != "#"], [line for line in stripped if line[:1] == "#"]


def _parse_record(line: str) -> tuple[int | None, int, float | None, int | None, datetime | None]:
    """Number of segments (None: an ordinary record), of signals, rate in Hz, number of frames, start."""
    fields = line.split(maxsplit=6)
    name = _RECORD.fullmatch(fields[0])
    signals = _COUNT.fullmatch(fields[1]) if len(fields) > 1 else None
    rate = _RATE.fullmatch(fields[2]) if len(fields) > 2 else None
    frames = _COUNT.fullmatch(fields[3]) if len(fields) > 3 else None
    if not name or not signals or (len(fields) > 2 and not rate) or (len(fields) > 3 and not frames):
        raise UnusableDataError(
            "S02", "the first line is no record line: expected a name, the number of signals, rate and length"
        )
    rate_hz = float(rate["rate"]) if rate else None
    if rate_hz is not None and not 0 < rate_hz < math.inf:
        raise UnusableDataError("S07", f"the header has a sampling rate of {rate_hz:g} Hz, expected more than 0")
    segments = None if name["segments"] is None else int(name["segments"])
    length = int(frames[0]) if frames else 0
    return segments, int(signals[0]), rate_hz, length or None, _start(fields[4:6])


def _start(fields: list[str]) -> datetime | None:
    """Start in UTC, to the microsecond; None without a date, or where either is no time of the calendar."""
    time = _TIME.fullmatch(fields[0]) if len(fields) == 2 else None
    date = _DATE.fullmatch(fields[1]) if len(fields) == 2 else None
    if not time or not date:
        return None
    hour, minute, second = (int(part or 0) for part in time.groups()[:3])
    microsecond = int((time[4] or "0").ljust(6, "0")[:6])
    try:
        return datetime(
            int(date[3]), int(date[2]), int(date[1]), hour, minute, second, microsecond, tzinfo=CLOCK_TIME
        )
    except ValueError:
        return None


def _parse_segment(line: str, at: int) -> WfdbSegment:
    name, frames, *_ = [*line.split(maxsplit=2), ""]
    if not _COUNT.fullmatch(frames):
        raise UnusableDataError("S02", f"segment {at} has no length after its name")
    return WfdbSegment(checked_name(name, at, "segment"), int(frames))


def _diagnoses(comments: list[str]) -> str | None:
    """Codes of the ``# Dx:`` comments, comma-separated."""
    listed = [
        code.strip() for line in comments if (found := _DIAGNOSES.match(line)) for code in found[1].split(",")
    ]
    return ",".join(dict.fromkeys(filter(is_diagnosis, listed))) or None
