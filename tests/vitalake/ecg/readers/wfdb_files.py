"""WFDB recordings made by hand, sample by sample, after signal(5) and header(5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

# Bits of a sample by storage format; format 8 holds differences of 8 bits.
BITS = {8: 8, 16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10}


def pack(storage_format: int, samples: Sequence[int]) -> bytes:
    """Bytes of a signal file, frames one after the other; for format 8 the samples are differences."""
    bits = BITS[storage_format]
    if storage_format in (80, 160):
        return b"".join((sample + 2 ** (bits - 1)).to_bytes(bits // 8, "little") for sample in samples)
    if storage_format not in (212, 310, 311):
        order: Literal["big", "little"] = "big" if storage_format == 61 else "little"
        return b"".join(sample.to_bytes(bits // 8, order, signed=True) for sample in samples)
    step = 2 if storage_format == 212 else 3
    blocks = [[*samples[at : at + step], 0, 0][:step] for at in range(0, len(samples), step)]
    packed = b"".join(_block(storage_format, [sample % 2**bits for sample in block]) for block in blocks)
    whole, rest = divmod(len(samples), step)
    return packed[: whole * (3 if step == 2 else 4) + (0, 2, 4 if storage_format == 310 else 3)[rest]]


def _block(storage_format: int, block: list[int]) -> bytes:
    if storage_format == 212:
        first, second = block
        return bytes((first & 0xFF, first >> 8 | second >> 8 << 4, second & 0xFF))
    first, second, third = block
    if storage_format == 311:
        return (first | second << 10 | third << 20).to_bytes(4, "little")
    pairs = (first << 1 | (third & 0x1F) << 11, second << 1 | third >> 5 << 11)
    return b"".join(pair.to_bytes(2, "little") for pair in pairs)


def interleave(signals: Sequence[Sequence[int]], per_frame: Sequence[int]) -> list[int]:
    """Samples in the order of a signal file."""
    frames = len(signals[0]) // per_frame[0]
    return [
        sample
        for frame in range(frames)
        for signal, count in zip(signals, per_frame, strict=True)
        for sample in signal[frame * count : (frame + 1) * count]
    ]


def read_with_wfdb(wfdb: Any, record: Path) -> tuple[Any, list[Any]]:
    """The record and its stored samples by signal; wfdb 4.3.1 cannot convert format 61 frame by frame."""
    if max(wfdb.rdheader(str(record)).samps_per_frame) > 1:
        expanded = wfdb.rdrecord(str(record), physical=False, smooth_frames=False)
        return expanded, expanded.e_d_signal
    plain = wfdb.rdrecord(str(record), physical=False)
    return plain, list(plain.d_signal.T)


def checksum(samples: Sequence[int]) -> int:
    """16-bit signed sum, as header lines give it."""
    return (sum(samples) + 2**15) % 2**16 - 2**15


def record(
    name: str, signals: Mapping[str, Sequence[int]], rate: str = "100", gain: str = "200"
) -> dict[str, bytes]:
    """Header and signal file of a record in format 16."""
    stored = list(signals.values())
    lines = [f"{name} {len(stored)} {rate} {len(stored[0])}"]
    lines += [
        f"{name}.dat 16 {gain} 16 0 {samples[0]} {checksum(samples)} 0 {lead}" for lead, samples in signals.items()
    ]
    packed = pack(16, interleave(stored, [1] * len(stored)))
    return {f"{name}.hea": "\n".join(lines).encode() + b"\n", f"{name}.dat": packed}
