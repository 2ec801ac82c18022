"""What was told lately: the memory by which alerts of one cause wait for each other.

Belongs here: when each cause was told, or refused by Slack, in one small file beside `sent/`, so that a restart
forgets nothing. Does not belong here: the alerts (`resources/outbox.py`).

It is but a memory of an hour. Lost, or written by two at once, it costs a message too many.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta

from vitalake.parts import ConflictError, Store

# A second file that is refused is heard of within a minute; what goes on comes at most four times an hour.
_PAUSES = [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15)]
_REMEMBERED = timedelta(hours=1)


class Told:
    """Causes that were told within the last hour, when and how often, and those that Slack refused."""

    def __init__(self, store: Store, prefix: str, now: datetime) -> None:
        self._store, self._key, self._now = store, f"{prefix}told/causes.json", now
        self._version: str | None = None
        self._told: dict[str, tuple[datetime, int]] = {}
        self._refused: dict[str, datetime] = {}
        for item in store.objects(f"{prefix}told/"):
            self._version = item.version
            with suppress(FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
                found = json.loads(store.get(item.key))
                told = {cause: (datetime.fromisoformat(at), int(times)) for cause, at, times in found["told"]}
                refused = {cause: datetime.fromisoformat(at) for cause, at in found["refused"]}
                self._told = {cause: last for cause, last in told.items() if self._lately(last[0])}
                self._refused = {cause: at for cause, at in refused.items() if self._lately(at)}

    def __contains__(self, cause: str) -> bool:
        """Whether it was told so lately that others of it wait: the longer, the oftener it was told."""
        if cause not in self._told:
            return False
        at, times = self._told[cause]
        return self._now - at < _PAUSES[min(times, len(_PAUSES)) - 1]

    def turn(self, cause: str) -> float:
        """Whose turn is first: the smaller. What was refused waits for all others, not for ever."""
        return self._refused[cause].timestamp() if cause in self._refused else 0.0

    def tell(self, cause: str) -> None:
        """It was told."""
        _, times = self._told.get(cause, (self._now, 0))
        self._told[cause] = (self._now, times + 1)
        self._refused.pop(cause, None)
        self._save()

    def refuse(self, cause: str) -> None:
        """Slack refused it."""
        self._refused[cause] = self._now
        self._save()

    def _lately(self, at: datetime) -> bool:
        """Whether it is remembered; what lies ahead was told by another clock."""
        return timedelta(0) <= self._now - at < _REMEMBERED

    def _save(self) -> None:
        told = [(cause, at.isoformat(), times) for cause, (at, times) in self._told.items()]
        refused = [(cause, at.isoformat()) for cause, at in self._refused.items()]
        with suppress(ConflictError):  # somebody else delivers too
            text = json.dumps({"told": told, "refused": refused})
            self._version = self._store.put(self._key, text.encode(), expected=self._version)
