"""Storage formats: what signal(5) packs, the reader unpacks, for every number of samples."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.vitalake.ecg.readers.wfdb_files import BITS, interleave, pack, read_with_wfdb
from vitalake.ecg.readers.wfdb.reader import read
from vitalake.ecg.readers.wfdb.signal_file import count_samples, padded_bytes, read_signals
from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError


@st.composite
def signal_files(draw: st.DrawFn) -> tuple[int, list[int], list[list[int]]]:
    """Storage format, samples per frame, and samples of up to three signals."""
    storage_format = draw(st.sampled_from(sorted(BITS)))
    half = 2 ** (BITS[storage_format] - 1)
    per_frame = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    frames = draw(st.integers(1, 7))
    values = st.sampled_from((-half, -half + 1, -1, 0, 1, half - 1)) | st.integers(-half, half - 1)
    return (
        storage_format,
        per_frame,
        [draw(st.lists(values, min_size=frames * count, max_size=frames * count)) for count in per_frame],
    )


@given(signal_files())
@settings(max_examples=300, deadline=None)
def test_every_format_comes_back_as_it_was_packed(case: tuple[int, list[int], list[list[int]]]) -> None:
    storage_format, per_frame, signals = case
    data = pack(storage_format, interleave(signals, per_frame))
    frames = len(signals[0]) // per_frame[0]
    total = frames * sum(per_frame)
    # Two samples of format 310 need all bytes of a block: the third one looks as if it were there.
    unused = storage_format == 310 and total % 3 == 2
    assert count_samples(storage_format, len(data)) == total + unused
    assert count_samples(storage_format, len(data) - 1) < total
    for content in (data, data.ljust(padded_bytes(storage_format, total), b"\0")):
        found = read_signals(memoryview(content), storage_format, frames, per_frame, [7] * len(per_frame))
        for samples, expected in zip(found, signals, strict=True):
            stored = [*accumulate(expected, initial=7)][1:] if storage_format == 8 else expected
            assert samples.tolist() == stored
            assert samples.dtype == np.int32


@given(case=signal_files())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_wfdb_package_reads_the_same(case: tuple[int, list[int], list[list[int]]], tmp_path: Path) -> None:
    wfdb = pytest.importorskip("wfdb")
    storage_format, per_frame, signals = case
    assume(storage_format != 61 or max(per_frame) == 1)
    lines = [f"r {len(signals)} 100 {len(signals[0]) // per_frame[0]}"]
    lines += [f"r.dat {storage_format}x{count} 200 12 0 7" for count in per_frame]
    files = {"r.hea": "\n".join(lines).encode(), "r.dat": pack(storage_format, interleave(signals, per_frame))}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    expected = read_with_wfdb(wfdb, tmp_path / "r")[1]
    found = read("r.hea", files, max_samples=1000)
    assert isinstance(found, Recording)
    for lead, samples in zip(found.leads, expected, strict=True):
        np.testing.assert_array_equal(lead.samples, samples)
        invalid = None if storage_format == 8 else -(2 ** (BITS[storage_format] - 1))  # the lowest value there is
        marked = [sample == invalid for sample in lead.samples.tolist()]
        assert (lead.missing.tolist() if lead.missing is not None else [False] * len(marked)) == marked


@pytest.mark.parametrize("storage_format", [0, 9, 508, 516, 524])
def test_other_formats_are_refused_by_number(storage_format: int) -> None:
    with pytest.raises(UnusableDataError, match=f"storage format {storage_format}, expected one of 8, 16"):
        count_samples(storage_format, 100)


def test_differences_that_leave_32_bits_are_refused() -> None:
    with pytest.raises(UnusableDataError, match="more than 32 bits"):
        read_signals(memoryview(b"\x01\x01"), 8, 2, [1], [2**31 - 2])
