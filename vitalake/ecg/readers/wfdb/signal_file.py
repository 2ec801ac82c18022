"""WFDB signal files: how samples of 8 to 32 bits lie in bytes.

Belongs here: the storage formats, as "signal - WFDB signal file formats" describes them (signal(5), WFDB
Applications Guide, physionet.org/physiotools/wag/signal-5.htm), and their marks for an invalid sample.
Does not belong here: what the header says of the samples. The FLAC formats 508, 516 and 524 are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.errors import UnusableDataError

DIFFERENCES = 8  # the format that stores each sample as the difference to the one before

Bytes = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int32]


class _SampleFormat(NamedTuple):
    """Samples come in blocks; `partial[n]` is how many whole samples lie in the first n bytes of a block."""

    block_samples: int
    partial: tuple[int, ...]
    invalid: int | None
    decode: Callable[[Bytes], Samples]

    @property
    def block_bytes(self) -> int:
        return len(self.partial)

    def samples_in(self, size: int) -> int:
        blocks, rest = divmod(max(size, 0), self.block_bytes)
        return blocks * self.block_samples + self.partial[rest]


def count_samples(storage_format: int, size: int) -> int:
    """How many whole samples lie in `size` bytes.

    Raises:
        UnusableDataError: S02, a storage format that is not read.
    """
    return _find(storage_format).samples_in(size)


def padded_bytes(storage_format: int, samples: int) -> int:
    """Bytes of `samples` samples with the last block filled up, as writers may or may not do."""
    found = _find(storage_format)
    return -(-samples // found.block_samples) * found.block_bytes


def invalid_value(storage_format: int) -> int | None:
    """What the format stores where there is no sample; None: format 8 has no such mark."""
    return _find(storage_format).invalid


def read_signals(
    data: memoryview, storage_format: int, frames: int, per_frame: Sequence[int], initial: Sequence[int]
) -> list[Samples]:
    """The signals of one file, each of shape (frames x its samples per frame,).

    Args:
        data: the file from its first sample on; holds at least `frames` frames.
        storage_format: one for all signals of a file.
        frames: number of frames; a frame is `per_frame[0]` samples of the first signal, then those of the second …
        per_frame: samples per frame, by signal.
        initial: initial value by signal; only format 8 uses it.

    Raises:
        UnusableDataError: S02, a format that is not read, too few bytes, or differences that leave 32 bits.
    """
    found, width = _find(storage_format), sum(per_frame)
    total = frames * width
    if total > found.samples_in(len(data)):
        raise UnusableDataError("S02", f"{len(data):,} bytes do not hold {total:,} samples")
    size = padded_bytes(storage_format, total)
    raw = np.frombuffer(data[:size], np.uint8)
    if len(raw) < size:
        raw = np.concatenate((raw, np.zeros(size - len(raw), np.uint8)))
    table = found.decode(raw)[:total].reshape(frames, width)
    ends = np.cumsum(per_frame).tolist()
    signals = [table[:, end - count : end].reshape(-1) for end, count in zip(ends, per_frame, strict=True)]
    if storage_format == DIFFERENCES:
        return [_add_up(signal, first) for signal, first in zip(signals, initial, strict=True)]
    return [np.ascontiguousarray(signal) if len(signals) > 1 else signal for signal in signals]


def _find(storage_format: int) -> _SampleFormat:
    if storage_format not in _FORMATS:
        raise UnusableDataError(
            "S02", f"storage format {storage_format}, expected one of {', '.join(map(str, _FORMATS))}"
        )
    return _FORMATS[storage_format]


def _add_up(differences: Samples, initial: int) -> Samples:
    sums: npt.NDArray[np.int64] = np.cumsum(differences, dtype=np.int64)
    limits = np.iinfo(np.int32)
    if sums.size and not (limits.min <= int(sums.min()) + initial and int(sums.max()) + initial <= limits.max):
        raise UnusableDataError("S02", "the differences of a signal add up to more than 32 bits")
    sums += initial
    return sums.astype(np.int32)


def _plain(dtype: str, offset: int = 0) -> Callable[[Bytes], Samples]:
    def decode(raw: Bytes) -> Samples:
        samples: Samples = raw.view(dtype).astype(np.int32)
        samples -= offset
        return samples

    return decode


def _decode_24(raw: Bytes) -> Samples:
    words = np.zeros((len(raw) // 3, 4), np.uint8)
    words[:, 1:] = raw.reshape(-1, 3)
    samples: Samples = words.view("<i4").reshape(-1).astype(np.int32, copy=False)
    samples >>= 8
    return samples


def _decode_212(raw: Bytes) -> Samples:
    first, shared, second = (raw[at::3] for at in range(3))
    samples = np.empty((len(first), 2), np.int32)
    samples[:, 0] = shared & 0x0F
    samples[:, 1] = shared >> 4
    samples <<= 8
    samples[:, 0] |= first
    samples[:, 1] |= second
    return _sign(samples, 12)


def _decode_310(raw: Bytes) -> Samples:
    pairs = raw.view("<u2").reshape(-1, 2)
    samples = np.empty((len(pairs), 3), np.int32)
    samples[:, :2] = (pairs & 0x7FF) >> 1
    samples[:, 2] = pairs[:, 0] >> 11 | pairs[:, 1] >> 11 << 5
    return _sign(samples, 10)


def _decode_311(raw: Bytes) -> Samples:
    words = raw.view("<u4")
    samples = np.empty((len(words), 3), np.int32)
    for at in range(3):
        samples[:, at] = words >> (10 * at) & 0x3FF
    return _sign(samples, 10)


def _sign(samples: Samples, bits: int) -> Samples:
    """Two's complement of `bits` bits, flat."""
    half = 1 << (bits - 1)
    samples ^= half
    samples -= half
    return samples.reshape(-1)


_FORMATS = {
    DIFFERENCES: _SampleFormat(1, (0,), None, _plain("i1")),
    16: _SampleFormat(1, (0, 0), -(2**15), _plain("<i2")),
    24: _SampleFormat(1, (0, 0, 0), -(2**23), _decode_24),
    32: _SampleFormat(1, (0, 0, 0, 0), -(2**31), _plain("<i4")),
    61: _SampleFormat(1, (0, 0), -(2**15), _plain(">i2")),
    80: _SampleFormat(1, (0,), -(2**7), _plain("u1", 2**7)),
    160: _SampleFormat(1, (0, 0), -(2**15), _plain("<u2", 2**15)),
    212: _SampleFormat(2, (0, 0, 1), -(2**11), _decode_212),
    310: _SampleFormat(3, (0, 0, 1, 1), -(2**9), _decode_310),
    311: _SampleFormat(3, (0, 0, 1, 2), -(2**9), _decode_311),
}
