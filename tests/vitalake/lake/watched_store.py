"""A store that is watched and interrupted: what it is asked, and what happens meanwhile.

Belongs here: the wrapper and the interruptions. Does not belong here: a store; the real one is inside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from resources.object_store import ObjectStore
from vitalake.arrivals.objects import ObjectInfo

Event = Literal["look", "before write", "after write"]
Interrupt = Callable[[Event], None]


class Crash(BaseException):
    """The end of a process, as sudden as can be: no `except Exception` sees it."""


class WatchedStore:
    """The real store; `interrupt` is called at each look, and before and after each write."""

    def __init__(self, store: ObjectStore, interrupt: Interrupt = lambda _event: None) -> None:
        self._store = store
        self._interrupt = interrupt
        self.writes: list[str] = []
        self.deletions: list[str] = []

    def objects(self, prefix: str) -> list[ObjectInfo]:
        self._interrupt("look")
        return self._store.objects(prefix)

    def get(self, key: str, version: str | None = None) -> bytes:
        self._interrupt("look")
        return self._store.get(key, version)

    def tail(self, key: str, size_bytes: int) -> bytes:
        self._interrupt("look")
        return self._store.tail(key, size_bytes)

    def put(self, key: str, data: bytes, *, expected: str | None) -> str:
        self._interrupt("before write")
        version = self._store.put(key, data, expected=expected)
        self.writes.append(key)
        self._interrupt("after write")
        return version

    def delete(self, key: str, *, expected: str) -> None:
        self._interrupt("before write")
        self._store.delete(key, expected=expected)
        self.deletions.append(key)
        self._interrupt("after write")


def crash_at(number: int, event: Event) -> Interrupt:
    """The process ends at the event of this number, from 0, of its kind."""
    left = number

    def interrupt(happened: Event) -> None:
        nonlocal left
        if happened == event:
            if left == 0:
                raise Crash
            left -= 1

    return interrupt


def meanwhile(number: int, do: Callable[[], None]) -> Interrupt:
    """At the event of this number, from 0, of whatever kind, something else happens first."""
    left = number

    def interrupt(_event: Event) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            do()

    return interrupt
