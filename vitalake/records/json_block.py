"""Records read so far: the good ones, and those refused with the reason.

Belongs here: what the JSON reader gives, and its numbering. Does not belong here: how it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vitalake.dataset import MAX_TEXT
from vitalake.records.json_record import UnusableRecordError, record_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

UNREADABLE, UNREADABLE_FROM_HERE = "D02", "D07"


@dataclass(frozen=True)
class RefusedRecord:
    """A record that cannot be read.

    Args:
        number: of the record in the object, from 1.
        rule: D02, or D07 where nothing behind it can be read either.
        message: why, without any of its values.
        text: the record as it arrived, cut at `MAX_TEXT` characters; null where there is no more than its size.
    """

    number: int
    rule: str
    message: str
    text: str | None = None


@dataclass(frozen=True)
class JsonRecords:
    """Records that follow each other in an object: each is among the good or among the refused ones.

    Args:
        first: number of the first one, good or refused, from 1.
        records: the good ones in order.
        refused: the others in order.
        size_bytes: what they take in the object.
    """

    first: int
    records: list[dict[str, Any]] = field(default_factory=list)
    refused: Sequence[RefusedRecord] = ()
    size_bytes: int = 0

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """Number of each good record, shape (n,); consecutive where nothing was refused."""
        import numpy as np

        found = np.arange(self.first, self.first + len(self.records) + len(self.refused), dtype=np.int64)
        if not self.refused:
            return found
        return np.delete(found, [each.number - self.first for each in self.refused])


class Block:
    """Gathers records of one block."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._records: list[dict[str, Any]] = []
        self._refused: list[RefusedRecord] = []

    @property
    def next_number(self) -> int:
        """Number of the record that comes next."""
        return self._first + len(self._records) + len(self._refused)

    def accept(self, records: list[dict[str, Any]]) -> None:
        """Takes good records."""
        self._records += records

    def refuse(self, message: str) -> None:
        """Counts the next record as one that cannot be read."""
        self._refused.append(RefusedRecord(self.next_number, UNREADABLE, message))

    def refuse_rest(self, message: str) -> None:
        """Counts as one record all that follows, of which nobody can tell what it is."""
        self._refused.append(RefusedRecord(self.next_number, UNREADABLE_FROM_HERE, message))

    def take(self, text: bytes) -> None:
        """Takes the record that a text is, or refuses it."""
        try:
            self._records.append(record_of(text))
        except UnusableRecordError as error:
            # As many bytes as the characters may take.
            begin = text[: 4 * MAX_TEXT].decode("utf-8", "replace").strip()[:MAX_TEXT]
            self._refused.append(RefusedRecord(self.next_number, UNREADABLE, f"the record {error}", begin))

    def done(self, size_bytes: int) -> JsonRecords:
        """What was gathered, from so many bytes of the object."""
        return JsonRecords(self._first, self._records, self._refused, size_bytes)
