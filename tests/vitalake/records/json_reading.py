"""What the tests of the JSON reader share: how an object is read, a few records, and bad ones.

Belongs here: what several of them need. Does not belong here: what must come out.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from vitalake.records.json.reader import read_json

A, B = {"a": 1}, {"b": "ü"}
REST = "what follows cannot be read"
Numbered = list[tuple[int, Any]]


def read(data: bytes, cuts: tuple[int, ...] = (), **sizes: int) -> tuple[Numbered, Numbered]:
    """Number and record of the good ones, number and message of the others; each number is there once, in order.

    Only the last one may be a rest that cannot be read (D07).
    """
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[begin:end] for begin, end in pairwise(edges)]
    good: Numbered = []
    refused: Numbered = []
    for block in read_json(iter(pieces), **sizes):
        assert block.first == len(good) + len(refused) + 1
        good += zip(block.numbers.tolist(), block.records, strict=True)
        for each in block.refused:
            assert not (refused and refused[-1][1].startswith(REST))
            assert each.rule == ("D07" if each.message.startswith(REST) else "D02")
            refused.append((each.number, each.message))
    assert sorted(number for number, _ in good + refused) == list(range(1, len(good) + len(refused) + 1))
    assert [number for number, _ in good] == sorted(number for number, _ in good)
    return good, refused


def numbers(found: Numbered) -> list[int]:
    return [number for number, _ in found]


def text_of(record: Any, indent: int | None = None, plain: bool = False) -> bytes:
    return json.dumps(record, indent=indent, ensure_ascii=plain).encode()


# Bad ones whose brackets match. SECRET stands for what may be personal.
BAD = {
    b'{"SECRET": NaN}': "NaN",
    b'{"SECRET": -Infinity}': "Infinity",
    b'{"SECRET": "\xff"}': "UTF-8",
    b'{"\xc3": "SECRET"}': "UTF-8",
    b'{"a": "SECRET\xed\xa0\x80"}': "UTF-8",
    b'{"a": "SECRET\\ud800"}': "surrogate",
    b'{"a": "\\udc00SECRET"}': "surrogate",
    b'{"SECRET": 1, "SECRET": 1}': "key twice",
    b'{"SECRET": "\\":", "SECRET" : ": "}': "key twice",
    b'{"a": {"b": [{"SECRET": 1, "\\u0053ECRET": 2}]}}': "key twice",
    b'{"a": ' + b"[" * 64 + b'"SECRET"' + b"]" * 64 + b"}": "64 levels",
    b'{"SECRET": ' * 65 + b"1" + b"}" * 65: "64 levels",
    b'{"a": ' + b"[" * 50_000 + b'"SECRET"' + b"]" * 50_000 + b"}": "64 levels",
    b'{"SECRET": 1e999}': "out of range",
    b'{"SECRET": ' + b"9" * 5000 + b"}": "out of range",
    b'{"SECRET": 01}': "byte 12",
    b'{"SECRET" 1}': "byte 10",
    b'{"SECRET": 1,}': "no valid JSON",
    b'{"a": "SECRET\x01"}': "no valid JSON",
    b'{"a": "SECRET\\x"}': "no valid JSON",
    b'{"SECRET": 1 "b": 2}': "no valid JSON",
    b'["SECRET"]': "an array",
    b'"SECRET"': "a string",
    b"123": "a number",
    b"true": "true or false",
    b"null": "null",
    b"SECRET": "no valid JSON",
}
