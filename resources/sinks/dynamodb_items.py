"""Rows as DynamoDB items: keys, values, sizes, and batches that DynamoDB takes.

Belongs here: what an item looks like, and DynamoDB's limits. Does not belong here: requests
(`resources/sinks/dynamodb_requests.py`), or which rows are written (`resources/sinks/dynamodb_table.py`).

A null is an absent attribute. Numbers keep every digit, times are ISO 8601 in UTC, lists are lists.
Limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from resources.sinks.view_rows import finite
from vitalake.errors import PermanentError

DIGEST = "vitalake_digest"
JOINED = "vitalake_key"
ITEM_BYTES = 400 * 1024
BATCH_ITEMS = 25
# Of 16 MB on the wire, where an escaped character may take six bytes for one.
BATCH_BYTES = 2 * 2**20
_LONGEST_KEYS = (2048, 1024)  # bytes of a partition key, of a sort key
_WHOLE = {"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint"}
_NO_KEY = {"boolean", "float", "double", "decimal", "hugeint", "uhugeint", "list", "struct", "map", "array"}

Item = dict[str, dict[str, Any]]
Request = dict[str, Any]  # PutRequest or DeleteRequest


@dataclass(frozen=True)
class Key:
    """The key of a table's items.

    Args:
        columns: attributes and their types, "S" or "N": partition key, then sort key.
        texts: SQL of each as text.
    """

    columns: tuple[tuple[str, str], ...]
    texts: tuple[str, ...]

    @staticmethod
    def of(columns: Sequence[str], types: Mapping[str, Any], plain: Mapping[str, str]) -> Key:
        """One column is the partition key, two are partition and sort key, more are joined as a JSON list.

        Raises:
            PermanentError: a column is of a type that cannot be in a key.
        """
        kinds = {column: str(types[column].id) for column in columns}
        if wrong := {column: kind for column, kind in kinds.items() if kind in _NO_KEY}:
            raise PermanentError(
                f"a key of DynamoDB is text or a whole number, so {wrong} cannot be in a sink's key"
            )
        if len(columns) > 2:
            joined = ", ".join(plain[column] for column in columns)
            return Key(((JOINED, "S"),), (f"CAST(json_array({joined}) AS VARCHAR)",))
        return Key(
            tuple((column, "N" if kinds[column] in _WHOLE else "S") for column in columns),
            tuple(f"CAST({plain[column]} AS VARCHAR)" for column in columns),
        )

    @property
    def fits(self) -> str:
        """SQL: whether DynamoDB takes the key of a row."""
        sized = zip(self.texts, _LONGEST_KEYS, strict=False)
        return " AND ".join(f"strlen({text}) BETWEEN 1 AND {longest}" for text, longest in sized)

    def attributes(self, texts: Sequence[str]) -> Item:
        """The key attributes of an item, from their texts."""
        return {column: {type_: text} for (column, type_), text in zip(self.columns, texts, strict=False)}

    def read(self, item: Item) -> tuple[str, str]:
        """The texts of a stored item's key; an empty one where there is no sort key."""
        texts = [_text(item[column]) for column, _ in self.columns]
        return texts[0], texts[1] if len(texts) > 1 else ""


def keeps(value: str, kind: str) -> str | None:
    """Up to 38 digits, and from 1E-130 to 9.9...E+125 in size; no NaN, no infinity."""
    if condition := finite(value, kind):
        return f"{condition} AND ({value} = 0 OR (abs({value}) >= 1e-130 AND abs({value}) < 1e126))"
    if kind in ("hugeint", "uhugeint"):
        return f"{value} BETWEEN -{'9' * 38} AND {'9' * 38}" if kind == "hugeint" else f"{value} <= {'9' * 38}"
    return None


def item_of(row: Mapping[str, Any]) -> Item:
    """A row as an item, without the columns that are null."""
    return {column: _value(value) for column, value in row.items() if value is not None}


def size_bytes(item: Item) -> int:
    """The size that DynamoDB reckons, at most a little more.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(column.encode()) + _size(value) for column, value in item.items())


def put(item: Item) -> Request:
    """The request that writes an item."""
    return {"PutRequest": {"Item": item}}


def delete(key: Item) -> Request:
    """The request that deletes the item of a key."""
    return {"DeleteRequest": {"Key": key}}


def batches(requests: Iterable[Request], key: Key) -> Iterator[list[Request]]:
    """Requests cut into batches that DynamoDB takes: 25 at most, not too large, no item twice.

    Raises:
        PermanentError: two requests in a row are for one item.
    """
    batch: list[Request] = []
    seen: set[tuple[str, str]] = set()
    weight = 0
    for request in requests:
        item = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
        size, which = size_bytes(item), key.read(item)
        if len(batch) == BATCH_ITEMS or (batch and weight + size > BATCH_BYTES):
            yield batch
            batch, seen, weight = [], set(), 0
        if which in seen:
            raise PermanentError("two rows are one item of DynamoDB: correct the sink's key")
        batch.append(request)
        seen.add(which)
        weight += size
    if batch:
        yield batch


def _text(value: dict[str, Any]) -> str:
    [(type_, text)] = value.items()
    if type_ == "N" and (number := Decimal(text)) == int(number):
        return str(int(number))  # 1E+3 is 1000
    return str(text)


def _value(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, (int, float, Decimal)):
        return {"N": str(value)}  # of a float, the shortest text that is this very number: 17 digits at most
    if isinstance(value, list):
        return {"L": [_value(element) for element in value]}
    return {"M": item_of(value)}


def _size(value: dict[str, Any]) -> int:
    [(type_, content)] = value.items()
    if type_ == "S":
        return len(content.encode())
    if type_ == "N":
        return min(len(content) // 2 + 2, 21)
    if type_ == "L":
        return 3 + sum(1 + _size(element) for element in content)
    if type_ == "M":
        return 3 + sum(1 + len(column.encode()) + _size(element) for column, element in content.items())
    return 1
