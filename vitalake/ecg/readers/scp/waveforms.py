"""Sections 5 and 6 of SCP-ECG files: from one row of bytes to the samples of each lead.

Belongs here: lengths, differences and their inversion, EN 1064:2005+A1:2007, 5.8 and 5.9. Does not belong here:
code tables (`huffman.py`), or which lead a row of samples is (`scp`).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.readers.scp.huffman import Decoder
from vitalake.ecg.recording import Finding
from vitalake.errors import UnusableDataError

HEADER_BYTES = 6
RAW, FIRST_DIFFERENCE, SECOND_DIFFERENCE = 0, 1, 2
FULL = 2**16 - 2  # bytes: the length of a lead has 16 bits, a writer with more has nowhere to say so
INT32 = np.iinfo(np.int32)

Samples = npt.NDArray[np.int32]


class Coding(NamedTuple):
    """How a section stores its leads: nV per stored unit, µs per sample, order of differences, bimodal or not."""

    amplitude: int
    interval: int
    differences: int
    bimodal: int


def read_coding(content: bytes, section: int) -> Coding:
    """The first fields of section 5 or 6.

    Raises:
        UnusableDataError: S02, they are not there, or samples are coded in no known way.
    """
    if len(content) < HEADER_BYTES:
        raise UnusableDataError("S02", f"section {section} ends inside its header")
    coding = Coding(*struct.unpack_from("<HHBB", content))
    if coding.differences > SECOND_DIFFERENCE:
        raise UnusableDataError("S02", f"section {section} stores differences of order {coding.differences}")
    return coding


def split(
    content: bytes, section: int, leads: int, expected: list[int] | None, findings: list[Finding]
) -> list[bytes]:
    """The bytes of each lead; adds to `findings`.

    A length that does not fit into the table's 16 bits arrives there cut. Where `expected` bytes per lead are known
    and fill the section exactly, while the table does not, they are what was meant.

    Raises:
        UnusableDataError: S02, no table of lengths; S08, the lengths are beyond the end of the section.
    """
    start = HEADER_BYTES + 2 * leads
    if len(content) < start:
        raise UnusableDataError("S02", f"section {section} ends inside its table of lengths")
    lengths = list(struct.unpack_from(f"<{leads}H", content, HEADER_BYTES))
    room = len(content) - start
    fits = sum(lengths) <= room <= sum(lengths) + 1  # a section has an even number of bytes
    if not fits and expected and sum(expected) <= room <= sum(expected) + 1:
        pairs = zip(lengths, expected, strict=True)
        if all(length in (wanted & 0xFFFF, FULL, FULL + 1) for length, wanted in pairs):
            message = f"section {section} holds {room:,} bytes, its lengths, cut to 16 bits, {sum(lengths):,}"
            findings.append(Finding("S15", message))
            lengths, fits = expected, True
    if sum(lengths) > room:
        raise UnusableDataError(
            "S08", f"section {section} holds {room:,} bytes, its lengths add up to {sum(lengths):,}"
        )
    if not fits:
        findings.append(Finding("S15", f"{room - sum(lengths):,} bytes of section {section} belong to no lead"))
    pieces, at = [], start
    for length in lengths:
        pieces.append(content[at : at + length])
        at += length
    return pieces


def decode(
    pieces: list[bytes],
    wanted: list[int],
    coding: Coding,
    decoder: Decoder | None,
    max_samples: int,
    findings: list[Finding],
) -> list[Samples]:
    """`wanted` samples of each lead, each of shape (samples,); adds to `findings`.

    One sample less is taken as it is. So is a lead that fills its 16 bits of length: its end was never written, and
    S15 says so.

    Raises:
        UnusableDataError: S01, more than `max_samples` in all; S02, impossible codes; S08, fewer samples than
            wanted; S10, samples beyond 32 bits.
    """
    # A Huffman code takes at least one bit, a plain number 16.
    per_byte = 8 if decoder else 0.5
    most = [min(count, int(len(piece) * per_byte)) for count, piece in zip(wanted, pieces, strict=True)]
    if sum(most) > max_samples:
        raise UnusableDataError("S01", f"{sum(most):,} samples, expected at most {max_samples:,}")
    decoded, short, surplus = [], [], 0
    for piece, count in zip(pieces, wanted, strict=True):
        if decoder:
            stored, left = decoder.decode(piece, count)
            left //= 2  # in samples of 16 bits, as below; one byte may be there to make the length even
        else:
            stored = np.frombuffer(piece, dtype="<i2", count=min(count, len(piece) // 2)).astype(np.int64)
            left = len(piece) // 2 - len(stored)
        if not len(stored) or (len(stored) < count - 1 and len(piece) < FULL):
            raise UnusableDataError("S08", f"{len(stored):,} samples of a lead, section 3 declares {count:,}")
        if len(stored) < count - 1:
            short.append(len(stored))
        surplus += left
        decoded.append(_invert(stored, coding.differences))
    if short:
        found = f"{len(short)} leads end after {min(short):,} of {max(wanted):,} samples"
        findings.append(Finding("S15", f"{found}: their length was cut to 16 bits"))
    if surplus:
        findings.append(Finding("S15", f"{2 * surplus:,} bytes follow the last samples that section 3 declares"))
    return decoded


def _invert(stored: npt.NDArray[np.int64], differences: int) -> Samples:
    """Samples from differences; the first sample (of second differences: the first two) is stored as it is."""
    values = stored
    if differences == SECOND_DIFFERENCE and len(values) > 1:
        steps = values[1:].copy()
        steps[0] -= values[0]
        values = np.concatenate((values[:1], np.cumsum(steps)))
    if differences:
        values = np.cumsum(values)
    if values.min() < INT32.min or values.max() > INT32.max:
        raise UnusableDataError("S10", f"differences that add up to {values.min():,} to {values.max():,}")
    samples: Samples = values.astype(np.int32)
    return samples
