"""JSON objects that are larger than memory: what is read of them is let go, and reading begins before they end.

Belongs here: objects that come in pieces. Does not belong here: what their records are (`test_json_reader`).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vitalake.records.json_reading import A
from vitalake.records.json.reader import read_json

ROOT = Path(__file__).resolve().parents[4]
SHAPES = {
    "array": 'chain([b"[{}"], repeat(b\',{"id": 1, "name": "somebody", "size": 2.5}\' * 1000, 1500), [b"]"])',
    "lines": 'repeat(b\'{"id": 1, "name": "somebody", "size": 2.5}\\n\' * 1000, 1500)',
    "one string": 'chain([b\'[{"a": "\'], repeat(b"x" * 65536, 1000), [b\'"}, {}]\'])',
    "one line": 'chain([b\'{}\\n{"a": "\'], repeat(b"x" * 65536, 1000), [b\'"}\\n{}\'])',
    "no end of blanks": 'chain(repeat(b" " * 65536, 1000), [b"[]"])',
    "no end of brackets": 'repeat(b"[" * 65536, 1000)',
}
MEASURE = """
from itertools import chain, repeat
from vitalake.records.json.reader import read_json
import numpy
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
sum(len(block.records) for block in read_json(iter([b'[{"a":1}]'])))
before = peak()
count = sum(len(block.records) + len(block.refused) for block in read_json(%s))
print(count, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("shape", SHAPES)
def test_memory_does_not_grow_with_the_object(shape: str) -> None:
    """64 MB each; the kernel counts the peak of the process, in kB."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE % SHAPES[shape]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    count, grown = map(int, done.stdout.split())
    expected = {"array": 1_500_001, "lines": 1_500_000, "one string": 2, "one line": 3, "no end of blanks": 0}
    assert count == expected.get(shape, 1)
    assert grown < 60_000


def test_reading_begins_before_the_object_has_arrived() -> None:
    def endless() -> Iterator[bytes]:
        yield b'[{"a":1}'
        while True:
            yield b',{"a":1}' * 1000

    blocks = read_json(endless())
    assert next(blocks).records[:2] == [A, A]
    assert next(blocks).first > 1
