"""What was told lately: the memory by which alerts of one cause wait for each other.

Belongs here: when each cause was told, or refused by Slack, in one small file beside `sent/`, so that a restart
forgets nothing. Does not belong here: the alerts (`resources/outbox.py`).

It is but a memory of a quarter of an hour. Lost, or written by two at once, it costs a message too many.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta

from vitalake.parts import ConflictError, Store

# At most four messages an hour of one cause.
PAUSE = timedelta(minutes=15)


class Told:
    """Causes that were told, or refused, within the last 15 minutes."""

    def __init__(self, store: Store, prefix: str, now: datetime) -> None:
        self._store, self._key, self._now = store, f"{prefix}told/causes.json", now
        self._version: str | None = None
        self._told: dict[str, datetime] = {}
        self._refused: dict[str, datetime] = {}
        for item in store.objects(f"{prefix}told/"):
            self._version = item.version
            with suppress(FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
                found = json.loads(store.get(item.key))
                self._told, self._refused = self._lately(found["told"]), self._lately(found["refused"])

    def __contains__(self, cause: str) -> bool:
        """Whether it was told within the last 15 minutes."""
        return cause in self._told

    def turn(self, cause: str) -> float:
        """Whose turn is first: the smaller. What was refused waits for all others, not for ever."""
        return self._refused[cause].timestamp() if cause in self._refused else 0.0

    def tell(self, cause: str) -> None:
        """It was told."""
        self._told[cause] = self._now
        self._refused.pop(cause, None)
        self._save()

    def refuse(self, cause: str) -> None:
        """Slack refused it."""
        self._refused[cause] = self._now
        self._save()

    def _lately(self, times: dict[str, str]) -> dict[str, datetime]:
        """Those of the last 15 minutes; a clock may have been ahead."""
        found = {cause: datetime.fromisoformat(at) for cause, at in times.items()}
        return {cause: at for cause, at in found.items() if abs(self._now - at) < PAUSE}

    def _save(self) -> None:
        text = json.dumps(
            {
                name: {cause: at.isoformat() for cause, at in times.items()}
                for name, times in (("told", self._told), ("refused", self._refused))
            }
        )
        with suppress(ConflictError):  # somebody else delivers too
            self._version = self._store.put(self._key, text.encode(), expected=self._version)
