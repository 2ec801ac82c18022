"""The part of a JSON object in hand: what has been read and not been used yet.

Belongs here: pulling chunks, the position in the object, white space. Does not belong here: what the bytes mean
(`reader.py` and beside it).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FILL_BYTES = 2 << 20
_BLANK = re.compile(rb"[ \t\r\n]*")


class JsonWindow:
    """Bytes from `at` on are still to be used; what lies before may go at the next reading.

    How the bytes were cut into chunks cannot be seen: whoever asks for n bytes has them, or the object has ended.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.data = b""
        self.at = 0
        self.ended = False
        self._chunks = iter(chunks)
        self._before = 0

    @property
    def offset(self) -> int:
        """Position in the object, from 0."""
        return self._before + self.at

    @property
    def left(self) -> int:
        """Bytes in hand."""
        return len(self.data) - self.at

    def ensure(self, size: int) -> bool:
        """Reads on until that many bytes are in hand; False where the object ends before."""
        if self.left < size and not self.ended:
            self._fill(max(size, _FILL_BYTES))
        return self.left >= size

    def skip_blank(self) -> bool:
        """Moves to the next byte that is no white space; False where there is none."""
        while True:
            found = _BLANK.match(self.data, self.at)
            self.at = found.end() if found else self.at
            if self.left or not self.ensure(1):
                return self.left > 0

    def skip_past(self, byte: bytes) -> None:
        """Moves behind the next such byte, or to the end, keeping nothing of what lies between."""
        while self.ensure(1):
            found = self.data.find(byte, self.at)
            if found >= 0:
                self.at = found + 1
                return
            self.at = len(self.data)

    def _fill(self, size: int) -> None:
        self._before += self.at
        parts, total = [self.data[self.at :]], self.left
        self.data, self.at = b"", 0
        while total < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.ended = True
                break
            parts.append(chunk)
            total += len(chunk)
        self.data = b"".join(parts)
