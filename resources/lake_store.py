"""The lake as one store: its bucket, and a second one for what names people.

Belongs here: which of the two buckets a key lies in. Does not belong here: speaking S3
(`resources/object_store.py`), or which tables name people (their declarations).

Two buckets, because that is how access is given everywhere: who may read the lake is given one, and few the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any

from resources.object_store import ObjectStore
from resources.settings import Settings
from vitalake.arrivals.objects import ObjectInfo


class LakeStore(ObjectStore):
    """The lake's bucket, but for the tables in `restricted`, by name: their keys lie in the other one."""

    def __init__(self, settings: Settings, restricted: Collection[str]) -> None:
        super().__init__(settings, settings.lake_bucket)
        self._restricted = frozenset(restricted)

    def __getstate__(self) -> dict[str, Any]:
        """For another process."""
        return {**super().__getstate__(), "_restricted": self._restricted}

    @cached_property
    def restricted(self) -> ObjectStore:
        """The bucket of what names people."""
        return ObjectStore(self._settings, self._settings.restricted_bucket)

    def _elsewhere(self, key: str) -> bool:
        return key.partition("/")[0] in self._restricted

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        """See `ObjectStore`, as for all that follow."""
        return self.restricted.pages(prefix, after) if self._elsewhere(prefix) else super().pages(prefix, after)

    def folders(self, prefix: str, within_s: float | None = None) -> tuple[list[str], list[ObjectInfo]]:
        """One level of a listing."""
        there = self._elsewhere(prefix)
        return self.restricted.folders(prefix, within_s) if there else super().folders(prefix, within_s)

    def get(self, key: str, version: str | None = None) -> bytes:
        """The content."""
        return self.restricted.get(key, version) if self._elsewhere(key) else super().get(key, version)

    def tail(self, key: str, size_bytes: int) -> bytes:
        """The last bytes."""
        return self.restricted.tail(key, size_bytes) if self._elsewhere(key) else super().tail(key, size_bytes)

    def put(self, key: str, data: bytes, *, expected: str | None) -> str:
        """Create or replace."""
        there = self._elsewhere(key)
        return (
            self.restricted.put(key, data, expected=expected)
            if there
            else super().put(key, data, expected=expected)
        )

    def delete(self, key: str, *, expected: str) -> None:
        """Delete."""
        there = self._elsewhere(key)
        return self.restricted.delete(key, expected=expected) if there else super().delete(key, expected=expected)
