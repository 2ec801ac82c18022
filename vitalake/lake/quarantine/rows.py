"""The rows of quarantine of one part, while its objects are read.

Belongs here: what becomes of refusals: their rows, in order and in number, and the news of them. Does not belong
here: what is refused (`vitalake/lake/reading.py`), what a refusal is (`vitalake/lake/contents.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from vitalake.arrivals.objects import ObjectInfo
from vitalake.lake.contents import RawObject, Refusal, object_columns
from vitalake.lake.dataset import Dataset
from vitalake.lake.quarantine.signatures import signature_of
from vitalake.lake.reconcile import PartWriter
from vitalake.lake.refusals import LISTED

_ROW_BYTES, _CHARACTER_BYTES = 700, 2  # what a row takes in memory, about
_NEWS_MESSAGES = 5  # of one object and rule that are news one by one
_NEWS_COLUMNS = ("source_key", "source_version", "rule", "message", "record_count")


class QuarantineRows:
    """Rows of quarantine: each refusal, in the order of the objects, and very many of one kind as a number.

    Args:
        dataset: whose quarantine it is.
        items: the objects of the part, in order.
        sheets: where the rows go.
        heavy_bytes: from how much memory on the rows are `heavy`.
    """

    def __init__(self, dataset: Dataset, items: Sequence[ObjectInfo], sheets: PartWriter, heavy_bytes: int) -> None:
        self._dataset = dataset
        self._items = {item.key: (position, item) for position, item in enumerate(items)}
        self._sheets = sheets
        self._heavy_bytes = heavy_bytes
        self._excerpts: dict[str, str] = {}
        self._rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._weight = 0
        self._news: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}

    @property
    def heavy(self) -> bool:
        """Whether the rows take as much memory as they may before they are laid out."""
        return self._weight >= self._heavy_bytes

    def see(self, objects: Iterable[RawObject]) -> None:
        """Remember how these begin."""
        self._excerpts |= {item.key: begin.hex() for item in objects if (begin := signature_of(item.data))}

    def add(self, refusals: Iterable[Refusal], settled: bool = False) -> None:
        """One row each; of one object and rule `LISTED` at most, and a number in the last of them.

        `settled`: of objects before that of a refusal nothing more is refused.
        """
        last = ""
        for refusal in refusals:
            if settled and self.heavy and last and refusal.key != last:
                self.lay_out(last)
            last = refusal.key
            rows = self._rows.setdefault((refusal.key, refusal.rule), [])
            if len(rows) < LISTED:
                rows.append(self._row(refusal))
                self._weight += _ROW_BYTES + _CHARACTER_BYTES * (len(refusal.message) + len(refusal.text or ""))
            else:
                rows[-1]["record_count"] += refusal.record_count

    def lay_out(self, key: str | None = None) -> None:
        """Put rows into the part: all, or those of objects up to one, of which nothing more is refused."""
        last = len(self._items) if key is None else self._items[key][0]
        done = [each for each in self._rows if self._items[each[0]][0] <= last]
        rows = [row for each in done for row in self._rows.pop(each)]
        rows.sort(key=lambda row: (self._items[row["source_key"]][0], row["record_number"] or 0))
        table = self._dataset.quarantine_table
        for row in rows:
            self._add_to_news(row)
        self._sheets.append({table.name: table.from_rows(rows)})
        self._weight = 0

    def news(self) -> list[dict[str, Any]]:
        """What is in quarantine: of each object and rule a row for each message, the last for all others."""
        return [row for messages in self._news.values() for row in messages.values()]

    def _add_to_news(self, row: dict[str, Any]) -> None:
        messages = self._news.setdefault((row["source_key"], row["rule"]), {})
        known = messages.get(row["message"])
        if known is None and len(messages) >= _NEWS_MESSAGES:
            known = list(messages.values())[-1]
        if known is None:
            messages[row["message"]] = {name: row[name] for name in _NEWS_COLUMNS}
        else:
            known["record_count"] += row["record_count"]

    def _row(self, refusal: Refusal) -> dict[str, Any]:
        _, item = self._items[refusal.key]
        return {
            "dataset": self._dataset.name,
            **object_columns(item),
            "record_number": refusal.record_number,
            "rule": refusal.rule,
            "message": refusal.message,
            "record_count": refusal.record_count,
            "record_text": None if self._dataset.names_people else refusal.text,
            "excerpt_hex": self._excerpts.get(item.key),
        }
