"""The header of EDF, EDF+, BDF and BDF+ files: 256 bytes about the recording, 256 about each signal, all text.

Source: Kemp and Olivan 2003, and the "full specification of EDF+" at edfplus.info.

Belongs here: what the header declares, and what it says about time, subject and device.
Does not belong here: how a field is spelled (`fields.py`), data records (`edf`, `data_records.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from vitalake.ecg.readers import names
from vitalake.ecg.readers.edf.fields import number, text, whole
from vitalake.ecg.recording import CLOCK_TIME, Finding
from vitalake.errors import UnusableDataError

EDF_MARK, BDF_MARK = b"0       ", b"\xffBIOSEMI"
FIXED_BYTES, SIGNAL_BYTES = 256, 256
MAX_SIGNALS = 512
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
# label, transducer, unit, physical and digital minimum and maximum, filters, samples per record, reserved
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_STARTDATE = re.compile(r"Startdate (\d\d)-([A-Za-z]{3})-(\d{4})(?: |$)", re.ASCII)
_DATE, _TIME = re.compile(r"(\d\d)\D(\d\d)\D(\d\d)", re.ASCII), re.compile(r"(\d\d)\D(\d\d)\D(\d\d)", re.ASCII)


@dataclass(frozen=True)
class EdfSignal:
    """One signal: `number` counts from 1, `at` is its first byte in a record, ranges are (minimum, maximum)."""

    number: int
    label: str
    unit: str
    physical: tuple[float, float]
    digital: tuple[float, float]
    samples_per_record: int
    at: int
    bytes_per_record: int

    @property
    def is_annotation(self) -> bool:
        """Whether it holds text, not samples."""
        return self.label in ANNOTATIONS

    def rate_hz(self, record_s: float) -> float:
        """Sampling rate in Hz; 0 where a record has no duration."""
        return self.samples_per_record / record_s if record_s else 0.0


@dataclass(frozen=True)
class EdfHeader:
    """What the file declares; `records` is -1 where the recorder was cut off, `record_s` may be 0."""

    signals: tuple[EdfSignal, ...]
    sample_bytes: int
    header_bytes: int
    record_bytes: int
    records: int
    record_s: float
    reserved: str
    patient: str
    recording: str
    date: str
    time: str
    findings: tuple[Finding, ...]

    @property
    def is_plus(self) -> bool:
        """EDF+ or BDF+."""
        return self.reserved[:4] in ("EDF+", "BDF+")

    @property
    def is_discontinuous(self) -> bool:
        """EDF+D or BDF+D: data records have gaps between them."""
        return self.is_plus and self.reserved[4:5] == "D"

    def started_at(self, offset_s: float) -> datetime | None:
        """Start of the first record, which lies `offset_s` after the header's whole second; None if unknown.

        The header's year has two digits, 85 to 99 mean 1985 to 1999. The recording's "Startdate" has four and
        goes first; "Startdate X" says that the date is not to be known.
        """
        if self.is_plus and self.recording.startswith("Startdate X"):
            return None
        time, date = _TIME.fullmatch(self.time), _DATE.fullmatch(self.date)
        written = _STARTDATE.match(self.recording)
        try:
            if written:
                day, month, year = int(written[1]), MONTHS.index(written[2].upper()) + 1, int(written[3])
            elif date:
                day, month, year = (int(part) for part in date.groups())
                year += 1900 if year >= 85 else 2000
            else:
                return None
            hour, minute, second = (int(part) for part in time.groups()) if time else (24, 0, 0)
            start = datetime(year, month, day, hour, minute, second, tzinfo=CLOCK_TIME)
            return start + timedelta(seconds=offset_s)
        except (ValueError, OverflowError):  # no such day or hour: nobody knows when
            return None

    def subject(self) -> str | None:
        """The hospital's code in EDF+, all that plain EDF says about the patient; None if unknown."""
        words = self.patient.split()
        return names.subject_identifier(words[0] if self.is_plus and words else self.patient)

    def device_model(self) -> str | None:
        """The equipment that EDF+ names after the start date, the investigation and the technician.

        Among more words than these five nobody can say which is the equipment: a technician's name with a blank in
        it would be taken for one.
        """
        words = self.recording.split()
        if not self.is_plus or words[:1] != ["Startdate"] or len(words) != 5 or words[4] == "X":
            return None
        return names.device_model(words[4].replace("_", " "))


