"""Structs, cells and HDF5: the same numbers as scipy and h5py find, under names as in MATLAB."""

from __future__ import annotations

import io
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from tests.vitalake.ecg.matlab_files import strip, v5_file
from tests.vitalake.ecg.readers.matlab_other_files import hdf5_file, put, struct_file, write_v73
from vitalake.ecg.readers.limited.process import read_limited
from vitalake.errors import UnusableDataError

MAX_BYTES = 2**24


def refusal(data: bytes, max_bytes: int = MAX_BYTES) -> UnusableDataError:
    with pytest.raises(UnusableDataError) as caught:
        read_limited("matlab.other_variables", data, max_bytes=max_bytes)
    return caught.value


@pytest.mark.data
def test_reads_a_real_struct(data_dir: Path) -> None:
    data = (data_dir / "cinc2021_cpsc/cpsc2018/A1989.mat").read_bytes()
    found, others = read_limited("matlab.other_variables", data, max_bytes=MAX_BYTES)
    assert found.keys() == {"ECG.age", "ECG.data"}
    assert others == {"ECG.sex": "text"}
    expected = scipy.io.loadmat(io.BytesIO(data))["ECG"]["data"][0, 0]
    np.testing.assert_array_equal(found["ECG.data"], expected)
    assert found["ECG.data"].shape == (12, 8500)


@pytest.mark.parametrize("compress", [False, True])
def test_structs_and_cells_by_matlabs_names(compress: bool) -> None:
    found, others = read_limited("matlab.other_variables", struct_file(compress), max_bytes=MAX_BYTES)
    assert found.keys() == {"ECG.data", "ECG.fs", "ECG.more.cells{1}"}
    np.testing.assert_array_equal(found["ECG.data"], strip(400, 2), strict=True)
    np.testing.assert_array_equal(found["ECG.more.cells{1}"], np.arange(6.0).reshape(2, 3), strict=True)
    assert found["ECG.fs"].tolist() == [[500]]
    assert others == {"ECG.sex": "text", "ECG.more.cells{2}": "text"}


def test_struct_arrays_are_numbered() -> None:
    leads = np.array([[([[1.0]],), ([[2.0]],)]], dtype=[("gain", object)])
    found = read_limited("matlab.other_variables", v5_file(lead=leads, val=strip()), max_bytes=MAX_BYTES).matrices
    assert {name: matrix.shape for name, matrix in found.items()} == {
        "lead(1).gain": (1, 1),
        "lead(2).gain": (1, 1),
        "val": (1, 3600),
    }
    assert found["lead(2).gain"].item() == 2.0


def test_what_is_no_real_matrix_is_named() -> None:
    fields = {
        "z": np.array([[1j]]),
        "sparse": scipy.sparse.csc_matrix(np.eye(3)),
        "cube": np.zeros((2, 2, 2)),
        "many": np.array([[0.0]] * 101, dtype=object),
        "flag": np.array([[True, False]]),
    }
    found, others = read_limited("matlab.other_variables", v5_file(s=fields), max_bytes=MAX_BYTES)
    assert found["s.flag"].tolist() == [[1, 0]]
    assert found.keys() == {"s.flag"}
    assert others == {
        "s.z": "complex",
        "s.sparse": "sparse",
        "s.cube": "3-dimensional",
        "s.many": "an array of 101 structs or cells in depth 2",
    }


def test_v73_has_its_columns_back() -> None:
    found, others = read_limited("matlab.other_variables", hdf5_file(write_v73), max_bytes=MAX_BYTES)
    assert found.keys() == {"ECG.data", "ECG.fs", "ECG.cells{1}", "val"}
    np.testing.assert_array_equal(found["ECG.data"], strip(400, 2), strict=True)
    np.testing.assert_array_equal(found["ECG.cells{1}"], np.arange(6.0).reshape(2, 3), strict=True)
    np.testing.assert_array_equal(found["val"], strip(400), strict=True)
    assert others == {"ECG.sex": "text"}


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "i1", ">i2", "<u4", "<i8", "<u8"])
def test_other_hdf5_is_read_as_it_is(dtype: str) -> None:
    values = np.arange(8).astype(dtype)

    def write(file: h5py.File) -> None:
        file["row"] = values
        file["one"] = values[3]
        file["matrix"] = values.reshape(2, 4)

    found = read_limited("matlab.other_variables", hdf5_file(write, matlab=False), max_bytes=MAX_BYTES).matrices
    native = values.astype(values.dtype.newbyteorder("="))
    np.testing.assert_array_equal(found["row"], native[None], strict=True)
    np.testing.assert_array_equal(found["one"], native[3].reshape(1, 1), strict=True)
    np.testing.assert_array_equal(found["matrix"], native.reshape(2, 4), strict=True)


def test_hdf5_leads_to_no_other_file_and_not_in_circles(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(64)))
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.arange(4)

    def write(file: h5py.File) -> None:
        file.create_dataset("outside", (8,), "f8", external=[(str(secret), 0, 64)])
        file["external"] = h5py.ExternalLink(str(other), "x")
        file["soft"] = h5py.SoftLink("/val")
        layout = h5py.VirtualLayout((4,), "i8")
        layout[:] = h5py.VirtualSource(str(other), "x", (4,))
        file.create_virtual_dataset("virtual", layout)
        file.create_group("group")["circle"] = file["/"]
        file["complex"] = np.array([[1j]])
        file["words"] = "text"
        put(file, "val", [[1.0, 2.0]], "double")

    found, others = read_limited("matlab.other_variables", hdf5_file(write), max_bytes=MAX_BYTES)
    assert {name: matrix.tolist() for name, matrix in found.items()} == {"val": [[1.0, 2.0]]}
    assert others == {
        "outside": "a matrix kept in another file",
        "virtual": "a matrix kept in another file",
        "external": "a link",
        "soft": "a link",
        "group.circle": "there already, or in depth 2",
        "complex": "complex",
        "words": "text",
    }


@pytest.mark.parametrize("data", [struct_file(), struct_file(True), hdf5_file(write_v73)])
def test_all_matrices_share_one_limit(data: bytes) -> None:
    assert refusal(data, 1600).rule == "S02"
    assert "1,600" in refusal(data, 1600).message
    assert read_limited("matlab.other_variables", data, max_bytes=4096).matrices


def test_too_many_variables_are_refused() -> None:
    def write(file: h5py.File) -> None:
        for number in range(1001):
            file[f"v{number}"] = number

    assert "more than 1,000 variables" in refusal(hdf5_file(write)).message
    assert (
        "is not text"
        in refusal(
            hdf5_file(lambda file: file.create_group("a\nb") and put(file, "a\nc", [1], "double") and None)
        ).message
    )
