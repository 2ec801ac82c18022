"""Records of a JSON object that has one on each line.

Belongs here: lines. Does not belong here: records that stand otherwise (`sequence.py`).
"""

from __future__ import annotations

import re
from typing import Any

from vitalake.records.json.block import JsonBlock
from vitalake.records.json.nesting import objects_in
from vitalake.records.json.record import decoder_of, nothing_lost, undecodable
from vitalake.records.json.window import JsonWindow

_PARTS, _FEW = 8, 64
_SEVERAL = re.compile(rb"\}[ \t\r\n]*\{")


class JsonLines:
    """Reads lines; a bad one is refused alone.

    Lines of white space are none. A line that holds several objects one after the other holds several records.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    def step(self, window: JsonWindow, block: JsonBlock) -> bool:
        """Reads the lines of a piece of at most `max_bytes`; False where there are no more."""
        if not window.skip_blank():
            return False
        more = window.ensure(self._max_bytes + 1)
        data, at = window.data, window.at
        cut = data.rfind(b"\n", at, at + self._max_bytes + 1) + 1 if more else len(data)
        if not cut:
            block.refuse(f"the line is larger than {self._max_bytes:,} bytes")
            window.skip_past(b"\n")
            return True
        window.at = cut
        piece = data[at:cut]
        lines = list(filter(bytes.strip, piece.split(b"\n")))
        if block.wordless and b"{" not in piece:  # none is an object, whatever else it is
            block.count_refused(len(lines))
        else:
            _take(lines, block)
        return True


def _take(lines: list[bytes], block: JsonBlock) -> None:
    """Takes the records of some lines: of all together, else of an eighth at a time, else of each."""
    try:
        records = list(map(decoder_of(dict[str, Any]).decode, lines))
    except undecodable():
        records = []
    if len(records) == len(lines) and nothing_lost(b"\n".join(lines), records):
        block.accept(records)
        return
    if len(lines) > _FEW:
        size = -(-len(lines) // _PARTS)
        for begin in range(0, len(lines), size):
            _take(lines[begin : begin + size], block)
        return
    texts: list[bytes] = []
    for line in lines:
        objects = objects_in(line) if _SEVERAL.search(line) else None
        texts += objects if objects and len(objects) > 1 else [line]
    block.take(texts)
