"""Whether bytes are those that a store keeps: what it says of an object's content, and the digest to compare.

Belongs here: which headers and ETags are a digest of the content, digests of bytes that come in pieces. Does not
belong here: asking a store (`resources/kept_content.py`), or what a difference leads to
(`resources/object_content.py`).

What is taken for a digest and is none would make a good object unreadable for ever. So an ETag counts only where it
must be the MD5 of the content (no KMS key, none of the customer's), and a checksum only where it is said, or cannot
be otherwise, what it is a checksum of.
"""

from __future__ import annotations

import hashlib
import re
import sys
import zlib
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol

_LENGTHS = {"sha256": 32, "crc64nvme": 8, "crc32c": 4, "crc32": 4, "sha1": 20, "md5": 16}
_MODELS = {"crc64nvme": "CRC64-NVME", "crc32c": "CRC32-ISCSI"}
_MD5 = re.compile(r'"?([0-9a-fA-F]{32})(?:-(\d{1,5}))?"?')  # a weak one (`W/"…"`) says nothing about bytes
_IN_PARTS = re.compile(r"([A-Za-z0-9+/]+=*)(?:-(\d{1,5}))?")


class Digest(Protocol):
    """As those of hashlib."""

    def update(self, data: memoryview, /) -> None:
        """Go on with these bytes."""

    def digest(self) -> bytes:
        """Of all bytes so far."""


@dataclass(frozen=True)
class Checksum:
    """A digest that a store keeps of an object.

    Args:
        algorithm: S3's name for it, in lower case.
        expected: the digest.
        parts: 0 where it is the digest of the whole content; else it is the digest of the digests of so many parts,
            as which the object was uploaded.
    """

    algorithm: str
    expected: bytes
    parts: int = 0

    @property
    def sure(self) -> bool:
        """Whether bytes that differ from it are wrong.

        An ETag of parts may be anything: SeaweedFS has another one for parts that were copied.
        """
        return self.algorithm != "md5" or not self.parts


class Running:
    """The digest of a content that comes in pieces, cut anywhere.

    Args:
        checksum: what to compare with.
        part_bytes: sizes of the object's parts, where the checksum is of their digests.
    """

    def __init__(self, checksum: Checksum, part_bytes: Sequence[int] = ()) -> None:
        self._checksum = checksum
        self._digest = _new(checksum.algorithm)
        self._parts: list[bytes] = []
        self._sizes = iter(part_bytes)
        self._room = next(self._sizes, sys.maxsize)

    def update(self, data: bytes) -> None:
        """Go on with these bytes."""
        rest = memoryview(data)
        while rest:
            piece = rest[: self._room]
            self._digest.update(piece)
            rest = rest[len(piece) :]
            self._room -= len(piece)
            if not self._room:
                self._parts.append(self._digest.digest())
                self._digest = _new(self._checksum.algorithm)
                self._room = next(self._sizes, sys.maxsize)

    def digest(self) -> bytes:
        """Of all bytes so far."""
        digest = self._digest
        if self._checksum.parts:
            digest = _new(self._checksum.algorithm)
            digest.update(memoryview(b"".join(self._parts)))
        return digest.digest()

    def matches(self) -> bool:
        """Whether all bytes so far are the content."""
        return self.digest() == self._checksum.expected


def is_md5_of(etag: str, data: bytes) -> bool:
    """Whether the ETag is the MD5 of these bytes: then they are the content; else nothing is known."""
    found = _MD5.fullmatch(etag)
    return (
        found is not None
        and found[2] is None
        and hashlib.md5(data, usedforsecurity=False).hexdigest() == found[1].lower()
    )


def checksum_in(headers: Mapping[str, str], etag: str) -> Checksum | None:
    """What the headers of an answer (names in lower case) say of the whole content; None where that is nothing.

    Of the whole content before that of parts, and a checksum that was asked for before the ETag.
    """
    given = [*_checksums(headers, in_parts="-" in etag)]
    if md5 := md5_in(headers, etag):
        given.append(md5)
    return next((each for each in given if not each.parts), given[0] if given else None)


def md5_in(headers: Mapping[str, str], etag: str) -> Checksum | None:
    """The ETag as a checksum; None where it need not be one."""
    found = _MD5.fullmatch(etag)
    if found is None or _encrypted(headers) or found[2] == "1":  # how MinIO marks an ETag that is none
        return None
    return Checksum("md5", bytes.fromhex(found[1]), int(found[2] or 0))


def _checksums(headers: Mapping[str, str], *, in_parts: bool) -> list[Checksum]:
    kind = headers.get("x-amz-checksum-type", "").upper()
    usable = []
    for algorithm, length in _LENGTHS.items():
        found = _IN_PARTS.fullmatch(headers.get(f"x-amz-checksum-{algorithm}", ""))
        try:
            digest = b64decode(found[1], validate=True) if found else b""
        except ValueError:
            continue
        if found is None or len(digest) != length:
            continue
        parts = int(found[2] or 0)
        # A CRC64NVME is always of the whole content. Of others nothing is told where an object came in parts and
        # the store says neither how many the checksum is of nor of what kind it is.
        said = kind == "FULL_OBJECT" or algorithm == "crc64nvme" or not (kind or in_parts)
        if parts or said:
            usable.append(Checksum(algorithm, digest, parts))
    return usable


def _encrypted(headers: Mapping[str, str]) -> bool:
    """Whether an ETag may be random: under every encryption but that with keys of S3 itself."""
    return any(
        "encryption" in name
        and not name.startswith("x-amz-meta-")
        and (name, value) != ("x-amz-server-side-encryption", "AES256")
        for name, value in headers.items()
    )


class _Crc:
    """A CRC with the interface of hashlib's digests."""

    def __init__(self, go_on: Callable[[memoryview, int], int], length: int) -> None:
        self._go_on, self._length, self._value = go_on, length, 0

    def update(self, data: memoryview) -> None:
        self._value = self._go_on(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._length, "big")


def _new(algorithm: str) -> Digest:
    if algorithm == "crc32":
        return _Crc(zlib.crc32, 4)
    if algorithm in _MODELS:
        return _Crc(_model(algorithm), _LENGTHS[algorithm])
    return hashlib.new(algorithm, usedforsecurity=False)


@cache
def _model(algorithm: str) -> Callable[[memoryview, int], int]:
    import anycrc

    return partial(anycrc.Model(_MODELS[algorithm]).calc)
