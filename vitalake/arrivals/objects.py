"""Objects as a listing shows them, and what looking for them needs of a bucket.

Belongs here: these shapes. Does not belong here: S3 itself (`resources/object_store.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object as a listing shows it.

    `version` is the ETag: it changes with the content, every S3 server lists it, and a get can insist on it.
    """

    key: str
    version: str
    size_bytes: int
    uploaded_at: datetime

    def line(self) -> str:
        """All four fields in one unambiguous line, for digests: only the key may hold spaces, and it comes last."""
        return f"{self.uploaded_at.timestamp()} {self.size_bytes} {self.version} {self.key}"


class Bucket(Protocol):
    """What looking for objects needs of a bucket."""

    def objects(self, prefix: str) -> list[ObjectInfo]:
        """All objects below a prefix."""

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        """The folders (with their trailing slash) and the objects directly below a prefix."""
