"""HL7 annotated ECG files (aECG): series of sequence sets, which are a time axis and the leads that share it.

Belongs here: the waveforms of "HL7 Version 3 Implementation Guide: Annotated ECG" (2005), and whom, when and with
what they were recorded. Does not belong here: XML (`xml.py`), numbers and times (`values.py`), annotations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from xml.etree.ElementTree import Element

from vitalake.ecg.channel_words import meaning_of
from vitalake.ecg.readers.aecg.values import Axis, Samples, data_type, read_axis, read_digits, read_scale, read_time
from vitalake.ecg.readers.aecg.xml import parse
from vitalake.ecg.readers.names import device_model, lead_name, subject_identifier
from vitalake.ecg.recording import UNCALIBRATED, Finding, Lead, Recording
from vitalake.errors import UnusableDataError

FORMAT = "aecg"
ROOT = "AnnotatedECG"
SNIFFED_BYTES = 65536  # comments may stand before the first element
TIME_CODES = ("TIME_ABSOLUTE", "TIME_RELATIVE")
LIST_TYPES = ("SLIST_PQ", "SLIST_INT", "SLIST_REAL", "")  # some writers leave the type out
LEAD_PREFIXES = ("MDC_ECG_LEAD_", "MDC_ECG_ELEC_POTL_")
AUGMENTED = {"AVR": "aVR", "AVL": "aVL", "AVF": "aVF"}
SUBJECT = "componentOf/timepointEvent/componentOf/subjectAssignment/subject/trialSubject/id"
DEVICE = "author/seriesAuthor"
_ROOT_TAG = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,40}:)?AnnotatedECG[\s/>]")
_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe \t\r\n"  # byte order marks and blanks


def recognises(data: bytes) -> bool:
    """True for XML with an ``AnnotatedECG`` element near its start, in any encoding that ends in ASCII letters."""
    head = data[:SNIFFED_BYTES].replace(b"\0", b"")  # UTF-16 without its zeros
    return head.lstrip(_BEFORE_TEXT).startswith(b"<") and _ROOT_TAG.search(head) is not None


def read(data: bytes, *, max_samples: int) -> Recording:
    """All leads of all series, one group per sequence set; `max_samples` bounds them together.

    Raises:
        UnusableDataError: S01, too many samples; S02, no aECG file; S03, no lead; S04, digits that are no numbers;
            S09, an impossible scale.
    """
    root = parse(data)
    if root.tag != ROOT:
        raise UnusableDataError("S02", f"XML whose first element is not {ROOT}")
    series = [element for element in root.iter() if element.tag in ("series", "derivedSeries")]
    sets = [(one, found) for one in series for found in one.iterfind("component/sequenceSet")]
    axes = [_axis(sequences) for _, sequences in sets]
    started_at = _started_at(root, series, axes)
    leads: list[Lead] = []
    group = empty = 0
    left = max_samples
    for (one, sequences), axis in zip(sets, axes, strict=True):
        offset = _offset(axis, _start(one), started_at)
        before = len(leads)
        for code, value in _iterate_leads(sequences):
            samples = read_digits(value.findtext("digits") or "", left)
            if not len(samples):
                empty += 1
                continue
            left -= len(samples)
            lead = _lead(
                lead_name(_without_prefix(code), len(leads) + 1), value, samples, axis.rate_hz, group, offset
            )
            leads.append(replace(lead, label=meaning_of(code)))
        group += len(leads) > before
    if not leads:
        raise UnusableDataError("S03", f"{len(series):,} series with {len(sets):,} sequence sets, no lead in them")
    findings = []
    if empty:
        findings.append(Finding("S08", f"{empty:,} leads without samples, left out"))
    if any(lead.unit == UNCALIBRATED for lead in leads):
        findings.append(Finding("S09", "at least one lead has no unit"))
    subject = root.find(SUBJECT)
    return Recording(
        leads=tuple(leads),
        file_format=FORMAT,
        started_at=started_at,
        subject=subject_identifier(None if subject is None else subject.get("extension")),
        device_model=_device_model(series[0]),
        findings=tuple(findings),
    )


def _iterate_leads(sequences: Element) -> Iterator[tuple[str, Element]]:
    """Code and value of the sequences that are neither time axes nor empty shells."""
    for sequence in sequences.iterfind("component/sequence"):
        code, value = _code(sequence), sequence.find("value")
        if code not in TIME_CODES and value is not None and value.find("digits") is not None:
            yield code, value


def _lead(name: str, value: Element, samples: Samples, rate_hz: float, group: int, offset_s: float) -> Lead:
    if data_type(value) not in LIST_TYPES:
        raise UnusableDataError("S04", f"samples of a type that is none of {', '.join(LIST_TYPES[:-1])}")
    scale = read_scale(value)
    return Lead(
        name=name,
        samples=samples,
        sampling_rate_hz=rate_hz,
        gain_adu_per_unit=scale.gain,
        zero_adu=scale.zero,
        unit=scale.unit,
        group=group,
        start_offset_s=offset_s,
    )


def _without_prefix(code: str) -> str:
    for prefix in LEAD_PREFIXES:
        if code.startswith(prefix):
            name = code[len(prefix) :]
            return AUGMENTED.get(name, name)
    return code


def _axis(sequences: Element) -> Axis:
    for sequence in sequences.iterfind("component/sequence"):
        if _code(sequence) in TIME_CODES:
            return read_axis(sequence.find("value"))
    return Axis(None, 0.0)


def _started_at(root: Element, series: list[Element], axes: list[Axis]) -> datetime | None:
    """When the first series begins, else the whole document's time, else the first date on a time axis."""
    heads = [axis.head for axis in axes if isinstance(axis.head, datetime)]
    starts = [start for start in (_start(one) for one in series[:1]) if start]
    return next(iter(starts), None) or _start(root) or next(iter(heads), None)


def _offset(axis: Axis, series_start: datetime | None, started_at: datetime | None) -> float:
    """Seconds from the start of the recording to the first sample."""
    if isinstance(axis.head, datetime):
        return (axis.head - started_at).total_seconds() if started_at else 0.0
    before = (series_start - started_at).total_seconds() if series_start and started_at else 0.0
    return before + (axis.head or 0.0)


def _start(element: Element) -> datetime | None:
    for edge in ("effectiveTime/low", "effectiveTime/center", "effectiveTime"):
        found = element.find(edge)
        start = None if found is None else read_time(found.get("value"))
        if start:
            return start
    return None


def _device_model(series: Element) -> str | None:
    maker = series.findtext(f"{DEVICE}/manufacturerOrganization/name")
    model = series.findtext(f"{DEVICE}/manufacturedSeriesDevice/manufacturerModelName")
    return device_model(" ".join(part for part in (maker, model) if part))


def _code(sequence: Element) -> str:
    code = sequence.find("code")
    return "" if code is None else code.get("code", "").strip()
