"""The bounded MATLAB reader: equal to scipy on every good file, calm on every bad one."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.io

from tests.vitalake.ecg.broken_files import BrokenFile, broken_files
from tests.vitalake.ecg.matlab_files import (
    V4_TYPES,
    V5_TYPES,
    strip,
    v4_file,
    v5_big_endian,
    v5_file,
)
from vitalake.ecg.readers.matlab.matrices import matlab_version, read_matlab, read_variables
from vitalake.errors import UnusableDataError

MAX_BYTES = 2**20
REAL_BYTES = 2**26
LAYOUT_FAULTS = [file for file in broken_files() if file.rule in ("S01", "S02")]


def assert_reads_as_scipy(data: bytes, max_bytes: int = MAX_BYTES) -> None:
    expected = {name: value for name, value in scipy.io.loadmat(io.BytesIO(data)).items() if name[:2] != "__"}
    found = read_matlab(data, max_bytes=max_bytes)
    assert found.keys() == {name for name, value in expected.items() if value.dtype.kind in "iuf"}
    for name, matrix in found.items():
        native = expected[name].astype(expected[name].dtype.newbyteorder("="))
        np.testing.assert_array_equal(matrix, native, strict=True)


def extremes(dtype: str) -> npt.NDArray[Any]:
    limits = np.finfo(dtype) if dtype[0] == "f" else np.iinfo(dtype)
    return np.array([[limits.min, 0, 1], [limits.max, 2, 100]], dtype=dtype)


def refusal(data: bytes) -> UnusableDataError:
    with pytest.raises(UnusableDataError) as caught:
        read_matlab(data, max_bytes=MAX_BYTES)
    return caught.value


@pytest.mark.data
def test_reads_every_real_file_as_scipy_does(data_dir: Path) -> None:
    paths = sorted(data_dir.rglob("*.mat"))
    refused = set()
    for path in paths:
        data = path.read_bytes()
        try:
            read_matlab(data, max_bytes=REAL_BYTES)
        except UnusableDataError as error:
            refused.add((path.name[:5], error.rule))
        else:
            assert_reads_as_scipy(data, REAL_BYTES)
    assert len(paths) > 400
    assert refused == {("stub_", "S02"), ("A1989", "S04")}  # six stubs and one struct


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", V4_TYPES)
def test_v4_types(dtype: str, order: str) -> None:
    data = v4_file(extremes(dtype), order=order) + v4_file(extremes(dtype)[:1], b"second", order=order)
    assert matlab_version(data) == "v4"
    assert_reads_as_scipy(data)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", V5_TYPES)
def test_v5_types(dtype: str, compress: bool) -> None:
    data = v5_file(compress, val=extremes(dtype), small=extremes(dtype)[:1, :1], none=np.empty((0, 3), dtype))
    assert matlab_version(data) == "v5"
    assert_reads_as_scipy(data)


def test_v4_as_scipy_writes_it() -> None:
    file = io.BytesIO()
    scipy.io.savemat(file, {"val": strip(), "other": extremes("f8")}, format="4")
    assert_reads_as_scipy(file.getvalue())


def test_v5_big_endian() -> None:
    assert_reads_as_scipy(v5_big_endian(extremes("f8")))


def test_other_variables_are_skipped_and_counted() -> None:
    others: dict[str, Any] = {
        "note": "text",
        "info": {"sex": "F"},
        "cells": np.array([1, "a"], dtype=object),
        "z": 1j,
        "val": strip(),
    }
    found = read_variables(v5_file(**others), max_bytes=MAX_BYTES)
    assert found.matrices.keys() == {"val"}
    assert found.others == {"note": "text", "info": "a struct", "cells": "a cell array", "z": "complex"}
    del others["val"]
    said = refusal(v5_file(**others, more="text")).message
    assert said == "the file holds no real numeric matrix but 2 times text, a struct, a cell array, complex"


@pytest.mark.parametrize("file", LAYOUT_FAULTS, ids=lambda file: file.name)
def test_broken_layouts_are_refused_in_little_memory(file: BrokenFile) -> None:
    tracemalloc.start()
    try:
        error = refusal(file.data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.rule == "S02"
    assert peak < 2 * MAX_BYTES


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty.mat", "is empty"),
        ("one_byte.mat", "after 1 byte:"),
        ("text.mat", "bytes of text"),
        ("stub.mat", "21 bytes of text, the name of a MATLAB file"),
        ("v73.mat", "v7.3 (HDF5) file, which this reader does not take"),
        ("hdf5.mat", "v7.3"),
        (
            "v4_ends_after_512.mat",
            "the file ends after 512 bytes, the matrix at byte 0 (1 x 3,600 int16) needs 7,224",
        ),
        ("v5_ends_after_512.mat", "the file ends after 512 bytes, the variable at byte 128 needs 7,384"),
        ("v5_ends_after_100.mat", "inside its header"),
        ("v4_asks_for_2_40_samples.mat", "1,048,576 x 1,048,576"),
        ("v5_wrong_dimensions.mat", "(7 x 3,600 int16) needs 50,400 bytes, 7,200 are there"),
        ("v7_honest_bomb.mat", "unpacks to 134,217,720 bytes: all variables together may have 1,048,576"),
        ("v7_lying_bomb.mat", "unpacks to more than its 64 bytes"),
        ("v4_junk_at_end.mat", "99 bytes of junk follow the last variable, which ends at byte 7,224"),
        ("v5_junk_at_end.mat", "99 bytes of junk follow the last variable, which ends at byte 7,384"),
        ("v4_name_not_text.mat", "is not text"),
        ("v5_two_of_a_name.mat", "two variables of one name"),
        ("v7_wrong_checksum.mat", "is damaged"),
        ("v4_imaginary_parts.mat", "has 7 imaginary parts"),
        ("v5_flags_too_long.mat", "has 16 bytes of flags"),
        ("v5_unknown_class.mat", "the variable at byte 128 has the unknown class 32"),
        ("v5_one_dimension.mat", "has its dimensions in 4 bytes"),
        ("v5_small_name_too_long.mat", "has 5 bytes in a place for four"),
        ("v5_values_too_long.mat", "a part of the variable at byte 128 is longer"),
        ("v5_variable_too_short.mat", "ends inside its description"),
        ("v5_odd_byte_at_end.mat", "1 bytes of junk"),
        ("v7_holds_junk.mat", "junk follows the compressed data"),
        ("v7_holds_no_checksum.mat", "ends early"),
        ("v7_holds_no_variable.mat", "hold no variable"),
        ("v7_holds_less_than_announced.mat", "unpacks to 7,240 bytes, announced are 7,248"),
        ("v73_cut_off.mat", "v7.3"),
        ("v4_5000_variables.mat", "more than 1,000 variables"),
    ],
)
def test_messages_name_the_trouble(name: str, said: str) -> None:
    data = next(file.data for file in broken_files() if file.name == name)
    assert said in refusal(data).message


def test_all_compressed_variables_share_one_limit() -> None:
    half = np.zeros((1, MAX_BYTES // 2 - 64), dtype=np.uint8)
    assert read_matlab(v5_file(True, a=half, b=half), max_bytes=MAX_BYTES).keys() == {"a", "b"}
    assert "all variables together" in refusal(v5_file(True, a=half, b=half, c=half)).message
