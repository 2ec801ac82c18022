"""Damage to files, for tests that anything may be uploaded.

Belongs here: hypothesis strategies for all formats, and what each of them promises of damaged files.
Does not belong here: expectations that only one format has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from hypothesis import strategies as st

from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError


@st.composite
def mutated(draw: st.DrawFn, original: bytes, structure: int) -> bytes:
    """`original` with bytes changed, mostly among the first `structure`, and perhaps a piece cut out or doubled."""
    data = bytearray(original)
    places = st.one_of(st.integers(0, min(structure, len(data)) - 1), st.integers(0, len(data) - 1))
    values = st.one_of(st.sampled_from((0, 1, 2, 127, 128, 255)), st.integers(0, 255))
    for at, value in draw(st.lists(st.tuples(places, values), max_size=12)):
        data[at] = value
    start, length = draw(places), draw(st.integers(0, 400))
    kind = draw(st.sampled_from(("keep", "keep", "keep", "cut", "double", "end")))
    if kind == "cut":
        del data[start : start + length]
    elif kind == "double":
        data[start:start] = data[start : start + length]
    elif kind == "end":
        del data[start:]
    return bytes(data)


@st.composite
def overwritten(
    draw: st.DrawFn, original: bytes, changes: st.SearchStrategy[tuple[int, int]], most_cut: int
) -> bytes:
    """`original` with `changes`, places and values, and up to `most_cut` bytes cut off its end."""
    data = bytearray(original[: len(original) - draw(st.integers(0, most_cut))])
    for at, value in draw(st.lists(changes, max_size=8)):
        if at < len(data):
            data[at] = value
    return bytes(data)


def check_read_or_refused(read: Callable[[bytes, int], Recording], data: bytes, max_samples: int) -> None:
    """A recording of 1 to `max_samples` samples with finite calibration and times comes out, or a refusal."""
    try:
        recording = read(data, max_samples)
    except UnusableDataError:
        return
    assert 0 < sum(len(lead.samples) for lead in recording.leads) <= max_samples
    for lead in recording.leads:
        assert np.isfinite([lead.gain_adu_per_unit, lead.zero_adu, lead.start_offset_s]).all()


@contextmanager
def soon() -> Iterator[None]:
    """What is inside takes less than two seconds of a processor, whatever else the machine does."""
    started = time.process_time()
    try:
        yield
    finally:
        assert time.process_time() - started < 2
