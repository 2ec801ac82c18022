"""Generated ECG recordings, so that a fresh system has something to show.

Belongs here: which synthetic recordings there are, good, noisy, arrhythmic and broken, most of them as MATLAB v4
files, the same bytes for the same arguments. Does not belong here: the signals (`cli/demo/heart.py`), other formats
(`cli/demo/ecg_files.py`), uploading them, or any real recording.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

import numpy as np
import numpy.typing as npt

from cli.demo.ecg_files import csv_text, edf, wfdb
from cli.demo.heart import TWELVE, FloatArray, calm_mv, heart_mv, noise_mv, twelve_leads_mv

SAMPLING_RATE_HZ = 360
DURATION_S = 10.0
GAIN_ADU_PER_MV = 200
ZERO_ADU = 1024
FULL_SCALE_ADU = 2047  # 11 bits

# What each device records in turn: the Holters lie quietly, the patch is worn in motion, the bedside is cardiology.
DEVICES: dict[str, tuple[str, ...]] = {
    "demo-holter-01": ("clean", "clean", "premature", "clean", "noisy", "clean"),
    "demo-holter-02": ("clean", "clean", "clean", "irregular", "clean", "noisy"),
    "demo-patch-07": ("noisy", "clean", "lead-off", "noisy", "bigeminy", "clean"),
    "demo-bedside-03": ("irregular", "clean", "bigeminy", "clean", "premature", "lead-off"),
}
BROKEN_KINDS = ("empty", "text", "truncated", "v7.3", "20 leads")
OTHER_KINDS = ("12 leads", "header missing", "edf", "csv", "3 minutes")


@dataclass(frozen=True)
class DemoFile:
    """One object to upload: its key, its bytes, and what was put into it."""

    key: str
    data: bytes
    kind: str


def demo_files(first_day: date, days: int = 4, per_device: int = 12) -> Iterator[DemoFile]:
    """Recordings of four devices, day by day, then one file of each broken kind, then a few of other formats.

    Every file depends on its day, device and number only: asking for more days adds files and changes none.

    Args:
        first_day: date in the key of the first recordings.
        days: number of days, at least 1.
        per_device: recordings of each device on each day.
    """
    for day in (first_day + timedelta(days=offset) for offset in range(days)):
        for device, (name, kinds) in enumerate(DEVICES.items()):
            for number in range(per_device):
                kind = kinds[number % len(kinds)]
                rng = np.random.default_rng([day.toordinal(), device, number])
                yield DemoFile(_key(day, name, number), matlab_v4(stored(strip_mv(kind, rng))), kind)
    names = list(DEVICES)
    for index, kind in enumerate(BROKEN_KINDS):
        day = first_day + timedelta(days=index % days)
        yield DemoFile(_key(day, names[index % len(names)], per_device + index), broken(kind), kind)
    yield from other_formats(first_day)


def other_formats(day: date) -> Iterator[DemoFile]:
    """What else a bucket holds: a 12-lead pair, a signal file without its header, EDF, text, three minutes."""
    rng = np.random.default_rng([day.toordinal(), len(DEVICES)])
    start = datetime.combine(day, time(8, 15), timezone.utc)
    cart, holter, patch = (
        f"ecg/date={day}/device={name}" for name in ("cart-05", "demo-holter-02", "demo-patch-07")
    )
    twelve = twelve_leads_mv(rng, np.arange(5000) / 500)
    twelve[TWELVE.index("V3")] += noise_mv(rng, np.arange(5000) / 500)  # one electrode sits badly
    header, signals = wfdb("rest_01", twelve, TWELVE, 500, start)
    yield DemoFile(f"{cart}/rest_01.hea", header, "12 leads")
    yield DemoFile(f"{cart}/rest_01.dat", signals, "12 leads")
    _, alone = wfdb("rest_02", twelve_leads_mv(rng, np.arange(5000) / 500), TWELVE, 500, start)
    yield DemoFile(f"{cart}/rest_02.dat", alone, "header missing")
    two = twelve_leads_mv(rng, np.arange(30 * 250) / 250)[[TWELVE.index("II"), TWELVE.index("V5")]]
    yield DemoFile(f"{holter}/night.edf", edf(two, ("II", "V5"), 250, start), "edf")
    yield DemoFile(f"{patch}/export.csv", csv_text(strip_mv("clean", rng), "II", SAMPLING_RATE_HZ), "csv")
    long = strip_mv("breathing", rng, 180.0)
    restless = slice(80 * SAMPLING_RATE_HZ, 105 * SAMPLING_RATE_HZ)
    long[restless] += noise_mv(rng, np.arange(25 * SAMPLING_RATE_HZ) / SAMPLING_RATE_HZ)
    yield DemoFile(f"ecg/date={day}/device=demo-holter-01/three-minutes.mat", matlab_v4(stored(long)), "3 minutes")


def strip_mv(kind: str, rng: np.random.Generator, duration_s: float = DURATION_S) -> FloatArray:
    """One kind of recording at 360 Hz in mV, shape (samples,).

    Kinds: clean, noisy (muscle, movement, mains), lead-off, and the rhythms premature, irregular (as in atrial
    fibrillation), bigeminy and breathing (a clean one whose rate follows the breath).
    """
    samples = round(duration_s * SAMPLING_RATE_HZ)
    time_s = np.arange(samples) / SAMPLING_RATE_HZ
    x = heart_mv(kind, rng, time_s) * rng.uniform(0.8, 1.2) + calm_mv(rng, time_s)
    if kind == "noisy":
        x += noise_mv(rng, time_s)
    if kind == "lead-off":
        x[int(samples * rng.uniform(0.0, 0.4)) :] = rng.choice([0.0, 10.0])  # to the zero line, or to the rail
    return x


def stored(x_mv: FloatArray) -> npt.NDArray[np.int16]:
    """What an 11-bit converter stores of a strip, shape (1, samples): ``round(mV · 200) + 1024``, clipped."""
    adu = np.rint(x_mv * GAIN_ADU_PER_MV) + ZERO_ADU
    samples: npt.NDArray[np.int16] = np.clip(adu, 0, FULL_SCALE_ADU).astype(np.int16)
    return samples[None, :]


def matlab_v4(samples: npt.NDArray[np.int16]) -> bytes:
    """A MATLAB v4 file with one int16 matrix `val`: 20 bytes of header, the name, the columns one by one."""
    rows, columns = samples.shape
    little_endian_int16 = 30
    header = struct.pack("<5i", little_endian_int16, rows, columns, 0, len(b"val\0"))
    return header + b"val\0" + samples.astype("<i2").tobytes(order="F")


def broken(kind: str) -> bytes:
    """A file that no reader should accept, of one of `BROKEN_KINDS`."""
    good = stored(strip_mv("clean", np.random.default_rng(BROKEN_KINDS.index(kind))))
    hdf5_text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 ."
    return {
        "empty": b"",
        "text": b"<!DOCTYPE html>\n<html><title>404 Not Found</title><h1>Not Found</h1></html>\n",
        "truncated": matlab_v4(good)[:3000],
        "v7.3": hdf5_text.ljust(124) + b"\x00\x02IM" + bytes(384) + b"\x89HDF\r\n\x1a\n" + bytes(32),
        "20 leads": matlab_v4(np.repeat(good, 20, axis=0)),
    }[kind]


def _key(day: date, device: str, number: int) -> str:
    return f"ecg/date={day}/device={device}/{number:02d}.mat"
