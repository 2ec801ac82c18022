"""A file that comes in chunks, read in blocks.

Belongs here: bytes and where they may be cut. Does not belong here: what they mean
(`vitalake/records/csv/reader.py`).
"""

from __future__ import annotations

from collections.abc import Iterable


class ChunkReader:
    """Chunks of any size, read in others."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")

    def read(self, size: int, before: bytes = b"") -> bytes:
        """What comes next after `before`, `size` bytes with it; fewer at the end of the file."""
        parts, missing = [memoryview(before)], size - len(before)
        while missing > 0:
            if not self._left:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._left = memoryview(chunk)
            parts.append(self._left[:missing])
            self._left = self._left[missing:]
            missing -= len(parts[-1])
        return b"".join(parts)


def after_last_newline(data: bytes) -> int:
    """Where to cut; 0 if there is no newline. A CR at the very end may be half of one."""
    after = data.rfind(b"\n") + 1
    return max(after, data.rfind(b"\r", after, max(after, len(data) - 1)) + 1)
