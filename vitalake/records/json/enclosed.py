"""Records inside a JSON value that is none itself, as `{"data": […]}`: how many there are, and what is around them.

Belongs here: counting them, however large the value is. Does not belong here: where the value ends (`nesting.py`),
what becomes of it (`sequence.py`, `vitalake/records/parse.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*("?)|[{}\[\],]', re.DOTALL)
_STRING_END = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*("?)', re.DOTALL)
_STEP_BYTES = 1 << 16
_MAX_KEY_BYTES = 1 << 10  # of a string that a piece ends in; of a longer one no more is kept than that it is one
_MAX_OPEN = 1 << 12
_MAX_KEYS, _SHOWN_NAMES = 100, 5
# What exports call that which stands around their records; other names of a file are for no message.
_USUAL = frozenset(
    (
        *(
            "data",
            "value",
            "values",
            "records",
            "items",
            "results",
            "result",
            "rows",
            "entry",
            "entries",
            "features",
        ),
        *("docs", "documents", "hits", "response", "content", "payload", "objects", "list", "d", "body", "meta"),
        *(
            "metadata",
            "summary",
            "links",
            "next",
            "count",
            "total",
            "page",
            "pages",
            "resourceType",
            "type",
            "schema",
        ),
        *("columns", "index", "error", "errors", "message", "status"),
    )
)


@dataclass
class _Open:
    """An object or array that has not ended yet."""

    is_object: bool
    key_is_next: bool
    counted: bool  # it is a record, or inside of one
    inside: int = 0  # objects and arrays directly in it
    named: int = 0  # declared keys


class EnclosedRecords:
    """Counts the records inside a value.

    Those are the objects that have a declared key; where none has one, what the largest of the outermost arrays of
    objects, or of arrays, holds. A value that has as many declared keys itself as any of them is a record, and none
    is inside; where none is declared, nobody can tell.

    Args:
        names: declared keys.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = {json.dumps(name, ensure_ascii=plain).encode() for name in names for plain in (True, False)}
        self._shown = list(names)
        self._open: list[_Open] = []
        self._deeper = 0  # brackets open within as many as are looked at
        self._rest, self._in_string = b"", False
        self._with_names = 0
        self._by_depth: dict[int, int] = {}
        self._outer_keys: list[bytes] = []
        self._named_outside, self._named_inside = 0, 0

    @property
    def is_usual_envelope(self) -> bool:
        """Whether the value has a key that exports use for what stands around their records."""
        return any(key[1:-1].decode("utf-8", "replace") in _USUAL for key in self._outer_keys)

    @property
    def count(self) -> int:
        """How many there are; 0 where the value is a record itself, or has none inside."""
        if not self._names or (self._named_outside and self._named_outside >= self._named_inside):
            return 0
        return self._with_names or self._by_depth.get(min(self._by_depth, default=0), 0)

    def around(self) -> str:
        """What was found, in words that are none of the file's own."""
        keys = [key[1:-1].decode("utf-8", "replace") for key in self._outer_keys]
        usual = [key for key in keys if key in _USUAL][:_SHOWN_NAMES]
        named = f" with {', '.join(map(repr, usual))}" if usual else ""
        if {"resourceType", "entry"} <= set(keys):
            named = " that is a FHIR bundle,"
        records = f"{self.count:,} record{'' if self.count == 1 else 's'}"
        return f"{f'an object{named}' if keys else 'an array'} around {records}"

    def message(self) -> str:
        """What was found, and what was expected."""
        names = ", ".join(map(repr, self._shown[:_SHOWN_NAMES]))
        more = " and others" if len(self._shown) > _SHOWN_NAMES else ""
        return (
            f"{self.around()}, where a record was expected, so all of it is refused: an array of objects, an "
            f"object on each line, or one object with {names}{more} is read; take the records out"
        )

    def feed(self, data: bytes) -> None:
        """Goes on with the next bytes of the value."""
        for at in range(0, len(data), _STEP_BYTES):
            self._step(self._rest + data[at : at + _STEP_BYTES])

    def _step(self, data: bytes) -> None:
        self._rest = b""
        for token in self._tokens(data):
            if token in (b"{", b"["):
                self._begin(token == b"{")
            elif not self._open:
                continue
            elif token == b",":
                self._open[-1].key_is_next = self._open[-1].is_object
            elif token in (b"}", b"]"):
                self._end()
            elif self._open[-1].key_is_next:
                self._key(token)

    def _tokens(self, data: bytes) -> Iterator[bytes]:
        at = 0
        if self._in_string:
            ended = _STRING_END.match(data)
            at = ended.end() if ended else 0
            if ended is None or not ended[1]:
                self._rest = data[at:]  # half of an escape
                return
            self._in_string = False
        for found in _TOKEN.finditer(data, at):
            token = found[0]
            if token[:1] == b'"' and not found[1]:
                self._in_string = len(data) - found.start() > _MAX_KEY_BYTES
                self._rest = data[found.end() if self._in_string else found.start() :]
                return
            yield token

    def _begin(self, is_object: bool) -> None:
        outer = self._open[-1] if self._open else None
        if outer and not outer.is_object:
            outer.inside += 1
        if len(self._open) < _MAX_OPEN:
            self._open.append(_Open(is_object, is_object, outer is not None and outer.counted))
        else:
            self._deeper += 1

    def _end(self) -> None:
        if self._deeper:
            self._deeper -= 1
            return
        ended, depth = self._open.pop(), len(self._open)
        if not ended.is_object and ended.inside and not ended.counted:
            self._by_depth[depth] = max(self._by_depth.get(depth, 0), ended.inside)

    def _key(self, token: bytes) -> None:
        here = self._open[-1]
        here.key_is_next = False
        outermost = len(self._open) == 1
        if outermost and len(self._outer_keys) < _MAX_KEYS:
            self._outer_keys.append(token)
        if token not in self._names:
            return
        here.named += 1
        if outermost:
            self._named_outside = here.named
            return
        self._named_inside = max(self._named_inside, here.named)
        if not here.counted:
            self._with_names += 1
            here.counted = True


def enclosed_in(text: bytes, names: Collection[str]) -> EnclosedRecords:
    """The records inside a value that is whole."""
    found = EnclosedRecords(names)
    found.feed(text)
    return found
