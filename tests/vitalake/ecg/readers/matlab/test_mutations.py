"""Ten thousand damaged files: matrices or a refusal come out, in bounded memory, and nothing else."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np

from tests.vitalake.ecg.matlab_files import V5_HEADER, compressed, strip, v4_file, v5_big_endian, v5_file
from vitalake.ecg.readers.matlab.matrices import read_matlab
from vitalake.errors import UnusableDataError

MAX_BYTES = 2**20


def mutate(data: bytes, source: random.Random) -> bytes:
    """A few changed bytes, mostly where the structure is, or a piece cut out, doubled or cut off."""
    changed = bytearray(data)
    for _ in range(source.choice((1, 1, 1, 2, 8))):
        at = source.randrange(min(len(changed), source.choice((32, 260, 10**6))))
        changed[at] = source.choice((0, 1, 4, 15, 127, 128, 255, changed[at] ^ 1, source.randrange(256)))
    if source.random() < 0.2:
        start, stop = sorted(source.randrange(len(changed)) for _ in range(2))
        changed[start:stop] = changed[start:stop] * source.choice((0, 2))
    return bytes(changed[: source.randrange(len(changed) + 1)] if source.random() < 0.1 else changed)


def test_mutations_end_in_matrices_or_in_a_refusal() -> None:
    source = random.Random(20)
    signal = strip(400)
    small = np.array([[1, 2, 3]], dtype=np.uint8)
    mixed = v5_file(a=small, val=signal, t="text", s={"f": 1.5}, z=small * 1j)
    originals = [
        v4_file(signal) + v4_file(small, b"fs"),
        v4_file(signal, order=">"),
        mixed,
        v5_file(True, val=signal, fs=small),
        v5_big_endian(signal),
    ]
    outcomes = {"read": 0, "refused": 0}
    tracemalloc.start()
    try:
        for number in range(10_000):
            original = originals[number % len(originals)]
            data = mutate(original, source)
            if original is mixed and source.random() < 0.5:  # damage that no checksum can see
                data = V5_HEADER + compressed(data[128:])
            try:
                found = read_matlab(data, max_bytes=MAX_BYTES)
                assert all(matrix.ndim == 2 and matrix.dtype.kind in "iuf" for matrix in found.values())
                outcomes["read"] += 1
            except UnusableDataError as error:
                assert error.rule in ("S02", "S04")
                outcomes["refused"] += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * MAX_BYTES
    assert min(outcomes.values()) > 500  # both ends are reached
