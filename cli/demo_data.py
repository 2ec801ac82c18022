"""Generated ECG recordings, so that a fresh system has something to show.

Belongs here: synthetic recordings as MATLAB v4 files, good, noisy, arrhythmic and broken, the same bytes for the
same arguments. Does not belong here: uploading them, or any real recording.

The heart is a sum of Gaussians per beat, after McSharry et al. 2003, IEEE Trans. Biomed. Eng. 50(3):289.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SAMPLING_RATE_HZ = 360
SAMPLES = 3600
GAIN_ADU_PER_MV = 200
ZERO_ADU = 1024
FULL_SCALE_ADU = 2047  # 11 bits

# What each device records in turn: the Holters lie quietly, the patch is worn in motion, the bedside is cardiology.
DEVICES: dict[str, tuple[str, ...]] = {
    "holter-01": ("clean", "clean", "premature", "clean", "noisy", "clean"),
    "holter-02": ("clean", "clean", "clean", "irregular", "clean", "noisy"),
    "patch-07": ("noisy", "clean", "lead-off", "noisy", "bigeminy", "clean"),
    "bedside-03": ("irregular", "clean", "bigeminy", "clean", "premature", "lead-off"),
}
BROKEN_KINDS = ("empty", "text", "truncated", "v7.3", "20 leads")

# Waves of a beat: centre and width (s from the R peak), height (mV).
P_WAVE = ((-0.18, 0.022, 0.14),)
QRS = ((-0.028, 0.009, -0.12), (0.0, 0.011, 1.25), (0.028, 0.010, -0.28))
T_WAVE = ((0.25, 0.045, 0.22), (0.30, 0.030, 0.14))
VENTRICULAR = ((-0.035, 0.018, 0.75), (0.01, 0.022, 1.35), (0.075, 0.026, -0.70), (0.27, 0.060, -0.42))


@dataclass(frozen=True)
class DemoFile:
    """One object to upload: its key, its bytes, and what was put into it."""

    key: str
    data: bytes
    kind: str


def demo_files(first_day: date, days: int = 4, per_device: int = 12) -> Iterator[DemoFile]:
    """Recordings of four devices, day by day, and then one file of each broken kind.

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


def strip_mv(kind: str, rng: np.random.Generator) -> FloatArray:
    """Ten seconds of one kind of recording in mV, shape (3600,).

    Kinds: clean, noisy (muscle, movement, mains), lead-off, and the rhythms premature, irregular (as in atrial
    fibrillation) and bigeminy.
    """
    x = _heart(kind, rng) * rng.uniform(0.8, 1.2)
    time = np.arange(SAMPLES) / SAMPLING_RATE_HZ
    x += 0.04 * np.sin(2 * np.pi * (rng.uniform(0.2, 0.3) * time + rng.uniform()))  # breathing
    x += rng.normal(0, 0.008, SAMPLES)  # amplifier
    if kind == "noisy":
        tension = 0.4 + 0.6 * np.sin(2 * np.pi * (0.15 * time + rng.uniform())) ** 2
        x += tension * np.diff(rng.normal(0, 0.09, SAMPLES + 1))  # muscle: more of it at high frequencies
        x += 0.7 * np.sin(2 * np.pi * (rng.uniform(0.12, 0.35) * time + rng.uniform()))  # movement
        x += 0.06 * np.sin(2 * np.pi * (50 * time + rng.uniform()))  # mains
    if kind == "lead-off":
        x[int(SAMPLES * rng.uniform(0.0, 0.4)) :] = rng.choice([0.0, 10.0])  # to the zero line, or to the rail
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
        "text": b"time_s,mv\n0.000,0.12\n0.003,0.14\n",
        "truncated": matlab_v4(good)[:3000],
        "v7.3": hdf5_text.ljust(124) + b"\x00\x02IM" + bytes(384) + b"\x89HDF\r\n\x1a\n" + bytes(32),
        "20 leads": matlab_v4(np.repeat(good, 20, axis=0)),
    }[kind]


def _key(day: date, device: str, number: int) -> str:
    return f"ecg/date={day}/device={device}/{number:02d}.mat"


def _heart(kind: str, rng: np.random.Generator) -> FloatArray:
    """The heart's own signal of one kind in mV, shape (3600,), before anything disturbs it."""
    time = np.arange(SAMPLES) / SAMPLING_RATE_HZ
    rr = rng.uniform(0.7, 1.0)
    fibrillating = kind == "irregular"
    x = np.zeros(SAMPLES)
    if fibrillating:
        x += 0.05 * np.sin(2 * np.pi * (rng.uniform(5, 7) * time + 0.3 * np.sin(2 * np.pi * 0.4 * time)))
    beat_at, number = -rng.uniform(0, rr), 0
    early_every = {"bigeminy": 2, "premature": int(rng.integers(4, 7))}.get(kind, 0)
    while beat_at < time[-1] + 0.5:
        ventricular = early_every > 0 and number % early_every == early_every - 1
        waves = VENTRICULAR if ventricular else QRS + T_WAVE + (() if fibrillating else P_WAVE)
        for centre, width, height in waves:
            x += height * np.exp(-0.5 * ((time - beat_at - centre) / width) ** 2)
        early_next = early_every > 0 and number % early_every == early_every - 2
        if fibrillating:
            beat_at += rng.uniform(0.42, 1.05)
        elif early_next:
            beat_at += 0.6 * rr
        else:  # a premature beat is followed by a compensatory pause
            beat_at += (1.4 if ventricular else rng.normal(1, 0.025)) * rr
        number += 1
    return x
