"""A file that came compressed with gzip, unpacked a piece at a time.

Belongs here: gzip. Does not belong here: what is in the file (`utf8.py`), other compressions, which are refused by
name (`file_kinds.py`).

The checksum that says whether a file is whole stands at its end, when its rows would long be in a table. So all of
it is unpacked once to see that it is whole, and small enough, and then again to be read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from vitalake.errors import UnusableDataError
from vitalake.records.decoding.file_kinds import GZIP

_PIECE_BYTES = 1 << 20
_READ_BYTES = 1 << 16
_IN_MEMORY_BYTES = 16 << 20  # of the compressed file; more goes to a temporary file
_WITH_HEADER = 31  # what zlib calls a member of gzip


def unpacked(chunks: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """The content of a gzip file, of all its members one behind the other, in pieces of at most 1 MB.

    Args:
        chunks: the file, cut anywhere.
        most_bytes: that may come out of it.

    Raises:
        UnusableDataError: before the first piece; S01, nothing comes out of it, or too much; S02, it is cut off or
            damaged.
    """
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
        for chunk in chunks:
            file.write(chunk)
        size = 0
        for piece in _pieces(file):
            size += len(piece)
            if size > most_bytes:
                raise UnusableDataError(
                    "S01", f"unpacked, the gzip file has more than {most_bytes:,} bytes, which is the limit"
                )
        if not size:
            raise UnusableDataError("S01", "unpacked, the gzip file is empty (0 bytes)")
        yield from _pieces(file)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    data, read = b"", 0
    while True:
        member = zlib.decompressobj(_WITH_HEADER)
        while not member.eof:
            data = data or file.read(_READ_BYTES)
            if not data:
                raise UnusableDataError(
                    "S02", f"the gzip file is cut off after {read:,} bytes unpacked: nothing of it is read"
                )
            try:
                piece = member.decompress(data, _PIECE_BYTES)
            except zlib.error as error:
                how = "its checksum does not fit" if "check" in str(error) else "it cannot be unpacked"
                raise UnusableDataError("S02", f"the gzip file is damaged, {how}: nothing of it is read") from None
            data = member.unconsumed_tail
            read += len(piece)
            if piece:
                yield piece
        data = member.unused_data
        while not data.strip(b"\0"):  # some programs fill up the last block
            data = file.read(_READ_BYTES)
            if not data:
                return
        data = data.lstrip(b"\0")
        if len(data) < len(GZIP):
            data += file.read(_READ_BYTES)
        if not data.startswith(GZIP):
            raise UnusableDataError("S02", "something else follows in the gzip file: nothing of it is read")
