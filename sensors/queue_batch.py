"""What the sensor of the queue has in hand: the messages of a tick, and what one tick tells the next.

Belongs here: reading a batch of messages, and the cursor. Does not belong here: a single message
(`vitalake/arrivals/notifications.py`), or what is done about them (`sensors/queue.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from resources.queue import QueueMessage
from resources.settings import Settings
from vitalake.arrivals.calendar import Partition
from vitalake.arrivals.notifications import hints, partitions
from vitalake.lake.dataset import Dataset

# Dataset and partition.
Named = tuple[str, Partition]


@dataclass
class QueueBatch:
    """What was received: the partitions that each message names, and how many messages say nothing we know.

    Junk is left to come again, until the queue's redrive policy takes it to the dead letters.
    """

    named: dict[str, set[Named]] = field(default_factory=dict)
    junk: int = 0

    @staticmethod
    def of(messages: Sequence[QueueMessage], settings: Settings, datasets: Sequence[Dataset]) -> QueueBatch:
        """Read messages; those about nothing of ours name nothing."""
        batch = QueueBatch()
        ours = [(dataset.name, dataset.prefix, dataset.calendar(settings.first_day)) for dataset in datasets]
        for message in messages:
            found = hints(message.body)
            if found is None:
                batch.junk += 1
            else:
                batch.named[message.receipt] = partitions(found, settings.raw_bucket, ours)
        return batch


@dataclass(frozen=True)
class QueueCursor:
    """The token of the tick that wrote it, and the partitions to look at again though their messages are gone."""

    token: str
    again: frozenset[Named]

    @staticmethod
    def parse(text: str | None) -> QueueCursor:
        """The reverse of str(); an empty one for anything else, such as what somebody typed in the web UI."""
        try:
            content = json.loads(text or "{}")
            again = {(str(name), Partition.parse(key)) for name, key in content["again"]}
            return QueueCursor(str(content["token"]), frozenset(again))
        except (ValueError, TypeError, KeyError, RecursionError):
            return QueueCursor("", frozenset())

    def __str__(self) -> str:
        return json.dumps({"again": sorted((name, str(key)) for name, key in self.again), "token": self.token})
