"""Keys of JSON records beside the declared ones: other spellings of these, and records that are none.

Belongs here: what the keys of a record say of it. Does not belong here: which spellings are the same name
(`vitalake/records/names.py`), values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from vitalake.errors import UnusableDataError
from vitalake.records.json.block import ENCLOSED, UNREADABLE
from vitalake.records.json.enclosed import enclosed_in
from vitalake.records.names import declared_names

LOOKS_DECLARED = "D09"
_MOST_KEYS = 1 << 14  # different keys of which it is kept what they are


class RecordKeys:
    """Looks at the keys of the records of one object, at each that is not declared once.

    Args:
        names: declared keys.
        required: those of them that a record must have.
    """

    def __init__(self, names: Sequence[str], required: Collection[str]) -> None:
        self._ordered, self._names = tuple(names), frozenset(names)
        self._required = frozenset(required)
        self._declared = declared_names(tuple(names))
        self._seen: dict[str, tuple[str | None, str | None]] = {}

    def doubtful(self, records: Sequence[dict[str, Any]], positions: Sequence[int]) -> list[int]:
        """Which of the records at these positions have a key that may be meant as a declared one, or are none."""
        if not positions:
            return []
        others = {key for position in positions for key in records[position]} - self._names
        odd = {key for key in others if any(self._look_up(key))}
        return [
            position
            for position in positions
            if not odd.isdisjoint(records[position])
            or not self._is_record(records[position])
            or all(isinstance(value, (dict, list)) for value in records[position].values())
        ]

    def settled(
        self, records: Sequence[dict[str, Any]], positions: Sequence[int]
    ) -> tuple[list[dict[str, Any]], list[int], dict[int, UnusableDataError]]:
        """The records with their keys as declared.

        Args:
            records: of a block.
            positions: of those that are `doubtful`.

        Returns:
            The good ones, the positions where they were, and by its position why another one cannot be used.
        """
        found = list(records)
        unusable: dict[int, UnusableDataError] = {}
        for position in positions:
            try:
                found[position] = self._settled(records[position])
            except UnusableDataError as error:
                unusable[position] = error
        kept = [position for position in range(len(found)) if position not in unusable]
        return [found[position] for position in kept], kept, unusable

    def _settled(self, record: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        alike: dict[str, str] = {}
        for key, value in record.items():
            name, resembled = self._look_up(key)
            if (name or key) in found:
                raise UnusableDataError(UNREADABLE, f"the record has the key {name!r} in two spellings")
            if resembled is not None:
                alike[resembled] = key
            found[name or key] = value
        self._refuse_around(found)
        for name, key in alike.items():
            if name not in found:
                raise UnusableDataError(
                    LOOKS_DECLARED, f"{self._declared.likeness(key)}, and {name!r} is not there"
                )
        return found

    def _is_record(self, record: Mapping[str, Any]) -> bool:
        """Whether it has what a record must have, or where that is nothing, at least one declared key."""
        if self._required:
            return self._required <= record.keys()
        return not self._names.isdisjoint(record)

    def _refuse_around(self, record: dict[str, Any]) -> None:
        declared = self._names & record.keys()
        lengths = {_column_length(record[name]) for name in declared}
        if len(declared) > 1 and len(lengths) == 1 and (count := lengths.pop()) is not None:
            raise UnusableDataError(
                ENCLOSED,
                f"an object of columns, each of {count:,} values, where a record was expected, so all of it is "
                "refused: an array of objects, or an object on each line, is read; write one object a record",
                max(count, 1),
            )
        if self._is_record(record):
            return
        import msgspec

        inside = enclosed_in(msgspec.json.encode(record), self._ordered)
        if inside.count or (not declared and inside.is_usual_envelope):
            raise UnusableDataError(ENCLOSED, inside.message(), max(inside.count, 1))

    def _look_up(self, key: str) -> tuple[str | None, str | None]:
        """The declared name that a key is, or else the one that it looks like."""
        if key not in self._seen:
            if len(self._seen) >= _MOST_KEYS:
                self._seen.clear()
            name = self._declared.declared(key)
            self._seen[key] = name, None if name is not None else self._declared.resembled(key)
        return self._seen[key]


def _column_length(value: Any) -> int | None:
    """Of what stands for a column where records are turned on their side: a list, or an object by row numbers."""
    if isinstance(value, list) or (isinstance(value, dict) and value and all(map(str.isdecimal, value))):
        return len(value)
    return None
