"""Every kind of broken ECG object that has been met or thought of, each with the rule that must refuse it.

Belongs here: bytes and expectations, for unit and integration tests alike. Does not belong here: assertions.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import scipy.sparse

from tests.vitalake.ecg.matlab_files import V5_HEADER, strip, v4_file, v5_file

BOMB_BYTES = 128 * 2**20
HDF5 = b"\x89HDF\r\n\x1a\n"


class BrokenFile(NamedTuple):
    """An object that must be refused by `rule` in the default configuration, whatever its key."""

    name: str
    data: bytes
    rule: str


@functools.cache
def broken_files() -> list[BrokenFile]:
    """All of them; names are unique and end in ``.mat``."""
    return [
        *_no_matlab(),
        *_truncated(),
        *_damaged(),
        *_damaged_in_compression(),
        *_hostile(),
        *_no_numbers(),
        *_no_ecg(),
    ]


def _no_matlab() -> Iterator[BrokenFile]:
    yield BrokenFile("empty.mat", b"", "S01")
    yield BrokenFile("one_byte.mat", b"M", "S02")
    yield BrokenFile("text.mat", b"time,lead\n0,1024\n" * 400, "S02")
    yield BrokenFile("stub.mat", b"validation/A00001.mat", "S02")
    yield BrokenFile("noise.mat", np.random.default_rng(7).bytes(7224), "S02")
    yield BrokenFile("zeros.mat", bytes(7224), "S02")
    yield BrokenFile("v73.mat", V5_HEADER[:124] + b"\x00\x02IM" + bytes(384) + HDF5 + bytes(2048), "S02")
    yield BrokenFile("v73_cut_off.mat", V5_HEADER[:124] + b"\x00\x02IM" + bytes(100), "S02")
    yield BrokenFile("hdf5.mat", HDF5 + bytes(2048), "S02")


def _truncated() -> Iterator[BrokenFile]:
    whole = {"v4": v4_file(strip()), "v5": v5_file(val=strip()), "v7": v5_file(compress=True, val=strip())}
    for version, data in whole.items():
        for size in (5, 100, 130, *range(512, len(data), 512), len(data) - 1):
            yield BrokenFile(f"{version}_ends_after_{size}.mat", data[:size], "S02")


def _damaged() -> Iterator[BrokenFile]:
    v4 = v4_file(strip())
    yield BrokenFile("v4_negative_dimensions.mat", _patch(v4, 4, struct.pack("<2i", -1, -3600)), "S02")
    yield BrokenFile("v4_imaginary_parts.mat", _patch(v4, 12, b"\x07"), "S02")
    yield BrokenFile("v4_name_not_text.mat", v4.replace(b"val", b"\x01\xff\x02", 1), "S02")
    yield BrokenFile("v4_junk_at_end.mat", v4 + b"\xab" * 99, "S02")
    v5 = v5_file(val=strip())
    # The type of the values, int16, becomes type 0: this one byte ends a process that calls scipy.io.loadmat.
    yield BrokenFile("v5_kills_scipy.mat", _patch(v5, 176, b"\0"), "S02")
    yield BrokenFile("v5_flags_too_long.mat", _patch(v5, 140, b"\x10"), "S02")
    yield BrokenFile("v5_unknown_class.mat", _patch(v5, 144, b"\x20"), "S02")
    yield BrokenFile("v5_one_dimension.mat", _patch(v5, 156, b"\x04"), "S02")
    yield BrokenFile("v5_wrong_dimensions.mat", _patch(v5, 160, b"\x07"), "S02")
    yield BrokenFile("v5_negative_dimensions.mat", _patch(v5, 160, struct.pack("<2i", -1, -3600)), "S02")
    yield BrokenFile("v5_small_name_too_long.mat", _patch(v5, 170, b"\x05"), "S02")
    yield BrokenFile("v5_name_not_text.mat", v5.replace(b"val", b"\x01\xff\x02", 1), "S02")
    yield BrokenFile("v5_values_too_long.mat", _patch(v5, 182, b"\x01"), "S02")
    yield BrokenFile("v5_variable_too_short.mat", _patch(v5, 132, b"\x04\0")[:140], "S02")
    yield BrokenFile("v5_junk_at_end.mat", v5 + b"\xab" * 99, "S02")
    yield BrokenFile("v5_odd_byte_at_end.mat", v5 + b"\0", "S02")
    yield BrokenFile("v5_two_of_a_name.mat", v5 + v5[128:], "S02")
    yield BrokenFile("v5_no_variable.mat", V5_HEADER, "S02")


def _damaged_in_compression() -> Iterator[BrokenFile]:
    v7, matrix = v5_file(compress=True, val=strip()), v5_file(val=strip())[128:]
    packed = zlib.compress(matrix)
    contents = {
        "junk": packed + b"junk",
        "no_checksum": packed[:-4],
        "no_variable": zlib.compress(bytes(64)),
        "nothing": zlib.compress(b""),
        "less_than_announced": zlib.compress(matrix[:-8]),
        "more_than_announced": zlib.compress(matrix + bytes(8)),
    }
    for name, content in contents.items():
        yield BrokenFile(f"v7_holds_{name}.mat", V5_HEADER + struct.pack("<2I", 15, len(content)) + content, "S02")
    yield BrokenFile("v7_damaged.mat", _patch(v7, 1000, bytes([v7[1000] ^ 1])), "S02")
    yield BrokenFile("v7_wrong_checksum.mat", v7[:-1] + bytes([v7[-1] ^ 1]), "S02")


def _hostile() -> Iterator[BrokenFile]:
    shape = struct.pack("<2i", 2**20, 2**20)
    yield BrokenFile("v4_asks_for_2_40_samples.mat", _patch(v4_file(strip()), 4, shape), "S02")
    yield BrokenFile("v5_asks_for_2_40_samples.mat", _patch(v5_file(val=strip()), 160, shape), "S02")
    for name, announced in (("honest", BOMB_BYTES - 8), ("lying", 64)):
        packer = zlib.compressobj()
        packed = packer.compress(struct.pack("<2I", 14, announced))
        packed += b"".join(packer.compress(bytes(2**20)) for _ in range(BOMB_BYTES // 2**20)) + packer.flush()
        yield BrokenFile(f"v7_{name}_bomb.mat", V5_HEADER + struct.pack("<2I", 15, len(packed)) + packed, "S02")
    yield BrokenFile("v4_5000_variables.mat", b"".join(v4_file([[0.0]], b"v%d" % i) for i in range(5000)), "S02")


def _no_numbers() -> Iterator[BrokenFile]:
    yield BrokenFile("v4_complex.mat", v4_file(strip(), imaginary=1), "S04")
    yield BrokenFile("v4_text.mat", v4_file(strip(), kind=1), "S04")
    yield BrokenFile("v4_sparse.mat", v4_file(np.ones((3, 9)), kind=2), "S04")
    yield BrokenFile("v5_complex.mat", v5_file(val=strip() * 1j), "S04")
    yield BrokenFile("v5_text.mat", v5_file(val="no signal"), "S04")
    yield BrokenFile("v5_sparse.mat", v5_file(val=scipy.sparse.csc_matrix(strip())), "S04")
    yield BrokenFile("v5_struct.mat", v5_file(ECG={"data": "no signal", "sex": "F"}), "S04")
    yield BrokenFile("v5_cell.mat", v5_file(val=np.array([strip(), "II"], dtype=object)), "S04")
    yield BrokenFile("v5_3_dimensional.mat", v5_file(val=strip().reshape(2, 3, 600)), "S04")
    yield BrokenFile("v5_text_beside_numbers.mat", v5_file(val="no signal", peaks=strip()), "S04")


def _no_ecg() -> Iterator[BrokenFile]:
    yield BrokenFile("two_candidates.mat", v5_file(raw=strip(), filtered=strip()), "S03")
    yield BrokenFile("rate_only.mat", v5_file(fs=360), "S03")
    yield BrokenFile("no_samples.mat", v5_file(val=np.empty((0, 0))), "S05")
    yield BrokenFile("leads_20.mat", v4_file(strip(leads=20)), "S05")
    yield BrokenFile("nan_run.mat", v4_file(_with_missing(slice(900, 973))), "S06")
    yield BrokenFile("nan_scattered.mat", v4_file(_with_missing(slice(None, None, 19))), "S06")
    yield BrokenFile("rate_too_low.mat", v5_file(val=strip(), fs=10), "S07")
    yield BrokenFile("rate_not_finite.mat", v5_file(val=strip(), fs=np.nan), "S07")
    yield BrokenFile("rate_is_text.mat", v5_file(val=strip(), fs="360"), "S07")
    yield BrokenFile("rate_is_many.mat", v5_file(val=strip(), Fs=[360, 361]), "S07")
    yield BrokenFile("rates_contradict.mat", v5_file(val=strip(), fs=360, Fs=500), "S07")
    yield BrokenFile("too_short.mat", v4_file(strip(1799)), "S08")
    yield BrokenFile("beyond_53_bits.mat", v5_file(val=strip().astype(np.int64) + 2**53), "S10")


def _with_missing(where: slice) -> np.ndarray:
    values = strip().astype(np.float32)
    values[0, where] = np.nan
    return values


def _patch(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]
