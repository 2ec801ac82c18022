"""WFDB header files: one line about the record, then one for each signal or segment, and comments.

Belongs here: the text format, as "header - WFDB header file format" describes it (header(5), WFDB Applications Guide,
physionet.org/physiotools/wag/header-5.htm). Does not belong here: what lies in the files that it names.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone
from typing import NamedTuple

from vitalake.ecg.recording import MILLIVOLT
from vitalake.errors import UnusableDataError

MAX_BYTES = 2**20
MAX_SIGNALS = 1000
MAX_NAME = 80  # characters of a description, as the format limits them
DEFAULT_RATE_HZ = 250.0  # DEFREQ of wfdb.h, for a header without a sampling rate
DEFAULT_GAIN = 200.0  # DEFGAIN of wfdb.h, for a signal without calibration
NO_FILES = ("~", "-")  # a signal that is stored nowhere; standard input

_FLOAT = r"[+-]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][+-]?\d{1,3})?"
_RECORD = re.compile(r"[^\s/#]{1,255}?(?:/(?P<segments>\d{1,9}))?", re.ASCII)
_RATE = re.compile(rf"(?P<rate>{_FLOAT})(?:/(?:{_FLOAT})?(?:\((?:{_FLOAT})?\))?)?", re.ASCII)
_COUNT = re.compile(r"\d{1,15}", re.ASCII)
_FORMAT = re.compile(
    r"(?P<format>\d{1,5})(?:x(?P<per_frame>\d{1,9}))?(?::(?P<skew>\d{1,15}))?(?:\+(?P<offset>\d{1,15}))?", re.ASCII
)
_GAIN = re.compile(rf"(?P<gain>{_FLOAT})?(?:\((?P<baseline>{_FLOAT})\))?(?:/(?P<unit>\S{{1,40}}))?", re.ASCII)
_INTEGER = re.compile(r"\s*([+-]?\d{1,15})(?=\s|$)", re.ASCII)
_FILE_NAME = re.compile(r"(?!.*\.\.)[^\s/\\:\x00-\x1f\x7f]{1,255}")
_TIME = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,2}):)?(\d{1,2})(?:\.(\d{1,9}))?", re.ASCII)
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_DIAGNOSES = re.compile(r"#\s*Dx\s*:(.*)", re.IGNORECASE)
# SNOMED CT concept or ICD-10 code; whatever else somebody wrote there may be free text.
_CODE = re.compile(r"\d{6,18}|[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?", re.ASCII)
_PER_MILLIVOLT = {"mv": 1.0, "uv": 1e3, "μv": 1e3, "nv": 1e6, "v": 1e-3}  # by casefolded unit


class Signal(NamedTuple):
    """A signal specification line; `gain`, in stored units per `unit`, is None where the signal is uncalibrated."""

    file: str
    storage_format: int
    samples_per_frame: int
    skew: int
    byte_offset: int
    gain: float | None
    baseline: float
    unit: str
    initial: int
    initial_is_given: bool
    checksum: int | None
    name: str


class Segment(NamedTuple):
    """A segment specification line: the name of a record, or ``~`` where nothing was recorded."""

    name: str
    frames: int


class Header(NamedTuple):
    """A header: signals or, in a multi-segment record, segments. None where it says nothing."""

    signals: tuple[Signal, ...]
    segments: tuple[Segment, ...]
    rate_hz: float | None
    frames: int | None
    started_at: datetime | None
    label: str | None


class Calibration(NamedTuple):
    """Gain in stored units per `unit`, stored value of 0, and unit; volts are turned into millivolts."""

    gain: float
    zero: float
    unit: str


def looks_like_header(data: bytes) -> bool:
    """Whether the first line that is no comment is a record line."""
    lines = _split(data[:MAX_BYTES])[0]
    try:
        return bool(lines) and _parse_record(lines[0]) is not None
    except UnusableDataError:
        return False


def parse(data: bytes) -> Header:
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
    return Header(
        signals=tuple(_parse_signal(line, at) for at, line in wanted) if segments is None else (),
        segments=tuple(_parse_segment(line, at) for at, line in wanted) if segments is not None else (),
        rate_hz=rate_hz,
        frames=frames,
        started_at=started_at,
        label=_diagnoses(comments),
    )


def calibration(signal: Signal) -> Calibration:
    """How stored values become physical ones; 200 stored units per unit where the header does not say (header(5)).

    Raises:
        UnusableDataError: S02, a gain that floating point cannot hold per millivolt.
    """
    gain = DEFAULT_GAIN if signal.gain is None else signal.gain
    factor = _PER_MILLIVOLT.get(signal.unit.casefold())
    if factor is None:
        return Calibration(gain, signal.baseline, signal.unit)
    per_millivolt = gain * factor
    if not per_millivolt or not math.isfinite(per_millivolt):
        raise UnusableDataError("S02", "the gain of a signal is too small or too large for a number")
    return Calibration(per_millivolt, signal.baseline, MILLIVOLT)


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
            int(date[3]), int(date[2]), int(date[1]), hour, minute, second, microsecond, tzinfo=timezone.utc
        )
    except ValueError:
        return None


def _parse_signal(line: str, at: int) -> Signal:
    file, text, *more = [*line.split(maxsplit=2), ""]
    storage = _FORMAT.fullmatch(text)
    if not storage:
        raise UnusableDataError("S02", f"signal {at} has no storage format after its file: expected e.g. 212x1:0+0")
    per_frame = int(storage["per_frame"] or 1)
    if per_frame < 1:
        raise UnusableDataError("S02", f"signal {at} has {per_frame} samples per frame, expected 1 or more")
    gain, baseline, unit, rest = _parse_gain(more[0], at)
    # Resolution, ADC zero, initial value, checksum and block size: each there only if the one before it is.
    numbers: list[int] = []
    end = 0
    while len(numbers) < 5 and (number := _INTEGER.match(rest, end)):
        numbers.append(int(number[1]))
        end = number.end()
    adc_zero = numbers[1] if len(numbers) > 1 else 0
    return Signal(
        file=_checked_name(file, at, "signal"),
        storage_format=int(storage["format"]),
        samples_per_frame=per_frame,
        skew=int(storage["skew"] or 0),
        byte_offset=int(storage["offset"] or 0),
        gain=gain,
        baseline=float(adc_zero) if baseline is None else baseline,
        unit=unit,
        initial=numbers[2] if len(numbers) > 2 else adc_zero,
        initial_is_given=len(numbers) > 2,
        checksum=numbers[3] if len(numbers) > 3 else None,
        name="".join(filter(str.isprintable, rest[end:].strip()))[:MAX_NAME].strip(),
    )


def _parse_gain(text: str, at: int) -> tuple[float | None, float | None, str, str]:
    """Gain, baseline and unit of ``gain(baseline)/unit …``, and what follows; a description may stand in its place."""
    token, *rest = [*text.split(maxsplit=1), "", ""]
    if not token or token[0] not in "+-.(/0123456789":
        return None, None, MILLIVOLT, text
    found = _GAIN.fullmatch(token)
    if not found:
        raise UnusableDataError("S02", f"signal {at} has no gain that can be read: expected e.g. 200(1024)/mV")
    gain = float(found["gain"] or 0)
    baseline = None if found["baseline"] is None else float(found["baseline"])
    if not math.isfinite(gain) or not math.isfinite(baseline or 0):
        raise UnusableDataError("S02", f"signal {at} has a gain or baseline that is too large for a number")
    return gain or None, baseline, found["unit"] or MILLIVOLT, rest[0]


def _parse_segment(line: str, at: int) -> Segment:
    name, frames, *_ = [*line.split(maxsplit=2), ""]
    if not _COUNT.fullmatch(frames):
        raise UnusableDataError("S02", f"segment {at} has no length after its name")
    return Segment(_checked_name(name, at, "segment"), int(frames))


def _checked_name(name: str, at: int, kind: str) -> str:
    if not _FILE_NAME.fullmatch(name):
        raise UnusableDataError(
            "S02", f"{kind} {at} lies outside the folder of the header, or its name is no file's"
        )
    return name


def _diagnoses(comments: list[str]) -> str | None:
    """Codes of the ``# Dx:`` comments, comma-separated."""
    listed = [
        code.strip() for line in comments if (found := _DIAGNOSES.match(line)) for code in found[1].split(",")
    ]
    return ",".join(dict.fromkeys(code for code in listed if _CODE.fullmatch(code))) or None
