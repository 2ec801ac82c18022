"""SCP-ECG files: the leads of one ECG as plain samples, differences, or Huffman-coded differences.

Belongs here: leads (section 3) and what sections mean together, EN 1064:2005+A1:2007, "Standard communication
protocol, computer-assisted electrocardiography". Does not belong here: sections and tags (`sections.py`), samples
(`waveforms.py`), code tables (`huffman.py`).

Refused: reference-beat subtraction and bimodal compression. They lose information, and undoing them needs filters
that the standard leaves to the manufacturer, so what would come out is not what was recorded.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from vitalake.ecg.channel_words import LabelMeaning, meaning_of
from vitalake.ecg.readers.scp import sections as scp_sections
from vitalake.ecg.readers.scp import waveforms
from vitalake.ecg.readers.scp.huffman import Decoder, read_tables
from vitalake.ecg.readers.scp.waveforms import Coding, Samples
from vitalake.ecg.recording import MILLIVOLT, UNCALIBRATED, Finding, Lead, Recording
from vitalake.errors import UnusableDataError

FORMAT = "scp"
TAGS, TABLES, LEADS, QRS_LOCATIONS, REFERENCE_BEAT, RHYTHM = 1, 2, 3, 4, 5, 6
NANOVOLT_PER_MILLIVOLT = 1e6
LEAD_BYTES = 9
SUBTRACTED = 1  # the bit of section 3 that says the reference beat was subtracted

# The lead codes of section 3, in its order; a calibration signal has the code of its lead + 30.
# fmt: off
_FROM_1 = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V2R", "V3R", "V4R", "V5R", "V6R", "V7R",
           "X", "Y", "Z", "CC5", "CM5", "LA", "RA", "LL",
           *(f"Frank {electrode}" for electrode in "IECAMFH"))
_FROM_61 = ("III", "aVR", "aVL", "aVF", "-aVR", "V8", "V9", "V8R", "V9R", "D", "A", "J")
# fmt: on
LEAD_NAMES = {
    **dict(enumerate(_FROM_1, start=1)),
    **dict(enumerate((f"{name}-cal" for name in _FROM_1), start=31)),
    **dict(enumerate(_FROM_61, start=61)),
}


class _Row(NamedTuple):
    """A row of section 3: `length` samples of a lead from sample `start` (from 0) of the recording."""

    name: str
    start: int
    length: int


def recognises(data: bytes) -> bool:
    """True for SCP-ECG records, by their first section."""
    return scp_sections.recognises(data)


def read(data: bytes, *, max_samples: int) -> Recording:
    """The rhythm data, one group of leads per stretch of time, and the reference beat as the group after them.

    `max_samples` bounds all leads together.

    Raises:
        UnusableDataError: S01, too many samples; S02, broken, or compressed with loss; S03, no leads or no rhythm
            data; S08, fewer samples than section 3 declares; S10, values beyond 32 bits.
    """
    findings: list[Finding] = []
    sections = scp_sections.read_sections(data, findings)
    rows = _read_rows(sections.get(LEADS, b""))
    if RHYTHM not in sections:
        raise UnusableDataError("S03", "the record has no section 6: no rhythm data")
    decoder = Decoder(read_tables(sections[TABLES])) if TABLES in sections else None
    leads = _read_rhythm(sections, rows, decoder, max_samples, findings)
    if REFERENCE_BEAT in sections:
        try:
            left = max_samples - sum(len(lead.samples) for lead in leads)
            names, group = [row.name for row in rows], max(lead.group for lead in leads) + 1
            leads += _read_beat(sections, names, group, decoder, left, findings)
        except UnusableDataError as error:
            findings.append(Finding("S15", f"the reference beat is left out: {error.message}"))
    if any(lead.unit == UNCALIBRATED for lead in leads):
        findings.append(Finding("S09", "the amplitude multiplier is 0: the size of a stored unit is not known"))
    tags = scp_sections.read_tags(sections.get(TAGS, b""))
    return Recording(
        leads=tuple(leads),
        file_format=FORMAT,
        started_at=scp_sections.started_at(tags),
        subject=scp_sections.subject(tags),
        device_model=scp_sections.device_model(tags),
        findings=tuple(findings),
    )


def _read_rows(content: bytes) -> list[_Row]:
    """Section 3. Samples count from 1 and the last one is included; who begins at 0 does not include it."""
    count = content[0] if content else 0
    if not count or len(content) < 2 + LEAD_BYTES * count:
        raise UnusableDataError("S03", f"section 3 describes {count} leads in {len(content):,} bytes")
    if content[1] & SUBTRACTED:
        raise UnusableDataError(
            "S02", "reference-beat subtraction, which loses information: expected plain samples"
        )
    rows = []
    for position, (start, end, code) in enumerate(struct.iter_unpack("<IIB", content[2 : 2 + LEAD_BYTES * count])):
        first = max(start, 1)
        rows.append(_Row(LEAD_NAMES.get(code, f"lead_{position + 1}"), first - 1, max(end - first + 1, 0)))
    return rows


def _read_rhythm(
    sections: dict[int, bytes], rows: list[_Row], decoder: Decoder | None, max_samples: int, findings: list[Finding]
) -> list[Lead]:
    coding = waveforms.read_coding(sections[RHYTHM], RHYTHM)
    if coding.bimodal:
        raise UnusableDataError("S02", "bimodal compression, which loses information: expected plain samples")
    counted_at = _interval_of_section_3(sections, coding)
    wanted = [row.length * counted_at // (coding.interval or 1) if coding.interval else row.length for row in rows]
    raw_bytes = None if decoder else [2 * count for count in wanted]
    pieces = waveforms.split(sections[RHYTHM], RHYTHM, len(rows), raw_bytes, findings)
    samples = waveforms.decode(pieces, wanted, coding, decoder, max_samples, findings)
    places = sorted({(row.start, row.length) for row in rows})
    return [
        _lead(row.name, values, coding, places.index((row.start, row.length)), row.start * counted_at / 1e6)
        for row, values in zip(rows, samples, strict=True)
    ]


def _interval_of_section_3(sections: dict[int, bytes], coding: Coding) -> int:
    """µs: section 3 counts samples of the reference beat where that has the higher rate (EN 1064, 5.9)."""
    if len(sections.get(REFERENCE_BEAT, b"")) < waveforms.HEADER_BYTES:
        return coding.interval
    interval = int.from_bytes(sections[REFERENCE_BEAT][2:4], "little")
    return interval if 0 < interval < coding.interval and coding.interval % interval == 0 else coding.interval


def _read_beat(
    sections: dict[int, bytes],
    names: list[str],
    group: int,
    decoder: Decoder | None,
    max_samples: int,
    findings: list[Finding],
) -> list[Lead]:
    """Section 5, of which only section 4 knows how long it is where it is Huffman-coded."""
    content = sections[REFERENCE_BEAT]
    coding = waveforms.read_coding(content, REFERENCE_BEAT)
    pieces = waveforms.split(content, REFERENCE_BEAT, len(names), None, findings)
    wanted = [len(piece) // 2 for piece in pieces]
    if decoder:
        milliseconds = int.from_bytes(sections.get(QRS_LOCATIONS, b"")[:2], "little")
        wanted = [1000 * milliseconds // (coding.interval or 1)] * len(names)
    samples = waveforms.decode(pieces, wanted, coding, decoder, max_samples, findings)
    return [_lead(name, values, coding, group, 0.0) for name, values in zip(names, samples, strict=True)]


def _lead(name: str, samples: Samples, coding: Coding, group: int, offset_s: float) -> Lead:
    return Lead(
        name=name,
        samples=samples,
        sampling_rate_hz=1e6 / coding.interval if coding.interval else 0.0,
        gain_adu_per_unit=NANOVOLT_PER_MILLIVOLT / coding.amplitude if coding.amplitude else 1.0,
        unit=MILLIVOLT if coding.amplitude else UNCALIBRATED,
        group=group,
        start_offset_s=offset_s,
        label=meaning_of(name) if name.endswith("-cal") else LabelMeaning(ecg=True),  # the format has no others
    )
