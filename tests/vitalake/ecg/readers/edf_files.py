"""Makes EDF and BDF files, also such as no library would write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Made(NamedTuple):
    """One signal: its fields, and samples of shape (records, samples per record), or text per record."""

    content: npt.ArrayLike | Sequence[bytes]
    label: str = "ECG II"
    unit: str = "mV"
    physical: tuple[str, str] = ("-10", "10")
    digital: tuple[str, str] = ("-2000", "2000")


def annotation_signal(texts: Sequence[bytes], label: str = "EDF Annotations", width: int = 24) -> Made:
    return Made([text.ljust(width, b"\0") for text in texts], label, "", ("-1", "1"), ("-32768", "32767"))


def make_edf(
    *signals: Made,
    record_s: str = "1",
    records: int | None = None,
    reserved: str = "",
    patient: str = "",
    recording: str = "",
    date: str = "02.03.04",
    time: str = "05.06.07",
    header_bytes: int | None = None,
    sample_bytes: int = 2,
) -> bytes:
    chunks = [_chunks(signal.content, sample_bytes) for signal in signals]
    count = len(signals)
    fields = [
        ("0" if sample_bytes == 2 else "", 8), (patient, 80), (recording, 80), (date, 8), (time, 8),
        (str(header_bytes or 256 * (count + 1)), 8), (reserved, 44),
        (str(len(chunks[0]) if records is None else records), 8), (record_s, 8), (str(count), 4),
        *((signal.label, 16) for signal in signals),
        *(("", 80) for _ in signals),
        *((signal.unit, 8) for signal in signals),
        *((signal.physical[0], 8) for signal in signals),
        *((signal.physical[1], 8) for signal in signals),
        *((signal.digital[0], 8) for signal in signals),
        *((signal.digital[1], 8) for signal in signals),
        *(("", 80) for _ in signals),
        *((str(len(chunk[0]) // sample_bytes), 8) for chunk in chunks),
        *(("", 32) for _ in signals),
    ]  # fmt: skip
    header = b"".join(text.encode("latin-1").ljust(width) for text, width in fields)
    if sample_bytes == 3:
        header = b"\xffBIOSEMI" + header[8:]
    return header + b"".join(b"".join(record) for record in zip(*chunks, strict=True))


def _chunks(content: npt.ArrayLike | Sequence[bytes], sample_bytes: int) -> list[bytes]:
    if isinstance(content, list) and content and isinstance(content[0], bytes):
        return list(content)
    rows = np.asarray(content, "<i4")
    return [b"".join(int(value).to_bytes(sample_bytes, "little", signed=True) for value in row) for row in rows]
