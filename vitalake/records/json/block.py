"""Records read so far: the good ones, and those refused with the reason.

Belongs here: what the JSON reader gives, and its numbering. Does not belong here: how it is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vitalake.lake.contents import MAX_TEXT
from vitalake.lake.refusals import RefusalBudget
from vitalake.records.json.enclosed import EnclosedRecords, enclosed_in
from vitalake.records.json.record import UnusableRecordError, record_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

UNREADABLE, UNREADABLE_FROM_HERE, ENCLOSED = "D02", "D07", "S02"
_ARRAY_OF_OBJECTS = re.compile(rb"[ \t\r\n]*\[[ \t\r\n\[]*\{")


@dataclass(frozen=True)
class RefusedRecord:
    """A record that cannot be read.

    Args:
        number: of the record in the object, from 1.
        rule: D02, or D07 where nothing behind it can be read either, or S02 where it is none, with records inside.
        message: why, without any of its values.
        text: the record as it arrived, cut at `MAX_TEXT` characters; null where there is no more than its size.
        count: for how many refused records of the block this stands, if many were refused before, or are inside.
    """

    number: int
    rule: str
    message: str
    text: str | None = None
    count: int = 1


@dataclass(frozen=True)
class JsonRecords:
    """Records that follow each other in an object: each is among the good or among the refused ones.

    Args:
        first: number of the first one, good or refused, from 1.
        records: the good ones in order.
        runs: number of the first and of the last of good ones that follow each other.
        refused: the others in order.
        size_bytes: what they take in the object.
    """

    first: int
    records: list[dict[str, Any]]
    runs: Sequence[tuple[int, int]]
    refused: Sequence[RefusedRecord]
    size_bytes: int

    @property
    def refused_count(self) -> int:
        """How many were refused."""
        return sum(each.count for each in self.refused)

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """Number of each good record, shape (n,)."""
        import numpy as np

        first, last = np.asarray(self.runs, np.int64).reshape(-1, 2).T
        lengths = last - first + 1
        before = np.cumsum(lengths) - lengths
        found: npt.NDArray[np.int64] = np.arange(len(self.records)) + np.repeat(first - before, lengths)
        return found


class JsonBlock:
    """Gathers records of one block.

    Args:
        first: number of the record that comes next.
        told: of the object, whose blocks share it.
        names: declared keys.
    """

    def __init__(self, first: int, told: RefusalBudget, names: Collection[str]) -> None:
        self.next_number = first
        self._names = names
        self._first = first
        self._told = told
        self._records: list[dict[str, Any]] = []
        self._runs: list[tuple[int, int]] = []
        self._refused: list[RefusedRecord] = []
        self._last_around: int | None = None  # where the last one of those with records inside is
        self._unsaid = 0  # so many have no words of their own; the one of `_refused` that stands for them is at
        self._unsaid_at = 0

    @property
    def wordless(self) -> bool:
        """Whether what is refused from here on is only counted."""
        return self._told.all(UNREADABLE)

    def accept(self, records: list[dict[str, Any]]) -> None:
        """Takes good records."""
        if not records:
            return
        self._records += records
        begin, self.next_number = self.next_number, self.next_number + len(records)
        if self._runs and self._runs[-1][1] == begin - 1:
            begin = self._runs.pop()[0]
        self._runs.append((begin, self.next_number - 1))

    def refuse(self, message: str, text: bytes | None = None) -> None:
        """Counts the next record as one that cannot be read."""
        if not self._told.take(UNREADABLE):
            self.count_refused(1)
            return
        # As many bytes as the characters may take.
        begin = None if text is None else text[: 4 * MAX_TEXT].decode("utf-8", "replace").strip()[:MAX_TEXT]
        self._refused.append(RefusedRecord(self.next_number, UNREADABLE, message, begin))
        self.next_number += 1

    def count_refused(self, count: int) -> None:
        """Counts so many more as ones that cannot be read, once the block is `wordless`."""
        if not self._unsaid and count:
            self._unsaid_at = len(self._refused)
            self._refused.append(RefusedRecord(self.next_number, UNREADABLE, "the record cannot be read"))
        self._unsaid += count
        self.next_number += count

    def refuse_around(self, inside: EnclosedRecords) -> None:
        """Refuses a value that stands where the next record should, with as many records inside."""
        if self._told.take(ENCLOSED) or self._last_around is None:
            self._last_around = len(self._refused)
            self._refused.append(RefusedRecord(self.next_number, ENCLOSED, inside.message(), None, inside.count))
        else:
            last = self._refused[self._last_around]
            self._refused[self._last_around] = replace(last, count=last.count + inside.count)
        self.next_number += 1

    def refuse_rest(self, message: str) -> None:
        """Counts as one record all that follows, of which nobody can tell what it is."""
        self._refused.append(RefusedRecord(self.next_number, UNREADABLE_FROM_HERE, message))
        self.next_number += 1

    def take(self, texts: Sequence[bytes]) -> None:
        """Takes or refuses the records that texts are; what is there often is looked at once."""
        known: dict[bytes, dict[str, Any] | str] = {}
        good: list[dict[str, Any]] = []
        bad = 0  # that are only counted
        for text in texts:
            found = known.get(text)
            if found is None:
                known[text] = found = self._record(text)
            if type(found) is dict:
                if bad:
                    self.count_refused(bad)
                    bad = 0
                good.append(found)
                continue
            if good:
                self.accept(good)
                good = []
            if (inside := self._enclosed(text)) is not None:
                self.count_refused(bad)
                bad = 0
                self.refuse_around(inside)
            elif bad or self.wordless:
                bad += 1
            else:
                self.refuse(found, text)  # type: ignore[arg-type]
        self.accept(good)
        self.count_refused(bad)

    def _enclosed(self, text: bytes) -> EnclosedRecords | None:
        """The records in an array that stands where a record should; None: it is none, or has none."""
        if not self._names or not _ARRAY_OF_OBJECTS.match(text):
            return None
        inside = enclosed_in(text, self._names)
        return inside if inside.count > 1 else None

    def done(self, size_bytes: int) -> JsonRecords:
        """What was gathered, from so many bytes of the object."""
        if self._unsaid:
            last = self._refused[self._unsaid_at]
            self._refused[self._unsaid_at] = replace(last, count=self._unsaid)
        return JsonRecords(self._first, self._records, self._runs, self._refused, size_bytes)

    def _record(self, text: bytes) -> dict[str, Any] | str:
        """The record that a text is, or why it is none."""
        try:
            return record_of(text, explained=not self.wordless)
        except UnusableRecordError as error:
            return f"the record {error}"
