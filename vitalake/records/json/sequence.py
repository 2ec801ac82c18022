"""Records of a JSON object that is one array, or objects one after the other without regard to lines.

Belongs here: both, as they differ in a comma. Does not belong here: a record on each line (`lines.py`).

The fast way cuts a piece where a record seems to end: behind the last place that looks as the gap between two
records did before (`}`, what stood between them, `{` and the first key). The decoder proves the cut right, since
only whole records between the right brackets are valid JSON. Where it does not, smaller pieces are tried, and in
the smallest the records are looked for one by one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from vitalake.records.json.block import JsonBlock
from vitalake.records.json.enclosed import EnclosedRecords
from vitalake.records.json.nesting import QUOTE, Nesting, NestingError
from vitalake.records.json.record import decoder_of, nothing_lost, undecodable
from vitalake.records.json.window import JsonWindow

_OPEN, _CLOSE, _COMMA, _OBJECT = b"[],{"
_OBJECT_END = ord("}")
_FIRST_KEY = re.compile(rb'\{[ \t\r\n]*"[^"\\]{0,100}"')
_SCALAR = re.compile(rb'[^\s,:"{}\[\]]+')
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'


def _inside(levels: int) -> bytes:
    """What stands between two brackets, with so many levels of brackets inside."""
    values = rb"%b|\{%b\}|\[%b\]" % (_STRING, *[_inside(levels - 1)] * 2) if levels else _STRING
    return rb'[^{}\[\]"]*(?:(?:%b)[^{}\[\]"]*)*' % values


# Values with few brackets inside, up to the comma behind them; and objects of that kind, up to the next one.
_FEW = _inside(levels=3)
_VALUES = rb'\{%b\}|\[%b\]|%b|[^\s,:"{}\[\]]+' % (_FEW, _FEW, _STRING)
_ELEMENT = re.compile(rb"[ \t\r\n]*(%b)[ \t\r\n]*," % _VALUES, re.DOTALL)
_FOLLOWED = re.compile(rb"[ \t\r\n]*(\{%b\})[ \t\r\n]*(?=\{)" % _FEW, re.DOTALL)
_MAX_GAP_BYTES = 200
_SHRINK = 4
_MIN_PIECE_BYTES = 1 << 13
_MAX_SLOW_BYTES = 1 << 18


class _BrokenError(ValueError):
    """From here on nobody can tell where a record begins."""


class JsonSequence:
    """Reads the records of an array (`in_array`), or of objects that follow each other.

    A bad record is refused alone if its brackets match and what separates records follows it. Otherwise, all that
    comes after the last good one is one refusal.
    """

    def __init__(self, max_bytes: int, in_array: bool, names: Collection[str]) -> None:
        self._max_bytes = max_bytes
        self._names = names
        self._in_array = in_array
        self._begun = False
        self._gaps: tuple[bytes, ...] = ()
        self._piece_bytes = max_bytes
        self._slow_until = 0
        self._slow_bytes = 0  # to go record by record; twice as many each time that no piece could be taken
        self._objects_until = 0  # up to here values are not all of another kind

    def step(self, window: JsonWindow, block: JsonBlock) -> bool:
        """Reads the records of a piece of at most `max_bytes`; False where there are no more."""
        try:
            if not self._begun:
                self._begun = True
                return self._begin(window)
            window.ensure(self._max_bytes + 1)
            if window.offset >= self._slow_until:
                rest = window.ended and window.left <= self._piece_bytes
                cut = len(window.data) if rest else self._cut(window)
                if self._take_piece(window, cut, rest, block):
                    self._piece_bytes = min(self._piece_bytes * _SHRINK, self._max_bytes)
                    self._slow_bytes = 0
                    return not rest and self._next(window)
                if cut - window.at > _MIN_PIECE_BYTES and self._gaps:
                    self._piece_bytes = max((cut - window.at) // _SHRINK, _MIN_PIECE_BYTES)
                    return True
                searched = max(cut - window.at or self._piece_bytes, self._slow_bytes)
                slow = searched if self._gaps else 1  # one record shows the gap
                self._slow_until = window.offset + slow
                self._slow_bytes = min(2 * slow, _MAX_SLOW_BYTES)
                self._piece_bytes = min(self._piece_bytes * _SHRINK, self._max_bytes)
            if self._take_some(window, block):
                return self._next(window)
            return self._take_one(window, block)
        except (_BrokenError, NestingError) as error:
            block.refuse_rest(f"what follows cannot be read: {error}, at byte {window.offset:,} of the object")
            return False

    def _begin(self, window: JsonWindow) -> bool:
        """Moves to the first record."""
        if not self._in_array:
            return True
        window.at += 1
        if not window.skip_blank():
            raise _BrokenError("the array does not end")
        return window.data[window.at] != _CLOSE or self._finish(window)

    def _finish(self, window: JsonWindow) -> bool:
        window.at += 1
        if window.skip_blank():
            raise _BrokenError("the array has ended")
        return False

    def _next(self, window: JsonWindow) -> bool:
        """Moves from the end of a record to the next one; False where there is none."""
        if not window.skip_blank():
            if self._in_array:
                raise _BrokenError("the array does not end")
            return False
        byte = window.data[window.at]
        if not self._in_array:
            if byte != _OBJECT:
                raise _BrokenError("an object was expected")
            return True
        if byte == _CLOSE:
            return self._finish(window)
        if byte != _COMMA:
            raise _BrokenError("a comma is missing")
        window.at += 1
        if not window.skip_blank():
            raise _BrokenError("the array does not end")
        return True

    def _cut(self, window: JsonWindow) -> int:
        """Where a record seems to end; the position of the window where none does."""
        cut = window.at
        for gap in self._gaps:
            if cut < window.at + self._piece_bytes // 2:
                cut = max(cut, window.data.rfind(gap, window.at, window.at + self._piece_bytes) + 1)
        return cut

    def _take_piece(self, window: JsonWindow, cut: int, rest: bool, block: JsonBlock) -> bool:
        """Takes all records up to a position, or none of them."""
        if cut <= window.at or window.data[window.at] != _OBJECT:
            return False
        piece = window.data[window.at : cut]
        try:
            if self._in_array:
                text = b"[" + piece if rest else b"[" + piece + b"]"
                records = decoder_of(list[dict[str, Any]]).decode(text)
            else:
                records = decoder_of(dict[str, Any]).decode_lines(piece)
        except undecodable():
            return False
        if not nothing_lost(piece, records):
            return False
        block.accept(records)
        window.at = cut
        return True

    def _take_some(self, window: JsonWindow, block: JsonBlock) -> bool:
        """Takes or refuses records that are quickly told apart, up to the end of one; False: there is none."""
        data, at = window.data, window.at
        stop = min(at + min(_MIN_PIECE_BYTES, self._max_bytes), len(data))
        told = window.offset < self._objects_until or not (self._in_array and block.wordless)
        if not told and self._count_values(window, stop, block):
            return True
        pattern, texts, end, begin = (_ELEMENT if self._in_array else _FOLLOWED), [], at, at
        while found := pattern.match(data, at, stop):
            texts.append(found[1])
            before, end, begin, at = end, found.end(1), found.start(1), found.end()
        if not texts:
            return False
        if len(texts) > 1:
            self._learn(data, before, begin)
        block.take(texts)
        window.at = end
        return True

    def _count_values(self, window: JsonWindow, stop: int, block: JsonBlock) -> bool:
        """Refuses values none of which is an object, without a word; False where they cannot be told so."""
        for end in (b"],", b","):
            cut = window.data.rfind(end, window.at, stop) + len(end) - 1
            if cut <= window.at:
                continue
            try:
                values = decoder_of(list[Any]).decode(b"[" + window.data[window.at : cut] + b"]")
            except undecodable():
                continue
            if dict in set(map(type, values)):
                break
            block.count_refused(len(values))
            window.at = cut
            return True
        self._objects_until = window.offset + stop - window.at
        return False

    def _take_one(self, window: JsonWindow, block: JsonBlock) -> bool:
        """Takes or refuses one record and moves to the next."""
        data, at = window.data, window.at
        if data[at] in (_OBJECT, _OPEN, QUOTE):
            nesting = Nesting()
            end, ended = nesting.follow(data, at)
            if not ended or end - at > self._max_bytes:
                self._skip(window, nesting, end, ended, block)
                return self._next(window)
        elif found := _SCALAR.match(data, at):
            end = found.end()
        else:
            raise _BrokenError("a record is missing")
        if end - at > self._max_bytes:
            raise _BrokenError("a record has no end")
        block.take([data[at:end]])
        window.at = end
        more = self._next(window)
        if more and data is window.data:
            self._learn(data, end, window.at)
        return more

    def _skip(self, window: JsonWindow, nesting: Nesting, end: int, ended: bool, block: JsonBlock) -> None:
        """Refuses a record that is too large, and moves to its end without keeping it."""
        start, inside = window.offset, EnclosedRecords(self._names)
        inside.feed(window.data[window.at : end])
        while not ended:
            window.at = end
            if not window.ensure(window.left + 1):
                window.at = len(window.data)
                raise _BrokenError(f"the record that begins at byte {start:,} does not end")
            end, ended = nesting.follow(window.data, window.at)
            inside.feed(window.data[window.at : end])
        window.at = end
        if inside.count:
            block.refuse_around(inside)
        else:
            block.refuse(f"the record is larger than {self._max_bytes:,} bytes")

    def _learn(self, data: bytes, end: int, start: int) -> None:
        """Keeps how the gap between two records looks, with the first key of the second one and without."""
        if data[end - 1] != _OBJECT_END or data[start] != _OBJECT or start - end > _MAX_GAP_BYTES:
            return
        key = _FIRST_KEY.match(data, start)
        plain = data[end - 1 : start + 1]
        self._gaps = (data[end - 1 : key.end()], plain) if key else (plain,)
