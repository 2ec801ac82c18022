"""The raw bucket of an uncertain world: objects come and go between listing and reading.

Belongs here: the wrapper. Does not belong here: a bucket; the real one is inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from resources.object_store import ObjectStore
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import UnusableDataError


class UncertainRaw:
    """The raw bucket, in which something happens when its listing or its objects are asked for."""

    def __init__(self, raw: ObjectStore, before_listing: Any = None, before_reading: Any = None) -> None:
        self._raw, self._before_listing, self._before_reading = raw, before_listing, before_reading
        self.hidden: str | None = None

    def objects(self, prefix: str) -> list[ObjectInfo]:
        if self._before_listing:
            self._before_listing(prefix)
        return self._raw.objects(prefix)

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        return self._raw.folders(prefix)

    def stream(self, item: ObjectInfo) -> Iterator[bytes] | None:
        if self._before_reading:
            self._before_reading()
        return None if self.hidden and item.key.endswith(self.hidden) else self._raw.stream(item)

    def get_many(
        self, items: Sequence[ObjectInfo]
    ) -> Iterator[tuple[ObjectInfo, bytes | UnusableDataError | None]]:
        if self._before_reading:
            self._before_reading()
        for item, data in self._raw.get_many(items):
            yield item, None if self.hidden and item.key.endswith(self.hidden) else data
