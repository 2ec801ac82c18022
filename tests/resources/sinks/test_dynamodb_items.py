"""Batches of items: no larger than DynamoDB takes, and no item twice.

Belongs here: how requests are put together. Does not belong here: sending them (`test_dynamodb_requests`).
"""

from __future__ import annotations

import pytest

from resources.sinks.dynamodb_items import BATCH_BYTES, Key, batches, delete, put
from vitalake.errors import PermanentError

KEY = Key((("id", "N"),), ("id",))


def test_batches_are_no_larger_than_dynamodb_takes() -> None:
    small = [put({"id": {"N": str(number)}}) for number in range(30)]
    assert [len(batch) for batch in batches([*small, delete({"id": {"N": "99"}})], KEY)] == [25, 6]
    half = "x" * (BATCH_BYTES // 2)
    large = [put({"id": {"N": str(number)}, "text": {"S": half}}) for number in range(3)]
    assert [len(batch) for batch in batches(large, KEY)] == [1, 1, 1]


def test_one_item_twice_in_a_batch_is_refused() -> None:
    twice = [put({"id": {"N": "1000"}}), delete({"id": {"N": "1E+3"}})]
    with pytest.raises(PermanentError, match="two rows are one item"):
        list(batches(twice, KEY))
