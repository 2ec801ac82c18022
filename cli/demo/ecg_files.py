"""Signals as files of other formats than MATLAB: WFDB, EDF and text.

Belongs here: layouts, one function each. Does not belong here: what is in the signals (`cli/demo/heart.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from cli.demo.heart import FloatArray

_WFDB_GAIN = 1000  # adu per mV
_EDF_RANGE_MV = 5.0
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def wfdb(
    record: str, leads_mv: FloatArray, names: Sequence[str], rate_hz: int, start: datetime
) -> tuple[bytes, bytes]:
    """Header and signal file of a WFDB record: 16-bit frames, one value of each lead in turn.

    Source: header(5) and signal(5) of the WFDB Applications Guide.

    Args:
        record: its name; the files are `record`.hea and `record`.dat.
        leads_mv: shape (leads, samples).
        names: of the leads.
        rate_hz: samples a second.
        start: of the recording, in UTC.
    """
    samples = np.rint(leads_mv * _WFDB_GAIN).astype("<i2")
    sinus_rhythm = "426783006"  # SNOMED CT
    lines = [f"{record} {len(samples)} {rate_hz} {samples.shape[1]} {start:%H:%M:%S %d/%m/%Y}"]
    for name, lead in zip(names, samples, strict=True):
        checksum = (int(lead.sum(dtype=np.int64)) + 2**15) % 2**16 - 2**15
        lines.append(f"{record}.dat 16 {_WFDB_GAIN}(0)/mV 16 0 {lead[0]} {checksum} 0 {name}")
    lines.append(f"#Dx: {sinus_rhythm}")
    return ("\n".join(lines) + "\n").encode(), samples.tobytes(order="F")


def edf(leads_mv: FloatArray, names: Sequence[str], rate_hz: int, start: datetime) -> bytes:
    """An EDF file with data records of one second and no subject.

    Source: Kemp et al. 1992, Electroenceph. clin. Neurophysiol. 82:391.

    Args:
        leads_mv: shape (leads, samples), whole seconds, within ±5 mV.
        names: of the leads.
        rate_hz: samples a second.
        start: of the recording.
    """
    count, length = leads_mv.shape
    startdate = f"Startdate {start.day:02d}-{_MONTHS[start.month - 1]}-{start.year} X X X"
    fixed = [("0", 8), ("X X X X", 80), (startdate, 80), (f"{start:%d.%m.%y}", 8), (f"{start:%H.%M.%S}", 8)]
    fixed += [(str(256 * (count + 1)), 8), ("", 44), (str(length // rate_hz), 8), ("1", 8), (str(count), 4)]
    columns = [([f"ECG {name}" for name in names], 16), (["electrode"] * count, 80), (["mV"] * count, 8)]
    columns += [([text] * count, 8) for text in (f"{-_EDF_RANGE_MV:g}", f"{_EDF_RANGE_MV:g}", "-32768", "32767")]
    columns += [([""] * count, 80), ([str(rate_hz)] * count, 8), ([""] * count, 32)]
    header = "".join(text.ljust(width) for text, width in fixed)
    header += "".join(text.ljust(width) for texts, width in columns for text in texts)
    scaled = (leads_mv + _EDF_RANGE_MV) / (2 * _EDF_RANGE_MV) * 65535 - 32768
    records = np.rint(scaled).clip(-32768, 32767).astype("<i2").reshape(count, -1, rate_hz)
    in_turn: bytes = records.transpose(1, 0, 2).tobytes()
    return header.encode("ascii") + in_turn


def csv_text(lead_mv: FloatArray, name: str, rate_hz: int) -> bytes:
    """Lines of time and value with a heading that names both and their units."""
    rows = [f"{number / rate_hz:.4f},{value:.4f}" for number, value in enumerate(lead_mv)]
    return "\n".join([f"time [s],{name} [mV]", *rows, ""]).encode()
