"""SCP-ECG files: leads of one resting or exercise ECG, raw, as differences, or Huffman-coded differences.

Belongs here: sections 2, 3, 5 and 6 of EN 1064:2005+A1:2007 ("Standard communication protocol, computer-assisted
electrocardiography"). Does not belong here: sections and tags (`scp_sections`), code tables (`scp_huffman`).

Refused: reference-beat subtraction and bimodal compression. Both lose information, and undoing them needs filters
that the standard leaves to the manufacturer, so what comes out is not what was recorded.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.readers import scp_sections
from vitalake.ecg.readers.scp_huffman import Decoder, read_tables
from vitalake.ecg.recording import MILLIVOLT, UNCALIBRATED, Finding, Lead, Recording
from vitalake.errors import UnusableDataError

FORMAT = "scp"
TABLES, LEADS, QRS_LOCATIONS, REFERENCE_BEAT, RHYTHM = 2, 3, 4, 5, 6
NANOVOLT_PER_MILLIVOLT = 1e6
LONGEST = 2**16 - 2  # bytes: the lengths in sections 5 and 6 have 16 bits, and are even
INT32 = np.iinfo(np.int32)

# EN 1064, table 7, in words of the field; the codes of calibration signals (31 to 60) are those of their leads + 30.
_FRANK = tuple(f"Frank {electrode}" for electrode in "IECAMFH")
_LEAD_NAMES = dict(
    enumerate(
        # fmt: off
        ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V2R", "V3R", "V4R", "V5R", "V6R", "V7R", "X", "Y", "Z",
         "CC5", "CM5", "LA", "RA", "LL", *_FRANK),
        # fmt: on
        start=1,
    )
)
_LEAD_NAMES |= {code + 30: f"{name}-cal" for code, name in _LEAD_NAMES.items()}
_LEAD_NAMES |= dict(enumerate(("III", "aVR", "aVL", "aVF", "-aVR", "V8", "V9", "V8R", "V9R", "D", "A", "J"), start=61))


class _LeadPlan(NamedTuple):
    """A row of section 3: `count` samples from sample `start` (from 0) of the recording."""

    name: str
    start: int
    count: int


class _Waveforms(NamedTuple):
    """What sections 5 and 6 have in common; times in µs, amplitudes in nV."""

    amplitude: int
    interval: int
    differences: int
    compressed: int
    stored: tuple[bytes, ...]


def recognises(data: bytes) -> bool:
    """True for SCP-ECG records, by their first section."""
    return scp_sections.recognises(data)


def read(data: bytes, *, max_samples: int) -> Recording:
    """The rhythm data as group 0 (or one group per stretch of time), the reference beat as the last group.

    `max_samples` bounds all leads together.

    Raises:
        UnusableDataError: S01, too many samples; S02, broken or compressed with loss; S03, no leads or no rhythm data;
            S08, fewer samples than section 3 declares; S10, values beyond 32 bits.
    """
    findings: list[Finding] = []
    sections = scp_sections.read_sections(data, findings)
    plans = _read_plans(sections.get(LEADS, b""))
    if RHYTHM not in sections:
        raise UnusableDataError("S03", "the record has no section 6: no rhythm data")
    decoder = Decoder(read_tables(sections[TABLES])) if TABLES in sections else None
    beat = _open(sections[REFERENCE_BEAT], REFERENCE_BEAT, _no_plans(plans)) if REFERENCE_BEAT in sections else None
    counted_in = beat.interval if beat else 0
    rhythm = _open(sections[RHYTHM], RHYTHM, plans, None if decoder else findings)
    if rhythm.compressed:
        raise UnusableDataError("S02", "bimodal compression, which loses information: expected plain samples")
    if 0 < counted_in < rhythm.interval:  # section 3 counts at the rate of the reference beat, the faster one
        plans = [
            plan._replace(start=_rescale(plan.start, counted_in, rhythm), count=_rescale(plan.count, counted_in, rhythm))
            for plan in plans
        ]
    stretches = sorted({(plan.start, plan.count) for plan in plans})
    groups = [stretches.index((plan.start, plan.count)) for plan in plans]
    leads = _decode(rhythm, plans, groups, decoder, max_samples, findings)
    if beat:
        plans = _beat_plans(beat, plans, sections.get(QRS_LOCATIONS, b""), coded=decoder is not None)
        left = max_samples - sum(len(lead.samples) for lead in leads)
        leads += _decode(beat, plans, [len(stretches)] * len(plans), decoder, left, findings)
    if any(lead.unit == UNCALIBRATED for lead in leads):
        findings.append(Finding("S09", "the amplitude multiplier is 0: the size of a stored unit is not known"))
    tags = scp_sections.read_tags(sections.get(1, b""))
    return Recording(
        leads=tuple(leads),
        file_format=FORMAT,
        started_at=scp_sections.started_at(tags),
        subject=scp_sections.subject(tags),
        device_model=scp_sections.device_model(tags),
        findings=tuple(findings),
    )
