"""Which headers are a digest of the content, and digests of what comes in pieces."""

from __future__ import annotations

import hashlib
import itertools
import zlib
from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.content_check import Checksum, Running, checksum_in, is_md5_of, md5_in

DATA = b"123456789"
# https://reveng.sourceforge.io/crc-catalogue/all.htm: the check value of each, of these nine bytes
KNOWN = {
    "crc32": 0xCBF43926.to_bytes(4, "big"),
    "crc32c": 0xE3069283.to_bytes(4, "big"),
    "crc64nvme": 0xAE8B14860A799888.to_bytes(8, "big"),
    "md5": bytes.fromhex("25f9e794323b453885f5181f1b624d0b"),
    "sha1": bytes.fromhex("f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
    "sha256": bytes.fromhex("15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
}
MD5 = KNOWN["md5"].hex()
CRC, CRC64 = (b64encode(KNOWN[algorithm]).decode() for algorithm in ("crc32", "crc64nvme"))
WHOLE = Checksum("crc32", KNOWN["crc32"])


@pytest.mark.parametrize("algorithm", KNOWN)
@given(cuts=st.lists(st.integers(0, len(DATA))))
def test_a_content_that_comes_in_pieces_has_the_known_digest(algorithm: str, cuts: list[int]) -> None:
    running = Running(Checksum(algorithm, KNOWN[algorithm]))
    for start, end in itertools.pairwise([0, *sorted(cuts), len(DATA)]):
        assert not running.matches() or start == len(DATA)
        running.update(DATA[start:end])
    assert running.matches()


@given(parts=st.lists(st.binary(min_size=1), min_size=1), size=st.integers(1, 50), other=st.integers(0, 10**6))
def test_parts_have_the_digest_of_their_digests_however_they_come(
    parts: list[bytes], size: int, other: int
) -> None:
    expected = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()
    content = b"".join(parts)
    changed = bytearray(content)
    changed[other % len(content)] ^= 1
    for data, same in ((content, True), (bytes(changed), False), (content[:-1], False)):
        running = Running(Checksum("sha256", expected, len(parts)), [len(part) for part in parts])
        for start in range(0, len(data), size):
            running.update(data[start : start + size])
        assert running.matches() is same


@pytest.mark.parametrize("etag", [f'"{MD5}"', MD5, f'"{MD5.upper()}"'])
def test_an_etag_that_is_the_md5_shows_that_bytes_are_right(etag: str) -> None:
    assert is_md5_of(etag, DATA)
    assert not is_md5_of(etag, DATA[:-1])


@pytest.mark.parametrize(
    "etag", ["", f'W/"{MD5}"', f'"{MD5}-1"', f'"{MD5}-2"', f'"{MD5[:-1]}"', '"v"', f'"{MD5}0"']
)
def test_any_other_etag_shows_nothing(etag: str) -> None:
    assert not is_md5_of(etag, DATA)


@pytest.mark.parametrize(
    ("headers", "etag", "expected"),
    [
        ({}, MD5, Checksum("md5", KNOWN["md5"])),
        ({"x-amz-server-side-encryption": "AES256"}, MD5, Checksum("md5", KNOWN["md5"])),
        ({"x-amz-meta-encryption": "none"}, MD5, Checksum("md5", KNOWN["md5"])),
        ({}, f"{MD5}-7", Checksum("md5", KNOWN["md5"], 7)),
        ({}, f"{MD5}-1", None),
        ({}, f'W/"{MD5}"', None),
        ({}, "v", None),
        ({"x-amz-server-side-encryption": "aws:kms"}, MD5, None),
        ({"x-amz-server-side-encryption": "aws:kms"}, f"{MD5}-7", None),
        ({"x-amz-server-side-encryption-customer-algorithm": "AES256"}, MD5, None),
        ({"x-amz-checksum-crc32": CRC}, MD5, WHOLE),
        ({"x-amz-checksum-crc32": CRC, "x-amz-checksum-type": "FULL_OBJECT"}, f"{MD5}-2", WHOLE),
        ({"x-amz-checksum-crc32": CRC, "x-amz-server-side-encryption": "aws:kms"}, MD5, WHOLE),
        ({"x-amz-checksum-crc32": f"{CRC}-2", "x-amz-checksum-type": "COMPOSITE"}, "v", replace(WHOLE, parts=2)),
        # of the parts, though it does not say so: some stores leave that out
        ({"x-amz-checksum-crc32": CRC}, f"{MD5}-2", Checksum("md5", KNOWN["md5"], 2)),
        ({"x-amz-checksum-crc32": CRC, "x-amz-checksum-type": "COMPOSITE"}, "v", None),
        ({"x-amz-checksum-crc64nvme": CRC64}, "v-2", Checksum("crc64nvme", KNOWN["crc64nvme"])),
        ({"x-amz-checksum-sha256": CRC}, "v", None),
        ({"x-amz-checksum-crc32": "A"}, "v", None),
        ({"x-amz-checksum-xxhash64": CRC}, "v", None),
    ],
)  # fmt: skip
def test_only_what_must_be_a_digest_of_the_content_counts(
    headers: dict[str, str], etag: str, expected: Checksum | None
) -> None:
    assert checksum_in(headers, etag) == expected


def test_an_etag_is_told_apart_from_the_checksum_beside_it() -> None:
    assert md5_in({"x-amz-checksum-crc32": CRC}, f'"{MD5}"') == Checksum("md5", KNOWN["md5"])
    assert zlib.crc32(DATA).to_bytes(4, "big") == WHOLE.expected