def read_header(data: bytes) -> EdfHeader:
    """The header at the start of `data`.

    Raises:
        UnusableDataError: S02, a field is no number, or the header ends early or leaves no room for samples;
            S05, more than 512 signals.
    """
    sample_bytes = 3 if data.startswith(BDF_MARK) else 2
    count = whole(data[252:256], "the number of signals") if len(data) >= FIXED_BYTES else 0
    needed = FIXED_BYTES + SIGNAL_BYTES * count
    if count < 1 or len(data) < needed:
        raise UnusableDataError("S02", f"{len(data):,} bytes with {count:,} signals, expected {needed:,} or more")
    if count > MAX_SIGNALS:
        raise UnusableDataError("S05", f"{count:,} signals, expected at most {MAX_SIGNALS:,}")
    findings: list[Finding] = []
    signals = _read_signals(data, count, sample_bytes)
    record_bytes = sum(signal.bytes_per_record for signal in signals)
    if record_bytes == 0:
        raise UnusableDataError("S02", "no signal has samples")
    empty = sum(signal.samples_per_record == 0 for signal in signals)
    if empty:
        findings.append(Finding("S15", f"{empty} of {count} signals have no samples and are left out"))
    records = whole(data[236:244], "the number of data records")
    record_s = number(data[244:252], "the duration of a data record")
    if records < -1 or record_s < 0:
        raise UnusableDataError("S02", f"{records:,} data records of {record_s:g} s")
    declared = whole(data[184:192], "the length of the header")
    if declared != needed:
        findings.append(
            Finding("S15", f"the header declares its length as {declared:,} bytes, expected {needed:,}")
        )
    return EdfHeader(
        signals=tuple(signal for signal in signals if signal.samples_per_record),
        sample_bytes=sample_bytes,
        header_bytes=declared if _fits(data, declared, needed, records * record_bytes) else needed,
        record_bytes=record_bytes,
        records=records,
        record_s=record_s,
        reserved=text(data[192:236]),
        patient=text(data[8:88]),
        recording=text(data[88:168]),
        date=text(data[168:176]),
        time=text(data[176:184]),
        findings=tuple(findings),
    )


def _fits(data: bytes, declared: int, needed: int, content: int) -> bool:
    """A longer header than the signals need is believed only where it leaves exactly the declared records."""
    return declared > needed and content > 0 and declared + content == len(data)


def _read_signals(data: bytes, count: int, sample_bytes: int) -> list[EdfSignal]:
    columns, at = [], FIXED_BYTES
    for width in _WIDTHS:
        columns.append([data[at + i * width : at + (i + 1) * width] for i in range(count)])
        at += width * count
    labels, _, units, *ranges, _, lengths, _ = columns
    signals, at = [], 0
    for i in range(count):
        label, of = text(labels[i]), f"of signal {i + 1}"
        length = whole(lengths[i], f"the number of samples {of}")
        if length < 0:
            raise UnusableDataError("S02", f"signal {i + 1} has {length:,} samples in a record")
        # The ranges of annotations mean nothing.
        ends = [0.0 if label in ANNOTATIONS else number(column[i], f"a range {of}") for column in ranges]
        size = length * sample_bytes
        physical, digital = (ends[0], ends[1]), (ends[2], ends[3])
        signals.append(EdfSignal(i + 1, label, text(units[i]), physical, digital, length, at, size))
        at += size
    return signals
